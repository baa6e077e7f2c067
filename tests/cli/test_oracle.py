"""Every analysis agrees with brute force on small random graphs, most with right refcounts and some with wrong ones.

ORACLE_FIRST, ORACLE_SEEDS and ORACLE_LARGE choose the graphs. A graph on which they differ is cut down before it is shown.
"""

import os
import random
import unittest

from support import REFHEAP, TestCase
import second_reader
from oracle import graphs
from oracle.compare import Comparison, Program
from oracle.shrink import described, shrink
from oracle.snapshot import snapshot_of

FIRST = int(os.environ.get("ORACLE_FIRST", "0"))
SEEDS = int(os.environ.get("ORACLE_SEEDS", "100"))
LARGE = int(os.environ.get("ORACLE_LARGE", "2"))  # graphs of up to 2,000 objects, besides


class Oracle(TestCase):
    def differences(self, graph, seed):
        """[(check, what differs)]"""
        rng, path = random.Random(seed), self.path("graph.refheap")
        snapshot = snapshot_of(graph, rng, shuffled=rng.random() < 0.4)
        second_reader.write_snapshot(snapshot, path, vary=rng.random() < 0.4, seed=seed)
        return Comparison(graph, Program(REFHEAP, path), rng).check()

    def compare(self, graph, seed):
        found = self.differences(graph, seed)
        if found:
            check, what = found[0]
            least = shrink(graph, lambda g: any(c == check for c, _ in self.differences(g, seed)))
            self.fail(f"seed {seed} ({graph.note}): {check}: {what}\n{described(least)}")

    def test_small_random_graphs(self):
        for seed in range(FIRST, FIRST + SEEDS):
            self.compare(graphs.make(seed), seed)

    def test_larger_random_graphs(self):
        for seed in range(FIRST, FIRST + LARGE):
            self.compare(graphs.make(seed, 2000), seed)


if __name__ == "__main__":
    unittest.main()
