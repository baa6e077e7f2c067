"""The GDB commands on a Python process, and on its core."""

import os
import subprocess
import sys
import unittest

from gdb_support import BUILD, GdbTestCase, ask, run

sys.path.insert(0, os.path.join(BUILD, "..", "tests", "cli"))
from test_capture import attaching  # noqa: E402

PROGRAM = """
import sys
class Node:
    def __init__(self):
        self.me = self
class Cache:
    pass
cache = Cache()
cache.entries = {"a": [1, Node()]}
for _ in range(5):
    Node()
print(hex(id(cache.entries["a"])), flush=True)
sys.stdin.read()
"""


@attaching
class Python(GdbTestCase):
    def start(self):
        child = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(lambda: (child.kill(), child.wait(), child.stdin.close(), child.stdout.close()))
        return child.pid, child.stdout.readline().decode().strip()

    def test_answers_are_those_of_a_capture(self):
        pid, address = self.start()
        snapshot, core = self.path("live.refheap"), self.path("core")
        run("capture", "--pid", pid, "-o", snapshot)
        why = "refheap why -- (PyObject*)" + address
        self.gdb(None, "attach %d" % pid, "refheap summary", "refheap cycles", why, "refheap why -- (PyObject *) 0x10",
                 "refheap dump " + self.path("asked.refheap"), "generate-core-file " + core, "detach")
        self.assertEqual(self.output("refheap cycles"), run("cycles", snapshot)[0])
        self.assertEqual(self.output("refheap summary"), run("summary", snapshot)[0].replace("--no-fold", "-no-fold")
                         .replace("--limit", "-limit"))
        self.assertEqual(self.output(why), run("why", snapshot, address)[0])
        self.assertIn("entries", self.output(why))
        self.assertIn("['a']", self.output(why))
        self.assertIn("garbage: 5 objects", self.output("refheap summary"))
        self.error("refheap why -- (PyObject *) 0x10")
        self.assertIn("dumps only when told to run for it", self.error("refheap dump " + self.path("asked.refheap")))
        self.assertFalse(os.path.exists(self.path("asked.refheap")))
        self.gdb(None, "file " + sys.executable, "core-file " + core, "refheap cycles", why)
        self.assertEqual(self.output("refheap cycles"), run("cycles", snapshot)[0])
        self.assertEqual(self.output(why), run("why", snapshot, address)[0])
        self.assertEqual(ask("info", snapshot)["heaps"][0]["runtime"], "cpython")


if __name__ == "__main__":
    unittest.main()
