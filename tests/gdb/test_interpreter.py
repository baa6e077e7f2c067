"""`refheap dump -run`: CPython dumps itself, wherever it was stopped, and goes on as if nothing had been.

With CPYTHONS=all on every version found, with INSTANTS=N at as many random instants of each.
"""

import os
import random
import subprocess
import sys
import unittest

from gdb_support import BUILD, SOURCE, GdbTestCase, ask, run

sys.path.insert(0, os.path.join(SOURCE, "tests", "cpython"))
import pythons  # noqa: E402

MODULE = os.path.join(BUILD, "refheap.abi3.so")
ENDING = "seven of 7 kept, 0 wrong"
# What a program under test begins and ends with: it stops for GDB at mark(), and leaves with a status of its own.
BEGIN = '''
import gc, os, sys, threading, time
class Kept: pass
kept = [Kept() for _ in range(7)]
for k in kept: k.me = k
def terms(seconds):
    """How many sum() adds up in so long, in one call into C."""
    def once():
        began = time.perf_counter()
        sum(range(10 ** 6))
        return time.perf_counter() - began
    return int(seconds / min(once() for _ in range(5)) * 10 ** 6)
def mark(): os.kill(os.getpid(), 12)
def end(wrong=0):
    for _ in range(300): time.sleep(0.001)
    print("seven of %d kept, %d wrong" % (sum(k.me is k for k in kept), wrong), flush=True)
    sys.exit(7)
'''
# A breakpoint of ours, in what "maintenance info breakpoints" says.
LEFT_BEHIND = r"(?m)^-\d+ +breakpoint .*(malloc|calloc|realloc|free|Py|asked)"
TO_MARK = ["handle SIGUSR2 nopass", "run"]
DUMP = "refheap dump -run a.refheap"
TRACKED = "select hex_address(address), type, refcount from objects where tracked order by address"


def interrupt_in(seconds):
    """Stops the program, which is to be continued next, some time later, wherever it is then."""
    return "python import os, threading; pid = gdb.selected_inferior().pid; " \
        "pid and threading.Timer(%f, os.kill, (pid, 2)).start()" % seconds


@unittest.skipUnless(os.path.exists(MODULE), "the module for Python is not built")
class InterpreterCase(GdbTestCase):
    python = "/usr/bin/python3"

    def session(self, program, *commands, more=None):
        with open(self.path("program.py"), "w") as f:
            f.write(BEGIN + program)
        return self.gdb(self.python, "set args -X faulthandler program.py", "set auto-load python-scripts off", *commands, more=more)

    def ends_well(self, said):
        self.assertIn(ENDING, said)
        self.assertRegex(said + "".join(r["output"] for r in self.results), r"exited with code 07")

    def check(self, name="a"):
        """A dump is whole, and has what is in the snapshot captured at the stop it left, b for a."""
        inside, outside = self.path(name + ".refheap"), self.path(chr(ord(name) + 1) + ".refheap")
        run("verify", inside)
        kept = "select count(*) from objects where type = 'Kept'"
        self.assertEqual(ask("sql", inside, kept)["rows"], [[7]])
        self.assertEqual(ask("info", inside)["captured"]["how"], "by the program, at a safe point")
        if os.path.exists(outside):
            self.assertEqual(*(ask("sql", path, TRACKED, "--limit", "0")["rows"] for path in (inside, outside)))

    def dumps_at(self, program, *before):
        """Stops somewhere, dumps, captures what stands there then, and goes on to the end."""
        _, said = self.session(program, *TO_MARK, *before, DUMP, "refheap capture b.refheap", "maintenance info breakpoints",
                               "delete", "continue")
        self.output(DUMP)
        self.check()
        self.assertNotRegex(self.output("maintenance info breakpoints"), LEFT_BEHIND)
        self.ends_well(said)


