"""Random programs leave the library and a plain model of CPython's collector in the same state after every operation.

MODEL_FIRST and MODEL_PROGRAMS choose the programs; half of them are longer. One on which they differ is cut down before it is
shown (tests/tools/model.c).
"""

import os
import unittest

from support import TestCase, tool

FIRST = int(os.environ.get("MODEL_FIRST", "1"))
PROGRAMS = int(os.environ.get("MODEL_PROGRAMS", "1000"))


class Model(TestCase):
    def check(self, programs, steps, **environment):
        done = tool("model", FIRST, programs, steps, env=dict(os.environ, **environment))
        self.assertEqual((done.returncode, done.stdout.decode()), (0, ""), done.stderr.decode()[-4000:])

    def test_random_programs(self):
        self.check(PROGRAMS, 100)

    def test_long_random_programs(self):
        self.check(PROGRAMS, 500)

    def test_random_programs_with_a_collection_at_every_allocation(self):
        self.check(PROGRAMS, 100, RH_GC_STRESS="1")


if __name__ == "__main__":
    unittest.main()
