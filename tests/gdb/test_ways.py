"""The same heap however GDB comes to it: a process here, through gdbserver, a core, and served where nothing else will do.

What the program dumped of itself is the oracle: the graphs agree object for object, edge for edge, generation for generation.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

from gdb_support import BUILD, SAMPLES, TARGET, GdbTestCase, ask, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import test_capture  # noqa: E402

GDBSERVER = unittest.skipUnless(shutil.which("gdbserver"), "gdbserver is not installed")
REMOTE = "through gdbserver"
SERVED = "set refheap capture-method served"
# A target that can read no file and list no mapping, as those of simulators and small stubs cannot.
POOR = ["set sysroot /", "set remote hostio-open-packet off", "set remote pid-to-exec-file-packet off"]


@test_capture.attaching
class Ways(test_capture.Held, GdbTestCase):
    """A process with a random heap that dumped itself, seen by GDB."""

    SEEDS = (1, 7)

    def see(self, pid, before, *capture):
        self.gdb(test_capture.HELD, *before, *(capture or ["refheap capture c.refheap"]), "detach")
        self.output("refheap capture c.refheap")
        self.check(self.path("c.refheap"), before)
        self.ends_well()

    def test_a_process(self):
        for seed in self.SEEDS:
            pid = self.start(seed, threads=2)
            self.see(pid, ["attach %d" % pid])
        self.assertEqual(ask("info", self.path("c.refheap"))["captured"]["how"], "from outside, live")

    def test_a_process_served(self):
        for seed in self.SEEDS:
            pid = self.start(seed, threads=2)
            self.see(pid, ["attach %d" % pid, SERVED])

    @GDBSERVER
    def test_through_gdbserver(self):
        for seed in self.SEEDS:
            pid = self.start(seed, threads=2)
            self.see(pid, ["set sysroot /", self.gdbserver("--attach", pid)])
        info = ask("info", self.path("c.refheap"))
        self.assertEqual(info["process"]["executable"], test_capture.HELD)
        self.assertIn(test_capture.HELD, [m["path"] for m in info["modules"]])

    COMPLETE = "python from refheap_gdb import mappings; print(mappings.of_target(None, lambda *a: None, []).complete)"

    @GDBSERVER
    def test_what_is_mapped(self):
        """It is known for good where the system can be asked, and taken from GDB's files where it cannot."""
        for before, complete in (([], "True"), (POOR, "False")):
            pid = self.start(1)
            self.gdb(test_capture.HELD, "set sysroot /", *before, self.gdbserver("--attach", pid), self.COMPLETE, "detach")
            self.assertEqual(self.output(self.COMPLETE), complete + "\n")
            self.ends_well()
        pid = self.start(1)
        self.gdb(test_capture.HELD, "attach %d" % pid, self.COMPLETE, "detach")
        self.assertEqual(self.output(self.COMPLETE), "True\n")
        self.ends_well()

    @GDBSERVER
    def test_through_one_that_lists_no_mappings(self):
        for seed in self.SEEDS:
            pid = self.start(seed, threads=2)
            self.see(pid, [*POOR, self.gdbserver("--attach", pid)])

    def test_what_may_not_be_opened_is_served(self):
        """Where GDB itself can read a process, though not by its files under /proc."""
        refuse = "python import os; os.really, os.open = os.open, lambda p, *a, **k: os.really(p, *a, **k) " \
                 "if not p.startswith('/proc') else exec('raise PermissionError(1, \"Operation not permitted\")')"
        pid = self.start(7)
        self.gdb(test_capture.HELD, "attach %d" % pid, refuse, "set refheap capture-method descriptors", "refheap capture a.refheap",
                 "set refheap capture-method auto", "refheap capture c.refheap", "detach")
        self.assertIn("cannot open the memory of process %d: Operation not permitted" % pid, self.error("refheap capture a.refheap"))
        self.output("refheap capture c.refheap")
        self.check(self.path("c.refheap"), "refused")
        self.ends_well()

    def test_a_running_process_is_refused(self):
        pid = self.start(7)
        self.gdb(test_capture.HELD, "attach %d" % pid, "continue &", "refheap summary", "refheap capture a.refheap",
                 "refheap dump a.refheap", "refheap dump -now a.refheap", "refheap status")
        for command in ("refheap summary", "refheap capture a.refheap", "refheap dump a.refheap", "refheap dump -now a.refheap"):
            self.assertIn("the program is running; interrupt it first", self.error(command))
        self.assertIn("running: interrupt it to ask", self.output("refheap status"))

    def test_a_core_read_and_served(self):
        for seed in self.SEEDS:
            self.start(seed, threads=2)
            core = self.gcore()
            self.gdb(test_capture.HELD, "core-file " + core, "refheap capture a.refheap", SERVED, "refheap capture b.refheap")
            for name in ("a", "b"):
                self.output("refheap capture %s.refheap" % name)
                self.check(self.path(name + ".refheap"), name)
                self.assertEqual(ask("info", self.path(name + ".refheap"))["captured"]["how"], "from a core file")
            self.ends_well()

    def test_a_core_of_the_kernel(self):
        """Which leaves out what stood in files: refheap takes it from them, and so does GDB."""
        if test_capture.core_pattern() != "core":
            self.skipTest("cores of the kernel do not stay here: core_pattern is " + test_capture.core_pattern())
        self.start(7, threads=1)
        core = self.die()
        self.gdb(test_capture.HELD, "core-file " + core, "refheap capture a.refheap", SERVED, "refheap capture b.refheap")
        for name in ("a", "b"):
            self.output("refheap capture %s.refheap" % name)
            self.check(self.path(name + ".refheap"), name)

    def test_a_core_whose_file_has_gone_is_served(self):
        self.start(3)
        core = self.gcore()
        self.gdb(test_capture.HELD, "core-file " + core, "python import os; os.unlink('%s')" % core,
                 "set refheap capture-method file", "refheap capture c.refheap", "set refheap capture-method auto",
                 "refheap capture b.refheap")
        self.assertIn("cannot open it", self.error("refheap capture c.refheap"))
        self.output("refheap capture b.refheap")
        self.check(self.path("b.refheap"), "gone")
        self.ends_well()


