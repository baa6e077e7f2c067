"""What `refheap dump -run` refuses, gives up, and leaves as it was."""

import os
import shutil
import subprocess
import unittest

from gdb_support import BUILD, SAMPLES
from test_interpreter import BEGIN, DUMP, ENDING, LEFT_BEHIND, MODULE, TO_MARK, InterpreterCase, interrupt_in
from test_terminal import Terminal, terminals

LONG = "n = terms(6); mark(); total = sum(range(n)); end(total != n * (n - 1) // 2)"

# Programs that look like interpreters of other kinds.
OTHER = """
#include <dlfcn.h>
#include <pthread.h>
char _PyRuntime[8];
void Py_InitializeFromConfig(void) { }
#ifdef VERSION
unsigned long Py_Version = VERSION;
#endif
#ifdef FREE
void _Py_MergeZeroLocalRefcount(void) { }
#endif
#ifdef EMPTY
int Py_IsInitialized(void) { return 0; }
int Py_AddPendingCall(int (*f)(void *), void *p) { return -1; }
int PyErr_CheckSignals(void) { return 0; }
int PyGILState_Ensure(void) { return 0; }
#endif
int main(void) { return 0; }
"""


class Refused(InterpreterCase):
    """Each with one line, and nothing done."""

    def refused(self, *before, command=DUMP, after=()):
        _, said = self.session("mark(); end()", *TO_MARK, *before, command, *after, "continue")
        self.assertFalse(os.path.exists(self.path("a.refheap")))
        self.ends_well(said)
        return self.error(command)

    def test_it_is_never_the_default(self):
        line = self.refused(command="refheap dump a.refheap")
        self.assertIn('"refheap dump -run FILE" loads refheap\'s module and starts a thread', line)
        self.assertIn('"refheap capture FILE" reads it as it stands, and runs nothing', line)
        for option in ("-now", "-wait"):
            self.assertEqual(self.refused(command="refheap dump %s a.refheap" % option), line)

    def test_options_exclude_each_other(self):
        self.assertIn("-run and -now exclude each other", self.refused(command="refheap dump -run -now a.refheap"))

    def test_calls_that_may_not_be(self):
        self.assertIn("may-call-functions is off", self.refused("set may-call-functions off"))

    def test_threads_that_may_not_run(self):
        self.assertIn("scheduler-locking is on", self.refused("set scheduler-locking on", after=["set scheduler-locking off"]))

    def test_threads_that_stop_alone(self):
        self.session("mark(); end()", "set non-stop on", *TO_MARK, DUMP)
        self.assertIn("non-stop is on", self.error(DUMP))

    def test_a_file_that_cannot_be_written(self):
        command = "refheap dump -run /nowhere/at/all"
        self.assertEqual(self.refused(command=command),
                         "refheap: the program could not dump to /nowhere/at/all: No such file or directory.")
        self.assertIn("too long", self.refused(command="refheap dump -run /" + 5000 * "x"))

    def test_a_failure_that_is_there_at_once(self):
        """In a sleep the lock is free, and the thread may have ended before anybody waits for it."""
        command = "refheap dump -run /nowhere/at/all"
        self.session("threading.Timer(0.5, mark).start(); time.sleep(3); end()", "set refheap timeout 2", *TO_MARK,
                     "thread 1", command, "continue")
        self.assertIn("could not dump to /nowhere/at/all: No such file or directory", self.error(command))

    def test_a_module_that_is_not_there(self):
        os.mkdir(self.path("bin"))
        shutil.copy(os.path.join(BUILD, "refheap"), self.path("bin/refheap"))
        if os.path.exists("/usr/lib/python3/dist-packages/refheap.abi3.so"):
            self.skipTest("it is installed")
        line = self.refused("set refheap program " + self.path("bin/refheap"))
        self.assertIn("the module refheap.abi3.so is neither beside %s nor" % self.path("bin/refheap"), line)

    def test_a_module_that_cannot_be_loaded(self):
        os.mkdir(self.path("bin"))
        shutil.copy(os.path.join(BUILD, "refheap"), self.path("bin/refheap"))
        with open(self.path("bin/refheap.abi3.so"), "w") as f:
            f.write("no module\n")
        self.assertRegex(self.refused("set refheap program " + self.path("bin/refheap")),
                         "cannot load the module: .*refheap.abi3.so: .")
        shutil.copy(os.path.join(BUILD, "librefheap.so"), self.path("bin/refheap.abi3.so"))
        self.assertIn("of another version", self.refused("set refheap program " + self.path("bin/refheap")))

    def test_a_running_program(self):
        self.session("mark(); time.sleep(30)", *TO_MARK, "continue &", DUMP)
        self.assertIn("the program is running; interrupt it first", self.error(DUMP))

    def test_a_core_and_a_remote_target(self):
        self.session("mark(); end()", *TO_MARK, "generate-core-file core")
        self.gdb(self.python, "core-file core", DUMP)
        self.assertIn("this is a core; nothing can be run in it", self.error(DUMP))
        if not shutil.which("gdbserver"):
            self.skipTest("gdbserver is not installed")
        self.gdb(self.python, self.gdbserver(self.python, "-c", "pass"), DUMP)
        self.assertIn("works in no remote target", self.error(DUMP))

    def other(self, *options, stop="main"):
        with open(self.path("other.c"), "w") as f:
            f.write(OTHER)
        subprocess.run(["cc", *options, "other.c", "-o", "other"], cwd=self.folder, check=True)
        self.gdb(self.path("other"), "break " + stop, "run", DUMP)
        return self.error(DUMP)

    @unittest.skipUnless(shutil.which("cc"), "no compiler")
    def test_other_interpreters(self):
        for options, reason in ((["-DVERSION=0x030e00f0", "-rdynamic"], "it is 3.14, and the module knows 3.8 to 3.13"),
                                (["-DFREE", "-rdynamic"], "it has no global interpreter lock"),
                                (["-static"], "it is linked statically, and can load no module"),
                                (["-rdynamic"], "it exports too little to be asked")):
            self.assertEqual(self.other(*options), "refheap: this interpreter cannot dump itself: %s; \"refheap capture FILE\" "
                             "reads it as it stands." % reason)
        self.assertIn("not initialized yet", self.other("-DEMPTY", "-rdynamic"))

    def test_a_program_of_no_interpreter(self):
        self.gdb(os.path.join(SAMPLES, "proxy"), "break sample_pause", "run", DUMP)
        self.assertIn("this program has no interpreter", self.error(DUMP))
        self.gdb(os.path.join(SAMPLES, "proxy"), DUMP)
        self.assertIn("no program is being debugged", self.error(DUMP))

    def test_a_program_before_its_interpreter_begins(self):
        _, said = self.gdb(self.python, "set args -c pass", "break getenv", "run", DUMP, "delete", "continue")
        self.assertIn("not initialized yet", self.error(DUMP))
        self.assertIn("exited normally", said + self.output("continue"))


