"""diff, trend and the growth budgets of check agree with brute force on random heaps and what became of them.

ORACLE_FIRST and PAIRS_SEEDS choose them.
"""

import json
import os
import random
import unittest
from collections import Counter

from support import TestCase, ask, run
from oracle import pairs
from oracle.brute import PERMANENT, UNTRACKED
from oracle.brute_pairs import Pairing, attribution, may_be_one_process

FIRST = int(os.environ.get("ORACLE_FIRST", "0"))
SEEDS = int(os.environ.get("PAIRS_SEEDS", "150"))
ROW = ("before", "after", "delta_count", "delta_bytes", "new", "gone", "stayed", "moved_in", "moved_out", "before_bytes",
       "after_bytes", "new_bytes", "gone_bytes", "grown_bytes")
GENERATIONS = {0: "0", 1: "1", 2: "2", PERMANENT: "permanent", UNTRACKED: "untracked"}
NUMBERS = {PERMANENT: 3, UNTRACKED: -1}  # in JSON


def table(rows, key):
    """Rows as a multiset: two types can have one name."""
    return Counter((r[key],) + tuple(r[c] for c in ROW) for r in rows)


def brute_table(rows):
    return Counter((k[0] if isinstance(k, tuple) else k,) + tuple(r[c] for c in ROW) for k, r in rows.items())


class Pairs(TestCase):
    def write(self, seed, count):
        rng = random.Random(seed)
        dumps = pairs.make(seed, count)
        paths = [self.path("%d.refheap" % i) for i in range(count)]
        for dump, path in zip(dumps, paths):
            dump.write(path, rng, seed)
        return dumps, paths

    def test_diff(self):
        ways = Counter()
        for seed in range(FIRST, FIRST + SEEDS):
            with self.subTest(seed=seed):
                (a, b), paths = self.write(seed, 2)
                pairing = Pairing(a, b)
                ways[pairing.identity, bool(pairing.serial_pairs), bool(pairing.address_pairs)] += 1
                self.check_diff(pairing, paths, random.Random(seed))
        if SEEDS >= 100:  # every way to tell objects apart has been met
            self.assertGreaterEqual(len([w for w in ways if ways[w] > 2]), 4, ways)

    def check_diff(self, pairing, paths, rng):
        a, b = pairing.a, pairing.b
        answer = ask("diff", *paths, "--attributed", "--objects", "new")
        self.assertEqual(answer["identity"], pairing.identity)
        self.assertEqual(answer["same_process"], may_be_one_process(a, b))
        self.assertEqual((answer["paired_by_serial"], answer["paired_by_address"]),
                         (pairing.serial_pairs, pairing.address_pairs))
        self.assertEqual({int(o["address"], 16) for o in answer["objects"]}, pairing.new)
        self.assertEqual(table(answer["types"], "type"), brute_table(pairing.rows(lambda d, o: d.type_key(o))))
        self.assertEqual({(m["from"], m["to"]): m["objects"] for m in answer["moved"]},
                         {tuple(NUMBERS.get(g, g) for g in k): n for k, n in pairing.moved().items()})
        self.assertEqual(Counter((r["held_by"], r["type"], r["new"], r["new_bytes"]) for r in answer["attributed"]),
                         Counter((h if isinstance(h, str) else h[0], t[0], n, size)
                                 for (h, t), (n, size) in attribution(pairing).items()))
        self.check_groups(pairing, paths, rng)
        run("diff", *paths, "--attributed")
        run("diff", *paths, "--objects", rng.choice(("new", "gone", "moved", "stayed")))

    def check_groups(self, pairing, paths, rng):
        by_generation = ask("diff", *paths, "--by", "generation", "--objects", "gone")
        self.assertEqual({int(o["address"], 16) for o in by_generation["objects"]}, pairing.gone)
        self.assertEqual(table(by_generation["groups"], "generation"),
                         brute_table(pairing.rows(lambda d, o: NUMBERS.get(o.generation, o.generation))))
        by_module = ask("diff", *paths, "--by", "module")
        self.assertEqual(table(by_module["groups"], "module"), brute_table(
            pairing.rows(lambda d, o: d.modules.get(o.type, b"").decode() or "(none)")))
        generation, kind = rng.choice(sorted(GENERATIONS)), rng.choice(pairing.b.graph.types).name
        filtered = ask("diff", *paths, "--generation", GENERATIONS[generation], "--type", kind)
        self.assertEqual(table(filtered["types"], "type"), brute_table(pairing.rows(
            lambda d, o: d.type_key(o),
            lambda d, o: o.generation == generation and d.graph.type_name(o) == kind)))

    def test_growth_budgets(self):
        for seed in range(FIRST, FIRST + SEEDS // 3):
            with self.subTest(seed=seed):
                (a, b), (first, second) = self.write(seed, 2)
                pairing, rng = Pairing(a, b), random.Random(seed)
                kind = rng.choice(b.graph.types).name
                before, after = ([o.size for o in d.graph.objects if d.graph.type_name(o) == kind] for d in (a, b))
                limit = rng.choice((0, 1, 5, 100))
                budgets = ["--max-growth=%s=%d" % (kind, limit), "--max-growth=%s=%dB" % (kind, limit),
                           "--max-growth=%s=%d%%" % (kind, limit)]
                grown, size = len(after) - len(before), sum(after) - sum(before)
                passed = [grown <= limit, size <= limit, grown * 100 <= limit * len(before)]
                answer = ask_status("check", second, first, *budgets, status=0 if all(passed) else 1)
                self.assertEqual([c["passed"] for c in answer["checks"]], passed)
                self.assertEqual([c["actual"] for c in answer["checks"][:2]], [grown, size])
                self.assertEqual((answer["checks"][0]["before"], answer["checks"][0]["after"]), (len(before), len(after)))
                of_kind = {x for x in pairing.at[1] if b.graph.type_name(pairing.at[1][x]) == kind}
                for failure in answer["failures"]:
                    blamed = {int(o["address"], 16) for o in failure["objects"]}
                    self.assertTrue(blamed <= ((of_kind & pairing.new) or of_kind), failure)
                    self.assertEqual(len(failure["paths"]), len(failure["objects"]))

    def test_trend(self):
        for seed in range(FIRST, FIRST + SEEDS // 3):
            with self.subTest(seed=seed):
                dumps, paths = self.write(seed, 3 + seed % 3)
                wanted = Counter()
                for key in {d.type_key(o) for d in dumps for o in d.graph.objects}:
                    sizes = [[o.size for o in d.graph.objects if d.type_key(o) == key] for d in dumps]
                    counts, sums = [len(s) for s in sizes], [sum(s) for s in sizes]
                    rises = [all(x < y for x, y in zip(v, v[1:])) for v in (counts, sums)]
                    if any(rises):
                        wanted[(key[0], tuple(counts), tuple(sums), *rises)] += 1
                answer = ask("trend", *paths)
                self.assertEqual(wanted, Counter((t["type"], tuple(t["counts"]), tuple(t["bytes"]), t["objects_grew"],
                                                  t["bytes_grew"]) for t in answer["types"]))
                run("trend", *paths, "--all")


def ask_status(*arguments, status):
    return json.loads(run(*arguments, "--json", status=status)[0])


if __name__ == "__main__":
    unittest.main()
