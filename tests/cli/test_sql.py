"""refheap sql: its tables say what the commands say, lookups look nothing else up, and no query does harm.

SQL_FIRST and SQL_SEEDS choose the random graphs.
"""

import csv
import io
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import termios
import time
import unittest

from support import BUILD, REFHEAP, TestCase, ask, run, sample, sample_names
from terminal import Terminal
import second_reader
from oracle import graphs
from oracle.snapshot import snapshot_of

FIRST = int(os.environ.get("SQL_FIRST", "0"))
SEEDS = int(os.environ.get("SQL_SEEDS", "40" if BUILD.endswith("-san") else "200"))
COUNTING = "with recursive t(x) as (select 1 union all select x + 1 from t) "


def address(value):
    return "0x%x" % (value % 2**64)


class Sql(TestCase):
    def script(self, snapshot, *statements):
        """The answers to several statements of one run, as dicts by column."""
        out, err = run("sql", snapshot, "--json", input=";\n".join(statements).encode())
        self.assertEqual(err, "")
        answers, decoder, at = [], json.JSONDecoder(), 0
        while at < len(out.rstrip()):
            answer, at = decoder.raw_decode(out, at)
            at += 1
            answers.append([dict(zip(answer["columns"], row)) for row in answer["rows"]])
        self.assertEqual(len(answers), len(statements))
        return answers

    def rows(self, snapshot, query):
        answer = ask("sql", snapshot, query)
        return [tuple(row) for row in answer["rows"]]

    def refused(self, snapshot, query, *options):
        out, err = run("sql", snapshot, query, *options, status=2)
        self.assertOneLine(err)
        self.assertEqual(out, "")
        return err