class GivenUp(InterpreterCase):
    def test_after_a_time(self):
        """And the program does what it would have done; the dump is not written later."""
        _, said = self.session(LONG, *TO_MARK, interrupt_in(0.2), "continue", "set refheap timeout 2", DUMP,
                               "maintenance info breakpoints", "continue")
        self.assertIn("gave up after 2 seconds", self.error(DUMP))
        self.assertNotRegex(self.output("maintenance info breakpoints"), LEFT_BEHIND)
        self.assertFalse(os.path.exists(self.path("a.refheap")))
        self.ends_well(said)

    def test_after_a_time_with_a_thread_that_waits(self):
        """Which ends without a dump, unless another is asked for before."""
        program = """
n = terms(6)
def work(): total.append(sum(range(n)))
total, t = [], threading.Thread(target=work)
mark()
t.start()
t.join()
end(len(total) - 1)
"""
        before = [*TO_MARK, interrupt_in(0.5), "continue", "set refheap timeout 2", DUMP, "set refheap timeout 60"]
        _, said = self.session(program, *before, "continue")
        self.assertIn("gave up after 2 seconds", self.error(DUMP))
        self.assertFalse(os.path.exists(self.path("a.refheap")))
        self.ends_well(said)
        _, said = self.session(program, *before, "refheap dump -run c.refheap", "continue")
        self.assertFalse(os.path.exists(self.path("a.refheap")))
        self.check("c")
        self.ends_well(said)

    def test_a_program_that_ends_before(self):
        self.session("mark(); os._exit(7)", *TO_MARK, "catch syscall exit_group", "continue", DUMP)
        self.assertIn("it ended with exit status 7", self.error(DUMP))

    def test_a_program_that_fails_before(self):
        self.session("mark(); time.sleep(0.3); os.abort()", *TO_MARK, "break abort", "continue", DUMP)
        self.assertRegex(self.error(DUMP), "the program did not come to dump: it stopped: SIGABRT")


