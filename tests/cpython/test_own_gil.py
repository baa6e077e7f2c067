"""Interpreters with GILs of their own (3.12 on): dumps from inside show them, and they are none the worse for it.

On the versions before, all interpreters have one GIL; test_module.py and test_truth.py have what matters there.
"""

import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "cli")]

import pythons  # noqa: E402
from test_truth import REFHEAP, environment, read_snapshot  # noqa: E402
from truth import CONTAINER, GENERATION, IMMORTAL, capture, traversed  # noqa: E402

DUMPS = 100 if os.environ.get("CPYTHONS") == "all" else 20

# Makes interpreters, and runs text in them.
BEGIN = """
import os, subprocess, sys, threading, time, held, refheap
try:
    import _interpreters as interpreters
    new, run = lambda: interpreters.create("isolated"), interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters
    new, run = lambda: interpreters.create(isolated=True), interpreters.run_string
FILL = '''
import gc, os, sys, weakref, held
gc.disable()
class Node:
    def __init__(self):
        self.me, self.list, self.text = self, [self], "text %d" % id(self)
def walk():
    local = Node()
    yield local
old = [Node() for _ in range(300)]
gc.collect()
walking = walk()
kept = [Node() for _ in range(200)], next(walking), {Node(): 1}, {"a", 2}, weakref.ref(old[0]), Exception(old)
del old[100:]
gc.collect(0)
for _ in range(50):
    Node()
'''
"""
LEFT_OUT = "an interpreter was left out: "


