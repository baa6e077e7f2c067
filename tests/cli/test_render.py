"""Pictures by structure: which nodes, which edges, what is folded, what is marked. Images are made and are what they claim to be."""

import html
import json
import os
import re
import subprocess
import unittest
import xml.dom.minidom

from test_attributes import service
from support import REFHEAP, SAMPLES, TOOLS, TestCase, ask, run, sample, tool


def shown(label):
    """The text of an HTML-like label, as a reader sees it."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>|&#160;", " ", label))).strip()


class Picture:
    """A DOT file, as Graphviz's own reader reads it back."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.text = f.read()
        graph = json.loads(subprocess.run([os.path.join(TOOLS, "read_dot"), path], stdout=subprocess.PIPE, check=True).stdout)
        edges = sorted((e for e in graph["edges"] if e["attributes"]["class"] != "order"),
                       key=lambda e: int(e["attributes"]["id"][1:]))
        self.head = shown(graph["attributes"].get("label", ""))
        self.nodes = {n["name"]: shown(n["attributes"]["label"]) for n in graph["nodes"]}
        self.attributes = {n["name"]: n["attributes"] for n in graph["nodes"]}
        # A backslash is \\\\ there, as Graphviz's escapes want it.
        self.tooltips = {n["name"]: html.unescape(n["attributes"]["tooltip"]).replace("\\\\", "\\") for n in graph["nodes"]}
        self.classes = {n["name"]: n["attributes"]["class"] for n in graph["nodes"]}
        self.edges = [(e["from"], e["to"], shown(e["attributes"].get("label", ""))) for e in edges]
        self.cut = [(e["from"], e["to"]) for e in edges if "cut" in e["attributes"]["class"].split()]
        self.clusters = [shown(c["attributes"]["label"]) for c in sorted(graph["clusters"], key=lambda c: int(c["name"][8:]))
                         if c["name"].startswith("cluster_")]

    def named(self, word):
        return [n for n, label in self.nodes.items() if word in label]


