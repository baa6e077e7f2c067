"""Pictures by structure: which nodes, which edges, what is folded, what is marked. Images are made and are what they claim to be."""

import html
import json
import os
import re
import subprocess
import unittest
import xml.dom.minidom

from support import REFHEAP, TOOLS, TestCase, ask, run, sample


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
        self.tooltips = {n["name"]: html.unescape(n["attributes"]["tooltip"]) for n in graph["nodes"]}
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
        self.assertRegex(said, r"^%s: %d nodes?, %d edges?(: there is no garbage to draw)?\n$" % (
            re.escape(out), len(picture.nodes), len(picture.edges)))
        self.assertEqual("no garbage" in said, not picture.nodes)
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

    def test_why_is_a_path(self):
        snapshot = self.snapshot("forgotten_list")
        picture = self.draw(snapshot, "why", ask("referents", snapshot, "root:audit_log")["edges"][7]["to"])
        self.assertEqual(len(picture.nodes), 3)
        self.assertEqual(sorted(label for _, _, label in picture.edges), ["", "[7]"])

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


class HostileNames(TestCase):
    """Names from a heap are shown, escaped, and do no harm."""

    NAMES = [b"<script>alert(1)</script>", b'"quoted" \\back\\slash\\N\\G', b"\x1b[31mred\x07\x00nul", b"\xff\xfe not utf-8",
             "\u202e\u2028 &amp; <b>".encode(), b"x" * 200000, b"]]>", b"\\l\\r\\n", b"--></a>"]

    def test_in_every_command_and_picture(self):
        try:
            import second_reader
        except ImportError:
            self.skipTest("the second reader is not there")
        r = second_reader
        objects, values = [], []
        for n, name in enumerate(self.NAMES):
            address = 0x1000 + 0x20 * n
            following = 0x1000 + 0x20 * ((n + 1) % len(self.NAMES))
            edges = [r.Edge(target=following, info=3 | 4 << 4, label=r.Text(name[:4000], len(name)))]
            objects.append(r.Object(heap=0, address=address, type=n, size=32, refcount=1, state=8, edges=edges))
            values.append(r.Value(object=address, kind=6, length=len(name), kept=name[:4000]))
        types = [r.Type(name=r.Text(name[:4000], len(name)), flags=1, basic_size=32, fields=[]) for name in self.NAMES]
        snapshot = r.Snapshot(types=types, objects=objects, values=values)
        snapshot.heaps = [r.Heap(runtime=self.NAMES[0], name=self.NAMES[2])]
        path = self.path("hostile.refheap")
        r.write_snapshot(snapshot, path)
        for command in ("info", "summary", "generations", "cycles", "verify"):
            out, _ = run(command, path, "--color", "always" if command == "info" else "never")
            self.assertNotIn("\x1b[31mred", out)
            self.assertNotIn("\x07", out)
            self.assertNotIn("\x00", out)
            out.encode("utf-8")
            ask(command, path)
        for arguments in (["cycles"], ["referrers", "@0"], ["why", "@3"]):
            out = self.path("picture.svg")
            run("render", path, *arguments, "-o", out)
            svg = xml.dom.minidom.parse(out)
            self.assertEqual(svg.getElementsByTagName("script").length, 0)
            self.assertLess(os.path.getsize(out), 200000)


if __name__ == "__main__":
    unittest.main()
