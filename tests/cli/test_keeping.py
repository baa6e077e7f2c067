"""Who keeps what: retained, dominators, what-if, merged paths, suspects and waste, on the samples and on large shapes."""

import os
import shlex
import subprocess
import unittest

from support import REFHEAP, TestCase, ask, run, sample
import second_reader as sr

STRONG, FIELD = 3, 1
CONTAINER, UNTRACKED = 8, 4
LENGTH = 1000000


def snapshot_of(objects, types, **more):
    more.setdefault("process", sr.Process(pid=4242, command_line=b"test", captured=1, writer=b"test"))
    return sr.Snapshot(heaps=[sr.Heap(b"librefheap", b"0.1", b"heap", flags=2, address=0x1000)],
                       generations=[sr.Generation(0, g, 700) for g in range(4)], types=types, objects=objects, **more)


def node_type():
    return sr.Type(b"node", flags=1, basic_size=32, fields=[sr.Field(b"next", 1, 16)])


def root(target, name=b"head"):
    return sr.Root(target, where=0x7000, name=name, kind=1, flags=3)


class Samples(TestCase):
    def leave(self, name):
        self.snapshot = self.path(name + ".refheap")
        sample(name, self.snapshot)
        return self.snapshot

    def test_source_cycles_are_keepers(self):
        rows = ask("retained", self.leave("proxy"))["objects"]
        cycles = [r for r in rows if r["address"] is None]
        self.assertEqual(len(cycles), 37)
        self.assertEqual({(r["type"], r["label"], r["shallow"]) for r in cycles}, {("(cycle)", "2 connection", 112)})
        self.assertEqual(len(ask("retained", self.snapshot, "--type", "list")["objects"]), 1)
        text = run("dominators", self.snapshot)[0]
        self.assertIn("34 more cycles", text)
        self.assertIn("└─ list", text)
        self.assertIn("`- list", run("dominators", self.snapshot, env=dict(os.environ, LC_ALL="C"))[0])
        below = ask("dominators", self.snapshot, "cycle:1")["objects"][0]
        self.assertEqual((below["address"], below["cycle"], below["child_count"]), (None, 1, 2))

    def test_what_if_a_field_were_weak(self):
        answer = ask("what-if", self.leave("proxy"), "--cut", "connection.peer")
        self.assertEqual(answer["cuts"][0]["references"], 84)
        self.assertEqual(answer["at_once"], answer["with_collector"])
        self.assertEqual(answer["at_once"]["objects"], 158)  # and the servers of the pairs in use
        self.assertEqual(answer["without_cut"]["objects"], 148)

    def test_what_if_a_root_let_go(self):
        answer = ask("what-if", self.leave("proxy"), "--cut=root:active")
        self.assertEqual((answer["at_once"]["objects"], answer["with_collector"]["objects"]), (1, 169))
        answer = ask("what-if", self.snapshot, "--cut", "type:list", "--cut", "list[...]")
        self.assertEqual([c["objects"] for c in answer["cuts"]], [1, 0])
        self.assertEqual([c["references"] for c in answer["cuts"]], [0, 5])

    def test_uncollectable_garbage_does_not_die(self):
        answer = ask("what-if", self.leave("uncollectable"), "--cut", "transaction.waits_for")
        self.assertEqual(answer["without_cut"]["objects"], 0)
        self.assertGreater(answer["at_once"]["objects"], 0)

    def test_merged_paths(self):
        answer = ask("why", self.leave("forgotten_list"), "type:str")
        holder = answer["merged"][0]
        self.assertEqual((holder["holder"], holder["objects"], len(answer["merged"])), ("root audit_log", 3000, 1))
        records = holder["children"][0]["children"][0]
        self.assertEqual((records["label"], records["type"], records["here"]), ("[...]", "dict", 1000))
        self.assertEqual([(c["label"], c["here"]) for c in records["children"]], [("key", 2000), ("['...']", 1000)])
        self.assertIn("... 3,000 objects further on", run("why", self.snapshot, "type:str", "--depth", "2")[0])

    def test_waste(self):
        answer = ask("summary", self.leave("forgotten_list"), "--waste")
        self.assertEqual([(t["type"], t["duplicates"]) for t in answer["types"]], [("str", 2997)])
        self.assertEqual([d["count"] for d in answer["duplicates"]], [1000, 1000, 1000])
        self.assertEqual(answer["types"][0]["duplicate_bytes"], sum(d["wasted"] for d in answer["duplicates"]))

    def test_a_container_with_a_name_is_no_string(self):
        self.assertEqual(ask("summary", self.leave("proxy"), "--waste")["duplicates"], [])

    def test_suspects(self):
        answer = ask("suspects", self.leave("forgotten_list"))
        self.assertEqual([s["kind"] for s in answer["suspects"]], ["keeper"])
        self.assertRegex(answer["suspects"][0]["sentence"],
                         r"^1,000 dict objects, \d+ KiB, 98 % of the heap, are kept by the list in root audit_log$")
        self.leave("proxy")
        self.assertIn("37 garbage cycles of 2 connection (74 objects) keep 748 KiB, 88 % of the heap, until a collection "
                      "runs; to break them: make connection.peer weak.", run("suspects", self.snapshot)[0])
        self.leave("uncollectable")
        self.assertEqual({s["kind"] for s in ask("suspects", self.snapshot)["suspects"]}, {"uncollectable", "cycles"})
        for name in ("cache_weak", "freeze_before_fork"):
            self.assertIn("Nothing suspicious", run("suspects", self.leave(name))[0])
            self.assertEqual(ask("suspects", self.snapshot)["suspects"], [])

    def test_suspects_of_a_generation(self):
        """Pairs of young garbage and of old: a young collection finds the young ones alone."""
        types = [sr.Type(name, flags=1, fields=[sr.Field(b"peer", 1, 16)]) for name in (b"young", b"old")]
        objects = []
        for i in range(60):
            kind, a = i % 2, 0x10000 + 128 * i
            for here, there in ((a, a + 64), (a + 64, a)):
                objects.append(sr.Object(0, here, kind, 32, 1, (0, 2)[kind] | 8, edges=[sr.Edge(there, 3 | 1 << 4, 0)]))
        path = self.path("generations.refheap")
        sr.write_snapshot(snapshot_of(objects, types), path)

        def told(*options):
            return [(s["kind"], s["objects"], s["sentence"].split(" (")[0], s["evidence"][0])
                    for s in ask("suspects", path, *options)["suspects"]]

        young = ("cycles", 60, "30 garbage cycles of 2 young", "refheap cycles --generation %s " + path)
        self.assertEqual(told("--generation", "0"), [young[:3] + (young[3] % 0,)])
        self.assertEqual(told("--generation", "1"), [young[:3] + (young[3] % 1,)])
        self.assertEqual({t[2] for t in told()}, {"30 garbage cycles of 2 young", "30 garbage cycles of 2 old"})
        self.assertEqual(told("--generation", "2"), told())
        self.assertIn("until a collection of generation 0 runs", run("suspects", path, "--generation", "0")[0])
        self.assertIn("60 unreachable objects", run("cycles", "--generation", "0", path)[0])
        self.assertOneLine(run("suspects", path, "--generation", "untracked", status=2)[1])

    def test_evidence_can_be_run_as_it_stands(self):
        os.mkdir(self.path("a dir with 'quotes'"))
        for name in ("proxy", "forgotten_list", "uncollectable"):
            snapshot = self.path("a dir with 'quotes'/s.refheap")
            sample(name, snapshot)
            for suspect in ask("suspects", snapshot)["suspects"]:
                self.assertTrue(suspect["evidence"])
                for command in suspect["evidence"]:
                    words = shlex.split(command)
                    self.assertEqual(words[0], "refheap")
                    done = subprocess.run([REFHEAP] + words[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    self.assertEqual((done.returncode, done.stderr), (0, b""), command)


class Made(TestCase):
    """Snapshots written for what they show."""

    def write(self, name, snapshot):
        path = self.path(name)
        sr.write_snapshot(snapshot, path)
        return path

    def table(self, count, serials, pid=4242, first=1):
        """A dict that holds `count` sessions, in a heap whose serial numbers begin at `first`."""
        types = [sr.Type(b"dict", flags=1, basic_size=64), sr.Type(b"Session", flags=1, basic_size=64)]
        sessions = [sr.Object(0, 0x20000 + 64 * i, 1, 16000, 1, 2 | CONTAINER, (first + i + 1) if serials else 0)
                    for i in range(count)]
        holder = sr.Object(0, 0x10000, 0, 64, 1, 2 | CONTAINER, 1 if serials else 0,
                           edges=[sr.Edge(o.address, STRONG | 2 << 4, i) for i, o in enumerate(sessions)])
        return snapshot_of([holder] + sessions, types, roots=[root(0x10000, b"sessions")],
                           process=sr.Process(pid=pid, captured=1))

    def test_growth_by_serial_by_address_and_across_processes(self):
        for serials, pid, identity, words in (
                (True, 4242, "serial", "were not there in the snapshot before"),
                (False, 4242, "inferred", "were not there in the snapshot before (inferred from addresses and types)"),
                (True, 7, "none", None)):
            before = self.write("before.refheap", self.table(233, serials, pid))
            after = self.write("after.refheap", self.table(4210, serials))
            answer = ask("suspects", after, before)
            self.assertEqual(answer["baseline"]["identity"], identity)
            self.assertEqual({s["kind"] for s in answer["suspects"]}, {"keeper", "growth"})
            keeper = next(s for s in answer["suspects"] if s["kind"] == "keeper")
            self.assertTrue(keeper["sentence"].startswith(
                "4,210 Session objects, 64.2 MiB, 100 % of the heap, are kept by the dict in root sessions"))
            growth = next(s for s in answer["suspects"] if s["kind"] == "growth")
            self.assertIn("Session objects went from 233 to 4,210", growth["sentence"])
            if words:
                self.assertIn("; 3,977 of them are in generation 2 and " + words, keeper["sentence"])
            else:
                self.assertNotIn("snapshot before", keeper["sentence"])
                self.assertIn("different processes", run("suspects", after, before)[0])
        self.assertEqual([], [s for s in ask("suspects", after, after)["suspects"] if s["kind"] == "growth"])

    def test_serials_tell_what_addresses_do_not(self):
        before = self.write("before.refheap", self.table(300, True))
        after = self.write("after.refheap", self.table(300, True, first=5000))
        sentence = ask("suspects", after, before)["suspects"][0]["sentence"]
        self.assertIn("300 of them are in generation 2 and were not there", sentence)

    def test_summary_by_site_and_waste_columns(self):
        types = [sr.Type(b"box", flags=1, basic_size=32), sr.Type(b"bytes", flags=0)]
        objects = [sr.Object(0, 0x10000 + 256 * i, 0, 32 + 64, 1, CONTAINER, site=1 + i % 2, used=i, capacity=8)
                   for i in range(4)]
        objects += [sr.Object(0, 0x20000 + 64 * i, 1, 50, 1, UNTRACKED, hash=7 + i // 3) for i in range(5)]
        sites = [sr.Site(function=b"make", file=b"box.c", line=12), sr.Site(function=b"copy", file=b"box.c", line=34)]
        path = self.write("s.refheap", snapshot_of(objects, types, sites=sites))
        rows = ask("summary", path, "--by", "site")["groups"]
        self.assertEqual({r["site"]: r["count"] for r in rows},
                         {"make at box.c:12": 2, "copy at box.c:34": 2, "(not recorded)": 5})
        types = {t["type"]: t for t in ask("summary", path, "--waste")["types"]}
        self.assertEqual((types["bytes"]["duplicates"], types["bytes"]["duplicate_bytes"]), (3, 150))
        self.assertEqual((types["box"]["empty"], types["box"]["empty_bytes"]), (1, 96))
        # One of 8 and two of 8 in use, of 64 bytes of room.
        self.assertEqual((types["box"]["sparse"], types["box"]["sparse_bytes"]), (2, 56 + 48))
        empty = self.write("none.refheap", self.table(3, False))
        said = run("summary", empty, "--waste")[0]
        self.assertIn("equal strings: 0 objects", said)
        self.assertIn("room in containers: not known", said)
        left_out = snapshot_of([sr.Object(0, 0x10000, 0, 64, 1, CONTAINER)], [node_type()],
                               process=sr.Process(pid=4242, captured=1))
        left_out.header.flags = 1
        self.assertIn("equal strings: not known", run("summary", self.write("left_out.refheap", left_out), "--waste")[0])

    def test_the_end_of_a_long_path_is_shown(self):
        """A site is found by the name of its file, and that stands at the end."""
        file = "/" + "/".join("ä folder that lies deep in another %d" % i for i in range(20)) + "/model.py"
        path = self.write("s.refheap", snapshot_of([sr.Object(0, 0x10000, 0, 64, 1, CONTAINER, site=1)], [node_type()],
                                                   sites=[sr.Site(file=file.encode(), line=12)]))
        said, = ask("object", path, "@0")["site"]
        self.assertRegex(said, r"^\.\.\..{60,80}/model\.py:12$")
        self.assertIn(said[3:-3], file)
        self.assertEqual([r["site"] for r in ask("summary", path, "--by", "site")["groups"]], [said])
        self.assertRegex(run("summary", path, "--by", "site")[0], r"(?m)^\.\.\..{40,60}/model\.py:12 +1 ")

    def test_filters(self):
        """Of sets, and of the top of the tree, what matches is left."""
        objects = [sr.Object(0, 0x10000 + 64 * i, i % 2, 32, 1, i % 3 | CONTAINER) for i in range(60)]
        types = [node_type(), sr.Type(b"box", flags=1, basic_size=32)]
        path = self.write("s.refheap", snapshot_of(objects, types, roots=[root(o.address) for o in objects]))
        for option, where in ((["--generation", "1"], "generation = 1"), (["--type", "box"], "type = 'box'"),
                              (["--type", "n*", "--generation", "2"], "type = 'node' and generation = 2")):
            expected = {a for a, in ask("sql", path, "select hex_address(address) from objects where " + where)["rows"]}
            tree = ask("dominators", path, *option, "--depth", "1", "--limit", "0")["objects"]
            self.assertEqual({o["address"] for o in tree}, expected)
            self.assertEqual(ask("why", path, "type:*", *option)["objects"], len(expected))
            self.assertEqual(ask("what-if", path, "--cut", "type:*", *option)["at_once"]["objects"], len(expected))

    def test_roots_are_cut_once(self):
        """Two exact roots of one object, and of another an exact and a possible one, in either order."""
        objects = [sr.Object(0, 0x1000 * i, 0, 32, 2, 2 | CONTAINER) for i in (1, 2)]
        possible = sr.Root(0x2000, where=0x7008, name=b"y", kind=4, flags=0)
        path = self.write("roots.refheap", snapshot_of(objects, [node_type()], roots=[
            root(0x1000, b"a"), root(0x1000, b"b"), root(0x2000, b"x"), possible]))
        for names, dead in (("a", 0), ("aa", 0), ("ab", 1), ("ba", 1), ("xy", 1), ("yx", 1), ("yy", 0)):
            cuts = [word for name in names for word in ("--cut", "root:" + name)]
            self.assertEqual(ask("what-if", path, *cuts)["at_once"]["objects"], dead, names)
        self.assertIn("cut root:a: it is cut already", run("what-if", path, "--cut", "root:a", "--cut", "root:a")[0])

    def test_names_with_a_nul(self):
        """Where the pattern ends, no name goes on; and what is no generation is no part of a name."""
        types = [sr.Type(name, flags=1) for name in (b"n\0--limit", b"n\0", b"n")]
        objects = [sr.Object(0, 0x1000 * (i + 1), i, 10, 1, CONTAINER) for i in range(3)]
        path = self.write("nul.refheap", snapshot_of(objects, types))
        self.assertEqual(len(ask("summary", path, "--type", "*")["types"]), 3)
        self.assertEqual(len(ask("summary", path, "--type", "n", "--limit", "9")["types"]), 1)
        self.assertIn("*: 3 objects", run("check", path, "--max-objects", "*=0", status=1)[0])
        for wrong in ("n@7", "n@", "n@-1"):
            self.assertIn("--forbid cannot be", run("check", path, "--forbid", wrong, status=2)[1])

    def test_generations_go_by_their_own_names(self):
        """One type, and objects of the last generation: the sanitizers see who looks for a fifth type."""
        before, after = (self.write("%d.refheap" % n, snapshot_of([sr.Object(0, 0x1000 * (i + 1), 0, 10, 1, UNTRACKED) for i in range(n)],
                                                                  [node_type()])) for n in (1, 2))
        self.assertRegex(run("diff", before, after, "--by", "generation")[0], r"(?m)^untracked +1 +2 +\+1 ")

    def test_a_chain_of_a_million(self):
        objects = [sr.Object(0, 0x10000 + 32 * i, 0, 32, 1, 2 | CONTAINER,
                             edges=[sr.Edge(0x10000 + 32 * (i + 1), STRONG | FIELD << 4, 0)] if i + 1 < LENGTH else [])
                   for i in range(LENGTH)]
        path = self.write("chain.refheap", snapshot_of(objects, [node_type()], roots=[root(0x10000)]))
        last = hex(0x10000 + 32 * (LENGTH - 1))
        self.assertEqual(ask("retained", path, "--limit", "1")["objects"][0]["retained"], 32 * LENGTH)
        self.assertEqual(run("dominators", path, "--depth", "0")[0].count("\n"), 65)
        node, depth = ask("dominators", path, "--depth", "0")["objects"][0], 1
        while node["children"]:
            node, depth = node["children"][0], depth + 1
        self.assertEqual((depth, node["child_count"]), (64, 1))
        self.assertEqual(ask("what-if", path, "--cut", "@0.next")["at_once"]["objects"], LENGTH - 1)
        merged = ask("why", path, "type:node")["merged"]
        self.assertEqual(merged[0]["children"][0]["children"][0]["here"], LENGTH - 1)
        self.assertIn("the path above is the shortest", run("why", path, last, "--paths", "3")[0])
        self.assertIn("1,000,000 node objects, 30.5 MiB, 100 % of the heap, hang one behind another from the node in root head",
                      run("suspects", path)[0])


if __name__ == "__main__":
    unittest.main()
