"""A heap read from outside - a process held still, its core by gcore and by the kernel - is the heap it dumps itself.

CAPTURES says how many random heaps.
"""

import ctypes
import functools
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

from support import REFHEAP, TOOLS, TestCase, ask, run, tool
from test_collector import graph_of, size_of

CAPTURES = int(os.environ.get("CAPTURES", "12"))
HELD = os.path.join(os.environ.get("HELD_TOOLS", TOOLS), "held")  # the program under study; not built like refheap, maybe
SANITIZED = "-san" in HELD


@functools.lru_cache()
def may_attach():
    """Whether this system lets one process read another of the same user."""
    child = subprocess.Popen(["sleep", "60"])
    said = subprocess.run([REFHEAP, "capture", "--pid", str(child.pid), "-o", "/dev/null"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stderr
    child.kill()
    child.wait()
    return b"may not be read" not in said


attaching = unittest.skipUnless(may_attach(), "this system lets no process read another: see kernel.yama.ptrace_scope")


def core_pattern():
    with open("/proc/sys/kernel/core_pattern") as f:
        return f.read().strip()


class Held(TestCase):
    """A process with a heap, and what it dumped of it."""

    def start(self, seed, size=None, threads=0, prefix=()):
        self.dump = self.path("dump.refheap")
        self.child = subprocess.Popen([*prefix, HELD, str(seed), str(size or size_of(seed)), self.dump, str(threads)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        self.addCleanup(self.stop, self.child)
        self.assertEqual(self.child.stdout.readline(), b"ready %d\n" % self.child.pid)
        return self.child.pid

    @staticmethod
    def stop(child):
        if child.poll() is None:
            child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()

    def tell(self, word):
        self.child.stdin.write(word + b"\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().decode().split()

    def ends_well(self):
        self.assertEqual(self.tell(b"end")[0], "leaked")
        self.assertEqual(self.child.wait(), 0)

    def check(self, snapshot, what):
        self.assertEqual(graph_of(self.dump), graph_of(snapshot), what)
        self.assertEqual(ask("info", snapshot)["process"]["pid"], self.child.pid)

    def gcore(self):
        path = self.path("core")
        subprocess.run(["gdb", "-batch", "-nx", "-p", str(self.child.pid), "-ex", "generate-core-file " + path],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=True)
        return path

    def die(self):
        """Has the kernel write the core; its path, or None where it does not write a file here."""
        self.child.stdin.write(b"abort\n")
        self.child.stdin.flush()
        self.assertEqual(self.child.wait(), -signal.SIGABRT)
        found = [n for n in os.listdir(self.folder) if re.fullmatch(r"core(\.\d+)?", n)]
        return self.path(found[0]) if found else None


@attaching
class Process(Held):
    def test_the_same_graph(self):
        for seed in range(1, CAPTURES + 1):
            pid = self.start(seed)
            run("capture", "--pid", pid, "-o", self.path("live.refheap"))
            self.check(self.path("live.refheap"), seed)
            self.ends_well()

    def test_without_bulk_reads(self):
        """The same through /proc/PID/mem, where the system does not have or allow process_vm_readv."""
        pid = self.start(8, size=5000)
        for error in ("ENOSYS", "EPERM"):
            for more in ((), ("--copy-at-most", "0")):
                done = tool("without_readv", error, REFHEAP, "capture", "--pid", pid, "-o", self.path("live.refheap"), *more)
                if done.returncode == 125:
                    self.skipTest("there are no filters of system calls here: %r" % done.stderr)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.check(self.path("live.refheap"), error)
                os.unlink(self.path("live.refheap"))
        self.ends_well()

    def test_held_until_the_end(self):
        """A process that is too large to be copied stands still until all is written, and that is said."""
        for seed in range(1, CAPTURES // 2 + 1):
            pid = self.start(seed)
            said = run("capture", "--pid", pid, "-o", self.path("live.refheap"), "--copy-at-most", "0")[1]
            self.assertOneLine(said)
            self.assertIn("process %d stands still until its snapshot is written" % pid, said)
            self.check(self.path("live.refheap"), seed)
            self.ends_well()
        run("capture", "--pid", 1, "-o", self.path("x"), "--copy-at-most", "much", status=2)

    def test_into_a_pipe_that_it_reads_itself(self):
        for more in ((), ("--copy-at-most", "0", "--quiet")):
            pid = self.start(5, size=20000)
            done = subprocess.run([REFHEAP, "capture", "--pid", str(pid), "-o", "-", *more], stdout=self.child.stdin,
                                  stderr=subprocess.PIPE, timeout=30)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.child.stdin.write(b"\n")
            self.ends_well()

    def test_one_that_is_killed_meanwhile(self):
        """What was copied is a whole heap, whatever becomes of the process."""
        for turn in range(8):
            pid = self.start(5, size=20000)
            reading = subprocess.Popen([REFHEAP, "capture", "--pid", str(pid), "-o", self.path("live.refheap")],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(turn * 0.004)
            self.child.kill()
            said = reading.communicate()
            if reading.returncode == 0:
                self.check(self.path("live.refheap"), turn)
                os.unlink(self.path("live.refheap"))
            else:
                self.assertEqual((reading.returncode, said[1].count(b"\n")), (2, 1), said)
                self.assertFalse(os.path.exists(self.path("live.refheap")))

    def test_threads_go_on(self):
        pid = self.start(3, threads=20)
        for _ in range(5):
            run("capture", "--pid", pid, "-o", self.path("live.refheap"))
            self.check(self.path("live.refheap"), "threads")
        with open("/proc/%d/status" % pid) as f:
            self.assertIn("TracerPid:\t0\n", f.read())
        self.assertEqual(self.tell(b"signal"), ["signals", "1"])
        self.ends_well()

    def test_signals_are_not_lost(self):
        pid, sent = self.start(4, threads=2), 0
        for _ in range(10):
            reading = subprocess.Popen([REFHEAP, "capture", "--pid", str(pid), "-o", self.path("live.refheap")],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(random.random() * 0.01)
            os.kill(pid, signal.SIGUSR1)
            sent += 1
            self.assertEqual(reading.wait(), 0, reading.communicate())
            time.sleep(0.02)
            reading.communicate()
        self.assertEqual(self.tell(b"signal"), ["signals", str(sent + 1)])
        self.ends_well()

    def test_a_killed_capture_leaves_it_running(self):
        pid = self.start(5, size=20000, threads=3)
        for _ in range(10):
            reading = subprocess.Popen([REFHEAP, "capture", "--pid", str(pid), "-o", self.path("live.refheap")],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(random.random() * 0.02)
            reading.kill()
            reading.communicate()
        self.assertEqual(self.tell(b"signal"), ["signals", "1"])
        self.ends_well()

    def test_a_stopped_process_stays_stopped(self):
        pid = self.start(6)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.05)
        run("capture", "--pid", pid, "-o", self.path("live.refheap"))
        self.check(self.path("live.refheap"), "stopped")
        with open("/proc/%d/stat" % pid) as f:
            self.assertEqual(f.read().rsplit(")")[1].split()[0], "T")
        os.kill(pid, signal.SIGCONT)
        self.ends_well()

    def test_who_may_not(self):
        self.assertIn("no process 2147480000", run("capture", "--pid", 2147480000, "-o", self.path("x"), status=2)[1])
        if os.geteuid() == 0 and shutil.which("setpriv"):
            pid = self.start(7)
            os.chmod(self.folder, 0o777)
            done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", REFHEAP, "capture", "--pid", str(pid),
                                   "-o", self.path("x")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if b"cannot execute" in done.stderr or b"failed to execute" in done.stderr:
                self.skipTest("the program is where another user cannot reach it")
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"may not be read: Operation not permitted; only its owner and root", done.stderr)
            self.assertFalse(os.path.exists(self.path("x")))
            self.ends_well()

    def test_one_that_keeps_others_out(self):
        """Its own user is told why, and what to do; root may read it."""
        if os.geteuid() or not shutil.which("setpriv"):
            self.skipTest("two users are needed")
        other = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
        os.chmod(self.folder, 0o777)
        if subprocess.run([*other, REFHEAP, "--version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode:
            self.skipTest("the program is where another user cannot reach it")
        pid = self.start(7, prefix=other)
        own = [*other, REFHEAP, "capture", "--pid", str(pid), "-o", self.path("x")]
        subprocess.run(own, stdout=subprocess.PIPE, check=True)
        os.unlink(self.path("x"))
        self.assertEqual(self.tell(b"hide"), ["hidden", "1"])
        done = subprocess.run(own, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"may not be read: Operation not permitted; it keeps everybody but root out", done.stderr)
        self.assertFalse(os.path.exists(self.path("x")))
        run("capture", "--pid", pid, "-o", self.path("live.refheap"))
        self.check(self.path("live.refheap"), "hidden")
        self.ends_well()

    def test_threads_that_end_meanwhile(self):
        script = """
import threading
while True:
    threads = [threading.Thread(target=lambda: None) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
"""
        child = subprocess.Popen(["/usr/bin/python3", "-c", script])
        self.addCleanup(lambda: (child.kill(), child.wait()))
        time.sleep(0.2)
        for _ in range(20):
            run("capture", "--pid", child.pid, "-o", self.path("x"))
            self.assertIsNone(child.poll())

    def test_one_that_has_ended(self):
        child = subprocess.Popen(["true"])
        time.sleep(0.2)  # a zombie until it is waited for
        self.assertIn("there is no process", run("capture", "--pid", child.pid, "-o", self.path("x"), status=2)[1])
        child.wait()

    def test_no_heap(self):
        child = subprocess.Popen(["sleep", "60"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.stop, child)
        said = run("capture", "--pid", child.pid, "-o", self.path("x"), status=2)[1]
        self.assertIn("no heap found", said)
        self.assertFalse(os.path.exists(self.path("x")))

    def test_a_process_with_a_debugger(self):
        seize = 0x4206
        libc = ctypes.CDLL(None, use_errno=True)
        pid = self.start(1)
        self.assertEqual(libc.ptrace(ctypes.c_long(seize), ctypes.c_long(pid), None, None), 0, os.strerror(ctypes.get_errno()))
        said = run("capture", "--pid", pid, "-o", self.path("x"), status=2)[1]
        self.assertIn("process %d is traced by process %d" % (pid, os.getpid()), said)
        self.assertFalse(os.path.exists(self.path("x")))


@unittest.skipIf(SANITIZED, "a process with a sanitizer's shadow leaves cores of terabytes")
class Core(Held):
    @attaching
    @unittest.skipUnless(shutil.which("gdb"), "there is no gdb")
    def test_of_gcore(self):
        for seed in range(1, CAPTURES // 2 + 1):
            self.start(seed, threads=2)
            core = self.gcore()
            run("capture", "--core", core, "-o", self.path("core.refheap"))
            self.check(self.path("core.refheap"), seed)
            self.ends_well()

    def test_of_the_kernel(self):
        pattern = core_pattern()
        if "/" in pattern or pattern.startswith("|"):
            self.skipTest("cores of the kernel do not stay here: core_pattern is " + pattern)
        for seed in range(1, CAPTURES + 1):
            self.start(seed, threads=1)
            core = self.die()
            self.assertIsNotNone(core)
            run("capture", "--core", core, "-o", self.path("core.refheap"))
            self.check(self.path("core.refheap"), seed)
            process = ask("info", self.path("core.refheap"))["process"]
            self.assertEqual(process["executable"], HELD)
            self.assertIn("held %d" % seed, process["command_line"])
            captured = ask("info", self.path("core.refheap"))["captured"]
            self.assertTrue(0 < captured["memory_present"] <= captured["memory_expected"])
            os.unlink(core)

    def some_core(self, seed=9):
        self.start(seed)
        if core_pattern() != "core" and not may_attach():
            self.skipTest("there is no way to a core here")
        core = self.die() if core_pattern() == "core" else self.gcore()
        self.assertIsNotNone(core)
        return core

    def test_the_program_has_moved(self):
        """Its constants are read from --exe, or below --sysroot; from another build never."""
        moved = self.path("held")
        shutil.copy(HELD, moved)
        self.dump = self.path("dump.refheap")
        child = subprocess.Popen([moved, "9", "200", self.dump], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        child.stdout.readline()
        self.child = child
        if core_pattern() != "core" and not may_attach():
            self.skipTest("there is no way to a core here")
        self.addCleanup(self.stop, child)
        core = self.die() if core_pattern() == "core" else self.gcore()
        os.makedirs(self.path("root") + self.folder)
        os.rename(moved, self.path("root") + moved)
        self.check(self.captured(core, "--exe", self.path("root") + moved), "exe")
        self.check(self.captured(core, "--sysroot", self.path("root")), "sysroot")
        shutil.copy(REFHEAP, moved)  # another program at its place
        self.check(self.captured(core, "--exe", self.path("root") + moved), "another at its place")
        without = self.captured(core)
        there = ask("info", without)["captured"]["memory_present"]
        more = ask("info", self.captured(core, "--exe", self.path("root") + moved))["captured"]["memory_present"]
        self.assertLess(there, more)

    def captured(self, core, *options):
        path = self.path("captured.refheap")
        run("capture", "--core", core, *options, "-o", path)
        return path

    def test_cut_off_anywhere(self):
        core = self.some_core()
        size, rng, whole = os.path.getsize(core), random.Random(1), 0
        for length in [0, 1, 15, 16, 63, 64, 65, 200, size - 1] + [rng.randrange(size) for _ in range(20)]:
            cut = self.path("cut")
            with open(core, "rb") as f, open(cut, "wb") as to:
                to.write(f.read(length))
            done = subprocess.run([REFHEAP, "capture", "--core", cut, "-o", self.path("cut.refheap")],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            self.assertIn(done.returncode, (0, 2), (length, done.stderr))
            if done.returncode == 0:  # what is there is read, and what is not is told
                self.assertIn(b"the core ends early", done.stderr)
                captured = ask("info", self.path("cut.refheap"))["captured"]
                self.assertLess(captured["memory_present"], captured["memory_expected"])
                whole += 1
            else:
                self.assertEqual(done.stderr.count(b"refheap: "), done.stderr.count(b"\n"), done.stderr)
                self.assertFalse(os.path.exists(self.path("cut.refheap")))
            if os.path.exists(self.path("cut.refheap")):
                os.unlink(self.path("cut.refheap"))
        self.assertTrue(whole)

    def test_any_byte_may_be_wrong(self):
        core, rng = self.some_core(), random.Random(2)
        with open(core, "rb") as f:
            whole = f.read()
        for turn in range(int(os.environ.get("CORE_DAMAGES", "60"))):
            damaged = bytearray(whole)
            where = 4096 if turn % 3 == 0 else len(whole)  # headers and notes more often
            for _ in range(rng.choice((1, 3, 40))):
                at = rng.randrange(where - 8)
                damaged[at:at + 8] = rng.choice((bytes(8), b"\xff" * 8, rng.randbytes(8), damaged[at:at + 7] + b"\x80"))
            with open(self.path("damaged"), "wb") as f:
                f.write(damaged)
            done = subprocess.run([REFHEAP, "capture", "--core", self.path("damaged"), "-o", self.path("d.refheap")],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            self.assertIn(done.returncode, (0, 2), (turn, done.stderr))
            self.assertNotIn(b"Sanitizer", done.stderr)  # nor in the child that unwinds
            self.assertNotIn(b"runtime error", done.stderr)
            if done.returncode == 0:
                run("summary", self.path("d.refheap"))
                os.unlink(self.path("d.refheap"))

    def test_what_is_no_core(self):
        for name, text in ((REFHEAP, "not a core"), ("/dev/null", "not a regular file"), (self.path("missing"), "cannot open"),
                           (os.path.join(os.path.dirname(__file__), "support.py"), "not an ELF file")):
            self.assertIn(text, run("capture", "--core", name, "-o", self.path("x"), status=2)[1])
        os.mkfifo(self.path("fifo"))
        self.assertIn("not a regular file", run("capture", "--core", self.path("fifo"), "-o", self.path("x"), status=2)[1])
        core = self.some_core()
        for at, value, text in ((4, b"\1", "another kind"), (18, struct.pack("<H", 40), "another kind")):
            with open(core, "rb") as f:
                other = bytearray(f.read())
            other[at:at + len(value)] = value
            with open(self.path("other"), "wb") as f:
                f.write(other)
            self.assertIn(text, run("capture", "--core", self.path("other"), "-o", self.path("x"), status=2)[1])
        self.assertFalse(os.path.exists(self.path("x")))


class Holders(TestCase):
    """References taken and never dropped: who might hold them is named, and what nothing holds is told."""

    LEAKS = os.path.join(os.path.dirname(HELD), "leaks")

    def start(self, program=LEAKS):
        child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        self.addCleanup(Held.stop, child)
        at = {}
        for line in child.stdout:
            name, value = line.decode().split()
            if name == "ready":
                return child, at
            at[value] = name

    def capture(self, *where):
        run("capture", *where, "-o", self.path("s.refheap"))
        return self.path("s.refheap")

    def judged(self, snapshot, at):
        """{name: (class, names of holders)}"""
        found = {}
        answer = ask("audit", snapshot, "--limit", "0")
        for kind in ("over", "possibly_over", "under", "possibly_under"):
            for o in answer[kind]:
                found[at[o["address"]]] = kind, sorted(set(o["possible"]))
        return found

    SYMBOLS = (r"^global session_cache in leaks$", r"^global registry\+0x18 in leaks$", r"(?m)^stack of thread \d+ in serve\(\)$")

    def check(self, snapshot, at, symbols=(r"^global session_cache in leaks$", r"^global registry\+0x18 in leaks$",
                                           r"(?m)^stack of thread \d+( in serve\(\))?$")):
        found = self.judged(snapshot, at)
        self.assertEqual(found.pop("nowhere"), ("over", []))
        kind, holders = found.pop("stack")
        self.assertEqual((kind, {h.split()[0] for h in holders} - {"register"}), ("possibly_over", {"stack"}))
        self.assertRegex("\n".join(holders), symbols[2])
        for name, pattern in zip(("global", "table"), symbols):
            kind, holders = found.pop(name)
            self.assertEqual((kind, len(holders)), ("possibly_over", 1))
            self.assertRegex(holders[0], pattern)
        self.assertEqual(found, {})  # no false alarm for what is held by a field and a declared root

    @attaching
    def test_of_a_process(self):
        child, at = self.start()
        snapshot = self.capture("--pid", child.pid)
        self.check(snapshot, at, self.SYMBOLS)
        root, = [r for r in ask("info", snapshot)["roots"] if r["name"] == "registry"]
        self.assertEqual((root["kind"], root["exact"]), ("global", False))
        address = next(a for a, name in at.items() if name == "table")
        self.assertIn("global registry+0x18 in leaks", run("why", snapshot, address)[0])

    def test_of_its_core(self):
        if core_pattern() != "core":
            self.skipTest("cores of the kernel do not stay here")
        child, at = self.start()
        child.stdin.write(b"abort\n")
        child.stdin.flush()
        child.wait()
        core, = [n for n in os.listdir(self.folder) if re.fullmatch(r"core(\.\d+)?", n)]
        self.check(self.capture("--core", self.path(core)), at, self.SYMBOLS)

    @attaching
    def test_stripped(self):
        """Without symbols the module is named."""
        stripped = self.path("stripped")
        done = subprocess.run(["strip", "-o", stripped, self.LEAKS], stderr=subprocess.PIPE)
        if done.returncode:
            self.skipTest("there is no strip")
        child, at = self.start(stripped)
        self.check(self.capture("--pid", child.pid), at,
                   2 * (r"^global stripped\+0x[0-9a-f]+$",) + (r"(?m)\Astack of thread \d+$",))


if SANITIZED:
    del Holders  # a sanitizer keeps pointers of its own


if __name__ == "__main__":
    unittest.main()
