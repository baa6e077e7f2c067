"""CPython read from outside - a process, its core by gcore and by the kernel, through GDB - beside what it says of itself.

Debian's python3 alone, unless CPYTHONS=all (make test-cpython). CAPTURES says how often targets that never rest are
captured, THIRD_PARTY whether Debian's numpy, lxml, sqlalchemy and django are looked at.
"""

import importlib.util
import os
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "cli")]

import pythons  # noqa: E402
from support import REFHEAP, TestCase, ask, run  # noqa: E402
from test_capture import attaching, core_pattern  # noqa: E402
from truth import COUNTED, IMMORTAL, Comparison, Target, capture, garbage_of, sr, traversed  # noqa: E402

ALL = os.environ.get("CPYTHONS") == "all"
CAPTURES = int(os.environ.get("CAPTURES", "100" if ALL else "3"))
DAMAGES = int(os.environ.get("CORE_DAMAGES", "100" if ALL else "8"))
EXACT = {"list", "tuple", "dict", "set", "frozenset", "function", "method", "cell", "frame", "generator", "coroutine",
         "Plain", "Slots", "Both", "Derived", "Node", "type", "weakref", "ReferenceType", "deque", "traceback",
         "CArgObject"}
HARNESS_REFCOUNTS = 8  # of objects that the telling itself holds: its functions, and what they call


def graph_of(snapshot):
    """All that a snapshot says of objects, whatever the order and the numbering."""
    def label(e):
        return getattr(e.label, "text", e.label)
    return {o.address: (o.heap, snapshot.types[o.type].name, o.size, None if o.state & IMMORTAL else o.refcount, o.state,
                        sorted((e.target, e.info, str(label(e))) for e in o.edges)) for o in snapshot.objects}


def roots_of(snapshot):
    return sorted((r.object, r.kind, r.flags, str(r.name), r.where) for r in snapshot.roots if r.flags & 1)


def said(snapshot, pattern):
    """The numbers in the diagnostic that matches."""
    for d in snapshot.diagnostics:
        found = re.search(pattern, str(d.text))
        if found:
            return tuple(map(int, found.groups()))
    raise AssertionError("nothing said of " + pattern)


def lacking_references(snapshot):
    """{address: the addresses of its referrers} of the objects with more references from others than their refcount."""
    count, sources = {}, {}
    for o in snapshot.objects:
        for e in o.edges:
            if e.info & COUNTED:
                count[e.target] = count.get(e.target, 0) + 1
                sources.setdefault(e.target, set()).add(o.address)
    return {o.address: sources[o.address] for o in snapshot.objects
            if not o.state & IMMORTAL and count.get(o.address, 0) > o.refcount}


def segments_of(path):
    """[(address, end, offset in the file)] of a core's memory."""
    with open(path, "rb") as f:
        header = f.read(64)
        at, count = struct.unpack_from("<Q", header, 32)[0], struct.unpack_from("<H", header, 56)[0]
        f.seek(at)
        table = f.read(56 * count)
    found = []
    for i in range(count):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", table, 56 * i)
        if kind == 1 and size:
            found.append((address, address + size, offset))
    return found


