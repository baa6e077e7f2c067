"""The refheap program itself, held by GDB at a bad moment."""

import os
import subprocess
import unittest

from gdb_support import REFHEAP, SAMPLES, GdbTestCase


class Reader(GdbTestCase):
    def test_a_file_that_shrinks_under_the_program_is_an_input_error(self):
        """The program is stopped after it mapped the file; the file is cut; the program goes on into SIGBUS."""
        snapshot = self.path("heap.refheap")
        subprocess.run([os.path.join(SAMPLES, "forgotten_list"), snapshot], stdout=subprocess.DEVNULL, check=True)
        _, said = self.gdb(REFHEAP, "set args info " + snapshot, "handle SIGBUS nostop noprint pass", "break walk_blocks",
                           "run", "python import os; os.truncate('%s', 4096)" % snapshot, "delete", "continue",
                           "print $_exitcode")
        self.assertIn("refheap: %s: the file shrank while it was read; copy it first" % snapshot, said)
        self.assertIn("= 2", self.output("print $_exitcode"))


if __name__ == "__main__":
    unittest.main()