class Runtimes(GdbTestCase):
    def test_python_served_as_by_descriptors(self):
        """The same stop of a Python process, read both ways: what GDB serves does for every runtime that is known."""
        with open(self.path("script.py"), "w") as f:
            f.write("import os\nclass Node: pass\nn, m = Node(), Node()\nn.me, m.me = n, m\ndel m\nos.kill(os.getpid(), 12)\n")
        self.gdb(shutil.which("python3", path="/usr/bin"), "handle SIGUSR2 nopass", "set args " + self.path("script.py"),
                 "run", "refheap capture a.refheap", SERVED, "refheap capture b.refheap", "refheap cycles")
        a, b = (self.path(name + ".refheap") for name in "ab")
        self.output("refheap capture b.refheap")
        self.assertEqual(*(test_capture.graph_of(path) for path in (a, b)))
        self.assertGreater(ask("info", b)["snapshot"]["objects"], 5000)
        self.assertIn(".me -> ", self.output("refheap cycles"))


@test_capture.attaching
@unittest.skipIf(test_capture.SANITIZED, "a sanitizer keeps pointers of its own")
class Holders(GdbTestCase):
    """Globals, stacks and registers that may hold an object are named, as they are when no GDB is there."""

    LEAKS = os.path.join(BUILD, "tests", "tools", "leaks")
    if not test_capture.SANITIZED:
        start, judged, check = (getattr(test_capture.Holders, n) for n in ("start", "judged", "check"))

    def see(self, *before, program=LEAKS):
        child, at = self.start(self.LEAKS)
        before = [word % child.pid if "%d" in word else self.gdbserver("--attach", child.pid) if word == REMOTE else word
                  for word in before]
        self.gdb(program, *before, "thread 1", "info frame",
                 "refheap capture c.refheap", "info frame ", "detach")
        self.output("refheap capture c.refheap")
        self.assertEqual(self.output("info frame"), self.output("info frame "))  # the same is selected as before
        self.check(self.path("c.refheap"), at)
        threads = ask("info", self.path("c.refheap")).get("threads")
        self.assertTrue(threads is None or len(threads) == 2)

    def test_of_a_process(self):
        self.see("attach %d")
        self.see("attach %d", SERVED)

    @GDBSERVER
    def test_through_gdbserver(self):
        self.see(REMOTE)
        self.see(*POOR, REMOTE)

    @GDBSERVER
    def test_files_that_only_the_target_has(self):
        """The program is nowhere on this machine, as far as GDB knows; its symbols come from the target."""
        self.see(
                 "python from refheap_gdb import files; files.build_id_here, files.build_id = files.build_id, "
                 "lambda p: files.build_id_here(p) if '/file-' in p else ''",
                 REMOTE, program=None)
        fetched = [n for n in os.listdir(self.folder) if n.startswith("refheap-")]
        self.assertEqual(fetched, [])  # and is gone with the session

    def test_a_register_alone(self):
        child, at = self.start(self.LEAKS)
        address = next(a for a, name in at.items() if name == "nowhere")
        self.gdb(self.LEAKS, "attach %d" % child.pid, "set $before = $rbx" , "set $rbx = " + address,
                 "refheap audit -no-fold", "set $rbx = $before", "detach")
        self.assertRegex(self.output("refheap audit -no-fold"), r"%s.*register.* of thread %d" % (address, child.pid))


