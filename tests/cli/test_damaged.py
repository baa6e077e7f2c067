"""Heaps that are damaged in known places: what is lost is told, with its address, and nothing else is lost.

A program is brought to leave a core; words of its heap are changed there.
"""

import os
import re
import resource
import signal
import struct
import subprocess
import tempfile
import unittest

from support import BUILD, TestCase, ask, run, tool
from test_capture import HELD, SANITIZED, attaching, core_pattern

AWKWARD = os.path.join(os.path.dirname(HELD), "awkward")
TWICE = os.path.join(os.path.dirname(HELD), "twice")
REFCOUNT, TYPE, NEXT, PREV = 0, 8, 16, 24  # of an object's header
MAGIC = b"librefheap.ctrl\0"


class CoreFile:
    """A core whose memory can be changed."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.bytes = bytearray(f.read())
        offset, size, count = struct.unpack_from("<Q", self.bytes, 32)[0], *struct.unpack_from("<HH", self.bytes, 54)
        headers = [struct.unpack_from("<IIQQQQQQ", self.bytes, offset + i * size) for i in range(count)]
        self.segments = [(h[3], h[5], h[2]) for h in headers if h[0] == 1]  # address, bytes held, offset

    def place(self, address):
        return next(offset + address - start for start, held, offset in self.segments if start <= address < start + held)

    def word(self, address):
        return struct.unpack_from("<Q", self.bytes, self.place(address))[0]

    def set(self, address, value, form="<Q"):
        struct.pack_into(form, self.bytes, self.place(address), value)


def objects_of(snapshot):
    """{number of a node: address}: nodes tell their number as their value."""
    rows = run("sql", snapshot, "select label, address from objects where type = 'node'", "--csv", "--limit", "0")[0]
    return {int(label): int(address) for label, address in (row.split(",") for row in rows.splitlines()[1:])}


@unittest.skipIf(SANITIZED, "a process with a sanitizer's shadow leaves cores of terabytes")
class Damaged(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if core_pattern() != "core":
            raise unittest.SkipTest("cores of the kernel do not stay here")
        folder = tempfile.TemporaryDirectory(prefix="refheap-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.dump = os.path.join(folder.name, "dump.refheap")
        child = subprocess.Popen([AWKWARD, "crash", cls.dump], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder.name,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        child.communicate(b"\n", timeout=60)
        name, = [n for n in os.listdir(folder.name) if re.fullmatch(r"core(\.\d+)?", n)]
        cls.whole = os.path.join(folder.name, name)
        cls.objects = objects_of(cls.dump)
        cls.heap = int(ask("info", cls.dump)["heaps"][0]["address"], 16)

    def setUp(self):
        super().setUp()
        self.core = CoreFile(self.whole)
        self.assertEqual(len(self.objects), 141)

    def captured(self, status=0):
        with open(self.path("changed"), "wb") as f:
            f.write(self.core.bytes)
        said = run("capture", "--core", self.path("changed"), "-o", self.path("s.refheap"), status=status)[1]
        return said if status else objects_of(self.path("s.refheap"))

    def told(self):
        return [(d["text"], int(d["address"], 16)) for d in ask("info", self.path("s.refheap"))["diagnostics"]]

    def check_told(self, pattern, address):
        self.assertTrue([d for d in self.told() if re.search(pattern, d[0]) and d[1] == address], (hex(address), self.told()))
        self.assertTrue(ask("info", self.path("s.refheap"))["heaps"][0]["partial"])

    def test_nothing_is_wrong(self):
        self.assertEqual(self.captured(), self.objects)
        self.assertEqual(self.told(), [])

    def test_a_link_that_leads_astray(self):
        """The rest of the list is read from the other end."""
        for number in (0, 40, 99):
            address = self.objects[number]
            before = self.core.word(address + NEXT)
            self.core.set(address + NEXT, 0x4141414141414140 | before & 7)
            self.assertEqual(self.captured(), self.objects)
            self.check_told("list of objects is damaged behind this one", address)
            self.core.set(address + NEXT, before)

    def test_a_list_in_a_circle(self):
        back = self.core.word(self.objects[60] + NEXT) & 7 | (self.objects[30] + NEXT)
        self.core.set(self.objects[60] + NEXT, back)
        self.assertEqual(self.captured(), self.objects)
        self.assertTrue([d for d in self.told() if "list of objects is damaged" in d[0]], self.told())

    def test_broken_at_two_places(self):
        """What lies between is lost, and nothing else."""
        self.core.set(self.objects[40] + NEXT, 0)
        self.core.set(self.objects[60] + PREV, 0)
        lost = {n: a for n, a in self.objects.items() if not 40 < n < 60}
        self.assertEqual(self.captured(), lost)
        self.check_told("list of objects is damaged", self.objects[40])

    def test_an_object_of_no_type(self):
        self.core.set(self.objects[50] + TYPE, self.objects[51])
        found = self.captured()
        self.assertEqual(found, {n: a for n, a in self.objects.items() if n != 50})
        self.check_told("list of objects is damaged", self.objects[49])

    def test_a_head_that_leads_nowhere(self):
        """Of one list; the others are whole."""
        first = self.objects[0]
        heads = [a for a in range(self.heap, self.heap + 1024, 8) if self.core.word(a) & ~7 == first + NEXT]
        self.assertTrue(heads)
        for head in heads:
            self.core.set(head, 8)
        self.assertEqual(self.captured(), self.objects)

    def test_roots_without_end(self):
        changed = 0
        for at in range(self.heap, self.heap + 1024, 8):  # the number of roots stands in the heap: one
            if self.core.word(at) == 1:
                self.core.set(at, 1 << 60)
                changed += 1
                self.assertEqual(self.captured(), self.objects)
                self.core.set(at, 1)
        self.assertTrue(changed)

    def control(self):
        at = self.core.bytes.find(MAGIC)
        found = [start + at - offset for start, held, offset in self.core.segments if offset <= at < offset + held]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_a_control_block_of_another_version(self):
        self.core.set(self.control() + 16, 99, "<I")
        said = self.captured(status=2)
        self.assertOneLine(said)
        self.assertIn("the control block of librefheap at 0x%x is of version 99, and version 2 is known" % self.control(), said)

    def test_a_control_block_with_a_damaged_table(self):
        self.core.set(self.control() + 4200 + 16, 0xffffffff, "<I")
        self.assertIn("the control block of librefheap at 0x%x is damaged" % self.control(), self.captured(status=2))

    def test_one_that_is_not_its_own(self):
        """A copy of the block at another place is none."""
        self.core.set(self.control() + 24, self.control() + 8)
        self.assertIn("no heap found", self.captured(status=2))

    def test_another_program(self):
        """A core of a program without a heap; and with the wrong program for it."""
        child = subprocess.Popen(["sleep", "60"], cwd=self.folder,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        child.send_signal(signal.SIGABRT)
        child.wait()
        name, = [n for n in os.listdir(self.folder) if re.fullmatch(r"core(\.\d+)?", n)]
        self.assertIn("no heap found", run("capture", "--core", self.path(name), "-o", self.path("x"), status=2)[1])
        with open(self.path("changed"), "wb") as f:
            f.write(self.core.bytes)
        said = run("capture", "--core", self.path("changed"), "--exe", HELD, "-o", self.path("s.refheap"))
        self.assertEqual(objects_of(self.path("s.refheap")), self.objects, said)

    def test_another_build(self):
        """Of a program that was built again nothing is taken, though it stands at the same place."""
        with open(AWKWARD, "rb") as f:
            other = bytearray(f.read())
        at = other.find(b"GNU\0") + 4  # the build-id
        other[at] ^= 0xff
        with open(self.path("rebuilt"), "wb") as f:
            f.write(other)
        whole = self.captured()
        names = {r["name"] for r in ask("info", self.path("s.refheap"))["roots"]}
        with open(self.path("changed"), "wb") as f:
            f.write(self.core.bytes)
        present = []
        for exe in (AWKWARD, self.path("rebuilt")):
            run("capture", "--core", self.path("changed"), "--exe", exe, "-o", self.path("s.refheap"))
            self.assertEqual(objects_of(self.path("s.refheap")), whole)
            present.append(ask("info", self.path("s.refheap"))["captured"]["memory_present"])
        self.assertGreaterEqual(present[0], present[1])
        self.assertTrue(names)


@attaching
@unittest.skipIf(SANITIZED, "a sanitizer does not let its library be loaded twice")
class Twice(TestCase):
    def test_two_copies_of_the_library(self):
        library = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HELD))), "librefheap.so")
        child = subprocess.Popen([TWICE, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(child.stdout.readline(), b"ready %d\n" % child.pid)
        run("capture", "--pid", child.pid, "-o", self.path("s.refheap"))
        child.communicate(b"\n")
        said = ask("info", self.path("s.refheap"))
        self.assertEqual(sorted(h["name"] for h in said["heaps"]), ["loaded", "own"])
        self.assertEqual(said["snapshot"]["objects"], 6)


if __name__ == "__main__":
    unittest.main()
