"""Every analysis agrees with brute force on small random graphs, most with right refcounts and some with wrong ones.

ORACLE_FIRST and ORACLE_SEEDS choose the graphs. A graph on which they differ is cut down before it is shown.
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


class Oracle(TestCase):
    def differences(self, graph, seed):
        """[(check, what differs)]"""
        rng, path = random.Random(seed), self.path("graph.refheap")
        snapshot = snapshot_of(graph, rng, shuffled=rng.random() < 0.4)
        second_reader.write_snapshot(snapshot, path, vary=rng.random() < 0.4, seed=seed)
        return Comparison(graph, Program(REFHEAP, path), rng).check()

    def test_small_random_graphs(self):
        for seed in range(FIRST, FIRST + SEEDS):
            graph = graphs.make(seed)
            found = self.differences(graph, seed)
            if not found:
                continue
            check, what = found[0]
            least = shrink(graph, lambda g: any(c == check for c, _ in self.differences(g, seed)))
            self.fail(f"seed {seed} ({graph.note}): {check}: {what}\n{described(least)}")


if __name__ == "__main__":
    unittest.main()
