"""Pictures of what is too large to be drawn: folded, bounded, and what is not drawn is counted."""

import json
import os
import random
import re
import subprocess
import unittest
import xml.dom.minidom

from support import BUILD, REFHEAP, TestCase, run, sample, tool
from test_render import Picture
import second_reader as sr

STRONG = sr.model.COUNTED | sr.model.TRAVERSED
LABEL_STRING = 4
TYPES = [b"dict", b"list", b"Session", b"Request", b"Connection", b"tuple"]
SEED = 1


def random_heap(path, objects, edges, held=()):
    """References between random objects, with names that repeat; all of them garbage but for what `held` leads to."""
    chance = random.Random(SEED)
    heap = [sr.model.Object(0, 0x1000 + 0x40 * i, i % len(TYPES), 48 + 8 * (i % 5), state=8 | i % 3) for i in range(objects)]
    for _ in range(edges):
        source, target = chance.choice(heap), chance.choice(heap)
        source.edges.append(sr.model.Edge(target.address, STRONG | LABEL_STRING << 4, b"f%d" % len(source.edges)))
        target.refcount += 1
    for i in held:
        heap[i].refcount += 1
    sr.write_snapshot(sr.model.Snapshot(heaps=[sr.model.Heap(b"librefheap")], types=[sr.model.Type(t, flags=1) for t in TYPES],
                                        objects=heap), path)
    return heap


def references(picture):
    """How many references the edges of a picture stand for."""
    counts = (re.search(r"([\d,]+) references?( cut here)?$", label) for _, _, label in picture.edges)
    return sum(int(m.group(1).replace(",", "")) if m else 1 for m in counts)


class Large(TestCase):
    def draw(self, snapshot, *arguments):
        out = self.path("picture.dot")
        said = json.loads(run("render", snapshot, *arguments, "-o", out, "--json")[0])
        picture = Picture(out)
        self.assertEqual((said["nodes"], said["edges"]), (len(picture.nodes), len(picture.edges)))
        self.assertEqual(said["left_out"] is not None, "not drawn: " in picture.head)
        picture.left_out = said["left_out"] or ""
        return picture

    def test_a_cycle_of_any_size_is_a_ring(self):
        snapshot = self.path("ring")
        self.assertEqual(tool("make_shape", "ring", 100000, snapshot).returncode, 0)
        picture = self.draw(snapshot)
        self.assertEqual((len(picture.nodes), len(picture.edges)), (13, 14))
        self.assertEqual(len(picture.named("99,988 more node")), 1)
        self.assertEqual(references(picture), 100000)
        self.assertEqual(len(picture.cut), 1)
        self.assertEqual(picture.left_out, "")
        # Those as far from the cut stand beside each other.
        self.assertEqual(len(re.findall(r"\{rank=same; n\d+; n\d+\}", picture.text)), 5)

    def test_everything_refers_to_everything(self):
        snapshot = self.path("random")
        heap = random_heap(snapshot, 500, 1500)
        picture = self.draw(snapshot)
        self.assertLessEqual(len(picture.nodes), 60)
        folded = {n for n, c in picture.classes.items() if "folded" in c}
        singles = [e for e in picture.edges if not {e[0], e[1]} & folded]
        self.assertLessEqual(len(picture.edges), len(picture.nodes) + 16 + len(singles))
        # Every reference between objects of the picture is drawn or counted; no node is lost.
        drawn = {int(a["id"][9:], 16) for a in picture.attributes.values() if a.get("id", "").startswith("object")}
        members = sum(int(re.search(r"([\d,]+) more", picture.nodes[n]).group(1).replace(",", "")) for n in folded) + len(drawn)
        garbage = [o for o in heap if o.address in self.unreachable(heap)]
        self.assertEqual(members, len(garbage))
        total = sum(len(o.edges) for o in garbage)
        self.assertEqual(references(picture) + int(re.match(r"([\d,]+) references to and from folded objects$", picture.left_out)
                                                   .group(1).replace(",", "")), total)
        joined = {n for a, b, _ in picture.edges for n in (a, b)}
        self.assertEqual(joined, set(picture.nodes))

    def unreachable(self, heap):
        """By counting, as the collector does: nothing is held from outside, so whatever a loop leads to."""
        counts = {o.address: o.refcount for o in heap}
        by_address = {o.address: o for o in heap}
        dead = [a for a, n in counts.items() if not n]
        while dead:  # refcounting would have freed these: they are no garbage of the collector's, and nobody's dependents
            for e in by_address[dead.pop()].edges:
                counts[e.target] -= 1
                if not counts[e.target]:
                    dead.append(e.target)
        return {a for a, n in counts.items() if n}

    def test_a_dense_picture_is_laid_out_all_the_same(self):
        snapshot, out = self.path("random"), self.path("picture.svg")
        random_heap(snapshot, 500, 1500)
        run("render", snapshot, "--no-fold", "-o", out)
        picture = Picture(self.path("picture.dot"))
        self.assertGreater(len(picture.nodes), 450)
        self.assertGreater(len(picture.edges), 1350)
        self.assertIn("where the pointer rests", picture.head)
        self.assertEqual({label for _, _, label in picture.edges}, {""})
        svg = xml.dom.minidom.parse(out)
        groups = [g.getAttribute("class").split() for g in svg.getElementsByTagName("g")]
        self.assertEqual(sum("node" in g for g in groups), len(picture.nodes))
        self.assertEqual(sum("edge" in g for g in groups), len(picture.edges))
        names = [t.firstChild.data for t in svg.getElementsByTagName("title") if t.firstChild and " -> " in t.firstChild.data]
        self.assertEqual(len(names), len(picture.edges))
        self.assertTrue(all(re.match(r"\w+\n \.f\d+ -> \w+$", n) for n in names), names[:3])

    def test_never_more_nodes_than_asked_for(self):
        garbage, alive, earlier = self.path("garbage"), self.path("alive"), self.path("earlier")
        random_heap(garbage, 300, 500)
        random_heap(alive, 300, 700, held=range(0, 300, 7))
        random_heap(earlier, 90, 200, held=range(0, 90, 2))
        for nodes in (20, 45, 150):
            for snapshot, *what in ([garbage, "cycles"], [garbage, "cycle:1"], [garbage, "why", "garbage"], [garbage, "dominators"],
                                    [alive, "referrers", "@7", "--depth", "0"], [alive, "referents", "@0", "--depth", "0"],
                                    [alive, "why", "type:dict"], [alive, "why", "@9"], [alive, "dominators"], [alive, "generations"],
                                    [alive, "diff", earlier]):
                picture = self.draw(snapshot, *what, "--nodes", nodes)
                self.assertLessEqual(len(picture.nodes), nodes, (what, nodes))
                self.assertGreater(len(picture.nodes), 0, (what, nodes))