class Places(InterpreterCase):
    """Where the program may be stopped."""

    def test_in_a_sleep(self):
        self.dumps_at("mark(); time.sleep(2); end()", interrupt_in(0.5), "continue")

    def test_in_select(self):
        self.dumps_at("import select; r, w = os.pipe(); mark(); select.select([r], [], [], 2); end()", interrupt_in(0.5), "continue")

    def test_in_a_read(self):
        self.dumps_at("""
r, w = os.pipe()
def write(): time.sleep(2); os.write(w, b"text")
threading.Thread(target=write).start()
mark()
end(os.read(r, 100) != b"text")
""", interrupt_in(0.5), "continue")

    def test_waiting_for_a_lock(self):
        self.dumps_at("""
t = threading.Thread(target=time.sleep, args=(2,))
t.start()
mark()
t.join()
end()
""", interrupt_in(0.5), "continue")

    def test_where_a_system_call_begins(self):
        self.dumps_at("mark(); n = os.write(2, b'text'); end(n != 4)", "catch syscall write", "continue")

    def test_where_a_system_call_ends(self):
        self.dumps_at("mark(); n = os.write(2, b'text'); end(n != 4)", "catch syscall write", "continue", "continue")

    def test_where_ctrl_c_is_blocked(self):
        """By all threads: GDB itself could not interrupt it."""
        self.dumps_at("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [2]); mark(); time.sleep(2); end()",
                      "break clock_nanosleep", "continue")

    def test_inside_malloc(self):
        self.dumps_at("mark(); x = [bytearray(5000) for _ in range(100)]; end(sum(map(len, x)) != 500000)",
                      "break malloc", "continue", "stepi 20")

    def test_at_the_entry_of_malloc(self):
        self.dumps_at("mark(); x = [bytearray(5000) for _ in range(100)]; end(sum(map(len, x)) != 500000)",
                      "break *malloc", "continue")

    def test_inside_a_collection(self):
        """It waits until it is over, and what was garbage then is gone."""
        self.dumps_at("""
gc.disable()
class Last:
    def __del__(self):
        mark()
        for _ in range(100): time.sleep(0.001)
x = Last()
x.me = x
del x
found = gc.collect()
end(found < 1)
""")
        rows = ask("sql", self.path("a.refheap"), "select count(*) from objects where type = 'Last'")["rows"]
        self.assertEqual(rows, [[0]])

    def test_inside_the_loader(self):
        self.dumps_at("mark(); import _decimal; end(_decimal.Decimal(2) + 1 != 3)" if not self.builtin("_decimal") else
                      "mark(); import _ctypes; end()", "catch load", "continue")

    def builtin(self, name):
        return subprocess.run([self.python, "-c", "import sys; sys.exit(%r in sys.builtin_module_names)" % name]).returncode

    def test_with_a_thread_selected_that_waits_for_the_lock(self):
        self.dumps_at("""
def work():
    while not over: sum(range(1000))
over = []
threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads: t.start()
mark()
time.sleep(1)
over.append(1)
for t in threads: t.join()
end()
""", interrupt_in(0.3), "continue", "thread 3")

    def test_during_a_long_call(self):
        """That keeps the lock: this is said, and it is waited for."""
        self.dumps_at("n = terms(3); mark(); total = sum(range(n)); end(total != n * (n - 1) // 2)", interrupt_in(0.2), "continue")
        self.assertRegex(self.output(DUMP), "inside a long call|lock is held")

    def test_while_another_thread_keeps_the_lock(self):
        self.dumps_at("""
total = []
n = terms(3)
def work(): total.append(sum(range(n)))
t = threading.Thread(target=work)
mark()
t.start()
t.join()
end(total != [n * (n - 1) // 2])
""", interrupt_in(0.3), "continue")

    def test_twice_at_one_stop(self):
        _, said = self.session("mark(); end()", *TO_MARK, DUMP, "refheap dump -run c.refheap", "refheap capture d.refheap",
                               "continue")
        self.check("a")
        self.check("c")
        self.ends_well(said)

    def test_a_program_that_has_the_module(self):
        """It is not loaded a second time, and what the program asked of it stays."""
        _, said = self.session("import refheap; refheap.dump_on(exit=True, path='exit.refheap'); mark()\n"
                               "maps = {l.split()[-1] for l in open('/proc/self/maps') if 'refheap.abi3' in l}; end(len(maps) - 1)",
                               *TO_MARK, DUMP, "refheap capture b.refheap", "continue", more={"PYTHONPATH": BUILD})
        self.check()
        run("verify", self.path("exit.refheap"))
        self.ends_well(said)

    def test_a_program_that_imports_the_module_later(self):
        _, said = self.session("mark(); import refheap; refheap.dump('later.refheap'); end()", *TO_MARK, DUMP, "continue",
                               more={"PYTHONPATH": BUILD})
        self.check()
        run("verify", self.path("later.refheap"))
        self.ends_well(said)


