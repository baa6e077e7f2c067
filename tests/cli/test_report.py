"""The report by its structure: well formed, of one file, nothing in it that could run, and its figures those of the commands."""

import base64
import collections
import hashlib
import json
import os
import re
import subprocess
import unittest

from page import Page
from support import REFHEAP, TestCase, ask, run, sample, tool
import second_reader as sr

GENERATIONS = {0: "0", 1: "1", 2: "2", 3: "permanent", -1: "untracked"}


class PageCase(TestCase):
    def report(self, *arguments):
        out = self.path("page.html")
        self.said = run("report", *arguments, "-o", out)[0]
        with open(out, encoding="utf-8", newline="") as f:
            text = f.read()
        self.assertLess(len(text.encode()), 2 << 20)
        return Page(text)

    def snapshot(self, name):
        path = self.path(name + ".refheap")
        if not os.path.exists(path):
            sample(name, path)
        return path

    # ---- the page ----

    def check_page(self, page):
        """What holds for every page."""
        self.assertTrue(page.source.startswith("<!DOCTYPE html>\n"))
        self.assertEqual(len(list(page.all("h1"))), 1)
        self.assertEqual(page.root.first("html").attributes["lang"], "en")
        metas = [m.attributes for m in page.all("meta")]
        self.assertTrue(any(m.get("name") == "viewport" for m in metas))
        # Nothing runs or is fetched but what is built in, which the policy names by its hash.
        policy = next(m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy")
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        for name in ("script", "style"):
            elements = list(page.all(name))
            self.assertEqual(len(elements), 1)
            digest = hashlib.sha256(elements[0].text.encode()).digest()
            self.assertIn("%s-src 'sha256-%s'" % (name, base64.b64encode(digest).decode()), policy)
        for element in page.all():
            self.assertNotIn(element.name, ("iframe", "object", "embed", "base", "form", "img"))
            for key, value in element.attributes.items():
                self.assertFalse(key.startswith("on") or key in ("style", "src", "srcdoc", "action"), (element.name, key))
                if key in ("href", "xlink:href"):
                    self.assertTrue(value == "data:," or value[0] == "#" and value[1:] in page.by_id, value)
        for th in page.all("th"):
            self.assertEqual(th.attributes["scope"], "col")
        for section in page.all("section"):
            self.assertIn(section.attributes["aria-labelledby"], page.by_id)


class Report(PageCase):
    def test_every_sample_makes_a_page(self):
        for name in ("parent_child", "uncollectable", "cache_weak", "freeze_before_fork", "exception_traceback"):
            with self.subTest(name):
                page = self.report(self.snapshot(name))
                self.check_page(page)
                self.assertEqual([s.attributes["id"] for s in page.all("section")],
                                 "problems cycles keepers types generations audit waste limits".split())
                links = [a.attributes["href"] for a in page.root.first("nav").all("a")]
                self.assertEqual(links, ["#" + s.attributes["id"] for s in page.all("section")])

    def test_an_empty_heap(self):
        path = self.path("empty.refheap")
        sr.write_snapshot(sr.Snapshot(), path)
        page = self.report(path)
        self.check_page(page)
        self.assertEqual(page.root.first("h1").text, "The heap is empty.")

    def test_the_same_snapshot_makes_the_same_page(self):
        snapshot = self.snapshot("proxy")
        self.assertEqual(self.report(snapshot).source, self.report(snapshot).source)

    def test_a_kept_index_changes_nothing(self):
        plain, packed = self.path("big.refheap"), self.path("packed.refheap")
        self.assertEqual(tool("make_big", 120000, plain).returncode, 0)
        run("pack", plain, "-o", packed)
        for path in (plain, packed):
            without = self.report(path, "--no-cache").source
            self.assertFalse(os.path.exists(path + ".index"))
            self.assertEqual(self.report(path).source, without)
            self.assertTrue(os.path.exists(path + ".index"))
            self.assertEqual(self.report(path).source, without)

    # ---- its figures, beside the commands' ----

    def same_table(self, page, number, rows, keys):
        shown = page.table(number)
        self.assertEqual([[row[k] for k in keys] for row in shown], [[row[k] for k in keys] for row in rows[:len(shown)]])
        return shown

    def check_figures(self, page, snapshot):
        summary = ask("summary", snapshot)
        about = summary["snapshot"]
        figure = lambda number: int(page.by_id[number].attributes["data-v"])  # noqa: E731
        self.assertEqual((figure("objects"), figure("bytes"), figure("references")),
                         (about["objects"], about["bytes"], about["edges"]))
        self.assertEqual(figure("unreachable"), sum(summary[k]["bytes"] for k in ("garbage", "dependent", "invisible")))
        types = sorted(summary["types"], key=lambda t: (-t["shallow"], -t["count"]))
        keys = ["count", "shallow", "owned", "retained", "largest"]
        shown = {row["type"]: [row[k] for k in keys] for row in page.table("types-table")}
        self.assertEqual(shown, {t["type"]: [t[k] for k in keys] for t in types})
        self.assertEqual([row["shallow"] for row in page.table("types-table")], [t["shallow"] for t in types])
        # The headline is the first suspect, and names the three biggest types.
        headline = page.root.first("h1").text
        suspects = ask("suspects", snapshot)["suspects"]
        if suspects:
            self.assertTrue(headline.startswith(suspects[0]["sentence"] + "; the biggest type"), headline)
        for t in types[:3]:
            self.assertRegex(headline, r"[ ,]%s \([0-9.]+ \w+\)" % re.escape(t["type"]))
        self.assertEqual([p.text[:-1] for p in page.by_id["problems"].all("p", "sentence")][:len(suspects)],
                         [s["sentence"] for s in suspects])
        self.check_generations(page, snapshot)
        self.check_cycles(page, snapshot)
        self.check_keepers(page, snapshot)
        self.check_audit(page, snapshot)
        self.check_waste(page, snapshot)

    def check_generations(self, page, snapshot):
        rows = page.table("generations-table")
        answer = ask("generations", snapshot)["generations"]
        self.assertEqual(len(rows), len(answer))
        for row, a in zip(rows, answer):
            for key in row:
                wanted = 4 if key == "generation" and a[key] == -1 else a[key]
                self.assertEqual(row[key], wanted, key)

    def check_cycles(self, page, snapshot):
        shapes = collections.OrderedDict()
        for c in ask("cycles", snapshot)["cycles"]:
            if c["source"]:
                shape = shapes.setdefault(c["shape"], {"first": c, "cycles": 0, "objects": 0, "retained": 0})
                shape["cycles"] += 1
                shape["objects"] += c["objects"]
                shape["retained"] += c["retained"]
        wanted = sorted(shapes.values(), key=lambda s: (-s["retained"], s["first"]["id"]))
        articles = list(page.by_id["cycles"].all("article"))
        self.assertEqual(len(articles), min(len(wanted), 6))
        for article, shape in zip(articles, wanted):
            first = shape["first"]
            self.assertEqual(article.attributes["id"], "cycle-%d" % first["id"])
            for key in ("cycles", "objects", "retained"):
                self.assertEqual(int(article.attributes["data-" + key]), shape[key])
            self.assertEqual(article.first("p", "cut").first("bdi").text, first["advice"])
            members = page.table("cycle-%d-members" % first["id"])
            self.assertEqual([m["address"] for m in members], [m["address"] for m in first["members"]][:12])
            picture = article.first("figure", "picture").first("svg")
            self.assertEqual(picture.attributes["class"], "refheap")
            self.assertGreaterEqual(len(list(picture.all("g", "node"))), min(len(first["members"]), 3))
            self.assertEqual(bool(list(picture.all("g", "cut"))), bool(first["cut"]))

    def check_keepers(self, page, snapshot):
        alike = collections.OrderedDict()  # those of one type that keep as much are one row
        for a in ask("retained", snapshot)["objects"]:
            key = a["type"], a["retained"], a["label"] if a["address"] is None else None
            alike.setdefault(key, []).append(a)
        rows = page.table("keepers-table")
        self.assertEqual(len(rows), min(15, len(alike)))
        for row, same in zip(rows, alike.values()):
            a = same[0]
            for key in ("type", "retained", "shallow", "children", "cycle"):
                self.assertEqual(row[key], a[key], key)
            self.assertEqual(row["address"], a["address"] or "-")
            self.assertEqual(row["alike"] or 0, len(same) - 1)
        # The icicle: each box has the bytes of the ways down the dominator tree that go through it.
        ways = collections.Counter()
        whole = 0
        for line in run("export", snapshot, "--format", "folded")[0].splitlines():
            way, size = line.rsplit(" ", 1)
            way = way.split(";")
            whole += int(size)
            for i in range(1, len(way) + 1):
                ways[tuple(way[:i])] += int(size)
        boxes = [box.attributes for box in page.by_id["icicle"].all("svg", "box")]
        self.assertEqual(int(boxes[0]["data-v"]), whole)
        self.assertEqual(whole, ask("summary", snapshot)["snapshot"]["bytes"])
        self.assertEqual(sorted(int(b["data-v"]) for b in boxes[1:]),
                         sorted(size for way, size in ways.items() if size and size >= whole // 1000 and len(way) <= 14))
        for number, box in enumerate(boxes):
            self.assertEqual(int(box["data-n"]), number)
            x, width = float(box["x"][:-1]), float(box["width"][:-1])
            self.assertAlmostEqual(width, 100 * int(box["data-v"]) / whole if whole else 0, places=4)
            up = boxes[int(box["data-up"])]
            self.assertGreaterEqual(x, float(up["x"][:-1]) - 1e-4)
            self.assertLessEqual(x + width, float(up["x"][:-1]) + float(up["width"][:-1]) + 1e-4)
            if number:
                self.assertGreater(int(box["y"]), int(up["y"]))
        rows = collections.defaultdict(list)
        for box in boxes:
            rows[box["y"]].append((float(box["x"][:-1]), float(box["width"][:-1])))
        for row in rows.values():  # none covers another
            row.sort()
            for (x, width), (following, _) in zip(row, row[1:]):
                self.assertLessEqual(x + width, following + 1e-4)
        tree = next(d for d in page.by_id["keepers"].all("details", "tree"))
        self.assertEqual(len(list(tree.all("li"))), len(boxes))  # the same as a list

    def check_audit(self, page, snapshot):
        answer = ask("audit", snapshot)
        meter = page.by_id.get("refcounts-explained")
        if answer["coverage"]["refcounts_explained"] is not None:
            self.assertEqual(int(meter.attributes["data-part"]), answer["clean"])
            self.assertAlmostEqual(int(meter.attributes["data-part"]) / int(meter.attributes["data-whole"]),
                                   answer["coverage"]["refcounts_explained"])
        for name in ("over", "possibly_over", "under", "possibly_under"):
            groups = collections.defaultdict(lambda: [0, 0, 0])
            for o in answer[name]:
                group = groups[o["type"]]
                group[0] += 1
                group[1] += o["size"]
                group[2] += abs(o["unexplained"])
            if not groups:
                self.assertNotIn("audit-" + name, page.by_id)
                continue
            rows = page.table("audit-" + name)
            self.assertEqual({row["type"]: [row["objects"], row["size"], row["references"]] for row in rows}, groups)
            for row in rows:
                self.assertIn(row["example"], {o["address"] for o in answer[name]})

    def check_waste(self, page, snapshot):
        answer = ask("summary", snapshot, "--waste")
        if not answer["types"]:
            self.assertNotIn("waste-table", page.by_id)
        else:
            self.same_table(page, "waste-table", answer["types"], list(answer["types"][0]))
        if answer["duplicates"]:
            self.same_table(page, "duplicates-table", answer["duplicates"], ["count", "wasted", "first"])

    def test_figures_are_those_of_the_commands(self):
        for name in ("proxy", "forgotten_list", "missing_release", "uncollectable", "lapsed_listener"):
            with self.subTest(name):
                snapshot = self.snapshot(name)
                page = self.report(snapshot)
                self.check_page(page)
                self.check_figures(page, snapshot)

    def test_figures_of_a_heap_of_all_sorts(self):
        snapshot = self.path("big.refheap")
        self.assertEqual(tool("make_big", 20000, snapshot).returncode, 0)
        page = self.report(snapshot)
        self.check_page(page)
        self.check_figures(page, snapshot)

    def test_who_refers_to_suspects(self):
        snapshot = self.snapshot("forgotten_list")
        page = self.report(snapshot)
        table = next(t for t in page.by_id["problems"].all("table", "referrers"))
        cells = [[c.attributes.get("data-v", c.text) for c in tr.all("td")] for tr in table.first("tbody").all("tr")]
        wanted = run("sql", snapshot, "select s.type, e.kind, count(*) from edges e join objects s on s.ordinal = e.source "
                     "join objects t on t.ordinal = e.target where t.type = 'dict' group by 1, 2", "--csv")[0]
        self.assertEqual(["%s,%s,%s" % (c[0], c[2], c[3]) for c in cells], wanted.splitlines()[1:])
        path = page.by_id["problems"].first("ol", "path")
        self.assertEqual([li.first("bdi").text for li in path.all("li")], ["root audit_log", "list"])

    def test_a_missing_release_is_the_headline(self):
        page = self.report(self.snapshot("missing_release"))
        self.assertRegex(page.root.first("h1").text, r"^12 objects have references that nothing explains: a release is missing")
        self.assertIn("12 cycles are kept alive by unexplained references alone", page.by_id["audit"].text)
        self.assertIn("1 unexplained reference; and 11 more like it", page.by_id["audit"].text)

    # ---- two snapshots ----

    def test_changes_are_those_of_diff(self):
        for flags in ("s", "x"):
            paths = [self.path("%s%d.refheap" % (flags, i)) for i in range(2)]
            self.assertEqual(tool("several_dumps", flags, *paths).returncode, 0)
            page = self.report(paths[1], paths[0])
            self.check_page(page)
            answer = ask("diff", *paths)
            keys = ["before", "after", "delta_count", "delta_bytes", "new", "gone", "stayed"]
            wanted = {t["type"]: [t[k] for k in keys] for t in answer["types"]
                      if t["new"] or t["gone"] or t["delta_bytes"]}
            self.assertEqual({row["type"]: [row[k] for k in keys] for row in page.table("changes-table")}, wanted)
            self.assertEqual("address and type" in page.by_id["limits"].text, answer["identity"] == "inferred")
            self.assertEqual(len(list(page.all("p", "origin"))), 2)
            sentences = [s["sentence"] for s in ask("suspects", paths[1], paths[0])["suspects"]]
            self.assertEqual([p.text[:-1] for p in page.by_id["problems"].all("p", "sentence")][:len(sentences)], sentences)

    # ---- what it cannot show ----

    def test_limits_say_what_is_missing(self):
        snapshot = self.snapshot("proxy")
        page = self.report(snapshot)
        self.assertNotIn("damaged", page.by_id["limits"].text)
        self.assertIn("not what grows", page.by_id["limits"].text)
        with open(snapshot, "rb") as f:
            whole = f.read()
        cut = self.path("cut.refheap")
        with open(cut, "wb") as f:
            f.write(whole[:len(whole) - 1000])
        page = self.report(cut, "--salvage", "--quiet")
        self.check_page(page)
        self.assertIn("The file is damaged", page.by_id["limits"].text)

    def test_values_are_left_out_on_request(self):
        snapshot = self.snapshot("proxy")
        self.assertIn("&quot;client&quot;", self.report(snapshot).source)
        page = self.report(snapshot, "--no-values")
        self.check_page(page)
        self.assertNotIn("client", page.by_id["cycles"].text + page.by_id["keepers"].text)
        self.assertIn("Values of strings and numbers were left out", page.by_id["limits"].text)

    # ---- the command ----

    def test_it_says_what_it_wrote(self):
        snapshot, out = self.snapshot("proxy"), self.path("page.html")
        page = self.report(snapshot)
        self.assertRegex(self.said, r"^%s: [0-9.]+ KiB\n37 garbage cycles .*\n$" % re.escape(out))
        said = json.loads(run("report", snapshot, "-o", out, "--json")[0])
        self.assertEqual((said["command"], said["output"], said["output_bytes"]), ("report", out, os.path.getsize(out)))
        self.assertEqual(said["headline"] + ".", page.root.first("h1").text)
        self.assertEqual(run("report", snapshot, "-o", "-")[0], page.source)

    def refuse(self, *arguments):
        err = run("report", *arguments, status=2)[1]
        self.assertOneLine(err)
        return err

    def test_what_cannot_be_done_is_one_line(self):
        snapshot, other = self.snapshot("proxy"), self.snapshot("ring")
        with open(snapshot, "rb") as f:
            before = f.read()
        self.assertIn("-o FILE.html", self.refuse(snapshot))
        self.refuse(snapshot, "-o", snapshot)
        self.refuse(other, snapshot, "-o", snapshot)
        self.refuse(snapshot, self.path("none.refheap"), "-o", self.path("page.html"))
        self.refuse(snapshot, other, other, "-o", self.path("page.html"))
        self.refuse(snapshot, "-o", self.path("no/such/folder.html"))
        self.assertFalse(os.path.exists(self.path("page.html")))
        with open(snapshot, "rb") as f:
            self.assertEqual(f.read(), before)

    def test_a_full_disk_leaves_the_earlier_page(self):
        out = self.path("page.html")
        with open(out, "w") as f:
            f.write("an earlier page")
        done = subprocess.run(["sh", "-c", "ulimit -f 1; exec \"$@\"", "sh", REFHEAP, "report", self.snapshot("ring"), "-o", out],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertOneLine(done.stderr.decode())
        with open(out) as f:
            self.assertEqual(f.read(), "an earlier page")

    def test_without_layout_the_page_says_so(self):
        snapshot, out = self.snapshot("two_lists"), self.path("page.html")
        run("report", snapshot, "-o", out, env=dict(os.environ, GVBINDIR=self.folder))  # no layout engines there
        with open(out, encoding="utf-8") as f:
            page = Page(f.read())
        self.check_page(page)
        self.assertIn("There is no picture: dot could not draw it", page.by_id["cycles"].text)
        self.assertEqual(len(page.table("cycle-1-members")), 2)


# Names that would do harm where they are taken for markup, script or control.
HOSTILE = [b"<script>document.title='hacked'</script>", b"</script><script>document.title='hacked'</script>",
           b"</style><style>body{display:none}</style>", b"<img src=x onerror=\"document.title='hacked'\">",
           b"' onmouseover=document.title='hacked' x='", b'" autofocus onfocus="document.title=1', b"<!--", b"]]>", b"-->",
           b"</title></bdi></table></section>", b"javascript:document.title='hacked'", b"&lt;b&gt;&#0;&amp;", b"\x1b[31mred\x07\x00",
           b"\xff\xfe not utf-8", b"\xc3", "\u202eesrever\u2028\u2066".encode(), b"x" * 1000000, "\u00e9".encode() * 500000,
           b"`${document.title=1}`", b"\\u003cscript\\u003e", b"%s%n%d", b""]


def hostile_snapshot(path):
    """A heap in which everything that can have a name has one of these: types, fields, roots, values, heaps, processes."""
    keep = lambda name: sr.Text(name[:60000], len(name))  # noqa: E731
    objects, values, roots = [], [], []
    for n, name in enumerate(HOSTILE):
        at, following = 0x1000 + 0x40 * n, 0x1000 + 0x40 * ((n + 1) % len(HOSTILE))
        edges = [sr.Edge(target=following, info=3 | 4 << 4, label=keep(name))]
        objects.append(sr.Object(heap=0, address=at, type=n, size=64, refcount=1, state=8, edges=edges))
        values.append(sr.Value(object=at, kind=6, length=len(name), kept=name[:60000]))
        holder = 0x100000 + 0x10000 * n
        objects.append(sr.Object(heap=0, address=holder, type=n, size=1 << 16, refcount=1 + n % 3, state=8,
                                 edges=[sr.Edge(target=holder + 64 * k, info=3 | 4 << 4, label=keep(name)) for k in (1, 2)]))
        roots.append(sr.Root(object=holder, kind=1, flags=3, name=keep(name)))
        for k in (1, 2):
            objects.append(sr.Object(heap=0, address=holder + 64 * k, type=n, size=4096, refcount=1, state=4, edges=[]))
            values.append(sr.Value(object=holder + 64 * k, kind=6, length=len(name), kept=name[:60000]))
    types = [sr.Type(name=keep(name), flags=1, basic_size=32, fields=[]) for name in HOSTILE]
    snapshot = sr.Snapshot(types=types, objects=objects, values=values, roots=roots)
    snapshot.heaps = [sr.Heap(runtime=HOSTILE[0], name=HOSTILE[2])]
    sr.write_snapshot(snapshot, path)


class Hostile(PageCase):
    def test_names_are_text_and_nothing_else(self):
        snapshot = self.path("hostile.refheap")
        hostile_snapshot(snapshot)
        harmless = self.report(self.snapshot("proxy"))
        for arguments in ([snapshot], [snapshot, snapshot], [snapshot, "--no-values"]):
            page = self.report(*arguments)
            self.check_page(page)
            self.assertTrue({e.name for e in page.all()} <= {e.name for e in harmless.all()} | {"ol", "i", "tspan", "polyline", "ellipse"},
                            sorted({e.name for e in page.all()} - {e.name for e in harmless.all()}))
            self.assertEqual(page.root.first("script").text, harmless.root.first("script").text)
            self.assertNotRegex(page.source, "[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")
            self.assertIn("<script>document.title", page.by_id["types"].text)

    def test_a_file_of_many_long_names_stays_small(self):
        """As many bytes of page for each byte of name as can be, in whatever is listed: types, cycles, keepers, changes."""
        types, objects, values, roots = [], [], [], []
        for n in range(3000):
            name = sr.Text(b"%04d" % n + b"&" * 1000, 1004)
            types.append(sr.Type(name=name, flags=1, basic_size=32, fields=[]))
            at = 0x10000 + 0x1000 * n
            # A cycle that only its own type has, and another that is held, with things below it.
            for k, held in ((0, 0), (1, 1)):
                ring = [at + 0x200 * k + 0x20 * i for i in range(8)]
                for i, o in enumerate(ring):
                    edges = [sr.Edge(target=ring[(i + 1) % 8], info=3 | 4 << 4, label=name),
                             sr.Edge(target=o + 0x800, info=3 | 4 << 4, label=name)]
                    objects.append(sr.Object(heap=0, address=o, type=n, size=64 + n, refcount=1 + (held and not i), state=8, edges=edges))
                    objects.append(sr.Object(heap=0, address=o + 0x800, type=(n * 7 + i) % 3000, size=4096, refcount=1, state=4))
                    values.append(sr.Value(object=o + 0x800, kind=6, length=200, kept=b"&" * 200))
                if held and n % 2:
                    roots.append(sr.Root(object=ring[0], kind=1, flags=3, name=name))
        snapshot = self.path("many.refheap")
        sr.write_snapshot(sr.Snapshot(heaps=[sr.Heap()], types=types, objects=objects, values=values, roots=roots), snapshot)
        sr.write_snapshot(sr.Snapshot(heaps=[sr.Heap()], types=types[:1], objects=[]), self.path("before.refheap"))
        page = self.report(snapshot, self.path("before.refheap"))  # which looks at the size
        self.check_page(page)
        shown = len(page.table("types-table"))
        self.assertTrue(100 < shown <= 1000, shown)
        self.assertIn("and {:,} more types".format(3000 - shown), page.by_id["types"].text)


if __name__ == "__main__":
    unittest.main()