FAILING = r"""
#include <stdlib.h>
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static long left = -2;
static int fails(void)
{
    if (left == -2)
        left = getenv("FAIL_AT") ? atol(getenv("FAIL_AT")) : -1;
    return left >= 0 && left-- == 0;
}
void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *old, size_t n) { return fails() ? NULL : __libc_realloc(old, n); }
"""


@unittest.skipIf(BUILD.endswith("-san"), "a sanitizer has allocators of its own")
class WithoutMemory(TestCase):
    def test_one_line_and_no_picture(self):
        """Some allocations in each kind of picture are made to fail."""
        library, source, snapshot = self.path("failing.so"), self.path("failing.c"), self.path("proxy.refheap")
        with open(source, "w") as f:
            f.write(FAILING)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        sample("proxy", snapshot)
        failed = 0
        for what in (["cycles"], ["dominators"], ["why", "type:buffer"], ["generations"], ["referents", "root:active"]):
            fine = 0
            for at in range(20, 400, 9):
                out = self.path("picture.dot")
                done = subprocess.run([REFHEAP, "render", snapshot, *what, "-o", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      env=dict(os.environ, LD_PRELOAD=library, FAIL_AT=str(at)), timeout=60)
                self.assertIn(done.returncode, (0, 2), (what, at, done.stderr))
                self.assertEqual(os.path.exists(out), done.returncode == 0, (what, at))
                if done.returncode:
                    self.assertOneLine(done.stderr.decode())
                    failed += 1
                    continue
                os.unlink(out)
                fine += 1
                if fine > 2:
                    break
        self.assertGreater(failed, 20)


if __name__ == "__main__":
    unittest.main()
