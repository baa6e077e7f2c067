"""audit, diff, trend and check on real programs: what they say, in every format, and their exit statuses."""

import csv
import io
import json
import struct
import unittest

from support import BUILD, TestCase, ask, run, sample, tool
import second_reader as sr


def checked(*arguments, status):
    """The JSON answer of check, with this exit status."""
    return json.loads(run("check", *arguments, "--json", status=status)[0])


class Compare(TestCase):
    def dumps(self, flags, count):
        """Snapshots of one process; between one and the next 30 sessions went and 50 came."""
        paths = [self.path("%s%d.refheap" % (flags, i)) for i in range(count)]
        done = tool("several_dumps", flags, *paths)
        self.assertEqual(done.returncode, 0, done.stderr)
        return paths

    def types(self, answer):
        return {t["type"]: t for t in answer["types"]}

    # ---- diff ----

    def test_serial_numbers_tell_newcomers_from_survivors(self):
        for flags in ("s", "sp"):  # also from forked copies, whose pid is another
            answer = ask("diff", *self.dumps(flags, 2))
            self.assertEqual(answer["identity"], "serial")
            self.assertTrue(answer["same_process"])
            session = self.types(answer)["session"]
            self.assertEqual([session[k] for k in ("before", "after", "delta_count", "new", "gone", "stayed")],
                             [100, 120, 20, 50, 30, 70])

    def test_without_them_it_is_inferred_and_says_so(self):
        paths = self.dumps("x", 2)
        answer = ask("diff", *paths)
        self.assertEqual(answer["identity"], "inferred")
        session = self.types(answer)["session"]
        self.assertEqual([session[k] for k in ("before", "after", "delta_count")], [100, 120, 20])
        self.assertEqual(session["new"] - session["gone"], 20)
        self.assertGreaterEqual(session["stayed"], 70)
        if not BUILD.endswith("-san"):  # there, no memory is used again
            self.assertEqual(session["stayed"], 100)  # it looks as if they had stayed
        self.assertIn("inferred from address and type", run("diff", *paths)[0])

    def test_other_processes_have_other_objects(self):
        first, = self.dumps("s", 1)
        second, = self.dumps("sc", 1)
        answer = ask("diff", first, second)
        self.assertEqual((answer["identity"], answer["same_process"]), ("inferred", False))
        self.assertIn("of different processes", run("diff", first, second)[0])

    def test_order_of_time_is_told(self):
        first, second = self.dumps("s", 2)
        self.assertIn("the first snapshot was taken after the second", run("diff", second, first)[0])
        session = self.types(ask("diff", second, first))["session"]
        self.assertEqual((session["new"], session["gone"]), (30, 50))

    def test_generations_before_and_after(self):
        first, second = self.dumps("sc", 2)
        answer = ask("diff", first, second, "--by", "generation")
        young, old = ([g for g in answer["groups"] if g["generation"] == n][0] for n in (0, 1))
        self.assertEqual(answer["moved"][0]["from"], 0)
        self.assertEqual(young["moved_out"], answer["moved"][0]["objects"])
        self.assertEqual(old["moved_in"], answer["moved"][0]["objects"])
        for row in (young, old):
            self.assertEqual(row["before"], row["gone"] + row["stayed"] + row["moved_out"])
            self.assertEqual(row["after"], row["new"] + row["stayed"] + row["moved_in"])
        moved = ask("diff", first, second, "--objects", "moved")["objects"]
        self.assertEqual(len(moved), answer["moved"][0]["objects"])
        self.assertEqual({(o["generation_before"], o["generation"]) for o in moved}, {(0, 1)})
        self.assertIn("went from generation 0 to 1", run("diff", first, second)[0])

    def test_new_objects_have_a_holder(self):
        answer = ask("diff", *self.dumps("s", 2), "--attributed")
        held = {(a["held_by"], a["type"]): (a["new"], a["new_bytes"]) for a in answer["attributed"]}
        self.assertEqual(held[("session", "str")][0], 50)
        self.assertEqual(held[("(roots)", "session")], (50, 50 * 40))
        self.assertEqual(sum(size for _, size in held.values()), answer["new"]["bytes"])

    def test_objects_by_what_became_of_them(self):
        first, second = self.dumps("s", 2)
        new = ask("diff", first, second, "--objects", "new", "--type", "session")["objects"]
        gone = ask("diff", first, second, "--objects", "gone", "--type", "session")["objects"]
        self.assertEqual((len(new), len(gone)), (50, 30))
        self.assertEqual({o["generation_before"] for o in new}, {None})
        self.assertEqual({o["generation"] for o in gone}, {None})
        self.assertEqual(sorted(o["label"] for o in gone), sorted('"session %d"' % n for n in range(70, 100)))
        self.assertEqual(sorted(o["label"] for o in new), sorted('"session %d"' % n for n in range(100, 150)))
        self.assertLess(max(o["serial"] for o in gone), min(o["serial"] for o in new))
        self.assertIn("none", run("diff", first, first, "--objects", "new")[0])

    def test_tables_sort_limit_and_csv(self):
        first, second = self.dumps("s", 2)
        rows = list(csv.DictReader(io.StringIO(run("diff", first, second, "--csv", "--sort", "+new")[0])))
        self.assertEqual([r["type"] for r in rows][0], "list")
        self.assertEqual({r["type"]: r["delta_count"] for r in rows}, {"list": "0", "str": "20", "session": "20"})
        self.assertIn("2 more types", run("diff", first, second, "--limit", "1")[0])
        self.assertEqual(ask("diff", first, second, "--limit", "1")["types_omitted"], 2)
        held = list(csv.DictReader(io.StringIO(run("diff", first, second, "--csv", "--attributed")[0])))
        self.assertEqual(held[0]["held_by"], "session")
        self.assertIn("+20", run("diff", first, second)[0])
        self.assertIn("-20", run("diff", second, first)[0])

    # ---- trend ----

    def test_trend_finds_what_grew_at_every_step(self):
        paths = self.dumps("s", 5)
        grown = self.types(ask("trend", *paths))
        self.assertEqual(grown["session"]["counts"], [100, 120, 140, 160, 180])
        self.assertEqual(grown["session"]["delta_count"], 80)
        self.assertTrue(grown["list"]["bytes_grew"])
        self.assertFalse(grown["list"]["objects_grew"])
        self.assertEqual(len(grown["list"]["bytes"]), 5)
        self.assertEqual(ask("trend", paths[0], paths[2], paths[1])["types"], [])
        everything = ask("trend", paths[0], paths[2], paths[1], "--all", "--type", "s*")
        self.assertEqual(set(self.types(everything)), {"session", "str"})
        rows = list(csv.DictReader(io.StringIO(run("trend", *paths, "--csv")[0])))
        self.assertEqual([r["count_5"] for r in rows if r["type"] == "session"], ["180"])

    def test_trend_of_many_shows_the_ends(self):
        paths = self.dumps("s", 12)
        out, _ = run("trend", *paths)
        self.assertIn("types grew at every step of 11", out)
        self.assertRegex(out, r"type +1 +6 +7 +8 +9 +10 +11 +12 +change +size")
        self.assertRegex(out, r"session +100 +200 ")

    # ---- audit ----

    def test_audit_of_a_missing_release(self):
        path = self.path("m.refheap")
        self.assertIn("The collector found 0 unreachable", sample("missing_release", path))
        answer = ask("audit", path)
        self.assertEqual({(o["type"], o["refcount"], o["internal"], o["explained"], o["unexplained"])
                          for o in answer["over"]}, {("request", 2, 1, 0, 1)})
        self.assertEqual((len(answer["over"]), len(answer["pinned"]), answer["clean"]), (12, 12, 12))
        self.assertEqual({p["objects"] for p in answer["pinned"]}, {2})
        self.assertEqual(answer["coverage"]["refcounts_explained"], 0.5)
        out, _ = run("audit", path)
        self.assertIn("and 11 more like it", out)
        self.assertEqual(run("audit", path, "--no-fold", "--limit", "0")[0].count("\n  2 objects, "), 12)
        rows = list(csv.DictReader(io.StringIO(run("audit", path, "--csv")[0])))
        self.assertEqual({(r["class"], r["type"]) for r in rows}, {("over", "request")})
        self.assertEqual(ask("audit", path, "--limit", "5")["over_omitted"], 7)
        self.assertEqual(ask("audit", path, "--type", "reply")["over"], [])
        self.assertEqual(len(ask("audit", path, "--type", "reply")["pinned"]), 12)

    def test_audit_of_a_right_heap(self):
        path = self.path("p.refheap")
        sample("proxy", path)
        self.assertEqual(run("audit", path)[0], "169 of 169 refcounts explained (100%)\n")

    def test_audit_shows_possible_holders_and_what_it_rests_on(self):
        snapshot = sr.Snapshot(
            process=sr.Process(captured=7, runtime_bytes=4096, known_bytes=1024, memory_expected=8192,
                               memory_present=8191, objects_damaged=3),
            heaps=[sr.Heap(b"librefheap", b"0", b"h")], types=[sr.Type(b"node", flags=1)],
            objects=[sr.Object(0, 0x1000, refcount=3, state=8, size=16, edges=[sr.Edge(0x1010), sr.Edge(0x9000)]),
                     sr.Object(0, 0x1010, refcount=0, state=8, size=16),
                     sr.Object(0, 0x1020, refcount=0, state=8 | 512, size=16)],
            roots=[sr.Root(0x1000, name=b"cache", kind=4, flags=0), sr.Root(0x1000, name=b"main", kind=5, flags=0)])
        path = self.path("x.refheap")
        sr.write_snapshot(snapshot, path)
        answer = ask("audit", path)
        self.assertEqual(answer["possibly_over"][0]["possible"], ["global cache", "stack main"])
        self.assertEqual([o["address"] for o in answer["under"]], ["0x1010"])
        self.assertEqual(answer["not_auditable"], 1)
        coverage = answer["coverage"]
        self.assertEqual((coverage["bytes_known"], coverage["damaged_objects"], coverage["dangling_edges"]), (0.25, 3, 1))
        self.assertLess(coverage["core_present"], 1)
        out, _ = run("audit", path)
        for text in ("0 of 2 refcounts explained (0.0%); 1 not auditable", "1.00 KiB of 4.00 KiB", "(99.9%)",
                     "3 objects left out as damaged", "1 edge to no object", "possibly over: 1 object has",
                     "3 = 0 internal + 0 explained + 3 unexplained", "global cache, stack main",
                     "under: 1 object has more holders", "0 = 1 internal + 0 explained - 1 missing"):
            self.assertIn(text, out)

    # ---- check ----

    def test_check_lists_all_but_bounds_its_paths(self):
        path, length = self.path("ring.refheap"), 20000
        self.assertEqual(tool("make_shape", "ring", length, path).returncode, 0)
        failure = checked(path, "--max-garbage", "0", status=1)["failures"][0]
        self.assertEqual(len(failure["objects"]), length)
        self.assertEqual(len(failure["paths"]) + failure["paths_omitted"], length)
        self.assertGreater(len(failure["paths"]), 5)
        self.assertEqual({len(way) for way in failure["paths"]}, {length + 1})
        few = checked(path, "--max-garbage", "0", "--limit", "3", status=1)["failures"][0]
        self.assertEqual(few["paths"], failure["paths"][:3])
        self.assertNotIn("paths_omitted", few)

    def test_check_of_garbage(self):
        path = self.path("p.refheap")
        sample("proxy", path)
        self.assertTrue(checked(path, "--max-garbage", "74", "--max-garbage=748KiB", "--audit", status=0)["passed"])
        answer = checked(path, "--max-garbage", "73", "--max-garbage=0.7MiB", "--max-invisible=0", status=1)
        self.assertEqual([(c["unit"], c["passed"]) for c in answer["checks"]],
                         [("objects", False), ("bytes", False), ("objects", True)])
        failure = answer["failures"][0]
        self.assertEqual((failure["what"], failure["limit"], failure["actual"]), ("garbage", 73, 74))
        self.assertEqual((len(failure["objects"]), len(failure["paths"])), (74, 74))
        self.assertNotIn("objects_omitted", failure)
        few = checked(path, "--max-garbage", "73", "--limit", "20", status=1)["failures"][0]
        self.assertEqual((few["objects"], few["paths"], few["objects_omitted"]), (failure["objects"][:20], failure["paths"][:20], 54))
        way = failure["paths"][0]
        self.assertEqual([s["label"] for s in way], ["", ".peer", ".peer"])
        self.assertEqual(way[0]["address"], way[-1]["address"])
        out, _ = run("check", path, "--max-garbage", "73", status=1)
        self.assertIn("FAILED  garbage: 74 objects, at most 73 objects allowed", out)
        self.assertIn("make connection.peer weak\n    and 73 more like it", out)
        self.assertIn("1 of 1 check failed", out)

    def test_check_of_types(self):
        path = self.path("p.refheap")
        sample("proxy", path)
        checked(path, "--max-objects", "connection=84", "--max-objects", "buf*=844KiB", "--forbid", "session",
                "--forbid", "connection@1", status=0)
        answer = checked(path, "--forbid", "connection@2", "--limit", "0", status=1)
        self.assertEqual((answer["failures"][0]["generation"], answer["failures"][0]["type"]), (2, "connection"))
        ways = {len(w) for w, o in zip(answer["failures"][0]["paths"], answer["failures"][0]["objects"])
                if o["cycle"] is None}
        self.assertEqual(ways, {2, 3})
        out, _ = run("check", path, "--max-objects", "buffer=10", status=1)
        self.assertIn("root active", out)
        self.assertIn(".buffer -> buffer", out)
        self.assertGreater(run("check", path, "--max-objects", "buffer=10", "--no-fold", "--limit", "0", status=1)[0]
                           .count(".buffer -> buffer"), out.count(".buffer -> buffer"))

    def test_check_of_growth(self):
        first, second = self.dumps("s", 2)
        checked(second, first, "--max-growth", "session=20", "--max-growth=*=20%", "--max-growth", "str=2KiB", status=0)
        answer = checked(second, first, "--max-growth", "session=19", "--max-growth", "session=19.5KiB",
                         "--max-growth", "session=19%", "--limit", "0", status=1)
        self.assertEqual([c["passed"] for c in answer["checks"]], [False, True, False])
        failure = answer["failures"][0]
        self.assertEqual((failure["actual"], failure["before"], failure["after"]), (20, 100, 120))
        self.assertEqual(len(failure["objects"]), 50)  # the new ones: with serial numbers they are known
        self.assertEqual({w[0]["holder"] for w in failure["paths"]}, {"root session"})
        checked(first, second, "--max-growth", "session=0", status=0)
        none = self.path("two.refheap")
        sample("two_lists", none)
        answer = checked(first, none, "--max-growth", "session=1000%", status=1)
        self.assertIsNone(answer["checks"][0]["actual"])
        self.assertIn("from nothing (0 to 100 objects)",
                      run("check", first, none, "--max-growth", "session=1000%", status=1)[0])

    def test_check_of_refcounts(self):
        path = self.path("m.refheap")
        sample("missing_release", path)
        answer = checked(path, "--audit", status=1)
        self.assertEqual([(c["what"], c["passed"]) for c in answer["checks"]], [("over", False), ("under", True)])
        self.assertEqual(answer["failures"][0]["paths"][0][0]["holder"], "1 unexplained reference from outside the heap")
        out, _ = run("check", path, "--audit", status=1)
        self.assertIn("refcount 2 = 1 internal + 0 explained + 1 unexplained\n    and 11 more like it", out)

    def test_a_chain_is_one_way(self):
        """However long a list is, its members are held alike."""
        n = 3000
        snapshot = sr.Snapshot(
            process=sr.Process(), heaps=[sr.Heap(b"librefheap", b"0", b"h")],
            types=[sr.Type(b"node", flags=1, fields=[sr.Field(b"next", 1, 16)])],
            objects=[sr.Object(0, 0x1000 + 16 * i, refcount=1, state=8, size=16,
                               edges=[sr.Edge(0x1010 + 16 * i, 3 | 1 << 4, 0)] if i + 1 < n else []) for i in range(n)],
            roots=[sr.Root(0x1000, name=b"head", kind=1, flags=3)])
        path = self.path("x.refheap")
        sr.write_snapshot(snapshot, path)
        out, _ = run("check", path, "--forbid", "node", status=1)
        self.assertIn("and 2,998 more like it", out)  # the head is held by the root, all others by .next
        self.assertLess(len(out.splitlines()), 10)

    def test_an_incomplete_snapshot_fails_the_gate(self):
        path = self.path("p.refheap")
        sample("proxy", path)
        with open(path, "rb") as f:
            whole = f.read()
        cut = self.path("cut.refheap")
        with open(cut, "wb") as f:
            f.write(whole[:len(whole) - 240])
        self.assertOneLine(run("check", cut, "--max-garbage", "100", status=2)[1])
        out, err = run("check", cut, "--max-garbage", "100", "--salvage")
        self.assertIn("1 check passed", out)
        self.assertIn("rests on the rest", err)
        run("check", cut, "--max-garbage", "1", "--salvage", status=1)
        cases = {
            "a heap could be read in part only": {"heaps": [sr.Heap(b"librefheap", b"0", b"h", flags=4)]},
            "memory is missing from the core": {"process": sr.Process(memory_expected=10, memory_present=9)},
            "damaged objects were left out": {"process": sr.Process(objects_damaged=1)},
            "not all references of its objects could be read": {"objects": [sr.Object(0, 0x1000, state=4 | 256)]},
        }
        for text, more in cases.items():
            parts = dict(process=sr.Process(), heaps=[sr.Heap(b"librefheap", b"0", b"h")], types=[sr.Type(b"n", flags=1)],
                         objects=[])
            parts.update(more)
            sr.write_snapshot(sr.Snapshot(**parts), cut)
            for arguments in ([cut, "--max-garbage", "0"], [path, cut, "--max-growth", "n=0"]):
                err = run("check", *arguments, status=2)[1]
                self.assertOneLine(err)
                self.assertIn("the snapshot is incomplete: " + text, err)
                self.assertIn(cut, err)
            run("check", cut, "--max-garbage", "1", "--salvage")

    # ---- several snapshots ----

    def test_every_snapshot_is_checked_and_named(self):
        first, second = self.dumps("s", 2)
        bad = self.path("bad.refheap")
        with open(bad, "w") as f:
            f.write("no snapshot")
        for arguments in (["diff", first, bad], ["diff", bad, first], ["trend", first, second, bad],
                          ["check", first, bad, "--max-growth", "a=1"]):
            err = run(*arguments, status=2)[1]
            self.assertOneLine(err)
            self.assertIn("bad.refheap: this is not a refheap snapshot", err)
        for arguments in (["diff", first, second, "-o", second], ["diff", first, second, "-o", first],
                          ["trend", first, second, first, "-o", second]):
            self.assertIn("it is the snapshot that is read", run(*arguments, status=2)[1])
        answer = ask("diff", first, second)
        self.assertEqual([s["path"] for s in answer["snapshots"]], [first, second])
        self.assertEqual(answer["snapshot"], answer["snapshots"][0])
        out = self.path("out.json")
        run("diff", first, second, "--json", "-o", out)
        with open(out) as f:
            self.assertEqual(json.load(f), answer)

    def test_a_failed_check_still_writes_its_file(self):
        path, out = self.path("p.refheap"), self.path("out.json")
        sample("proxy", path)
        run("check", path, "--max-garbage", "0", "--json", "-o", out, status=1)
        with open(out) as f:
            self.assertFalse(json.load(f)["passed"])

    def test_salvaged_snapshots_can_be_compared(self):
        first, second = self.dumps("s", 2)
        with open(first, "rb") as f:
            whole = f.read()
        blocks, at = [], 64
        while at < len(whole):
            _, _, section, _, _, stored, _ = struct.unpack_from("<IIHHIII", whole, at)
            end = at + 40 + (stored + 7) // 8 * 8
            blocks.append((section, whole[at:end]))
            at = end
        part = self.path("part.refheap")
        for lost in sorted({section for section, _ in blocks}):
            with open(part, "wb") as f:
                f.write(whole[:64] + b"".join(block for section, block in blocks if section != lost))
            for arguments in (["diff", part, second, "--attributed"], ["diff", second, part, "--attributed"],
                              ["trend", part, second, part, "--all"], ["audit", part],
                              ["check", second, part, "--max-growth", "*=1000000"]):
                run(*arguments, "--salvage")


if __name__ == "__main__":
    unittest.main()
