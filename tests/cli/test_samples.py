"""Each sample leaks in its own way, and refheap says which."""

import os
import re
import subprocess
import unittest

from support import SAMPLES, SOURCE, TestCase, ask, run, sample


class Samples(TestCase):
    def analyse(self, name):
        """Runs a sample; returns what it printed and refheap's answer about its garbage."""
        self.snapshot = self.path(name + ".refheap")
        said = sample(name, self.snapshot)
        self.assertIn("0 objects leaked.", said)
        answer = ask("cycles", self.snapshot)
        # The collector of the sample itself is the judge.
        self.assertIn("The collector found %d unreachable objects." % answer["garbage"]["objects"], said)
        return said, answer

    def only_cycle(self, name):
        _, answer = self.analyse(name)
        self.assertEqual(len(answer["cycles"]), 1)
        cycle = answer["cycles"][0]
        self.assertTrue(cycle["source"])
        self.assertFalse(cycle["uncollectable"] or cycle["invisible"])
        return answer, cycle

    def types(self, cycle):
        return sorted(m["type"] for m in cycle["members"])

    def test_every_sample_is_tested(self):
        tested = {"self_reference", "two_lists", "two_dicts", "ring", "parent_child", "exception_traceback", "forgotten_list",
                  "cache_strong", "cache_weak", "broken_by_hand", "proxy", "finalizer_cycle", "resurrection",
                  "uncollectable", "freeze_before_fork", "missing_release", "lapsed_listener"}
        sources = {f[:-2] for f in os.listdir(os.path.join(SOURCE, "samples", "c")) if f.endswith(".c")}
        self.assertEqual(sources, tested)
        self.assertTrue(sources <= set(os.listdir(SAMPLES)))

    def test_self_reference(self):
        answer, cycle = self.only_cycle("self_reference")
        self.assertEqual(self.types(cycle), ["Widget"])
        self.assertEqual([e["label"] for e in cycle["edges"]], [".me"])
        self.assertEqual(cycle["advice"], "make Widget.me weak")
        self.assertEqual(answer["garbage"]["objects"], 2)  # and its class

    def test_two_lists(self):
        _, cycle = self.only_cycle("two_lists")
        self.assertEqual(self.types(cycle), ["list", "list"])
        self.assertEqual(len(cycle["cut"]), 1)

    def test_two_dicts(self):
        answer, cycle = self.only_cycle("two_dicts")
        self.assertEqual(self.types(cycle), ["dict", "dict"])
        self.assertEqual(sorted(e["label"] for e in cycle["edges"]), ["['customer']", "['last_order']"])
        self.assertEqual(answer["dependent"]["objects"], 4)  # three keys and a name
        self.assertEqual(cycle["retained"], answer["garbage"]["bytes"] + answer["dependent"]["bytes"])

    def test_ring(self):
        _, cycle = self.only_cycle("ring")
        self.assertEqual(sorted(m["label"] for m in cycle["members"]),
                         ['"parse"', '"plan"', '"read"', '"reply"', '"run"'])
        self.assertEqual({e["label"] for e in cycle["edges"]}, {".next"})

    def test_parent_and_child(self):
        _, cycle = self.only_cycle("parent_child")
        self.assertEqual(cycle["objects"], 6)
        self.assertEqual(cycle["advice"], "make node.parent weak")
        self.assertEqual({e["label"] for e in cycle["cut"]}, {".parent"})
        self.assertEqual(len(cycle["cut"]), 5)

    def test_exception_and_traceback(self):
        answer, cycle = self.only_cycle("exception_traceback")
        self.assertEqual(self.types(cycle), ["dict", "exception", "frame", "traceback"])
        self.assertIn("['saved']", [e["label"] for e in cycle["edges"]])
        self.assertEqual(answer["garbage"]["objects"], 5)  # the payload hangs off it

    def test_forgotten_list(self):
        _, answer = self.analyse("forgotten_list")
        self.assertEqual(answer["cycles"], [])
        kinds = {t["type"]: t["count"] for t in ask("summary", self.snapshot)["types"]}
        self.assertEqual(kinds, {"list": 1, "dict": 1000, "int": 1000, "str": 3000})
        record = ask("referents", self.snapshot, "root:audit_log")["edges"][500]
        why = ask("why", self.snapshot, record["to"])
        self.assertEqual(why["paths"][0][0]["holder"], "root audit_log")
        self.assertEqual(why["paths"][0][1]["label"], "[500]")

    def test_cache_without_weak_references(self):
        self.analyse("cache_strong")
        self.assertEqual([t["count"] for t in ask("summary", self.snapshot)["types"] if t["type"] == "Image"], [100])

    def test_cache_with_weak_references(self):
        self.analyse("cache_weak")
        self.assertEqual([t["count"] for t in ask("summary", self.snapshot)["types"] if t["type"] == "Image"], [1])
        kinds = [e["kind"] for e in ask("referrers", self.snapshot, "root:current image")["edges"]]
        self.assertEqual(kinds, ["weak"])

    def test_broken_by_hand(self):
        _, cycle = self.only_cycle("broken_by_hand")
        self.assertEqual(sorted(m["label"] for m in cycle["members"]), ['"Are you sure?"', '"just dropped"'])
        self.assertEqual(cycle["advice"], "make window.owner weak")

    def test_finalizer_in_a_cycle(self):
        said, answer = self.analyse("finalizer_cycle")
        self.assertEqual(answer["garbage"]["objects"], 2)
        self.assertEqual(said.count("Closed"), 2)
        self.assertIn("Closed app.log; mirror.log is still open.", said)

    def test_resurrection(self):
        snapshot = self.path("resurrection.refheap")
        said = sample("resurrection", snapshot)
        # Unreachable it was, until its finalizer had its turn: a snapshot shows what is, not what a finalizer will do.
        self.assertEqual(ask("cycles", snapshot)["garbage"]["objects"], 1)
        self.assertIn("The collector found 0 unreachable objects.", said)
        self.assertEqual(said.count("The finalizer of"), 1)
        self.assertIn("the collector found 1 unreachable objects, and no finalizer ran.", said)
        self.assertIn("0 objects leaked.", said)

    def test_uncollectable(self):
        said, answer = self.analyse("uncollectable")
        self.assertTrue(answer["cycles"][0]["uncollectable"])
        rows = ask("generations", self.snapshot)["generations"]
        self.assertEqual([r["uncollectable_objects"] for r in rows if r["generation"] == 0], [4])
        self.assertIn("It could not free 4 of them; its list of garbage holds 2.", said)

    def test_freeze_before_fork(self):
        said, answer = self.analyse("freeze_before_fork")
        self.assertEqual(answer["garbage"]["objects"], 0)
        without, frozen = map(int, re.search(r"copies (-?\d+) KiB without freezing, and (-?\d+) KiB with", said).groups())
        self.assertGreater(without, 5000)
        self.assertLess(frozen, without / 10)
        permanent = [r for r in ask("generations", self.snapshot)["generations"] if r["generation"] == 3]
        self.assertEqual(permanent[0]["objects"], 200001)

    def test_missing_release(self):
        _, answer = self.analyse("missing_release")
        self.assertEqual(answer["garbage"]["objects"], 0)
        audit = ask("audit", self.snapshot)
        self.assertEqual({o["type"] for o in audit["over"]}, {"request"})
        self.assertEqual(len(audit["pinned"]), 12)

    def test_lapsed_listener(self):
        self.analyse("lapsed_listener")
        paths = [self.path("%d.refheap" % hour) for hour in range(3)]
        subprocess.run([os.path.join(SAMPLES, "lapsed_listener"), *paths], stdout=subprocess.DEVNULL, check=True)
        answer = ask("diff", *paths[:2])
        self.assertEqual(answer["identity"], "serial")
        session, = [t for t in answer["types"] if t["type"] == "session"]
        self.assertEqual([session[k] for k in ("new", "gone", "stayed")], [40, 35, 5])
        self.assertIn("session", [t["type"] for t in ask("trend", *paths)["types"]])

    def test_proxy(self):
        _, answer = self.analyse("proxy")
        self.assertEqual(len(answer["cycles"]), 37)
        self.assertEqual({c["shape"] for c in answer["cycles"]}, {1})
        self.assertEqual({c["advice"] for c in answer["cycles"]}, {"make connection.peer weak"})
        out, _ = run("cycles", self.snapshot)
        self.assertIn("and 36 more like it", out)
        self.assertEqual(run("cycles", self.snapshot, "--no-fold", "--limit", "0")[0].count("\ncycle "), 37)


    def test_no_line_of_a_table_ends_in_a_blank(self):
        snapshot = self.path("s.refheap")
        sample("proxy", snapshot)
        for command in (("info",), ("summary",), ("summary", "--waste"), ("generations",), ("cycles",), ("dominators",),
                        ("retained",), ("audit",), ("sql", "select type, label from objects")):
            out, _ = run(command[0], snapshot, *command[1:])
            self.assertIn("\n", out)
            self.assertEqual([line for line in out.split("\n") if line.endswith(" ")], [], command)

if __name__ == "__main__":
    unittest.main()
