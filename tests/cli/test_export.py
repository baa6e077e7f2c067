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

from support import REFHEAP, TOOLS, TestCase, ask, run, sample, sample_names
import second_reader
from oracle import graphs
from oracle.snapshot import snapshot_of

SEEDS = int(os.environ.get("EXPORT_SEEDS", "40"))
BRUTE_MAX = 1000  # nodes whose retained sizes are found the hard way


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
        for name in sample_names():
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
            ("--format", "dot", "--what", "edges"): "the others need both",
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


class Filters(TestCase):
    def test_objects_and_their_references(self):
        snapshot = self.path("proxy.refheap")
        sample("proxy", snapshot)
        every = [json.loads(line) for line in run("export", snapshot, "--format", "json")[0].splitlines()]
        types = {r["ordinal"]: r["type"] for r in every if r["record"] == "object"}
        some = [json.loads(line) for line in run("export", snapshot, "--format", "json", "--type", "conn*")[0].splitlines()]
        self.assertEqual([r for r in some if r["record"] == "object"],
                         [r for r in every if r["record"] == "object" and r["type"].startswith("conn")])
        self.assertEqual([r for r in some if r["record"] == "edge"],
                         [r for r in every if r["record"] == "edge" and types[r["source"]].startswith("conn")])
        young = rows(run("export", snapshot, "--format", "csv", "--generation", "0")[0])
        self.assertEqual([int(r["ordinal"]) for r in young],
                         [r["ordinal"] for r in every if r["record"] == "object" and r["generation"] == 0])
        cut = run("export", snapshot, "--format", "json", "--type", "connection", "--limit", "3", "--what", "objects")[0]
        last = json.loads(cut.splitlines()[-1])
        self.assertEqual((last["record"], last["objects"]), ("omitted", sum(t == "connection" for t in types.values()) - 3))

    def test_of_the_whole_heap_only(self):
        snapshot = self.path("proxy.refheap")
        sample("proxy", snapshot)
        for form in ("heapsnapshot", "folded"):
            for option in (["--limit", "3"], ["--type", "x"], ["--generation", "1"], ["--heap", "0"]):
                self.assertIn("whole heap", run("export", snapshot, "--format", form, *option, status=2)[1])
            self.assertIn("--what", run("export", snapshot, "--format", form, "--what", "edges", status=2)[1])
        self.assertIn("render", run("export", snapshot, "--format", "dot", "--type", "x", status=2)[1])


