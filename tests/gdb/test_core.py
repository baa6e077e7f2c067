"""The same answers from a core as from the process it was taken of."""

import os
import unittest

from gdb_support import SAMPLES, GdbTestCase, run


class Core(GdbTestCase):
    STOP = ["break sample_pause", "run", "up"]
    ASKED = ["refheap generations", "refheap summary", "refheap cycles", "refheap referrers -- conn->peer",
             "refheap why conn->peer", "refheap object -- conn->buffer", "print $refheap_count(conn)"]

    def test_as_of_the_process(self):
        core = self.path("a core")
        program = os.path.join(SAMPLES, "proxy")
        self.gdb(program, *self.STOP, *self.ASKED, "generate-core-file " + core)
        live = {command: self.output(command) for command in self.ASKED}
        self.gdb(program, "core-file " + core, "up", *self.ASKED, "refheap capture " + self.path("c.refheap"),
                 "refheap dump " + self.path("d.refheap"))
        for command in self.ASKED:
            self.assertEqual(self.output(command), live[command], command)
        self.assertIn("from a core file", run("info", self.path("c.refheap"))[0])
        self.assertIn("nothing can be run in it", self.error("refheap dump " + self.path("d.refheap")))

    def test_each_of_two_programs(self):
        """What is asked is asked of the inferior that is selected."""
        self.gdb(os.path.join(SAMPLES, "proxy"), *self.STOP, "refheap summary", "add-inferior -exec " + os.path.join(SAMPLES, "ring"),
                 "inferior 2", "break sample_pause", "run", "refheap summary", "inferior 1", "refheap summary")
        one, other, again = (self.output("refheap summary", i) for i in range(3))
        self.assertIn("169 objects", one)
        self.assertNotIn("169 objects", other)
        self.assertEqual(one, again)

    def test_a_core_without_a_heap(self):
        core = self.path("core")
        self.gdb("/bin/true", "starti", "generate-core-file " + core)
        self.gdb("/bin/true", "core-file " + core, "refheap summary")
        self.assertIn("no heap found", self.error("refheap summary"))


if __name__ == "__main__":
    unittest.main()