class LeftAlone(InterpreterCase):
    """The user's own."""

    def test_breakpoints_and_settings(self):
        shown = ["info breakpoints", "show unwindonsignal", "show scheduler-locking", "show language", "info signals SIGINT",
                 "info signals SIGALRM", "show logging enabled", "show logging file", "show confirm"]
        _, said = self.session("""
import signal
signal.signal(signal.SIGALRM, lambda *a: rung.append(1))
rung = []
mark()
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while len(rung) < 3: sum(range(100))
signal.setitimer(signal.ITIMER_REAL, 0)
end()
""", "handle SIGINT nostop pass", *TO_MARK, "break pthread_create", "break dlopen", "break malloc", "disable 3",
                               "break PyGILState_Ensure", "catch syscall openat", "watch *(int *) &_PyRuntime",
                               "tbreak PyErr_CheckSignals", *shown, DUMP, *[s + " " for s in shown], "delete",
                               "handle SIGALRM nostop noprint pass", "continue")
        self.output(DUMP)
        self.check()
        for command in shown:
            self.assertEqual(*(self.output(c).split("; currently")[0] for c in (command + " ", command)), command)
        self.ends_well(said)

    def test_signals_that_come_meanwhile(self):
        """Those that do not stop the program reach it, whenever they come."""
        _, said = self.session("""
import signal
rung = []
signal.signal(signal.SIGALRM, lambda *a: rung.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
mark()
while len(rung) < 300: time.sleep(0.001)
signal.setitimer(signal.ITIMER_REAL, 0)
end()
""", "handle SIGALRM nostop noprint pass", *TO_MARK, DUMP, "refheap capture b.refheap", "continue")
        self.output(DUMP)
        self.check()
        self.ends_well(said)

    def test_a_process_that_is_attached_and_detached(self):
        """Right at the stop where the dump was written, and killed later by nothing."""
        with open(self.path("program.py"), "w") as f:
            f.write(BEGIN + "print('ready', flush=True); sys.stdin.read(); end()")
        child = subprocess.Popen([self.python, "program.py"], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(lambda: (child.kill(), child.wait(), child.stdin.close(), child.stdout.close()))
        child.stdout.readline()
        for _ in range(2):
            self.gdb(self.python, "attach %d" % child.pid, DUMP, "refheap capture b.refheap", "detach")
            self.output(DUMP)
            self.check()
        self.assertEqual((child.communicate(timeout=30)[0].decode().strip(), child.returncode), (ENDING, 7))

    def test_the_thread_that_was_selected(self):
        _, said = self.session("""
threads = [threading.Thread(target=time.sleep, args=(2,)) for _ in range(3)]
for t in threads: t.start()
mark()
for t in threads: t.join()
end()
""", *TO_MARK, "thread 3", "thread", DUMP, "thread ", "continue")
        self.output(DUMP)
        self.assertIn("Current thread is 3", self.output("thread"))
        self.assertIn("Current thread is 3", self.output("thread "))
        self.ends_well(said)


@unittest.skipUnless(os.path.exists(MODULE) and terminals(), "no module for Python, or no pseudo-terminals here")
class AtATerminal(Terminal):
    def test_interrupted(self):
        with open(self.path("program.py"), "w") as f:
            f.write(BEGIN + LONG)
        self.start(InterpreterCase.python, stop=False)
        for command in ("set width 0", "set height 0", "set args program.py", *TO_MARK, "python import os, threading",
                        interrupt_in(0.2), "continue"):
            self.command(command)
        self.type(DUMP + "\n")
        self.expect("Ctrl-C gives up")
        self.type("\x03")
        self.expect("refheap: interrupted.")
        self.expect("(gdb) ")
        self.assertNotRegex(self.command("maintenance info breakpoints"), r"-\d+ +breakpoint .*(malloc|Py)")
        said = self.command("continue")
        self.assertIn(ENDING, said)
        self.assertIn("exited with code 07", said)
        self.assertFalse(os.path.exists(self.path("a.refheap")))


# The tests of a terminal as such are in their own file.
for name in [n for n in dir(Terminal) if n.startswith("test_")]:
    setattr(AtATerminal, name, None)
del Terminal


if __name__ == "__main__":
    unittest.main()
