"""refheap export: every format holds the whole graph, however it is named."""

import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import unittest

from support import REFHEAP, SAMPLES, TestCase, ask, run, sample
import second_reader
from oracle import graphs
from oracle.snapshot import snapshot_of

SEEDS = int(os.environ.get("EXPORT_SEEDS", "40"))


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


class Export(TestCase):
    def lines(self, snapshot, *options):
        out, err = run("export", snapshot, "--format", "json", *options)
        self.assertEqual(err, "")
        found = {}
        for line in out.splitlines():
            record = json.loads(line)
            found.setdefault(record.pop("record"), []).append(record)
        return found

    def table(self, snapshot, query):
        answer = ask("sql", snapshot, query)
        return [dict(zip(answer["columns"], row)) for row in answer["rows"]]

    def check(self, snapshot):
        """All formats beside the SQL tables, which are held against the commands elsewhere."""
        found = self.lines(snapshot)
        objects = self.table(snapshot, "select ordinal, hex_address(address) address, type, size, refcount, generation, heap, "
                                       "internal, garbage, dependent, invisible, label from objects")
        edges = self.table(snapshot, "select source, target, kind, label from edges")
        self.assertEqual(found.get("object", []), objects)
        self.assertEqual([{k: e[k] for k in ("source", "target", "kind", "label")} for e in found.get("edge", [])], edges)
        at = [o["address"] for o in objects]
        for e in found.get("edge", []):
            self.assertEqual(e["from"], at[e["source"]])
            self.assertTrue(e["to"] not in at if e["target"] is None else e["to"] == at[e["target"]], e)
        self.assertEqual(found.get("root", []), [
            {"name": r["name"], "kind": r["kind"], "exact": r["exact"], "to": r["object"],
             "target": at.index(r["object"]) if r["object"] in at else None} for r in ask("info", snapshot)["roots"]])
        head, = found["snapshot"]
        self.assertEqual((head["objects"], head["edges"], head["schema_version"]), (len(objects), len(edges), 1))
        self.assertNotIn("omitted", found)

        def as_csv(record):
            return {k: "" if v is None else str(int(v)) if isinstance(v, bool) else str(v) for k, v in record.items()}
        self.assertEqual(rows(run("export", snapshot, "--format", "csv")[0]), [as_csv(o) for o in found.get("object", [])])
        self.assertEqual(rows(run("export", snapshot, "--format", "csv", "--what", "edges")[0]),
                         [as_csv(e) for e in found.get("edge", [])])
        dot = run("export", snapshot, "--format", "dot", "--limit", "0")[0]
        self.assertEqual([int(n) for n in re.findall(r"^  n(\d+) \[", dot, re.M)], list(range(len(objects))))
        self.assertEqual([(int(a), int(b)) for a, b in re.findall(r"^  n(\d+) -> n(\d+) \[", dot, re.M)],
                         [(e["source"], e["target"]) for e in edges if e["target"] is not None])
        return dot

    def test_every_sample(self):
        for name in sorted(os.listdir(SAMPLES)):
            if name not in ("freeze_before_fork", "forgotten_list"):
                sample(name, self.path(name))
                self.check(self.path(name))

    def test_random_graphs(self):
        for seed in range(SEEDS):
            rng, path = random.Random(seed), self.path("graph.refheap")
            second_reader.write_snapshot(snapshot_of(graphs.make(seed), rng, shuffled=rng.random() < 0.4), path, seed=seed)
            with self.subTest(seed=seed):
                self.check(path)

    def test_hostile_names(self):
        s = second_reader
        path = self.path("s.refheap")
        names = [b'say "hi"\\', b"two\nlines\r,", b"\x1b[31mred", b"<b>&amp;", b"-->]]>", b"n1 -> n2; }"]
        s.write_snapshot(s.Snapshot(
            heaps=[s.Heap(b"librefheap", b"0")], types=[s.Type(n, fields=[s.Field(n, 1, 16)]) for n in names],
            objects=[s.Object(0, 0x1000 + 16 * i, i, 16, 1, 8 | 2, 0, edges=[s.Edge(0x1000, 3 | 1 << 4, 0)])
                     for i in range(len(names))]), path)
        dot = self.check(path)
        self.assertEqual([o["type"] for o in self.lines(path)["object"]], [n.decode() for n in names])
        self.assertNotIn("\x1b", dot)
        if shutil.which("dot"):
            svg = subprocess.run(["dot", "-Tsvg"], input=dot.encode(), stdout=subprocess.PIPE, check=True).stdout
            self.assertEqual(svg.count(b'class="node'), len(names))

    def test_limit_and_what(self):
        path = self.path("s.refheap")
        sample("proxy", path)
        found = self.lines(path, "--limit", "5")
        self.assertEqual((len(found["object"]), len(found["edge"])), (5, 5))
        self.assertEqual(found["omitted"], [{"objects": 164, "edges": 168}])
        self.assertEqual(sorted(self.lines(path, "--what", "objects")), ["object", "snapshot"])
        self.assertEqual(sorted(self.lines(path, "--what", "edges")), ["edge", "snapshot"])
        self.assertEqual(len(rows(run("export", path, "--format", "csv", "--limit", "7")[0])), 7)
        dot = run("export", path, "--format", "dot", "--limit", "3")[0]
        self.assertIn("the first 3 of 169 objects", dot)
        self.assertEqual(len(re.findall(r"^  n\d+ \[", dot, re.M)), 3)

    def test_too_large_a_picture_is_refused(self):
        path, out = self.path("s.refheap"), self.path("s.dot")
        sample("forgotten_list", path)
        err = run("export", path, "-o", out, status=2)[1]
        self.assertOneLine(err)
        self.assertIn("5001 objects and 5000 references are too many for a picture; --limit N writes the first N objects", err)
        self.assertFalse(os.path.exists(out))
        run("export", path, "-o", out, "--limit", "0")
        with open(out) as f:
            self.assertEqual(len(re.findall(r"^  n\d+ \[", f.read(), re.M)), 5001)

    def test_files_and_mistakes(self):
        path = self.path("s.refheap")
        sample("two_lists", path)
        for name, first in (("x.json", '{"record": "snapshot"'), ("x.jsonl", '{"record"'), ("x.csv", "ordinal,"), ("x.dot", "digraph")):
            self.assertEqual(run("export", path, "-o", self.path(name)), ("", ""))
            with open(self.path(name)) as f:
                self.assertTrue(f.read().startswith(first), name)
        cases = {
            (): "cannot tell the format", ("-o", "x.txt"): "cannot tell the format",
            ("--format", "xml"): '--format cannot be "xml"', ("--format", "csv", "--what", "all"): '--what cannot be "all"',
            ("--format", "dot", "--what", "edges"): "a picture needs both",
            ("--format", "json", "-o", path): "it is the snapshot that is read",
            ("--format", "json", "-o", "/nowhere/x"): "cannot create a file there"}
        for options, text in cases.items():
            out, err = run("export", path, *options, status=2, cwd=self.folder)
            self.assertEqual(out, "")
            self.assertOneLine(err)
            self.assertIn(text, err)
        self.assertFalse(os.path.exists(self.path("x.txt")))
        with open("/dev/full", "w") as full:
            done = subprocess.run([REFHEAP, "export", path, "--format", "json"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertOneLine(done.stderr.decode())


if __name__ == "__main__":
    unittest.main()