@GDBSERVER
class Remote(GdbTestCase):
    """Every command through gdbserver."""

    def test_answers_are_those_of_a_process(self):
        asked = ["refheap generations", "refheap summary", "refheap cycles", "refheap referrers -- conn->peer",
                 "refheap why conn->peer", "refheap object -- conn->buffer", "print $refheap_count(conn)",
                 "refheap audit", "refheap sql select count(*) from objects where garbage"]
        program = os.path.join(SAMPLES, "proxy")
        self.gdb(program, "break sample_pause", "run", "up", *asked, "refheap capture live.refheap")
        live = {command: self.output(command) for command in asked}
        self.gdb(program, self.gdbserver(program), "break sample_pause", "continue", "up", "refheap status", *asked, "refheap status ",
                 "refheap diff live.refheap", "refheap render -o r.svg", "refheap load live.refheap", "refheap summary ",
                 "set refheap capture-method descriptors", "refheap capture x", "next", "refheap load",
                 "set refheap capture-method served", "refheap capture x.refheap")
        for command in asked:  # addresses differ where the system moves things about; GDB has it not do that
            self.assertEqual(self.output(command), live[command], command)
        self.assertIn("remote", self.output("refheap status"))
        self.assertIn("169 objects", self.output("refheap status "))
        self.assertIn("0 new, 169 stayed; 0 gone", self.output("refheap diff live.refheap"))
        self.assertIn("live.refheap", self.output("refheap summary "))
        self.assertIn("does not fit a remote target", self.error("refheap capture x"))
        self.output("refheap capture x.refheap")
        self.assertGreater(os.path.getsize(self.path("r.svg")), 1000)

    def test_dumps(self):
        self.gdb(TARGET, self.gdbserver(TARGET), "break pause_here", "continue",
                 "refheap dump a.refheap", "refheap dump -now " + self.path("b.refheap"),
                 "delete", "refheap dump -wait " + self.path("c.refheap"), "refheap capture d.refheap")
        self.assertIn("from / on", self.error("refheap dump a.refheap"))
        run("verify", self.path("b.refheap"))
        run("verify", self.path("c.refheap"))
        self.assertIn("90 objects", run("summary", self.path("b.refheap"))[0])

    def test_without_a_heap_and_without_a_program(self):
        self.gdb(TARGET, self.gdbserver("/bin/true"), "refheap cycles")
        self.assertIn("no heap found", self.error("refheap cycles"))
        self.gdb("", *POOR, "set auto-solib-add off", self.gdbserver("/bin/true"), "refheap cycles")
        self.assertRegex(self.error("refheap cycles"), "no heap found|what is mapped")

    @unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
    def test_under_valgrind(self):
        """Its own gdbserver reads no files and tells no process id."""
        program = os.path.join(SAMPLES, "proxy")
        child = subprocess.Popen(["valgrind", "-q", "--vgdb-error=0", "--vgdb-prefix=" + self.path("vgdb"), program],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.gdb(program, "target remote | vgdb --wait=20 --vgdb-prefix=%s --pid=%d" % (self.path("vgdb"), child.pid),
                 "break sample_pause", "continue", "refheap summary", "refheap audit", "refheap capture v.refheap", "refheap status")
        self.assertIn("169 objects", self.output("refheap summary"))
        self.assertNotIn("42000", self.output("refheap status"))  # which GDB makes up
        self.assertIn("(100%)", self.output("refheap audit"))
        self.output("refheap capture v.refheap")
        self.assertEqual(ask("info", self.path("v.refheap"))["process"]["pid"], 0)


if __name__ == "__main__":
    unittest.main()