class OwnGil(pythons.OfPython):
    """The tests, for one interpreter."""

    def start(self, program):
        process = subprocess.Popen([self.python, "-W", "ignore", "-c", BEGIN + program], cwd=self.folder, env=environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def run_program(self, program):
        process = self.start(program)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err.decode())
        return out.decode()

    def names(self, snapshot):
        return [bytes(h.name).decode() for h in snapshot.heaps]

    def said(self, snapshot):
        return [bytes(d.text).decode() for d in snapshot.diagnostics if d.severity]

    def left_out(self, snapshot):
        return [line[len(LEFT_OUT):] for line in self.said(snapshot) if line.startswith(LEFT_OUT)]

    # ---- what is shown ----

    def containers(self, snapshot, heap):
        return {o.address: (o.state & GENERATION, None if o.state & IMMORTAL else o.refcount, bytes(snapshot.types[o.type].name))
                for o in snapshot.objects if o.heap == heap and o.state & CONTAINER and o.state & GENERATION < 4}

    def garbage(self, name, heap, generation):
        said = subprocess.run([REFHEAP, "cycles", self.path(name), "--objects", "--generation", str(generation), "--heap",
                               str(heap), "--limit", "0", "--csv", "--no-cache", "--quiet"], stdout=subprocess.PIPE, check=True)
        lines = said.stdout.decode().splitlines()
        at = lines[0].split(",").index("address") if lines else 0
        return {int(line.split(",")[at], 16) for line in lines[1:]}

    def test_the_heaps_are_those_seen_from_outside_and_their_garbage_is_what_gc_finds(self):
        process = self.start("""
made = [new() for _ in range(3)]
for i in made[:2]:
    run(i, FILL)
COLLECT = '''
gc.set_debug(gc.DEBUG_SAVEALL)
gc.collect(%d)
with open("garbage.%d.%d", "w") as file:
    file.write(" ".join(str(id(o)) for o in gc.garbage))
'''
looks = [(refheap.dump, ("in.refheap",)), (held.wait, ())]
for n, i in enumerate(made[:2], 1):
    looks += [(run, (i, COLLECT % (g, n, g))) for g in range(3)]
held.at_once(tuple(looks))
print("over")
""")
        line = process.stdout.readline()
        self.assertEqual(line, b"waiting\n", line or process.stderr.read())
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as f:
            child = int(f.read())
        outside = capture(self.path("out.refheap"), "--pid", child)
        out, err = process.communicate(b"x", timeout=60)
        self.assertEqual(out, b"over\n", err.decode())
        inside = read_snapshot(self.path("in.refheap"))
        self.assertEqual(self.left_out(inside), [])
        self.assertEqual(self.names(inside), ["main", "interpreter 1", "interpreter 2", "interpreter 3"])
        self.assertEqual(self.names(outside), self.names(inside))
        self.assertEqual([h.address for h in inside.heaps], [h.address for h in outside.heaps])
        seen_inside, seen_outside = ({o.address: o for o in s.objects} for s in (inside, outside))
        for heap in (1, 2, 3):
            mine, theirs = self.containers(inside, heap), self.containers(outside, heap)
            self.assertGreater(len(mine), 500)
            self.assertEqual(mine, theirs)
            differ = [a for a in mine if traversed(seen_inside[a]) != traversed(seen_outside[a])]
            self.assertLessEqual(len(differ), len(mine) / 1000)
        for heap in (1, 2):
            for generation in range(3):
                with open(self.path("garbage.%d.%d" % (heap, generation))) as f:
                    truth = set(map(int, f.read().split())) & set(seen_inside)
                self.assertGreaterEqual(len(truth), 100)  # nodes and their lists
                self.assertEqual(self.garbage("in.refheap", heap, generation), truth)

    def test_one_that_ends_meanwhile_is_not_left_waiting(self):
        """It may have been asked for its GIL, and lets go of it for good while it finalizes."""
        said = self.run_program("""
LONG = '''
import atexit
atexit.register(sum, range(2000000))
class Slow:
    def __del__(self):
        for i in range(200000): pass
slow = Slow()
'''
for n in range(3):
    ending = new()
    run(ending, LONG)
    thread = threading.Thread(target=lambda: interpreters.destroy(ending), daemon=True)
    thread.start()
    time.sleep(0.02)
    refheap.dump("%d.refheap" % n)
    thread.join(60)
    print(thread.is_alive(), flush=True)
os._exit(0)
""")
        self.assertEqual(said.split(), ["False"] * 3)
        for n in range(3):
            self.assertIn("main", self.names(read_snapshot(self.path("%d.refheap" % n))))

    def test_a_dump_from_within_shows_all(self):
        said = self.run_program("""
first, second = new(), new()
run(second, FILL + "print(sum(type(o) is Node for o in gc.get_objects()), flush=True)")
run(first, '''
import refheap
class Here: pass
kept = [Here() for _ in range(7)]
refheap.dump("a.refheap")
try:
    refheap.dump_on(exit=True)
except RuntimeError as error:
    print(error, flush=True)
''')
interpreters.destroy(first)
refheap.dump_on()
""")
        nodes, refused = said.splitlines()
        self.assertEqual(refused, "dump_on() is for the process: call it in the main interpreter")
        snapshot = read_snapshot(self.path("a.refheap"))
        self.assertEqual(self.names(snapshot), ["main", "interpreter 1", "interpreter 2"])
        types = [(o.heap, bytes(snapshot.types[o.type].name)) for o in snapshot.objects]
        self.assertEqual(types.count((1, b"Here")), 7)
        self.assertEqual(types.count((2, b"Node")), int(nodes))
        self.assertEqual(os.listdir(self.folder), ["a.refheap"])

    def test_they_can_import_it_at_the_same_time(self):
        self.run_program("""
made = [new() for _ in range(4)]
threads = [threading.Thread(target=run, args=(i, "import refheap; refheap.dump('%d.refheap')" % i)) for i in made]
for thread in threads: thread.start()
for thread in threads: thread.join()
""")
        for i in range(1, 5):
            self.assertEqual(len(read_snapshot(self.path("%d.refheap" % i)).heaps), 5)

    # ---- what does not stand still ----

    def test_one_that_keeps_its_gil_is_left_out(self):
        said = self.run_program("""
first, second = new(), new()
run(second, FILL)
out, to = os.pipe()
thread = threading.Thread(target=run, args=(first, '''
import held, os
os.write(1, b"has it\\\\n")
held.hold(%d)
while not os.path.exists("end"):  # asks for nothing, and is asked for its GIL
    sum(range(1000))
''' % out))
thread.start()
time.sleep(0.3)
begun = time.monotonic()
refheap.dump("a.refheap")
print(0.5 < time.monotonic() - begun < 20, flush=True)
begun = time.monotonic()
os.write(to, b"x")
refheap.dump("b.refheap")
print(time.monotonic() - begun < 20)
open("end", "w").close()
thread.join()
refheap.dump("c.refheap")
""")
        self.assertEqual(said, "has it\nTrue\nTrue\n")
        first, second, third = (read_snapshot(self.path(name + ".refheap")) for name in "abc")
        self.assertEqual(self.left_out(first), ["it did not give up its GIL within a second"])
        self.assertEqual(self.names(first), ["main", "interpreter 2"])
        for snapshot in (second, third):
            self.assertEqual(self.left_out(snapshot), [])
            self.assertEqual(self.names(snapshot), ["main", "interpreter 1", "interpreter 2"])

    def test_the_end_of_its_collection_is_waited_for(self):
        said = self.run_program("""
made = new()
out, to = os.pipe()
COLLECT = '''
import gc, os, sys
class Slow:
    def __del__(self):
        os.read(%d, 1)  # lets go of the GIL, in the midst of a collection
slow = Slow()
slow.me = slow
del slow
gc.collect()
''' % out
def collect():
    thread = threading.Thread(target=run, args=(made, COLLECT))
    thread.start()
    time.sleep(0.3)
    return thread
thread = collect()
refheap.dump("a.refheap")
os.write(to, b"x")
thread.join()
thread = collect()
subprocess.Popen(["sh", "-c", "sleep 0.3; echo"], stdout=to)  # nothing of this process runs meanwhile
refheap.dump("b.refheap")
thread.join()
""")
        self.assertEqual(said, "")
        first, second = (read_snapshot(self.path(name + ".refheap")) for name in "ab")
        self.assertEqual(self.left_out(first), ["a collection was under way in it and did not end within a second"])
        self.assertEqual((self.left_out(second), self.names(second)), ([], ["main", "interpreter 1"]))

    # ---- what goes on meanwhile ----

    def check_dumps(self, count, heaps=None):
        """By what the program says of them: the second reader would take minutes."""
        for i in range(count):
            said = subprocess.run([REFHEAP, "info", self.path("%d.refheap" % i)], stdout=subprocess.PIPE, check=True).stdout.decode()
            self.assertNotIn("more references", said)
            if heaps:
                self.assertNotIn("was left out", said)
                self.assertEqual(said.count("  cpython  "), heaps, said)
            if i % 10 == 0:
                subprocess.run([REFHEAP, "verify", self.path("%d.refheap" % i), "--quiet"], stdout=subprocess.DEVNULL, check=True)

    def test_dumps_while_they_allocate_and_collect(self):
        said = self.run_program("""
WORK = '''
import gc, os, sys
gc.set_threshold(50, 2, 2)
class Node: pass
done = 0
while not os.path.exists("end"):
    for _ in range(200):
        node = Node()
        node.me = [node] * 3, {"node": node}
        done += 1
    os.listdir("/")  # lets go of the GIL
os.write(1, b"True\\\\n" if done > 100 else b"False\\\\n")
'''
made = [new() for _ in range(2)]
threads = [threading.Thread(target=run, args=(i, WORK)) for i in made]
for thread in threads: thread.start()
for i in range(%d):
    refheap.dump("%%d.refheap" %% i, values=False)
open("end", "w").close()
for thread in threads: thread.join()
""" % DUMPS)
        self.assertEqual(said, "True\n" * 2)
        self.check_dumps(DUMPS, 3)

    def test_dumps_from_several_at_once(self):
        self.run_program("""
WORK = '''
import refheap
for i in range(%d, %d + 10):
    refheap.dump("%%d.refheap" %% i)
'''
made = [new() for _ in range(2)]  # who is not referred to ends
threads = [threading.Thread(target=run, args=(i, WORK % (n * 10, n * 10))) for n, i in enumerate(made)]
for thread in threads: thread.start()
for i in range(20, 30):
    refheap.dump("%d.refheap" % i)
for thread in threads: thread.join()
""")
        self.check_dumps(30, 3)

    def test_dumps_while_they_come_and_go(self):
        self.run_program("""
end = threading.Event()
def come_and_go():
    while not end.is_set():
        made = new()
        run(made, "kept = [[] for _ in range(1000)]; import collections")
        interpreters.destroy(made)
thread = threading.Thread(target=come_and_go)
thread.start()
for i in range(%d):
    refheap.dump("%%d.refheap" %% i, values=False)
end.set()
thread.join()
""" % DUMPS)
        self.check_dumps(DUMPS)


FOUND, _ = pythons.found()
for version, path in FOUND:
    if int(version.split(".")[1]) >= 12:
        name = "OwnGil_%s_%s" % (version.replace(".", "_"), "debian" if path.startswith("/usr/bin") else "built")
        globals()[name] = type(name, (OwnGil, unittest.TestCase), {"python": path, "version": version})

if __name__ == "__main__":
    unittest.main()