class Instants(InterpreterCase):
    """At random instants of programs that do all there is: three a process, since the first loads the module."""

    PROGRAM = """
import select, subprocess
wrong = 0
def churn():
    global wrong
    while not os.path.exists("over"):
        x = [bytearray(i * 100) for i in range(50)]
        wrong += sum(map(len, x)) != 122500
def collect():
    while not os.path.exists("over"):
        for _ in range(100):
            b = []
            b.append(b)
        gc.collect()
def compute():
    global wrong
    n = 0
    for i in range(100000): n = (n * 31 + i) % 1000003
    wrong += n != 405187
def wait(): select.select([], [], [], 0.01)
def sort():
    global wrong
    wrong += sorted(range(20000, 0, -1), key=lambda n: n)[:3] != [1, 2, 3]
def spawn():
    global wrong
    wrong += subprocess.call(["true"])
def load():
    for name in ("_json", "_random", "_bisect", "_heapq", "_csv", "_lzma", "_bz2"):
        sys.modules.pop(name, None)
        __import__(name)
threads = [threading.Thread(target=t) for t in (churn, collect)[:int(sys.argv[1])]]
for t in threads: t.start()
mark()
work = {1: [compute, wait, sort], 2: [spawn, load, wait],
        0: [compute, sort, spawn, load, lambda: bytearray(1000000)]}[int(sys.argv[1])]
while not os.path.exists("over"):
    for f in work: f()
for t in threads: t.join()
end(wrong)
"""
    EACH = 3

    def expected(self):
        n = 0
        for i in range(100000):
            n = (n * 31 + i) % 1000003
        return n

    def once(self, seed):
        choose = random.Random(seed)
        commands = []
        for n in range(self.EACH):
            commands += [interrupt_in(choose.uniform(0.02, 0.6)), "continue", "refheap dump -run %d.refheap" % n,
                         "refheap capture c%d.refheap" % n]
        if os.path.exists(self.path("over")):
            os.unlink(self.path("over"))
        with open(self.path("program.py"), "w") as f:
            f.write(BEGIN + self.PROGRAM.replace("405187", str(self.expected())))
        _, said = self.gdb(self.python, "set args program.py %d" % (seed % 3), "set auto-load python-scripts off", *TO_MARK,
                           *commands, "shell touch over", "continue")
        with self.subTest(seed=seed):
            for n in range(self.EACH):
                self.output("refheap dump -run %d.refheap" % n)
                inside, outside = self.path("%d.refheap" % n), self.path("c%d.refheap" % n)
                run("verify", inside)
                self.assertEqual(*(ask("sql", path, TRACKED, "--limit", "0")["rows"] for path in (inside, outside)))
            self.assertNotIn("Traceback", said)
            self.ends_well(said)

    def test_random_instants(self):
        for seed in range((int(os.environ.get("INSTANTS", "6")) + self.EACH - 1) // self.EACH):
            self.once(seed + int(os.environ.get("INSTANTS_FROM", "0")))


def for_each_python():
    """A class of tests for each interpreter beside Debian's."""
    for version, path in pythons.found()[0]:
        with open(path, "rb") as f:
            is_script = f.read(2) == b"#!"  # that starts one
        if path != InterpreterCase.python and not is_script:
            for case in (Places, Instants):
                name = "%s_%s" % (case.__name__, version.replace(".", "_"))
                globals()[name] = type(name, (case,), {"python": path, "__module__": __name__})


for_each_python()


if __name__ == "__main__":
    unittest.main()