class Render(TestCase):
    def draw(self, snapshot, *arguments):
        out = self.path("picture.dot")
        said, _ = run("render", snapshot, *arguments, "-o", out)
        picture = Picture(out)
        m = re.match(r"^%s: (\d+) nodes?, (\d+) edges?(: there is nothing to draw)?(?:; not drawn: (.*))?\n$" % re.escape(out), said)
        self.assertTrue(m, said)
        self.assertEqual((int(m.group(1)), int(m.group(2))), (len(picture.nodes), len(picture.edges)))
        self.assertEqual(m.group(3) is not None, not picture.nodes)
        # What is not drawn is said in the picture and here.
        self.assertEqual("not drawn: " in picture.head, m.group(4) is not None)
        self.assertIn(m.group(4) or "", picture.head)
        picture.left_out = m.group(4)
        return picture

    def snapshot(self, name):
        path = self.path(name + ".refheap")
        sample(name, path)
        return path

    def test_proxy(self):
        picture = self.draw(self.snapshot("proxy"))
        self.assertEqual(picture.clusters, ["cycle 1: 2 objects, retains 20.2 KiB; 36 more cycles like it "
                                            "to break it: make connection.peer weak"])
        self.assertEqual(sorted(picture.classes.values()), ["dependent"] * 2 + ["garbage"] * 2)
        self.assertEqual(len(picture.cut), 2)  # peer, in both directions: the field to make weak
        self.assertEqual(sorted(label for _, _, label in picture.edges),
                         [".buffer", ".buffer", ".peer cut here", ".peer cut here"])
        self.assertTrue(all("2 " in picture.nodes[n] for n in picture.named("connection")))  # the badge

    def test_a_hierarchy_stands_on_its_feet(self):
        """Children below parents, as without the pointers back: only those have no say in it."""
        picture = self.draw(self.snapshot("parent_child"))
        aside = re.findall(r"^  n(\d+) -> n(\d+) \[.*constraint=false", picture.text, re.M)
        self.assertEqual(sorted("n%s n%s" % e for e in aside), sorted("%s %s" % e for e in picture.cut))
        self.assertEqual({label for a, b, label in picture.edges if (a, b) in picture.cut}, {".parent cut here"})
        self.assertNotIn("rank=same", picture.text)

    def test_unfolded_shows_every_cycle(self):
        picture = self.draw(self.snapshot("proxy"), "--no-fold", "--limit", "100")
        self.assertEqual(len(picture.clusters), 37)
        self.assertEqual(len(picture.nodes), 148)

    def test_one_cycle(self):
        picture = self.draw(self.snapshot("proxy"), "cycle:5")
        self.assertEqual(len(picture.clusters), 1)
        self.assertEqual(len(picture.nodes), 4)

    def test_large_neighbourhoods_are_folded(self):
        picture = self.draw(self.snapshot("forgotten_list"), "referents", "root:audit_log")
        self.assertEqual(len(picture.named("997 more dict")), 1)
        self.assertIn("folded", picture.classes[picture.named("997 more dict")[0]])
        self.assertEqual(len(picture.named("root audit_log")), 1)
        self.assertIn("[...], 997 references", [label for _, _, label in picture.edges])
        self.assertLess(len(picture.nodes), 30)

    def test_referrers_lead_to_the_object_in_question(self):
        snapshot = self.snapshot("forgotten_list")
        string = next(e["to"] for e in ask("referents", snapshot, "root:audit_log", "--depth", "2")["edges"]
                      if e["label"] == "['path']")
        picture = self.draw(snapshot, "referrers", string, "--depth", "3")
        self.assertEqual([label for _, _, label in picture.edges], ["[0]", "['path']", ""])
        self.assertEqual(len(picture.named("root audit_log")), 1)

    def test_what_is_not_opened_says_what_is_behind_it(self):
        picture = self.draw(self.snapshot("forgotten_list"), "referents", "root:audit_log", "--depth", "1")
        self.assertEqual([label.split(" B ")[1] for label in picture.nodes.values() if label.startswith("- dict ")], ["2 more referents"] * 3)

    def test_why_is_a_path(self):
        snapshot = self.snapshot("forgotten_list")
        picture = self.draw(snapshot, "why", ask("referents", snapshot, "root:audit_log")["edges"][7]["to"])
        self.assertEqual(len(picture.nodes), 3)
        self.assertEqual(sorted(label for _, _, label in picture.edges), ["", "[7]"])
        self.assertTrue(picture.head.startswith("what keeps dict alive"), picture.head)

    def test_why_of_garbage_is_its_cycle(self):
        snapshot = self.snapshot("proxy")
        picture = self.draw(snapshot, "why", ask("cycles", snapshot)["cycles"][0]["members"][0]["address"])
        self.assertEqual(sorted(label for _, _, label in picture.edges), [".peer", ".peer"])
        self.assertIn("which is not alive", picture.head)
        self.assertEqual(sorted(picture.classes.values()), ["garbage", "garbage focus"])

    def test_what_no_root_holds_says_so(self):
        snapshot = self.snapshot("missing_release")
        picture = self.draw(snapshot, "why", ask("audit", snapshot)["over"][0]["address"])
        self.assertEqual(len(picture.named("something outside the heap references that nothing explains")), 1)

    def test_why_a_set_is_a_tree_of_merged_paths(self):
        snapshot = self.snapshot("proxy")
        picture = self.draw(snapshot, "why", "type:buffer")
        label = lambda n: picture.nodes[n]  # noqa: E731
        edges = {(label(a), name, label(b)) for a, b, name in picture.edges}
        self.assertIn(("74 connection lead to 74, 743 KiB", ".buffer", "74 buffer 743 KiB together"), edges)
        self.assertIn(("root active leads to 10, 100 KiB", "", "2 list leads to 10, 100 KiB"), edges)
        self.assertIn(("2 list leads to 10, 100 KiB", "[...]", "5 connection lead to 10, 100 KiB"), edges)
        self.assertEqual(picture.classes[picture.named("root active")[0]], "root")
        self.assertEqual(picture.classes[picture.named("74 buffer")[0]], "dependent folded focus")
        # The same as `why` says, node for node.
        count = lambda nodes: sum(1 + count(n["children"]) for n in nodes)  # noqa: E731
        self.assertEqual(len(picture.nodes), count(ask("why", snapshot, "type:buffer")["merged"]))

    def test_dominators(self):
        snapshot = self.snapshot("proxy")
        picture = self.draw(snapshot, "dominators")
        self.assertIn("all objects retains 849 KiB, 100 %", picture.nodes.values())
        self.assertIn("34 more cycles retain 687 KiB, 81 %", picture.nodes.values())
        self.assertEqual(len(picture.edges), len(picture.nodes) - 1)  # a tree
        self.assertEqual({b for _, b, _ in picture.edges} | {"n0"}, set(picture.nodes))
        below = self.draw(snapshot, "dominators", "cycle:2")
        self.assertEqual(sorted(below.nodes.values())[-1], "cycle 2: 2 connection retains 20.2 KiB, 2.3 %")
        self.assertEqual(len(below.nodes), 5)

    def test_dominators_that_find_no_room(self):
        picture = self.draw(self.snapshot("proxy"), "dominators", "--nodes", "20")
        self.assertLessEqual(len(picture.nodes), 20)
        self.assertRegex(picture.left_out, r"^what stands below \d+ of these$")
        self.assertEqual(len(picture.named("more below")), int(picture.left_out.split()[3]))

    def test_generations(self):
        snapshot = self.snapshot("proxy")
        picture = self.draw(snapshot, "generations")
        self.assertEqual(len(picture.nodes), 5)
        two = picture.nodes[picture.named("generation 2")[0]]
        self.assertIn("81 objects, 4.79 KiB", two)
        self.assertIn("would find 74 objects of garbage, 4.05 KiB and free 74 more", two)
        badge = {n: label.split()[0] for n, label in picture.nodes.items()}
        sql = run("sql", snapshot, "select a.generation || ' ' || b.generation || ' ' || count(*) from edges e "
                  "join objects a on a.ordinal = e.source join objects b on b.ordinal = e.target where e.kind in ('strong', 'owned') "
                  "and a.generation <> b.generation group by a.generation, b.generation", "--csv")[0].split("\n")[1:-1]
        drawn = sorted("%s %s %s" % (badge[a].replace("-", "-1"), badge[b].replace("-", "-1"), label.split()[0])
                       for a, b, label in picture.edges if label.endswith("references"))
        self.assertEqual(drawn, sorted(line.strip('"') for line in sql))

    def test_difference_of_two(self):
        paths = [self.path(n) for n in ("9.refheap", "10.refheap", "11.refheap")]
        subprocess.run([os.path.join(SAMPLES, "lapsed_listener"), *paths], stdout=subprocess.DEVNULL, check=True)
        picture = self.draw(paths[1], "diff", paths[0])
        said = ask("diff", paths[0], paths[1])
        self.assertIn("since 9.refheap: %d objects new, %d gone" % (said["new"]["objects"], said["gone"]["objects"]), picture.head)
        new = {t["type"]: t["new"] for t in said["types"]}
        drawn = {}
        for n, label in picture.nodes.items():
            m = re.match(r"(\d+) new (\w+)", label)
            if m:
                drawn[m.group(2)] = drawn.get(m.group(2), 0) + int(m.group(1))
                self.assertEqual(picture.classes[n], "new folded focus")
        self.assertEqual(drawn, {t: n for t, n in new.items() if n})
        gone = {label for n, label in picture.nodes.items() if picture.classes[n].startswith("gone")}
        self.assertEqual(gone, {"35 str 1.91 KiB", "35 session 1.37 KiB"})
        self.assertEqual(picture.clusters, ["gone since the earlier snapshot"])
        self.assertIn("there is nothing to draw", run("render", paths[0], "diff", paths[0], "-o", self.path("same.dot"))[0])

    def test_a_heap_without_garbage_says_so(self):
        picture = self.draw(self.snapshot("cache_weak"))
        self.assertEqual(picture.nodes, {})
        self.assertIn("would find no cycle", picture.text)

    def test_every_format_is_what_it_claims(self):
        snapshot = self.snapshot("parent_child")
        for extension, magic in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
            out = self.path("picture." + extension)
            run("render", snapshot, "-o", out)
            with open(out, "rb") as f:
                self.assertTrue(f.read(8).startswith(magic), extension)
            self.assertTrue(os.path.exists(self.path("picture.dot")))  # kept beside it
        run("render", snapshot, "-o", self.path("no-extension"), "--format", "svg")
        xml.dom.minidom.parse(self.path("no-extension"))

    def test_svg_is_well_formed_and_has_tooltips(self):
        out = self.path("picture.svg")
        run("render", self.snapshot("two_dicts"), "-o", out)
        svg = xml.dom.minidom.parse(out)
        titles = [t.firstChild.data for t in svg.getElementsByTagName("title") if t.firstChild]
        self.assertTrue(any(re.search(r"^dict\nat 0x[0-9a-f]+, generation 0\nrefcount 1, ", t) for t in titles), titles)
        self.assertTrue(any(re.search(r"^dict\n \['\w+'\] -> dict$", t) for t in titles), titles)
        ids = {e.getAttribute("id") for e in svg.getElementsByTagName("g")}
        links = {a.getAttribute("xlink:href") for a in svg.getElementsByTagName("a") if a.getAttribute("xlink:href")}
        self.assertEqual(len(links), 3)
        self.assertTrue(all(link[1:] in ids for link in links), (links, ids))

    def refuse(self, command, **more):
        """A picture that cannot be made: one line, exit 2, the earlier picture untouched."""
        out = self.path("picture.svg")
        with open(out, "w") as f:
            f.write("an earlier picture")
        done = subprocess.run(command + [REFHEAP, "render", self.snapshot("two_lists"), "-o", out],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.assertEqual(done.returncode, 2)
        self.assertOneLine(done.stderr.decode())
        with open(out) as f:
            self.assertEqual(f.read(), "an earlier picture")
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith("picture.svg.")], [])
        return done.stderr.decode()

    def test_layout_that_fails_leaves_the_dot(self):
        said = self.refuse([], env=dict(os.environ, GVBINDIR=self.folder))  # no layout engines there
        self.assertIn("dot could not draw it; the .dot file is there", said)
        self.assertEqual(len(Picture(self.path("picture.dot")).nodes), 2)

    def test_disk_that_is_full(self):
        self.assertIn("File too large", self.refuse(["sh", "-c", "ulimit -f 0; exec \"$@\"", "sh"]))


