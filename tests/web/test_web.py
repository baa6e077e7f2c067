"""What other tools find in exports: Chrome's DevTools, by their own loader, and memlab open them, and retain what refheap says, object
for object; DevTools' Comparison of two is diff's.

Wants the npm packages of package.json in the folder WEB: make test-web installs them.
"""

import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli"))

from support import BUILD, REFHEAP, SAMPLES, TOOLS, TestCase, ask, sample, sample_names

import second_reader

HERE = os.path.dirname(os.path.abspath(__file__))
WEB = os.environ["WEB"]


class Loader:
    """A program that opens .heapsnapshots; subclasses say how it is called."""

    def node(self, script, *arguments):
        done = subprocess.run(["node", "--max-old-space-size=8000", os.path.join(HERE, script), *arguments],
                              cwd=WEB, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])
        return [int(n) for n in done.stdout.decode().split("\nread ")[1].split()]

    def export(self, snapshot):
        exported = snapshot + ".heapsnapshot"
        subprocess.run([REFHEAP, "export", snapshot, "-o", exported], check=True, stdout=subprocess.PIPE)
        return exported

    def opened(self, snapshot):
        """Retained sizes by node, as the loader has them."""
        self.said = self.node(self.script, self.export(snapshot), self.path("sizes"))
        with open(self.path("sizes")) as f:
            sizes = [int(line) for line in f]
        self.assertEqual(len(sizes), self.said[0])
        return sizes

    def compare(self, snapshot):
        theirs = self.opened(snapshot)
        out = subprocess.run([REFHEAP, "sql", snapshot, "select retained from objects order by ordinal", "--csv", "--limit", "0"],
                             check=True, stdout=subprocess.PIPE).stdout.decode()
        ours = [int(line) for line in out.splitlines()[1:]]
        self.assertEqual(theirs[len(theirs) - len(ours):], ours)
        self.assertEqual(theirs[0], ask("info", snapshot)["snapshot"]["bytes"])
        cycles = [c["retained"] for c in ask("cycles", snapshot, "--limit", "0")["cycles"] if c["source"]]
        self.assertEqual(sorted(theirs[3:len(theirs) - len(ours)]), sorted(cycles))

    def test_samples(self):
        for name in sample_names():
            if "." in name:
                continue
            with self.subTest(name):
                snapshot = self.path(name + ".refheap")
                sample(name, snapshot)
                self.compare(snapshot)

    def test_a_python_interpreter(self):
        if not os.path.exists(os.path.join(BUILD, "refheap.abi3.so")):
            self.skipTest("the module for Python was not built (python3-dev)")
        snapshot = self.path("python.refheap")
        subprocess.run(["/usr/bin/python3", "-c", "import json, refheap; a = []; a.append(a); del a; refheap.dump(%r)" % snapshot],
                       check=True, env=dict(os.environ, PYTHONPATH=BUILD))
        self.compare(snapshot)

    def test_hostile_names(self):
        names = [b"<script>alert(1)</script>", b'"quoted" \\back\\slash', b"\x1b[31mred\x07\x00nul", b"\xff\xfe not utf-8",
                 "\u202e\u2028 \U0001f40d".encode(), b"x" * 4000, b'],"strings":["', b"__proto__", b"constructor"]
        second_reader.write_snapshot(second_reader.Snapshot(
            types=[second_reader.Type(name=name, flags=1, basic_size=32, fields=[]) for name in names],
            objects=[second_reader.Object(heap=0, address=0x1000 + 32 * n, type=n, size=32, refcount=1, state=8, edges=[
                second_reader.Edge(target=0x1000 + 32 * ((n + 1) % len(names)), info=3 | 4 << 4, label=name)])
                for n, name in enumerate(names)], heaps=[second_reader.Heap(runtime=b"x", name=b"y")]), self.path("names.refheap"))
        self.compare(self.path("names.refheap"))

    def test_a_million_objects(self):
        snapshot = self.path("big.refheap")
        subprocess.run([os.path.join(TOOLS, "make_big"), "1000000", snapshot], check=True)
        self.compare(snapshot)


class Memlab(Loader, TestCase):
    script = "memlab.js"


class DevTools(Loader, TestCase):
    """The loader of Chrome's DevTools itself."""

    script = "devtools.mjs"

    def compare(self, snapshot):
        super().compare(snapshot)
        with open(snapshot + ".heapsnapshot") as f:
            head = f.read(4000)
        counts = [int(re.search(r'"%s":\s*(\d+)' % what, head).group(1)) for what in ("node_count", "edge_count")]
        self.assertEqual(self.said[:2], counts)
        self.assertEqual(self.said[2], ask("info", snapshot)["snapshot"]["bytes"])

    def check_comparison(self, before, after):
        """What Comparison shows between two is what diff says: by type, new and gone, objects and bytes."""
        self.node(self.script, self.export(after), self.path("sizes"), self.export(before), self.path("diff"))
        with open(self.path("diff")) as f:
            theirs = {row[0]: row[1:] for row in json.load(f)}
        rows = json.loads(subprocess.run([REFHEAP, "diff", before, after, "--json"], check=True, stdout=subprocess.PIPE).stdout)
        self.assertEqual(rows["identity"], "serial")
        ours = {row["type"]: [row["new"], row["gone"], row["new_bytes"], row["gone_bytes"]] for row in rows["types"]
                if row["new"] or row["gone"]}
        self.assertEqual(theirs, ours)
        return ours

    def test_comparison(self):
        hours = [self.path("%d.refheap" % hour) for hour in (9, 10, 11)]
        subprocess.run([os.path.join(SAMPLES, "lapsed_listener"), *hours], check=True, stdout=subprocess.DEVNULL)
        for before, after in ((0, 1), (1, 2), (0, 2), (2, 0)):
            self.assertIn("session", self.check_comparison(hours[before], hours[after]))


if __name__ == "__main__":
    unittest.main()