@attaching
class Outside(TestCase):
    def each(self):
        found, missing = pythons.found()
        self.assertTrue(found)
        for version, path in found:
            print("CPython", version, path)  # shown when the test fails
            yield version, path

    def check(self, snapshot, target, share, types=0):
        """The snapshot beside the truth: `share` of containers exactly, of some kinds all, and the garbage exactly."""
        objects, garbage, frozen = target.read()
        c = Comparison(snapshot, objects)
        containers = sum(c.containers.values())
        told = c.told(2)[:6000]
        self.assertGreater(containers, 4000)
        self.assertGreaterEqual(len(c.containers), types)
        for what in ("missing", "generation", "no container", "size"):
            self.assertEqual(c.count(what), 0, what + "\n" + told)
        self.assertLessEqual(c.count("refcount"), HARNESS_REFCOUNTS, told)
        inexact = {name for (what, name) in c.wrong if what == "references"}
        self.assertEqual(inexact & EXACT, set(), told)
        self.assertLessEqual(c.count("references"), (1 - share) * containers, told)
        for generation in range(3):
            mine = garbage_of(snapshot, generation)
            self.assertEqual((mine - garbage[generation], garbage[generation] - mine), (set(), set()), "generation %d" % generation)
        self.assertGreater(len(garbage[2]), 5)
        self.assertEqual(sum(o.state & 7 == 3 for o in snapshot.objects), frozen)
        # What could not be exact says so: every reference that the process does not have is marked as inferred.
        for address, t in objects.items():
            o = c.seen.get(address)
            if o is not None and traversed(o) != t.referents:
                certain = [e for e in o.edges if e.info & 6 == 2]
                for e in certain:
                    self.assertIn(e.target, t.referents, "%x %s" % (address, t.type_name))
        return c

    def test_a_small_program_is_read_exactly(self):
        for version, python in self.each():
            with Target(python, self.folder, "small.py") as target:
                snapshot = capture(self.path("s.refheap"), "--pid", target.pid)
                self.check(snapshot, target, 0.9995)
            self.assertEqual(said(snapshot, r"accounting: (\d+) objects have more references"), (0,))
            self.assertEqual(snapshot.heaps[0].version.text.decode() if hasattr(snapshot.heaps[0].version, "text")
                             else snapshot.heaps[0].version.decode(), version)
            explained, containers = said(snapshot, r"accounting: refcounts of (\d+) of (\d+) tracked")
            self.assertGreater(explained, 0.95 * containers)
            self.frames_are_roots(snapshot)

    def frames_are_roots(self, snapshot):
        """What only a running function holds is found, by the name of its variable."""
        types = {o.address: str(snapshot.types[o.type].name) for o in snapshot.objects}
        seen = {o.address: o for o in snapshot.objects}
        found = {(str(r.name), types.get(r.object)) for r in snapshot.roots if r.kind == 8}
        for o in snapshot.objects:  # to 3.10 a running frame is an object, and holds them
            if types[o.address] == "b'frame'":
                found |= {(str(getattr(e.label, "text", e.label)), types.get(e.target)) for e in o.edges}
        names = {name.strip("b'"): kind for name, kind in found}
        self.assertIn("Plain", names["only_here"])
        self.assertIn("str", names["text"])
        self.assertTrue(any(r.thread != 0xffffffff for r in snapshot.roots if r.kind == 8))
        self.assertGreater(len(seen), 5000)

    def test_three_hundred_types_of_the_standard_library(self):
        for version, python in self.each():
            with Target(python, self.folder, "stdlib.py") as target:
                snapshot = capture(self.path("s.refheap"), "--pid", target.pid)
                self.check(snapshot, target, 0.9995, types=300)

    def test_interpreters_are_heaps(self):
        for version, python in self.each():
            if (int(version.split(".")[1])) < 9:
                continue  # one heap for all
            with Target(python, self.folder, "small.py", "2") as target:
                snapshot = capture(self.path("s.refheap"), "--pid", target.pid)
            self.assertEqual([str(h.name) for h in snapshot.heaps], ["b'main'", "b'interpreter 1'", "b'interpreter 2'"])
            for heap in (1, 2):
                self.assertGreater(sum(o.heap == heap and o.state & 7 < 3 for o in snapshot.objects), 500)

    def test_cores_are_the_process(self):
        for version, python in self.each():
            with Target(python, self.folder, "small.py", limit=resource.RLIM_INFINITY) as target:
                live = capture(self.path("live.refheap"), "--pid", target.pid)
                core = self.path("core")
                subprocess.run(["gcore", "-o", core, str(target.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               check=True, cwd=self.folder)
                path = "%s.%d" % (core, target.pid)
                of_core = capture(self.path("core.refheap"), "--core", path)
                os.unlink(path)
                self.assertEqual(graph_of(live), graph_of(of_core))
                self.assertEqual(roots_of(live), roots_of(of_core))
                compared = ask("diff", self.path("live.refheap"), self.path("core.refheap"))  # a core has no host
                self.assertEqual((compared["same_process"], compared["new"]["objects"], compared["gone"]["objects"]), (True, 0, 0))
                if "/" not in core_pattern() and "|" not in core_pattern():
                    target.process.send_signal(signal.SIGABRT)
                    target.process.wait()
                    path = next(os.path.join(self.folder, f) for f in os.listdir(self.folder) if f.startswith("core") and "refheap" not in f)
                    self.assertEqual(graph_of(live), graph_of(capture(self.path("core.refheap"), "--core", path)))
                    os.unlink(path)

    def test_damaged_cores_do_no_harm(self):
        """Words of a core's heap overwritten: by ones that lead elsewhere in it, by lengths, by nothing."""
        with Target("/usr/bin/python3", self.folder, "small.py") as target:
            live = capture(self.path("live.refheap"), "--pid", target.pid)
            subprocess.run(["gcore", "-o", self.path("core"), str(target.pid)], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=True, cwd=self.folder)
        path = "%s.%d" % (self.path("core"), target.pid)
        addresses = [o.address for o in live.objects]
        places = segments_of(path)
        for seed in range(DAMAGES):
            rng = random.Random(seed)
            undo = []
            with open(path, "r+b") as f:
                for _ in range(rng.choice((3, 30, 3000))):
                    address = rng.choice(addresses) + 8 * rng.choice((-2, -1, 0, 1, 2, 3, 4, 5))
                    offset = next((at + address - start for start, end, at in places if start <= address < end - 8), None)
                    if offset is None:
                        continue
                    word = rng.choice((0, 1, 2 ** 63 - 1, 2 ** 40, 2 ** 20, rng.choice(addresses), rng.choice(addresses) - 16,
                                       rng.getrandbits(64), rng.randrange(4096)))
                    f.seek(offset)
                    undo.append((offset, f.read(8)))
                    f.seek(offset)
                    f.write(struct.pack("<Q", word))
            done = subprocess.run([REFHEAP, "capture", "--core", path, "-o", self.path("d%d" % seed), "--quiet"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
            with open(path, "r+b") as f:
                for offset, old in reversed(undo):
                    f.seek(offset)
                    f.write(old)
            self.assertIn(done.returncode, (0, 2), (seed, done.stderr[-2000:]))
            if not done.returncode:
                run("verify", self.path("d%d" % seed))
                os.unlink(self.path("d%d" % seed))
        self.assertEqual(graph_of(live), graph_of(capture(self.path("whole.refheap"), "--core", path)))

    def test_targets_that_never_rest(self):
        for version, python in self.each():
            for arguments in ([], ["collect"]):
                child = subprocess.Popen([python, os.path.join(HERE, "busy.py"), *arguments], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
                try:
                    self.assertEqual(child.stdout.readline(), b"ready\n")
                    for _ in range(CAPTURES):
                        self.capture_busy(child.pid)
                finally:
                    child.stdin.close()
                    self.assertEqual(child.stdout.read(), b"ended\n")
                    self.assertEqual(child.wait(), 0)
                    child.stdout.close()

    def capture_busy(self, pid):
        """Captures. The one thread that runs may stand amid its work on one object, as when a list has grown and the words
        behind its old end are what was freed there: only what that object leads to may lack references."""
        path = self.path("busy.refheap")
        if os.path.exists(path):
            os.unlink(path)
        done = subprocess.run([REFHEAP, "capture", "--pid", str(pid), "-o", path, "--quiet"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        snapshot = sr.read_snapshot(path)
        self.assertFalse(snapshot.heaps[0].flags & 4, [(d.text, hex(d.address)) for d in snapshot.diagnostics])
        if snapshot.heaps[0].flags & 1:
            return  # a collection that would not end is read all the same, and marked
        lacking = lacking_references(snapshot)
        self.assertEqual(said(snapshot, r"accounting: (\d+) objects have more references"), (len(lacking),))
        if lacking:
            self.assertTrue(set.intersection(*lacking.values()), [
                (hex(address), sorted(map(hex, sources))) for address, sources in lacking.items()])

    def test_others_code(self):
        if not ALL and not os.environ.get("THIRD_PARTY"):
            self.skipTest("part of make test-cpython")
        names = [n for n in ("numpy", "lxml", "sqlalchemy", "django") if importlib.util.find_spec(n)]
        if not names:
            self.skipTest("none of Debian's python3-numpy, -lxml, -sqlalchemy, -django is installed")
        for name in names:
            with self.subTest(package=name), Target("/usr/bin/python3", self.folder, "third.py", name) as target:
                snapshot = capture(self.path("s.refheap"), "--pid", target.pid)
                self.check(snapshot, target, 0.995)


FAKE = """
#include <stdio.h>
#include <unistd.h>
const unsigned long Py_Version = %s;
struct { char cookie[8]; unsigned long version, free_threaded, rest[100000]; } _PyRuntime = {"xdebugpy", 0, %d, {1}};
unsigned long PyType_Type[52] = {1};
int main(void) { puts("ready"); fflush(stdout); pause(); return 0; }
"""


@attaching
class Refused(TestCase):
    """A CPython that cannot be read is said to be one, in a line."""

    def line(self, pid):
        done = subprocess.run([REFHEAP, "capture", "--pid", str(pid), "-o", self.path("s")], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertFalse(os.path.exists(self.path("s")))
        said = done.stderr.decode()
        self.assertEqual(said.count("\n"), 1, said)
        return said

    def fake(self, version, free_threaded):
        source, program = self.path("fake.c"), self.path("fake")
        with open(source, "w") as f:
            f.write(FAKE % (version, free_threaded))
        subprocess.run(["cc", "-rdynamic", "-o", program, source], check=True)
        with subprocess.Popen([program], stdout=subprocess.PIPE) as child:
            try:
                child.stdout.readline()
                return self.line(child.pid)
            finally:
                child.kill()

    def test_a_version_that_is_not_known(self):
        self.assertIn("CPython 3.15", self.fake("0x030f00f0", 0))
        self.assertIn("CPython 3.14", self.fake("0x030e01f0", 0))

    def test_a_build_without_the_lock(self):
        self.assertIn("free-threaded", self.fake("0x030d00f0", 1))

    def test_versions_from_before(self):
        import glob
        for minor, words in (("3.7", "unknown version"), ("3.6", "older than 3.7")):
            for path in glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python%s" % (minor, minor)))[:1]:
                with subprocess.Popen([path, "-c", "print('ready', flush=True); input()"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE) as child:
                    child.stdout.readline()
                    try:
                        self.assertIn(words, self.line(child.pid))
                    finally:
                        child.kill()


if __name__ == "__main__":
    unittest.main()