class Python(TestCase):
    """A __dict__ is one with its owner, unless it is another's too or nothing is folded."""

    def draw(self, heap, *arguments):
        snapshot, out = self.path("h.refheap"), self.path("picture.dot")
        heap.write(snapshot)
        run("render", snapshot, *arguments, "-o", out)
        return Picture(out)

    def edges(self, picture):
        name = {n: picture.tooltips[n].split("\n")[0] for n in picture.nodes}
        return sorted((name[a], label, name[b]) for a, b, label in picture.edges)

    def test_attributes_are_their_owners(self):
        h = service()
        picture = self.draw(h, "referents", h.address("list"), "--depth", "3")
        self.assertEqual(len(picture.named("Session")), 2 + 1)  # and the dict of the one that shares it
        self.assertEqual(self.edges(picture), sorted([
            ("list", "[3]", "Session"), ("list", "[4]", "Session"), ("list", "[5]", "dict of Session"),
            ("Session", ".data", "list"), ("Session", ".other", "Session"),
            ("Session", ".__dict__", "dict of Session"), ("dict of Session", "['data']", "list"),
            ("dict of Session", "['other']", "Session")]))
        whole = [n for n in picture.named("Session") if "152 B" in picture.nodes[n]]  # with its dict
        self.assertEqual(len(whole), 1)
        self.assertIn("with its __dict__", picture.tooltips[whole[0]])

    def test_apart_when_asked(self):
        h = service()
        picture = self.draw(h, "referents", h.address("list"), "--depth", "3", "--no-fold")
        self.assertEqual(len([e for e in self.edges(picture) if e[1] == ".__dict__"]), 2)

    def test_a_path_goes_through_the_owner(self):
        h = service()
        picture = self.draw(h, "why", h.address("one data"))
        self.assertEqual([e[1] for e in self.edges(picture) if e[0] == "Session"], [".data"])


