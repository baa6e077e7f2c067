"""Heaps that are all of one kind: right answers, and no more than their share of memory, from every command.

SHAPE_OBJECTS is their size. Each command has a minute, which even the sanitizers do not need.
"""

import json
import os
import subprocess
import unittest

from support import BUILD, REFHEAP, TOOLS, TestCase, tool

OBJECTS = int(os.environ.get("SHAPE_OBJECTS", "200000"))
SIZE = 32
# Of memory, the mapped file included; the sanitizers take several times as much.
BYTES_AN_OBJECT = 700
FREE_BYTES = 100 << 20
SANITIZED = "-san" in BUILD

QUESTIONS = [
    ["info"], ["verify"], ["summary"], ["summary", "--waste"], ["generations"], ["cycles"], ["object", "@0"], ["object", "@1"],
    ["referrers", "@0"], ["referents", "@0"], ["referents", "@0", "--depth", "0"], ["why", "@LAST"], ["why", "@LAST", "--paths", "2"],
    ["why", "type:node"], ["retained"], ["dominators", "--depth", "0"], ["audit"], ["what-if", "--cut", "@0"],
    ["what-if", "--cut", "@0->@1"], ["suspects"], ["check", "--max-garbage", "0", "--audit"], ["export", "--format", "folded"],
    ["sql", "select count(*), sum(retained), max(owned) from objects"], ["render", "cycles", "-o", "FOLDER/picture.dot"],
]


class Shapes(TestCase):
    def ask(self, *question, status=(0,)):
        question = [word.replace("@LAST", "@%d" % (OBJECTS - 1)).replace("FOLDER", self.folder) for word in question]
        out, peak = self.path("out"), self.path("peak")
        with open(out, "wb") as f:
            done = subprocess.run([os.path.join(TOOLS, "peak"), peak, "timeout", "60", REFHEAP, question[0], self.snapshot,
                                   *question[1:], "--no-cache"], stdout=f, stderr=subprocess.PIPE)
        self.assertIn(done.returncode, status, (question, done.stderr))
        with open(peak) as f:
            kib = int(f.read())
        if not SANITIZED:
            self.assertLess(kib << 10, FREE_BYTES + BYTES_AN_OBJECT * OBJECTS, question)
        return out

    def json(self, *question):
        with open(self.ask(*question, "--json")) as f:
            return json.load(f)

    def make(self, shape):
        self.snapshot = self.path(shape + ".refheap")
        done = tool("make_shape", shape, OBJECTS, self.snapshot)
        self.assertEqual(done.returncode, 0, done.stderr)
        for question in QUESTIONS:
            if question[0] == "render" and shape not in ("ring",):
                continue
            self.ask(*question, status={"check": (0, 1), "what-if": (0, 2)}.get(question[0], (0,)))  # or no such reference
        return {o: (retained, owned) for o, retained, owned in
                self.json("sql", "select ordinal, retained, owned from objects where ordinal in (0, 1, %d)" % (OBJECTS - 1))["rows"]}

    def garbage(self):
        return self.json("summary")["garbage"]["objects"]

    def test_in(self):
        of = self.make("in")
        self.assertEqual(of[OBJECTS - 1], (SIZE, SIZE))
        self.assertEqual(self.json("object", "@0")["referrers"], OBJECTS)
        self.assertEqual(self.garbage(), 0)

    def test_out(self):
        of = self.make("out")
        self.assertEqual(of[0], (SIZE * OBJECTS,) * 2)
        self.assertEqual(self.json("object", "@0")["referents"], OBJECTS)

    def test_chain(self):
        of = self.make("chain")
        self.assertEqual(of[0], (SIZE * OBJECTS,) * 2)
        self.assertEqual(of[OBJECTS - 1], (SIZE, SIZE))

    def test_owner(self):
        of = self.make("owner")
        self.assertEqual([of[0][0], of[1][0], of[OBJECTS - 1][0]], [SIZE] * 3)
        self.assertEqual(self.json("object", "@2")["retained"], SIZE * (OBJECTS - 2))

    def test_ring(self):
        of = self.make("ring")
        self.assertEqual(of[1], (SIZE, SIZE * OBJECTS))
        self.assertEqual(self.garbage(), OBJECTS)
        self.assertEqual(self.json("sql", "select objects, retained from cycles")["rows"], [[OBJECTS, SIZE * OBJECTS]])

    def test_none(self):
        self.assertEqual(self.make("none")[0], (SIZE, SIZE))

    def test_tail(self):
        """A long list whose second half is also held from outside: quadratic to climb step by step."""
        of = self.make("tail")
        self.assertEqual(of[0], (SIZE * (OBJECTS // 2),) * 2)
        self.assertEqual(of[OBJECTS - 1], (SIZE, SIZE))

    def test_ends(self):
        of = self.make("ends")
        self.assertEqual(of[0], (SIZE * OBJECTS,) * 2)
        self.assertEqual(self.json("object", "0xfffffffffffffff0")["ordinal"], OBJECTS - 1)
        self.assertEqual(self.json("object", "0x10")["ordinal"], 0)

    def test_sparse(self):
        self.assertEqual(self.make("sparse")[0], (SIZE * OBJECTS,) * 2)


if __name__ == "__main__":
    unittest.main()