class Retaining:
    """Retained sizes by what can be reached without a node; weak references hold nothing."""

    WEAK = 6

    def __init__(self, heap):
        nodes, edges = heap["nodes"], heap["edges"]
        self.size, self.targets, at = nodes[3::7], [], 0
        for count in nodes[4::7]:
            own = [(edges[e], edges[e + 2] // 7) for e in range(at, at + 3 * count, 3)]
            self.targets.append([to for kind, to in own if kind != self.WEAK])
            at += 3 * count
        self.whole = self.reached(None)

    def reached(self, without):
        seen, stack = {0}, [0]
        while stack:
            for to in self.targets[stack.pop()]:
                if to != without and to not in seen:
                    seen.add(to)
                    stack.append(to)
        return seen

    def of(self, node):
        return sum(self.size[v] for v in self.whole - self.reached(node)) if node else sum(self.size)


class HeapSnapshot(TestCase):
    KEYS = ["snapshot", "nodes", "edges", "trace_function_infos", "trace_tree", "samples", "locations", "strings"]

    def export(self, snapshot):
        out, _ = run("export", snapshot, "--format", "heapsnapshot")
        self.assertTrue(out.isascii())
        heap = json.loads(out)
        self.assertEqual(list(heap), self.KEYS)
        return heap

    def check_form(self, heap):
        """What the loaders take for granted."""
        nodes, edges, meta = heap["nodes"], heap["edges"], heap["snapshot"]["meta"]
        count = heap["snapshot"]["node_count"]
        self.assertEqual((len(nodes), len(edges)), (7 * count, 3 * heap["snapshot"]["edge_count"]))
        self.assertEqual(sum(nodes[4::7]), heap["snapshot"]["edge_count"])
        self.assertTrue(all(0 <= v < 1 << 32 for v in nodes + edges))
        self.assertEqual(len(set(nodes[2::7])), count)
        self.assertEqual(heap["strings"][0], "<dummy>")
        kinds = meta["node_types"][0]
        self.assertEqual([(kinds[nodes[7 * i]], heap["strings"][nodes[7 * i + 1]]) for i in range(3)],
                         [("synthetic", ""), ("synthetic", "(GC roots)"), ("synthetic", "(Unreachable: cyclic garbage)")])
        self.assertEqual(edges[:6], [1, 1, 7, 1, 2, 14])  # the root's children
        for e in range(0, len(edges), 3):
            self.assertEqual((edges[e + 2] % 7, edges[e + 2] < len(nodes)), (0, True))
            if meta["edge_types"][0][edges[e]] not in ("element", "hidden"):
                self.assertLess(edges[e + 1], len(heap["strings"]))
        self.assertNotIn(5, edges[::3])  # no shortcuts

    def check(self, snapshot):
        heap = self.export(snapshot)
        self.check_form(heap)
        answer = ask("sql", snapshot, "select retained, type from objects order by ordinal")
        first = heap["snapshot"]["node_count"] - len(answer["rows"])
        sizes = heap["nodes"][3::7]
        self.assertEqual([heap["strings"][n] for n in heap["nodes"][7 * first + 1::7]], [t for _, t in answer["rows"]])
        if max(sizes + [0]) == (1 << 32) - 1 or len(sizes) > BRUTE_MAX:
            return  # sizes were cut, or it would take hours
        brute = Retaining(heap)
        self.assertEqual([brute.of(first + i) for i in range(len(answer["rows"]))], [r for r, _ in answer["rows"]])
        cycles = [c["retained"] for c in ask("cycles", snapshot, "--limit", "0")["cycles"] if c["source"]]
        self.assertEqual(sorted(brute.of(v) for v in range(3, first)), sorted(cycles))

    def test_every_sample(self):
        for name in sample_names():
            if "." not in name:
                snapshot = self.path(name)
                sample(name, snapshot)
                with self.subTest(name):
                    self.check(snapshot)

    def test_random_graphs(self):
        for seed in range(SEEDS):
            snapshot = self.path("graph.refheap")
            second_reader.write_snapshot(snapshot_of(graphs.make(seed), random.Random(seed)), snapshot)
            with self.subTest(seed=seed):
                self.check(snapshot)

    def test_ids_are_those_of_the_snapshot_before(self):
        """Of two dumps of one process: an object keeps its id."""
        names = [self.path("%d.refheap" % i) for i in range(2)]
        subprocess.run([os.path.join(TOOLS, "several_dumps"), "s", *names], check=True, stdout=subprocess.PIPE)
        ids = []
        for path in names:
            heap = self.export(path)
            serials = [r[0] for r in ask("sql", path, "select serial from objects order by ordinal")["rows"]]
            self.assertTrue(all(serials))
            self.assertEqual([2 * s + 1 for s in serials], heap["nodes"][-7 * len(serials) + 2::7])
            ids.append(set(heap["nodes"][2::7]))
        self.assertTrue(ids[0] & ids[1])


class Folded(TestCase):
    def test_every_byte_is_in_one_line(self):
        for name in sample_names():
            if "." in name:
                continue
            snapshot = self.path(name)
            sample(name, snapshot)
            out, _ = run("export", snapshot, "--format", "folded")
            lines = [re.fullmatch(r"(\S.*) (\d+)", line).groups() for line in out.splitlines()]
            self.assertEqual(sum(int(size) for _, size in lines), ask("info", snapshot)["snapshot"]["bytes"], name)
            self.assertEqual(len({stack for stack, _ in lines}), len(lines))

    def test_stacks_are_ways_down_the_dominator_tree(self):
        snapshot = self.path("proxy")
        sample("proxy", snapshot)
        answer = ask("sql", snapshot, "select ordinal, type, size, dominator from objects")
        by_ordinal = {o: (t, size, above) for o, t, size, above in answer["rows"]}
        sources = {c["id"] for c in ask("cycles", snapshot, "--limit", "0")["cycles"] if c["source"]}
        members = ask("sql", snapshot, "select cycle, ordinal from objects where cycle is not null")["rows"]
        cycle_of = {o: c for c, o in members if c in sources}
        expected = {}
        for o in by_ordinal:
            stack, at = [], o
            while at is not None:
                t, _, above = by_ordinal[at]
                if not stack or stack[-1] != t:
                    stack.append(t)
                if above is None and at in cycle_of:
                    stack.append("(garbage cycle)")
                at = above
            key = ";".join(reversed(stack))
            expected[key] = expected.get(key, 0) + by_ordinal[o][1]
        out, _ = run("export", snapshot, "--format", "folded")
        found = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in out.splitlines()}
        self.assertEqual(found, expected)


if __name__ == "__main__":
    unittest.main()