class Embedded(TestCase):
    """Cycles as parts of a page."""

    def test_fragments_have_nothing_in_common(self):
        snapshot = self.path("proxy.refheap")
        sample("proxy", snapshot)
        page = xml.dom.minidom.parseString(tool("embed", snapshot).stdout)
        figures = page.getElementsByTagName("figure")
        self.assertEqual(len(figures), 3)
        ids = [e.getAttribute("id") for e in page.getElementsByTagName("*") if e.getAttribute("id")]
        self.assertEqual(len(ids), len(set(ids)))
        for n, figure in enumerate(figures, 1):
            svg = figure.getElementsByTagName("svg")[0]
            self.assertEqual(svg.getAttribute("class"), "refheap")
            self.assertEqual([t.firstChild.data for t in svg.childNodes if t.nodeName == "title"], ["garbage cycle %d" % n])
            self.assertEqual(svg.getElementsByTagName("style"), [])
            self.assertTrue(all(i.startswith("c%d-" % n) for i in ids if i in svg.toxml()))
            links = [a.getAttribute("xlink:href") for a in svg.getElementsByTagName("a") if a.getAttribute("xlink:href")]
            self.assertEqual(len(links), 4)
            self.assertTrue(all(re.match("#row-object-0x[0-9a-f]+$", link) for link in links), links)
            self.assertNotIn("badge", svg.toxml())  # the page has the legend


