"""The garbage that `refheap cycles` finds is what the library's own collector then finds, object for object.

Random heaps (tests/support/random_heap.c) are dumped by the library and read from outside by the probe, and collected for
real, each generation in a copy of the process of its own. COLLECTOR_HEAPS says how many heaps; sizes go to 10,000.
"""

import os
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import REFHEAP, TestCase, run, tool

HEAPS = int(os.environ.get("COLLECTOR_HEAPS", "1000"))


def size_of(seed):
    """Mostly small, where mistakes are easy to see; every hundredth is large."""
    return 10000 if seed % 100 == 0 else 1500 if seed % 20 == 0 else 4 + seed * 7 % 150


def garbage_of(snapshot, generation):
    out, _ = run("cycles", snapshot, "--generation", generation, "--objects", "--csv")
    return {line.split(",", 1)[0] for line in out.splitlines()[1:]}


def graph_of(snapshot):
    """Objects with their edges, values, roots and generations, in an order that does not depend on who wrote them."""
    lines, objects = tool("snapdump", snapshot, check=True).stdout.decode().splitlines(), []
    rest = []
    for line in lines:
        if line.startswith("object "):
            objects.append([line])
        elif line.startswith("edge "):
            objects[-1].append(line)
        elif line.startswith("heap "):
            words = line.split()
            rest.append(" ".join(words[:-2] + words[-1:]))  # without the owner: the probe reads a forked copy
        elif line.startswith("root "):
            if int(line.split()[8]) & 1:  # exact: whoever reads from outside finds possible ones besides
                rest.append(line)
        elif line.split()[0] in ("value", "generation", "type", "field", "site"):
            rest.append(line)
    return sorted(objects) + sorted(rest)


class Collector(TestCase):
    def check_heap(self, seed):
        folder = self.path(str(seed))
        os.mkdir(folder)
        done = tool("make_heap", seed, size_of(seed), folder, REFHEAP)
        self.assertEqual(done.returncode, 0, (seed, done.stderr))
        found = []
        for generation in (0, 1, 2):
            with open(os.path.join(folder, "truth.%d" % generation)) as f:
                truth = set(f.read().split())
            for source in ("dump", "probe"):
                snapshot = os.path.join(folder, source + ".refheap")
                self.assertEqual(garbage_of(snapshot, generation), truth, (seed, generation, source))
            found.append(len(truth))
        self.assertEqual(graph_of(os.path.join(folder, "dump.refheap")),
                         graph_of(os.path.join(folder, "probe.refheap")), seed)
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        return found

    def test_agrees_object_for_object(self):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(self.check_heap, range(1, HEAPS + 1)))
        # The heaps have to be worth asking about: garbage in every generation, and more in older ones.
        by_generation = [sum(counts) for counts in zip(*found)]
        self.assertGreater(by_generation[0], 0)
        self.assertGreater(by_generation[1], by_generation[0])
        self.assertGreater(by_generation[2], by_generation[1])


class Large(TestCase):
    """A million objects deep and a million wide: dumped, probed, collected, freed and analysed with the default stack."""

    SIZE = 1000000

    def check(self, shape, garbage):
        done = tool("make_heap", shape, self.SIZE, self.folder, REFHEAP)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("truth.2")) as f:
            truth = set(f.read().split())
        self.assertEqual(len(truth), garbage)
        for source in ("dump", "probe"):
            snapshot = self.path(source + ".refheap")
            self.assertEqual(garbage_of(snapshot, 2), truth, source)
            for command in (["summary"], ["generations"], ["cycles", "--no-fold"], ["why", "@5"], ["object", "@5"],
                            ["referents", "@0", "--depth", "0", "--limit", "3"]):
                run(command[0], snapshot, *command[1:])
            run("render", snapshot, "-o", self.path("cycles.svg"))
            run("render", snapshot, "referrers", "@5", "--depth", "1000000", "-o", self.path("referrers.dot"))

    def test_chain(self):
        # The cycle is the last two thirds; the head of the chain was freed by its refcount.
        self.check("chain", self.SIZE - self.SIZE // 3)

    def test_list(self):
        self.check("list", self.SIZE)


if __name__ == "__main__":
    unittest.main()
