"""The module refheap: what it refuses, what sets it off, and what of a process it shows beside the objects."""

import glob
import os
import signal
import subprocess
import sys
import time
import unittest

import pythons
from test_truth import REFHEAP, UNTRACKED, environment

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from second_reader import read_snapshot  # noqa: E402

NAME, TEXT = 8, 6  # kinds of values
FRAME_LOCAL = 8
BY_REQUEST, BY_SIGNAL, AT_EXIT, NO_MEMORY = 1, 2, 3, 4


class Module(pythons.OfPython):
    """The tests, for one interpreter."""

    def start(self, program, **more):
        return subprocess.Popen([self.python, "-W", "ignore", "-c", "import gc, os, sys, refheap\n" + program], cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, env=environment(**more))

    def run_program(self, program, **more):
        """Runs it to its end; returns (stdout, stderr)."""
        process = self.start(program, **more)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err.decode())
        return out.decode(), err.decode()

    def read(self, name="a.refheap"):
        return read_snapshot(self.path(name))

    def one_dump(self):
        found = glob.glob(self.path("*.refheap"))
        self.assertEqual(len(found), 1, found)
        return read_snapshot(found[0])

    def wait_for_dump(self, process, pattern="*.refheap"):
        limit = time.monotonic() + 30
        while not glob.glob(self.path(pattern)):
            self.assertLess(time.monotonic(), limit)
            self.assertIsNone(process.poll())
            time.sleep(0.01)

    # ---- what it refuses ----

    def test_a_file_that_cannot_be_written_is_an_os_error(self):
        said, _ = self.run_program("""
for path in ("/there/is/no/folder/file", "/"):
    try:
        refheap.dump(path)
    except OSError as error:
        print(type(error).__name__, error.errno == 2 or error.errno == 21, error.filename == path, str(error).count(chr(10)))
""")
        self.assertEqual(said.splitlines(), ["FileNotFoundError True True 0", "IsADirectoryError True True 0"])

    def test_a_failed_dump_leaves_an_earlier_file(self):
        said, _ = self.run_program("""
import resource
refheap.dump("a.refheap")
before = open("a.refheap", "rb").read()
resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
try:
    refheap.dump("a.refheap")
except OSError as error:
    print(error.errno)
print(open("a.refheap", "rb").read() == before, os.listdir("."))
""")
        self.assertEqual(said.splitlines(), ["27", "True ['a.refheap']"])  # EFBIG

    def test_arguments(self):
        said, _ = self.run_program("""
import pathlib
for bad in ({}, {"path": 5}, {"path": None}, {"path": "a", "value": 1}, {"path": "a\\0b"}):
    try:
        refheap.dump(**bad)
    except (TypeError, ValueError) as error:
        print("refused")
refheap.dump(pathlib.Path("a.refheap"))
refheap.dump(b"b.refheap", values=False)
for bad in ({"signal": "NONSENSE"}, {"signal": 0}, {"signal": 9999}, {"path": "a%q"}, {"signal": "KILL"}, {"signal": []}):
    try:
        refheap.dump_on(**bad)
    except (ValueError, OSError) as error:
        print("refused", str(error).count(chr(10)))
""")
        self.assertEqual(said.splitlines(), ["refused"] * 5 + ["refused 0"] * 6)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.refheap", "b.refheap"])

    def test_a_dump_during_a_collection_is_refused(self):
        said, _ = self.run_program("""
import weakref
class Node:
    def __init__(self):
        self.self = self
def attempt(*unused):
    try:
        refheap.dump("a.refheap")
        print("dumped")
    except ValueError as error:
        print(error)
class Finalized(Node):
    def __del__(self):
        attempt()
gc.collect()
Finalized()
gc.collect()
node = Node()
ref = weakref.ref(node, attempt)
del node
gc.collect()
gc.callbacks.append(attempt)
gc.collect()
gc.callbacks.pop()
attempt()
""")
        line = "a collection is under way, and only it knows where its objects are: dump before it or after it"
        self.assertEqual(said.splitlines(), [line] * 4 + ["dumped"])

    # ---- what it shows ----

    def test_it_changes_nothing(self):
        said, _ = self.run_program("""
gc.disable()
held = [object(), []]
refheap.dump("a.refheap")  # the second time nothing is new to the interpreter either
def state():
    return gc.get_count(), sys.getallocatedblocks(), [sys.getrefcount(o) for o in held], gc.get_stats()
def change(what):
    before = state()
    what()
    after = state()
    return after[0][0] - before[0][0], after[0][1:] == before[0][1:], before[2:] == after[2:], after[1] - before[1]
nothing, dump = lambda: os.stat("a.refheap", follow_symlinks=True), lambda: refheap.dump("a.refheap", values=True)
change(nothing), change(dump)
without, with_ = change(nothing), change(dump)
print(without[0] >= with_[0], with_[1], with_[2], with_[3] <= without[3])
""")
        self.assertEqual(said, "True True True True\n")

    def test_values_can_be_left_out(self):
        program = """
class Account:
    def __init__(self):
        self.password_attribute = "secret" + "-text"
        self.number = 12345678901
account = Account()
table = {"secret" + "-key": 1}
refheap.dump("a.refheap", values=%s)
"""
        self.run_program(program % True)
        texts = {bytes(v.kept) for v in self.read().values if v.kind == TEXT}
        self.assertLessEqual({b"secret-text", b"secret-key", b"password_attribute"}, texts)
        self.run_program(program % False)
        snapshot = self.read()
        self.assertEqual({v.kind for v in snapshot.values}, {NAME})
        names = {bytes(v.kept) for v in snapshot.values}
        self.assertLessEqual({b"password_attribute", b"number", b"Account", b"Account.__init__", b"account"}, names)
        with open(self.path("a.refheap"), "rb") as f:
            self.assertNotIn(b"secret-", f.read())

    def test_heap_and_generations(self):
        said, _ = self.run_program("""
gc.disable()
gc.set_threshold(701, 11, 12)
refheap.dump("a.refheap")
print(sys.version.split()[0])
""")
        snapshot = self.read()
        heap = snapshot.heaps[0]
        self.assertEqual((bytes(heap.runtime), bytes(heap.name), heap.flags), (b"cpython", b"main", 0))
        self.assertEqual(bytes(heap.version).decode(), said.strip())
        self.assertEqual([g.threshold for g in snapshot.generations], [701, 11, 12, 0])
        self.assertEqual(snapshot.process.captured, BY_REQUEST)

    def test_threads_frames_and_locals(self):
        program = """
import threading
begun, over = threading.Event(), threading.Event()
def inner(held_inside):
    begun.set()
    over.wait()
def outer():
    local_of_outer = ["in a thread"]
    inner(local_of_outer)
def dump():
    local_of_dump = {"main": 1}
    refheap.dump("a.refheap")
thread = threading.Thread(target=outer)
thread.start()
begun.wait()
dump()
over.set()
"""
        self.run_program(program)
        source = ["import"] + program.splitlines()
        snapshot = self.read()
        functions = {}
        for frame in snapshot.frames:
            functions.setdefault(frame.thread, []).append((bytes(frame.function), frame.line))
        self.assertEqual([f for f, _ in functions[0] + functions[1] if f in (b"dump", b"inner", b"outer")],
                         [b"inner", b"outer", b"dump"] if functions[0][0][0] != b"dump" else [b"dump", b"inner", b"outer"])
        lines = {f: line for stack in functions.values() for f, line in stack}
        self.assertEqual([source[lines[f] - 1].strip() for f in (b"outer", b"dump")],
                         ["inner(local_of_outer)", 'refheap.dump("a.refheap")'])
        # The locals are held by the frames: as roots, or as edges of frame objects where there are such.
        objects = {o.address: o for o in snapshot.objects}
        held = {bytes(r.name): r.object for r in snapshot.roots if r.kind == FRAME_LOCAL}
        for frame in snapshot.frames:
            if frame.object in objects:
                held.update((bytes(e.label), e.target) for e in objects[frame.object].edges if isinstance(e.label, bytes))
        name = {o: bytes(snapshot.types[objects[a].type].name) for o, a in held.items() if a in objects}
        self.assertEqual((name[b"local_of_outer"], name[b"held_inside"], name[b"local_of_dump"]), (b"list", b"list", b"dict"))
        self.assertEqual(held[b"local_of_outer"], held[b"held_inside"])

    def test_modules_are_reached_from_exact_roots(self):
        self.run_program("import json\nrefheap.dump('a.refheap')")
        snapshot = self.read()
        objects = {o.address: o for o in snapshot.objects}
        names = {v.object: bytes(v.kept) for v in snapshot.values}
        seen, work = set(), [r.object for r in snapshot.roots if r.flags & 1]
        while work:
            address = work.pop()
            if address in objects and address not in seen:
                seen.add(address)
                work.extend(e.target for e in objects[address].edges if e.info & 1)
        modules = {names.get(o.address) for o in snapshot.objects
                   if snapshot.types[o.type].name == b"module" and o.address in seen}
        self.assertLessEqual({b"json", b"sys", b"builtins", b"__main__", b"json.decoder"}, modules)

    def test_interpreters_are_heaps(self):
        said, _ = self.run_program("""
try:
    import _interpreters as interpreters
    new = lambda: interpreters.create("legacy")
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
        new = lambda: interpreters.create(**({"isolated": False} if sys.version_info >= (3, 10) else {}))
    except ImportError:
        print("none")
        sys.exit()
first, second = new(), new()
for i, id in enumerate((first, second)):
    interpreters.run_string(id, "import collections\\nclass InSub%d(dict): pass\\nkept = [InSub%d() for _ in range(5)]" % (i, i))
refheap.dump("a.refheap")
""")
        if said == "none\n":
            self.skipTest("this interpreter cannot make interpreters")
        snapshot = self.read()
        types = {o.type: o.heap for o in snapshot.objects if snapshot.types[o.type].name.startswith(b"InSub")}
        self.assertEqual(len(types), 2)
        self.assertEqual([o.heap for o in snapshot.objects].count(0) > 1000, True)
        if self.version.startswith("3.8"):
            self.assertEqual(len(snapshot.heaps), 1)  # one collector for all
            return
        self.assertEqual([bytes(h.name) for h in snapshot.heaps], [b"main", b"interpreter 1", b"interpreter 2"])
        self.assertEqual(sorted(types.values()), [1, 2])
        for heap in range(3):
            told = sum(g.objects for g in snapshot.generations if g.heap == heap)
            self.assertEqual(told, sum(o.heap == heap and o.state & 7 != UNTRACKED for o in snapshot.objects))

    # ---- what sets it off ----

    def test_a_signal_while_it_sleeps(self):
        process = self.start("import time\nrefheap.dump_on(signal='USR2', path='%p-%n.refheap')\nprint(1, flush=True)\n"
                             "try: time.sleep(100)\nexcept KeyboardInterrupt: pass")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        process.stdout.readline()
        process.send_signal(signal.SIGUSR2)
        self.wait_for_dump(process)
        snapshot = read_snapshot(self.path("%d-0.refheap" % process.pid))
        self.assertEqual(snapshot.process.captured, BY_SIGNAL)
        self.assertIn(b"refheap-dump", {bytes(t.name) for t in snapshot.threads} | {b"refheap-dump"})
        process.send_signal(signal.SIGUSR2)
        self.wait_for_dump(process, "*-1.refheap")

    def test_signals_while_it_computes_allocates_and_collects(self):
        process = self.start("""
import threading
refheap.dump_on(signal=10, path="%n.refheap", values=False)
class Finalized:
    def __del__(self):
        sum(range(200))  # lets go of the GIL inside collections, now and then
def compute():
    while True:
        sum(range(1000))
gc.set_threshold(100, 2, 2)
sys.setswitchinterval(1e-4)
threading.Thread(target=compute, daemon=True).start()
def work():
    while True:
        node = Finalized()
        node.self = node, [node] * 10
print(1, flush=True)
work()
""")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        process.stdout.readline()
        for i in range(5):
            process.send_signal(signal.SIGUSR1)
            self.wait_for_dump(process, "%d.refheap" % i)
            said = subprocess.run([REFHEAP, "info", self.path("%d.refheap" % i)], stdout=subprocess.PIPE, check=True)
            self.assertNotIn(b"more references to them", said.stdout)
        self.assertIsNone(process.poll())

    def test_the_environment(self):
        _, err = self.run_program("import os\nos.kill(os.getpid(), 12)\nimport time\ntime.sleep(0.5)",
                                  REFHEAP_DUMP_ON="signal:USR2,exit", REFHEAP_DUMP_TO="env-%p-%n-%t-%%.refheap")
        self.assertEqual(err, "")
        dumps = sorted(glob.glob(self.path("env-*-%.refheap")))
        self.assertEqual([read_snapshot(p).process.captured for p in dumps], [BY_SIGNAL, AT_EXIT])
        out = subprocess.run([self.python, "-c", "import refheap"], env=environment(REFHEAP_DUMP_ON="nonsense"),
                             stderr=subprocess.PIPE, check=True)
        self.assertIn(b"REFHEAP_DUMP_ON: cannot understand \"nonsense\"", out.stderr)

    def test_a_signal_of_the_environment_that_cannot_be_had(self):
        """It is told, and the program starts all the same; what else is asked for happens."""
        said = subprocess.run([self.python, "-c", "import refheap"], cwd=self.folder, stderr=subprocess.PIPE, check=True,
                              env=environment(REFHEAP_DUMP_ON="signal:KILL,exit", REFHEAP_DUMP_TO="kill.refheap"))
        self.assertIn(b"a signal that a program can wait for", said.stderr)
        self.assertEqual(read_snapshot(self.path("kill.refheap")).process.captured, AT_EXIT)

    def test_exit(self):
        self.run_program("refheap.dump_on(exit=True)\nkept = [1]\nsys.exit(0)")
        self.assertEqual(self.one_dump().process.captured, AT_EXIT)

    def test_what_is_taken_back_does_not_happen(self):
        process = self.start("refheap.dump_on(signal='USR2', exit=True)\nrefheap.dump_on()\nos.kill(os.getpid(), 12)")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGUSR2)  # as without the module
        self.assertEqual(os.listdir(self.folder), [])

    def test_memory_errors(self):
        process = self.start("refheap.dump_on(no_memory=True)\ndef f():\n    kept = [1]\n    bytearray(1 << 62)\nf()")
        _, err = process.communicate(timeout=60)
        self.assertIn(b"MemoryError", err)
        self.assertEqual(self.one_dump().process.captured, NO_MEMORY)

    def test_memory_errors_of_threads(self):
        process = self.start("import threading\nrefheap.dump_on(no_memory=True)\n"
                             "t = threading.Thread(target=bytearray, args=(1 << 62,))\nt.start()\nt.join()")
        _, err = process.communicate(timeout=60)
        self.assertIn(b"MemoryError", err)
        self.assertEqual(self.one_dump().process.captured, NO_MEMORY)

    def test_forked_children_answer_for_themselves(self):
        said, _ = self.run_program("""
import signal, time
refheap.dump_on(signal="USR2", path="%p.refheap")
child = os.fork()
if not child:
    os.kill(os.getpid(), signal.SIGUSR2)
    limit = time.monotonic() + 30
    while not os.path.exists("%d.refheap" % os.getpid()) and time.monotonic() < limit:
        time.sleep(0.01)
    os._exit(0)
os.waitpid(child, 0)
print(child, os.listdir("."))
""")
        child = said.split()[0]
        self.assertEqual(said, "%s ['%s.refheap']\n" % (child, child))

    def test_a_failure_is_told_on_stderr(self):
        _, err = self.run_program("refheap.dump_on(exit=True, path='/there/is/no/folder/x')")
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("refheap: /there/is/no/folder/x: "), err)


FOUND, MISSING = pythons.found()
for version, path in FOUND:
    name = "Module_%s_%s" % (version.replace(".", "_"), "debian" if path.startswith("/usr/bin") else "built")
    globals()[name] = type(name, (Module, unittest.TestCase), {"python": path, "version": version})

if __name__ == "__main__":
    unittest.main()