XML_FORBIDS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
ELEMENTS = {"svg", "g", "title", "desc", "style", "a", "path", "polygon", "polyline", "ellipse", "text"}


class HostileNames(TestCase):
    """Names from a heap are shown, escaped, and do no harm."""

    NAMES = [b"<script>alert(1)</script>", b'"quoted" \\back\\slash\\N\\G', b"\x1b[31mred\x07\x00nul", b"\xff\xfe not utf-8",
             "\u202e\u2028 &amp; <b>".encode(), b"x" * 1000000, b"]]>", b"\\l\\r\\n", b"--></a>", "\ufffe\uffff\ufeff".encode(),
             b"&#1;&lt;", b"</style><style>*{}", b"%n%s", b"\xed\xa0\x80\xf4\x90\x80\x80", b"x onload=alert(1) y='", b" \t\n "]

    def write(self, path, names):
        r = second_reader
        objects, values = [], []
        for n, name in enumerate(names):
            address = 0x1000 + 0x20 * n
            following = 0x1000 + 0x20 * ((n + 1) % len(names))
            edges = [r.Edge(target=following, info=3 | 4 << 4, label=r.Text(name[:4000], len(name)))]
            objects.append(r.Object(heap=0, address=address, type=n, size=32, refcount=1, state=8, edges=edges))
            values.append(r.Value(object=address, kind=6, length=len(name), kept=name[:4000]))
        types = [r.Type(name=r.Text(name[:4000], len(name)), flags=1, basic_size=32, fields=[]) for name in names]
        roots = [r.Root(object=0x1000, name=r.Text(name[:4000], len(name)), kind=1, flags=0) for name in names[:3]]
        snapshot = r.Snapshot(types=types, objects=objects, values=values, roots=roots)
        snapshot.heaps = [r.Heap(runtime=names[0], name=names[2])]
        r.write_snapshot(snapshot, path)
        return path

    def setUp(self):
        super().setUp()
        global second_reader
        try:
            import second_reader
        except ImportError:
            self.skipTest("the second reader is not there")
        self.snapshot = self.write(self.path("hostile.refheap"), self.NAMES)

    def test_in_every_command(self):
        for command in ("info", "summary", "generations", "cycles", "verify"):
            out, _ = run(command, self.snapshot, "--color", "always" if command == "info" else "never")
            self.assertNotIn("\x1b[31mred", out)
            self.assertNotIn("\x07", out)
            self.assertNotIn("\x00", out)
            self.assertNotIn("\u202e", out)
            out.encode("utf-8")
            ask(command, self.snapshot)

    def shown_in(self, svg):
        return [t.firstChild.data if t.firstChild else "" for t in svg.getElementsByTagName("text") + svg.getElementsByTagName("title")]

    def test_in_every_picture(self):
        earlier = self.write(self.path("<b>earlier & gone.refheap"), [b"gone <i>" + n[:100] for n in self.NAMES[:12]])
        pictures = (["cycles"], ["cycles", "--no-fold"], ["cycle:1"], ["referrers", "@0"], ["referents", "@0", "--depth", "0"],
                    ["why", "@3"], ["why", "garbage"], ["dominators"], ["dominators", "@2"], ["generations"], ["diff", earlier])
        for what in pictures:
            out, dot = self.path("picture.svg"), self.path("picture.dot")
            run("render", self.snapshot, *what, "-o", out)
            with open(out, "rb") as f:
                raw = f.read()
            self.assertIsNone(XML_FORBIDS.search(raw.decode("utf-8")), what)
            self.assertNotRegex(raw.decode("utf-8"), "[\u202a-\u202e\u2066-\u2069]")
            self.assertLess(len(raw), 300000)
            svg = xml.dom.minidom.parseString(raw)
            elements = svg.getElementsByTagName("*")
            self.assertEqual({e.tagName for e in elements} - ELEMENTS, set())
            self.assertEqual([a for e in elements for a in e.attributes.keys() if a.startswith("on") or a == "style"], [])
            self.assertTrue(all(a.getAttribute("xlink:href").startswith("#object-0x") for a in svg.getElementsByTagName("a")
                                if a.getAttribute("xlink:href")))
            self.assertEqual(len(svg.getElementsByTagName("style")), 1)
            # The .dot, read back by Graphviz, has the same nodes and the whole of each name that is not cut.
            picture = Picture(dot)
            groups = [g for g in svg.getElementsByTagName("g") if "node" in g.getAttribute("class").split()]
            self.assertEqual(len(groups), len(picture.nodes))
            titles = {t for g in groups for t in [g.getElementsByTagName("title")[0].firstChild.data]}
            self.assertEqual(titles, set(picture.tooltips.values()), what)
            if what[0].startswith("cycle"):
                everything = "\n".join(titles)
                for shown_as in ("<script>alert(1)</script>", '"quoted" \\back\\slash\\N\\G', "\\x1b[31mred\\x07\\x00nul", "\\xff\\xfe not utf-8",
                                 "\\u202e\\u2028 &amp; <b>", "]]>", "\\l\\r\\n", "--></a>", "\\ufffe\\uffff\\ufeff", "&#1;&lt;",
                                 "</style><style>*{}", "%n%s", "x onload=alert(1) y='"):
                    self.assertIn(shown_as, everything)
                    self.assertIn(shown_as[:12], "".join(self.shown_in(svg)))

    def test_in_other_formats(self):
        for extension in ("png", "pdf"):
            run("render", self.snapshot, "-o", self.path("picture." + extension))


if __name__ == "__main__":
    unittest.main()