class Agreement(Sql):
    """Each table says what the command about the same thing says."""

    def check(self, snapshot, rng):
        objects, edges, types, roots, cycles, heaps, generations, info = self.script(
            snapshot, "select * from objects", "select rowid, * from edges", "select * from types", "select * from roots",
            "select * from cycles", "select * from heaps", "select * from generations", "select * from info")
        self.check_summary(snapshot, types, objects)
        self.check_cycles(snapshot, cycles, objects)
        self.check_generations(snapshot, generations)
        self.check_info(snapshot, info, roots, heaps, objects)
        some = objects if len(objects) < 4 else rng.sample(objects, 3)
        for o in some:
            self.check_object(snapshot, o, roots)
            self.check_references(snapshot, o["ordinal"], objects, edges)
        self.check_lookups(snapshot, some, objects, edges)

    def check_summary(self, snapshot, types, objects):
        said = ask("summary", snapshot)
        self.assertEqual(
            sorted((t["type"], t["count"], t["shallow"], t["retained"]) for t in said["types"]),
            sorted((t["name"], t["count"], t["shallow"], t["retained"]) for t in types if t["count"]))
        for fate in ("garbage", "dependent", "invisible"):
            found = [o["size"] for o in objects if o[fate]]
            self.assertEqual(said[fate], {"objects": len(found), "bytes": sum(found)})

    def check_cycles(self, snapshot, cycles, objects):
        said = ask("cycles", snapshot)["cycles"]
        self.assertEqual([(c["id"], c["objects"], c["shallow"], c["retained"], c["source"], c["uncollectable"]) for c in said],
                         [tuple(c.values()) for c in cycles])
        self.assertEqual([{m["address"] for m in c["members"]} for c in said],
                         [{address(o["address"]) for o in objects if o["cycle"] == c["id"]} for c in cycles])

    def check_generations(self, snapshot, generations):
        self.assertEqual(ask("generations", snapshot)["generations"], generations)

    def check_info(self, snapshot, info, roots, heaps, objects):
        said = ask("info", snapshot)
        flat = {**said["snapshot"], **said["captured"], **said["process"], "damage": said["format"]["damage"] or None,
                "file_bytes": said["format"]["file_bytes"], "values": said["format"]["values"],
                "format": "%d.%d" % (said["format"]["major"], said["format"]["minor"])}
        for row in info:
            self.assertEqual(row["value"], flat[row["key"]] if flat[row["key"]] != "" else None, row)
        addresses = [address(o["address"]) for o in objects]
        self.assertEqual(addresses, sorted(addresses, key=lambda a: int(a, 16)))
        self.assertEqual([(r["name"] or None, r["kind"], int(r["exact"]), r["object"]) for r in said["roots"] if
                          r["object"] in addresses],
                         [(r["name"], r["kind"], r["exact"], addresses[r["target"]]) for r in roots if
                          r["target"] is not None])
        self.assertEqual(len(roots), len(said["roots"]))
        self.assertEqual([(h["id"], h["name"]) for h in said["heaps"]], [(h["id"], h["name"] or "") for h in heaps])

    def check_object(self, snapshot, o, roots):
        said = ask("object", snapshot, "@%d" % o["ordinal"])
        for key in ("type", "size", "refcount", "generation", "heap", "tracked", "internal", "explained", "unexplained",
                    "owned", "retained", "garbage", "dependent", "invisible", "cycle", "label", "serial", "ordinal"):
            self.assertEqual(said[key], o[key], (key, o))
        self.assertEqual(said["address"], address(o["address"]))
        self.assertEqual(len(said["roots"]) + len(said["possible"]), sum(r["target"] == o["ordinal"] for r in roots))

    def check_references(self, snapshot, o, objects, edges):
        def shown(found):
            return [(objects[e["source"]]["address"] % 2**64,
                     None if e["target"] is None else objects[e["target"]]["address"] % 2**64, e["kind"], e["label"])
                    for e in found]

        def said(command):
            return [(int(e["from"], 16), int(e["to"], 16) if e["type"] is not None else None, e["kind"], e["label"])
                    for e in ask(command, snapshot, "@%d" % o)["edges"]]
        self.assertEqual(shown(e for e in edges if e["source"] == o), said("referents"))
        self.assertEqual(sorted(shown(e for e in edges if e["target"] == o)), sorted(said("referrers")))

    def check_lookups(self, snapshot, some, objects, edges):
        """A row is the same however it is found; values that are no integer of the column find none."""
        for o in some:
            n, a = o["ordinal"], o["address"]
            other = some[0]["ordinal"]
            by_ordinal, by_address, by_text, out, back, both, either, none = self.script(
                snapshot, "select * from objects where ordinal = %d" % n, "select * from objects where address = %d" % a,
                "select * from objects where ordinal = '%d.0'" % n, "select rowid, * from edges where source = %d" % n,
                "select rowid, * from edges where target = %d" % n,
                "select rowid, * from edges where source = %d and target = %d" % (n, other),
                "select rowid, * from edges where source = %d or target = %d order by rowid" % (n, other),
                "select count(*) n from objects where ordinal in (null, 'x', %d.5, -1, %d, 1e30, x'00')" % (n, len(objects)))
            self.assertEqual([by_ordinal, by_address, by_text], [[o]] * 3)
            self.assertEqual(out, [e for e in edges if e["source"] == n])
            self.assertEqual(back, [e for e in edges if e["target"] == n])
            self.assertEqual(both, [e for e in edges if e["source"] == n and e["target"] == other])
            self.assertEqual(either, [e for e in edges if e["source"] == n or e["target"] == other])
            self.assertEqual(none, [{"n": 0}])

    def test_on_every_sample(self):
        for name in sample_names():
            path, packed = self.path(name), self.path(name + ".packed")
            sample(name, path)
            self.assertTrue(os.path.exists(path))
            if name in ("freeze_before_fork", "forgotten_list") and BUILD.endswith("-san"):
                continue  # hundreds of thousands of rows
            self.check(path, random.Random(1))
            run("pack", path, "-o", packed)
            self.assertEqual(self.rows(path, "select * from objects"), self.rows(packed, "select * from objects"))

    def test_garbage_of_each_generation(self):
        """What a collection of each generation would find is what `cycles` says, and what `object` says of each."""
        differ = 0
        for name in ("proxy", "ring", "finalizer_cycle", "freeze_before_fork"):
            path, found = self.path(name), []
            sample(name, path)
            for n in "012":
                garbage, dependent = (["0x%x" % row[0] for row in ask(
                    "sql", path, "select address from objects where %s order by address" % column, "--generation", n)["rows"]]
                    for column in ("garbage", "dependent"))
                told = ask("cycles", path, "--objects", "--generation", n)
                self.assertEqual(garbage, [o["address"] for o in told["garbage_objects"]])
                self.assertEqual(len(dependent), told["dependent"]["objects"])
                for address in garbage[:2] + dependent[:2] + [o["address"] for o in ask("cycles", path, "--objects")["garbage_objects"][:2]]:
                    o = ask("object", path, address, "--generation", n)
                    self.assertEqual((o["collected_generation"], o["garbage"], o["dependent"]),
                                     (int(n), address in garbage, address in dependent))
                    self.assertIn("(by a collection of generation %s)" % n, run("object", path, address, "--generation", n)[0])
                found.append(garbage)
            self.assertEqual(found[2], ["0x%x" % row[0] for row in ask("sql", path, "select address from objects where garbage "
                                                                       "order by address")["rows"]])
            differ += found[0] != found[2]
        self.assertGreater(differ, 0)
        for command in (["sql", path, "select 1"], ["object", path, "@0"]):
            self.assertOneLine(run(*command, "--generation", "permanent", status=2)[1])

    def test_on_random_graphs(self):
        for seed in range(FIRST, FIRST + SEEDS):
            rng, path = random.Random(seed), self.path("graph.refheap")
            graph = graphs.make(seed)
            second_reader.write_snapshot(snapshot_of(graph, rng, shuffled=rng.random() < 0.4), path, vary=rng.random() < 0.4,
                                         seed=seed)
            with self.subTest(seed=seed, note=graph.note):
                self.check(path, rng)

    def test_dominators_add_up(self):
        """An object retains itself and what it dominates."""
        for seed in range(20):
            path = self.path("graph.refheap")
            second_reader.write_snapshot(snapshot_of(graphs.make(seed), random.Random(seed)), path, seed=seed)
            wrong = self.rows(path, "select ordinal from objects o where retained <> size + (select coalesce(sum(retained), 0) "
                                    "from objects where dominator = o.ordinal)")
            self.assertEqual(wrong, [], seed)

    def test_threads_and_frames_of_roots(self):
        s = second_reader
        path = self.path("s.refheap")
        roots = [s.Root(0x1000, name=b"a", kind=5, flags=0, thread=0, frame=0), s.Root(0x1000, kind=6, flags=0, thread=0, frame=1)]
        s.write_snapshot(s.Snapshot(heaps=[s.Heap(b"librefheap", b"0")], types=[s.Type(b"t")],
                                    objects=[s.Object(0, 0x1000, 0, 16, 1, 8 | 2, 0)], threads=[s.Thread(77)],
                                    frames=[s.Frame(0, 0, function=b"parse"), s.Frame(0, 3)], roots=roots), path)
        self.assertEqual(self.rows(path, "select * from roots"), [("a", "stack", 0, 0, 77, "parse"),
                                                                  (None, "register", 0, 0, 77, "#3")])

    def test_what_is_left_of_a_damaged_file(self):
        path = self.path("s.refheap")
        sample("proxy", path)
        with open(path, "rb") as f:
            whole = f.read()
        for cut in range(200, len(whole), 997):
            with open(path, "wb") as f:
                f.write(whole[:cut])
            for table in ("objects", "edges", "types", "roots", "cycles", "heaps", "generations", "modules", "info"):
                done = subprocess.run([REFHEAP, "sql", path, "select * from " + table, "--csv", "--salvage"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertIn(done.returncode, (0, 2), (cut, table, done.stderr))


class Sets(Sql):
    """sql:CONDITION names objects wherever a set may stand."""

    SAME = {"type:connection": "type = 'connection'", "garbage": "garbage",
            "type:buffer": "ordinal in (select target from edges where label = '.buffer')"}

    def setUp(self):
        super().setUp()
        self.snapshot = self.path("s.refheap")
        sample("proxy", self.snapshot)

    def answers(self, name):
        """What the commands that take a set say of it, without the set's own name."""
        for command, *more in (("why",), ("referrers",), ("referents",), ("what-if", "--cut")):
            out, _ = run(command, self.snapshot, *more, name, "--json", "--limit", "0")
            yield json.loads(out.replace(json.dumps(name), '"the set"'))

    def test_as_by_its_other_name(self):
        for name, condition in self.SAME.items():
            self.assertEqual(list(self.answers("sql:" + condition)), list(self.answers(name)), condition)
            self.assertEqual(list(self.answers("sql:" + condition + " -- and so on")), list(self.answers(name)))

    def test_each_object_once_and_in_order(self):
        twice = "sql:garbage) union all select ordinal from objects where (garbage) order by (1) desc, (1"
        self.assertEqual(list(self.answers(twice)), list(self.answers("garbage")))

    def test_what_is_wrong_is_told_in_one_line(self):
        for condition, word in (("", "condition"), (" ", "condition"), ("1); delete from objects where (1", "condition"),
                                ("1; 2", "syntax"), ("nonsense = 3", "nonsense"), ("readfile('/etc/passwd')", "readfile"),
                                ("1) union select 1 from sqlite_master where (load_extension('x')", "load_extension")):
            out, err = run("why", self.snapshot, "sql:" + condition, status=2)
            self.assertOneLine(err)
            self.assertIn(word, err)
            self.assertEqual(out, "")

    def test_none(self):
        self.assertEqual(ask("referrers", self.snapshot, "sql:0")["edges"], [])


class Cost(Sql):
    """What a query looks at, counted: rows_visited() counts the rows of all tables, computed() names the analyses."""

    def setUp(self):
        super().setUp()
        self.snapshot = self.path("s.refheap")
        sample("forgotten_list", self.snapshot)  # 5,001 objects

    def cost(self, query):
        rows, cost = self.script(self.snapshot, query, "select rows_visited() n, computed() parts")
        return len(rows), cost[0]["n"], cost[0]["parts"].split(", ")

    def plan(self, query):
        return " ".join(r["detail"] for r in self.script(self.snapshot, "explain query plan " + query)[0])

    def test_lookups_visit_what_they_find(self):
        (hub, degree), = self.rows(self.snapshot, "select source, count(*) from edges group by 1 order by 2 desc limit 1")
        (leaf, at), = self.rows(self.snapshot, "select ordinal, address from objects where type = 'str' limit 1")
        self.assertEqual(degree, 1000)
        cases = {
            "select * from objects where ordinal = 17": ("ordinal", 1),
            "select * from objects where address = %d" % at: ("address", 1),
            "select * from objects where address = %d" % (at + 1): ("address", 0),
            "select * from edges where source = %d" % hub: ("source", degree),
            "select * from edges where target = %d" % leaf: ("target", 1),
            # The shorter of two: one edge leads to the leaf, a thousand leave the hub.
            "select * from edges where source = %d and target = %d" % (hub, leaf): ("source, target", 1),
            "select * from types where id = 3": ("id", 1),
            "select * from roots where target = %d" % hub: ("target", 1),
            "select * from cycles where id = 1": ("id", 0),
        }
        for query, (index, visited) in cases.items():
            self.assertRegex(self.plan(query), r"VIRTUAL TABLE INDEX \d+:%s$" % index, query)
            self.assertEqual(self.cost(query)[1], visited, query)

    def test_joins_are_lookups(self):
        root = "select o.type, o.label, e.label from roots r join edges e on e.source = r.target " \
            "join objects o on o.ordinal = e.target"
        self.assertEqual(self.cost(root)[:2], (1000, 2001))
        (leaf,), = self.rows(self.snapshot, "select ordinal from objects where type = 'str' limit 1")
        chain = "with recursive up(o) as (select %d union select source from edges join up on target = o) select * from up" % leaf
        found, visited, _ = self.cost(chain)
        self.assertEqual(found, 3)  # a str, its dict, the list
        self.assertEqual(visited, 2)
        some = "select * from objects where ordinal in (5, 4, 3) order by ordinal"
        self.assertEqual(self.cost(some)[:2], (3, 3))

    def test_a_limit_stops_early(self):
        self.assertEqual(self.cost("select * from objects order by ordinal limit 3")[:2], (3, 3))
        self.assertNotIn("TEMP B-TREE", self.plan("select * from edges order by source"))
        self.assertIn("TEMP B-TREE", self.plan("select * from edges order by target"))

    def test_analyses_are_made_for_columns_that_need_them(self):
        cases = {
            "select count(*), sum(size), max(refcount) from objects": ["graph"],
            "select count(*) from edges": ["graph"],
            "select source, kind from edges where target = 7": ["graph", "referrers"],
            "select label from edges where target = 7": ["graph", "referrers", "values", "back edges"],
            "select label from edges limit 1": ["graph", "values"],
            "select sum(garbage) from objects": ["graph", "garbage"],
            "select sum(owned) from objects": ["graph", "owned sizes"],
            "select max(retained) from objects": ["graph", "garbage", "cycles", "dominators"],
            "select retained from objects where 0": [""],
            "select count(*) from edges where source = 1": ["graph"],
            "select count(*) from edges where target = 1": ["graph", "referrers"],
            "select serial from objects limit 1": ["graph", "serials"],
            "select name from types": ["graph"],
            "select * from roots": ["graph", "roots"],
            "select * from info": [""],
            "select * from heaps": [""],
            "select * from modules": [""],
        }
        for query, parts in cases.items():
            self.assertEqual(self.cost(query)[2], parts, query)


class Harm(Sql):
    def setUp(self):
        super().setUp()
        self.snapshot = self.path("s.refheap")
        sample("two_dicts", self.snapshot)
        with open(self.snapshot, "rb") as f:
            self.bytes = f.read()

    def tearDown(self):
        with open(self.snapshot, "rb") as f:
            self.assertEqual(f.read(), self.bytes)
        self.assertEqual(os.listdir(self.folder), ["s.refheap"])
        super().tearDown()

    def test_nothing_but_reading(self):
        victim = self.path("victim")
        statements = [
            "attach '%s' as x" % victim, "attach ':memory:' as x", "detach main", "vacuum", "vacuum into '%s'" % victim,
            "create table t(a)", "create temp table t(a)", "create view v as select 1", "create temp view v as select 1",
            "create virtual table t using fts5(a)", "create virtual table t using refheap", "create index i on objects(type)",
            "create trigger t after insert on objects begin select 1; end", "drop table objects", "alter table objects rename to x",
            "insert into objects default values", "insert into objects(type) values('x')", "update objects set type = 'x'",
            "delete from objects", "delete from sqlite_schema", "update sqlite_schema set sql = ''", "update sqlite_master set type = 'x'",
            "insert into sqlite_master default values", "update sqlite_temp_schema set sql = ''", "replace into info values(1, 2)", "begin", "commit",
            "savepoint s", "reindex", "analyze", "pragma journal_mode = off", "pragma query_only = 0", "pragma writable_schema = 1",
            "pragma temp_store_directory = '/tmp'", "pragma hard_heap_limit = 0", "pragma temp_store = 1",
            "pragma trusted_schema = 1", "pragma mmap_size = 1", "pragma integrity_check", "pragma database_list",
            "select * from pragma_database_list", "select * from pragma_journal_mode",
            "select load_extension('%s')" % victim, "select fts3_tokenizer('simple', x'00')", "select readfile('/etc/passwd')",
            "select writefile('%s', 'x')" % victim, "select edit('x')", "explain attach '%s' as x" % victim,
            "explain delete from objects", "select 1; attach '%s' as x" % victim,
        ]
        for statement in statements:
            self.refused(self.snapshot, statement)
            self.refused(self.snapshot, statement.upper())
        # Telling what there is does no harm.
        self.assertEqual(len(self.rows(self.snapshot, "pragma table_info(objects)")), 20)
        self.assertEqual(len(self.rows(self.snapshot, "select * from pragma_table_info('edges')")), 4)
        self.assertEqual(self.rows(self.snapshot, "select value from json_each('[1, 2]')"), [(1,), (2,)])
        self.assertEqual(len(self.rows(self.snapshot, "select name from sqlite_schema where type = 'table'")), 9)

    def test_what_is_wrong_is_told_in_one_line(self):
        cases = {
            "select * from nowhere": 'no such table: nowhere; ".schema" shows the tables',
            "select colour from objects": "no such column: colour",
            "select \"a\nb\x1b[31m\" . c from objects": "no such column",
            "selct 1": 'near "selct": syntax error',
            "select": "incomplete input",
            "select 'abc": 'unrecognized token: "\'abc"',
            "": "the query is empty",
            " ; -- nothing": "the query is empty",
            "select 1; select 2": "several statements",
            "select sum(x'ff', 1)": "wrong number of arguments",
            "attach 'x' as y": "not authorized: ATTACH; a snapshot can only be read",
            "pragma cache_size": "not authorized: PRAGMA cache_size",
            ".schema nowhere": 'there is no table "nowhere"',
            ".read /etc/passwd": "unknown command .read",
            ".shell true": "unknown command .shell",
            "." + "x" * 10000: "unknown command",
        }
        for query, text in cases.items():
            self.assertIn(text, self.refused(self.snapshot, query))
        for option, value in (("--timeout", "soon"), ("--timeout", "0"), ("--timeout", "-1"), ("--timeout", "nan"),
                              ("--timeout", "1x"), ("--memory", "0"), ("--memory", "much")):
            self.assertIn("cannot be", self.refused(self.snapshot, "select 1", "%s=%s" % (option, value)))

    def test_what_takes_too_long_is_ended(self):
        endless = {
            COUNTING + "select count(*) from t",
            COUNTING + "select * from t where x < 0",
            "select count(*) from " + ", ".join("objects a%d, objects b%d, edges c%d" % (i, i, i) for i in range(6)),
            # One call of a function: nothing looks at the time while it runs.
            "select instr(zeroblob(16000000), zeroblob(8000000) || x'01')",
        }
        for query in endless:
            begun = time.monotonic()
            self.assertIn("the query took longer than 0.3 s; --timeout gives it more",
                          self.refused(self.snapshot, query, "--timeout", "0.3"))
            self.assertLess(time.monotonic() - begun, 30)

    def test_what_is_ended_leaves_no_file(self):
        for query in (COUNTING + "select count(*) from t", "select instr(zeroblob(16000000), zeroblob(8000000) || x'01')"):
            self.refused(self.snapshot, query, "--timeout", "0.2", "-o", self.path("answer"))
            self.assertEqual(os.listdir(self.folder), ["s.refheap"])

    def test_sizes_are_bounded(self):
        cases = {
            "select zeroblob(20000000)": "too big",
            "select printf('%.*c', 20000000, 'x')": None,
            "select length(hex(zeroblob(16000000)))": "too big",
            "select replace(hex(zeroblob(1000000)), '0', hex(zeroblob(100)))": "too big",
            "select " + "(" * 2000 + "1" + ")" * 2000: "",
            "select " + "1 + " * 2000 + "1": "Expression tree is too large",
            "select " + " union all select ".join("1" * 1 for _ in range(600)): "too many terms in compound SELECT",
            "select " + ", ".join("1" for _ in range(65)): "too many columns in result set",
            "select * from objects, objects o, objects p, objects q": "too many columns in result set",
            "select 'x' like '%s'" % ("%a" * 5000): "LIKE or GLOB pattern too complex",
            "with recursive t(x) as (select x'' union select randomblob(1000000) from t) select count(*) from t":
                "the query needs more than 32 MiB of memory",
            COUNTING + "select x from t order by x": "the query needs more than 32 MiB of memory",
        }
        for query, text in cases.items():
            if text is None:
                run("sql", self.snapshot, query, "--memory", "32")
            else:
                self.assertIn(text, self.refused(self.snapshot, query, "--memory", "32"))

    @unittest.skipIf(BUILD.endswith("-san"), "a sanitizer needs address space")
    def test_memory_stays_bounded_however_long_the_answer(self):
        query = COUNTING + "select x, x * x, 'some text ' || x from t limit 1500000"
        for option in ("--json", "--csv", "--limit=0"):
            done = subprocess.run(["sh", "-c", "ulimit -v 400000; \"$@\" | tail -3", "sh", REFHEAP, "sql", self.snapshot, query,
                                   option], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
            self.assertEqual(done.stderr, b"", option)
            self.assertIn(b"some text 1500000", done.stdout, option)


class Answers(Sql):
    def setUp(self):
        super().setUp()
        self.snapshot = self.path("s.refheap")
        sample("proxy", self.snapshot)

    def test_table_puts_figures_to_the_right(self):
        out, _ = run("sql", self.snapshot, "select type, count(*) n, avg(heap) + 0.5 a, null x from objects group by 1")
        self.assertEqual(out, "type         n    a  x\n"
                              "buffer      84  0.5  -\n"
                              "connection  84  0.5  -\n"
                              "list         1  0.5  -\n")
        out, _ = run("sql", self.snapshot, "select 1 v union all select 'abc' union all select 22222")
        self.assertEqual(out, "v\n1\nabc\n22222\n")
        self.assertEqual(run("sql", self.snapshot, "select * from cycles where 0")[0], "no rows\n")

    def test_limit_cuts_and_says_so(self):
        query = "select ordinal from objects"
        out = run("sql", self.snapshot, query)[0].splitlines()
        self.assertEqual((len(out), out[-1]), (22, "... 149 more rows (--limit 0 shows all)"))
        self.assertEqual(len(run("sql", self.snapshot, query, "--limit", "0")[0].splitlines()), 170)
        self.assertEqual(len(run("sql", self.snapshot, query, "--csv")[0].splitlines()), 170)
        self.assertEqual(len(run("sql", self.snapshot, query, "--csv", "--limit", "2")[0].splitlines()), 3)
        answer = ask("sql", self.snapshot, query, "--limit", "3")
        self.assertEqual((answer["rows"], answer["rows_omitted"]), ([[0], [1], [2]], 166))
        self.assertNotIn("rows_omitted", ask("sql", self.snapshot, query, "--limit", "169"))
        # An endless answer ends too.
        self.assertIn("... more than 100,000 more rows", run("sql", self.snapshot, COUNTING + "select * from t")[0])
        self.assertIsNone(ask("sql", self.snapshot, COUNTING + "select * from t", "--limit", "1")["rows_omitted"])

    def test_long_text_tables_come_in_pages(self):
        out = run("sql", self.snapshot, COUNTING + "select x from t limit 400001", "--limit", "0")[0].split()
        self.assertEqual(out.count("x"), 2)
        self.assertEqual([int(x) for x in out if x != "x"], list(range(1, 400002)))

    def test_json_values(self):
        answer = ask("sql", self.snapshot, "select 1 as \"a \"\"b\"\"\", 0.1, 1e300, 1e999, null, x'00ff', 'a\n\"\\', "
                                           "-9223372036854775807 - 1, cast(x'ff41' as text), char(0) || 'z', ''")
        self.assertEqual(answer["columns"][0], 'a "b"')
        self.assertEqual(answer["rows"], [[1, 0.1, 1e300, None, None, "X'00FF'", 'a\n"\\', -2**63, "\ufffdA", "\0z", ""]])
        self.assertEqual(answer["command"], "sql")
        self.assertEqual(answer["schema_version"], 1)
        self.assertEqual(answer["snapshot"]["objects"], 169)

    def test_csv_values(self):
        out, _ = run("sql", self.snapshot, "select 1 as \"a,b\", 'x,y', 'say \"hi\"', 'two\nlines', null, 2.5, x'0a'", "--csv")
        self.assertEqual(list(csv.reader(io.StringIO(out, newline="")))[0][0], "a,b")
        self.assertEqual(list(csv.reader(io.StringIO(out, newline="")))[1],
                         ["1", "x,y", 'say "hi"', "two\nlines", "", "2.5", "X'0A'"])

    def test_hostile_names(self):
        s = second_reader
        path = self.path("hostile.refheap")
        names = [b"a,b", b'say "hi"', b"two\nlines\r", b"\x1b[31mred", b"\xff\xfe", b"nul\0nul", "\u202eltr".encode(), b"'; drop",
                 b"x" * 500]
        s.write_snapshot(s.Snapshot(
            heaps=[s.Heap(b"librefheap", b"0")], types=[s.Type(n) for n in names],
            objects=[s.Object(0, 0x1000 + 16 * i, i, 16, 1, 8 | 2, 0) for i in range(len(names))],
            roots=[s.Root(0x1000, name=n, flags=3) for n in names]), path)
        shown = [n.decode("utf-8", "replace") for n in names]
        answer = self.rows(path, "select type from objects")
        self.assertEqual([r[0] for r in answer][:4], shown[:4])
        self.assertEqual([r[0] for r in answer][5:], shown[5:])
        self.assertEqual([r[0] for r in self.rows(path, "select name from roots")], [r[0] for r in answer])
        out, _ = run("sql", path, "select type, 1 from objects", "--csv")
        rows = list(csv.reader(io.StringIO(out.replace("\0", "0"), newline="")))[1:]
        self.assertEqual([r[0] for r in rows if "\udcff" not in r[0]],
                         [n.replace("\0", "0") for n in shown if "\ufffd" not in n])
        out, _ = run("sql", path, "select type from objects")
        self.assertEqual(len(out.splitlines()), len(names) + 1)
        self.assertNotIn("\x1b", out)
        for n in ("a,b", "say \"hi\"", "'; drop"):
            self.assertEqual(len(self.rows(path, "select 1 from objects where type = '%s'" % n.replace("'", "''"))), 1)

    def test_helpers(self):
        self.assertEqual(self.rows(self.snapshot, "select hex_address(255), hex_address(-16), hex_address(null), "
                                                  "human_size(1536), human_size(null)"),
                         [("0xff", "0xfffffffffffffff0", None, "1.50 KiB", None)])
        at, = self.rows(self.snapshot, "select hex_address(address) from objects where ordinal = 3")[0]
        self.assertEqual(self.rows(self.snapshot, "select ordinal from objects where address = " + at), [(3,)])


class Prompt(Sql):
    def setUp(self):
        super().setUp()
        self.snapshot = self.path("s.refheap")
        sample("two_lists", self.snapshot)

    def feed(self, text, *options, status=0):
        return run("sql", self.snapshot, *options, input=text.encode(), status=status)

    def test_a_script(self):
        out, err = self.feed("-- a comment\nselect count(*)\n  from objects; select\n'a;b' as v;\n.tables\n.schema edges\n"
                             "select 7 as last")
        self.assertEqual(err, "")
        self.assertTrue(out.startswith("count(*)\n       2\nv\na;b\nobjects\nedges\n"), out)
        self.assertIn("CREATE TABLE edges (", out)
        self.assertTrue(out.endswith(");\nlast\n   7\n"), out)
        self.assertEqual(self.feed(""), ("", ""))
        self.assertEqual(self.feed("\n ;\n-- nothing\n"), ("", ""))
        self.assertEqual(self.feed(".quit\nselect 1;"), ("", ""))
        self.assertIn(".schema [TABLE]", self.feed(".help")[0])

    def test_a_script_ends_at_its_first_error(self):
        out, err = self.feed("select 1;\nselct;\nselect 2;", status=2)
        self.assertEqual(out, "1\n1\n")
        self.assertOneLine(err)
        self.assertOneLine(self.feed(".frob\nselect 1;", status=2)[1])
        self.assertIn("longer than", self.feed("select 1 " + "\n" * 1100000 + ";", status=2)[1])
        self.assertIn("longer than", self.feed("x" * 1100000, status=2)[1])

    def test_the_schema_names_every_column(self):
        schema = run("sql", self.snapshot, ".schema")[0]
        for table in run("sql", self.snapshot, ".tables")[0].split():
            columns = [row[1] for row in self.rows(self.snapshot, "pragma table_info(%s)" % table)]
            part = re.search(r"CREATE TABLE %s \(.*?\n\);" % table, schema, re.S).group()
            self.assertEqual(re.findall(r"^    (\w+)", part, re.M), columns)
            self.assertEqual(run("sql", self.snapshot, ".schema " + table)[0].strip(), part)
        # What is promised, in this order.
        promised = {
            "objects": "ordinal heap address type size refcount generation tracked internal explained unexplained owned retained "
                       "dominator garbage dependent invisible cycle label serial",
            "edges": "source target kind label",
            "types": "id name module basic_size item_size count shallow retained",
            "roots": "name kind exact target thread frame",
            "cycles": "id objects shallow retained source uncollectable",
            "info": "key value"}
        for table, columns in promised.items():
            self.assertEqual([r[1] for r in self.rows(self.snapshot, "pragma table_info(%s)" % table)], columns.split())

    def test_the_snapshot_cannot_be_both(self):
        with open(self.snapshot, "rb") as f:
            self.assertIn("standard input is the snapshot", run("sql", "-", status=2, stdin=f)[1])
        with open(self.snapshot, "rb") as f:
            self.assertEqual(run("sql", "-", "select count(*) n from objects", "--csv", stdin=f)[0], "n\n2\n")

    def terminal(self):
        """The prompt on a terminal: (process, descriptor)."""
        try:
            pid, fd = pty.fork()
        except OSError as e:  # a chroot without /dev/pts
            self.skipTest("this machine gives no terminal: %s" % e)
        if not pid:
            os.execve(REFHEAP, [REFHEAP, "sql", self.snapshot], dict(os.environ, TERM="dumb"))
        self.addCleanup(os.close, fd)
        settings = termios.tcgetattr(fd)
        settings[3] |= termios.NOFLSH  # Ctrl-C throws away no output
        termios.tcsetattr(fd, termios.TCSANOW, settings)
        return pid, fd

    def until(self, fd, text):
        said, end = b"", time.monotonic() + 60
        while text.encode() not in said:
            self.assertTrue(select.select([fd], [], [], max(0, end - time.monotonic()))[0], said)
            try:
                said += os.read(fd, 4096)
            except OSError:
                self.fail(said)
        return said.decode()

    def finished(self, pid):
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)

    def test_somebody_types(self):
        pid, fd = self.terminal()
        self.until(fd, "refheap> ")
        os.write(fd, b"select count(*)\n")
        self.until(fd, "...> ")
        os.write(fd, b"from objects;\n")
        self.assertRegex(self.until(fd, "refheap> "), r"count\(\*\)\s+2\s")
        os.write(fd, b"selct;\n")
        self.assertIn("syntax error", self.until(fd, "refheap> "))
        os.write(fd, b"select 'still' || ' there';\n")
        self.assertIn("still there", self.until(fd, "refheap> ").replace("'still'", ""))
        os.write(fd, b".quit\n")
        self.assertEqual(self.finished(pid), 0)

    def test_interrupts_end_the_statement_and_not_the_prompt(self):
        pid, fd = self.terminal()
        self.until(fd, "refheap> ")
        os.write(fd, (COUNTING + "select count(*) from t;\n").encode())
        time.sleep(0.5)
        os.write(fd, b"\x03")
        self.assertIn("the query was interrupted", self.until(fd, "refheap> "))
        os.write(fd, b"select this\n")
        self.until(fd, "...> ")
        os.write(fd, b"\x03")  # takes back what was typed
        self.until(fd, "refheap> ")
        os.write(fd, b"select 40 + 2;\n")
        self.assertIn("42", self.until(fd, "refheap> ").replace("40 + 2", ""))
        os.write(fd, b"\x04")
        self.assertEqual(self.finished(pid), 0)

    @unittest.skipUnless(shutil.which("tmux"), "tmux, which stands in for a terminal, is not installed")
    def test_lines_are_edited_and_remembered(self):
        t = Terminal(self.folder)
        self.addCleanup(t.close)
        t.type("stty -a > before; %s sql %s\n" % (REFHEAP, self.snapshot))
        t.until(lambda s: "refheap>" in s)
        t.type("selec 40 + 2;")
        t.keys(*["Left"] * 8)
        t.type("t")
        t.keys("Enter")
        t.until(lambda s: "42" in (line.strip() for line in s))
        t.type("select 'one'")
        t.keys("Enter")
        t.until(lambda s: s[[i for i, line in enumerate(s) if line][-1]].endswith("...>"))
        t.keys("C-c")  # takes it back
        t.until(lambda s: [line for line in s if line][-1] == "refheap>")
        t.keys("Up")
        t.until(lambda s: [line for line in s if line][-1] == "refheap> select 'one'")
        t.keys("Up")
        t.until(lambda s: [line for line in s if line][-1] == "refheap> select 40 + 2;")
        t.keys("BSpace", "BSpace")
        t.type("4, 'aé漢';")
        t.keys("Enter")
        t.until(lambda s: any(line.split() == ["44", "aé漢"] for line in s))
        t.keys("C-z")
        t.until(lambda s: [line for line in s if line][-1] == "$")
        t.type("fg\n")
        t.until(lambda s: [line for line in s if line][-1] == "refheap>")
        t.resize(60, 20)
        t.keys("C-d")
        t.until(lambda s: [line for line in s if line][-1] == "$")
        t.type("stty -a > after; echo done\n")
        t.until(lambda s: "done" in s)
        with open(self.path("before")) as before, open(self.path("after")) as after:
            self.assertEqual(re.sub(r"rows.*columns \d+", "", before.read()), re.sub(r"rows.*columns \d+", "", after.read()))

    def test_an_interrupt_ends_a_single_query(self):
        child = subprocess.Popen([REFHEAP, "sql", self.snapshot, COUNTING + "select count(*) from t"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        self.assertEqual((child.returncode, out), (2, b""))
        self.assertOneLine(err.decode())


if __name__ == "__main__":
    unittest.main()
