"""The report in headless Chromium: clicked, filtered and sorted by keys, printed, at a phone's width, in the dark, without scripts.

Wants Chromium, and the npm packages of package.json in the folder WEB: make test-web installs them.
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli"))

from page import Page
from support import REFHEAP, TOOLS, TestCase, sample
from test_report import hostile_snapshot

HERE = os.path.dirname(os.path.abspath(__file__))
WEB = os.environ["WEB"]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@unittest.skipUnless(CHROMIUM, "there is no Chromium")
class InBrowser(TestCase):
    def opened(self, *snapshots, **environment):
        page = self.path("page.html")
        subprocess.run([REFHEAP, "report", *snapshots, "-o", page], check=True, stdout=subprocess.PIPE)
        done = subprocess.run(["node", os.path.join(HERE, "report.js"), page, self.folder], cwd=WEB, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=600, env=dict(os.environ, CHROMIUM=CHROMIUM, **environment))
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        with open(page, encoding="utf-8") as f:
            self.page = Page(f.read())
        return json.loads(done.stdout)

    def check(self, found):
        """What holds for every page."""
        self.assertEqual(found["messages"], [])
        self.assertEqual(found["requests"], [])
        self.assertTrue(found["title"].endswith("– refheap report"), found["title"])
        for width, overflow in found["overflow"].items():
            self.assertLessEqual(overflow, 0, width)
        self.assertGreaterEqual(found["smallest"], 12)
        self.assertGreater(found["light"]["paper"], 0.8)
        self.assertLess(found["dark"]["paper"], 0.05)
        for scheme in ("light", "dark"):
            self.assertGreaterEqual(found[scheme]["worst"], 4.5, scheme)
        self.assertEqual(found["skip"], "To the findings")
        self.check_table(found)
        self.check_icicle(found["boxes"], found)
        self.assertEqual(found["print"]["nav"], "none")
        self.assertLessEqual(found["print"]["overflow"], 0)
        self.assertEqual(found["print"]["folded"], 0)  # everything is on the paper
        self.assertGreater(found["print"]["folded_after"], 0)
        self.assertGreater(found["print"]["pages"], 1)
        self.assertEqual(found["plain"]["boxes"], len(found["boxes"]["start"]))
        self.assertTrue(found["plain"]["unfolded"])
        self.assertEqual(found["tampered"]["title"], found["title"])
        self.assertEqual(found["tampered"]["display"], "block")
        self.assertEqual(found["tampered"]["loaded"], [])
        self.assertGreaterEqual(found["tampered"]["refused"], 5)

    def check_table(self, found):
        rows = self.page.table("types-table")
        (first, down), (second, up) = found["sorted"]["count"]
        self.assertEqual((first, second), ("descending", "ascending"))
        counts = sorted(row["count"] for row in rows)
        self.assertEqual([int(c) for c in up], counts)
        self.assertEqual([int(c) for c in down], counts[::-1])
        (first, up), (second, down) = found["sorted"]["type"]
        self.assertEqual((first, second), ("ascending", "descending"))
        self.assertEqual(sorted(up), sorted(row["type"] for row in rows))
        self.assertEqual(up[::-1], down)
        said, names = found["filtered"]
        self.assertEqual(said, "%d of %d" % (len(names), len(rows)))
        self.assertGreater(len(names), 0)
        self.assertTrue(found["unfiltered"])

    def check_icicle(self, boxes, found):
        if "clicked" not in boxes:
            return
        start = boxes["start"]

        def opened(state, number):
            """The box fills the width, those above it do too, those below are stretched alike, all others are away."""
            above = set()
            at = number
            while at:
                at = start[at]["up"]
                above.add(at)
            for box in state:
                within, at = box["n"] == number, box["n"]
                while at and not within:
                    at = start[at]["up"]
                    within = at == number
                self.assertEqual(box["away"], not within and box["n"] not in above)
                if box["n"] in above:
                    self.assertEqual((box["x"], box["width"]), (0, 100))
                elif within:
                    self.assertAlmostEqual(box["width"], 100 * start[box["n"]]["width"] / start[number]["width"], places=2)

        opened(boxes["clicked"], 2)
        self.assertIn("%", found["said"])
        opened(boxes["back"], 0)
        first = next(box["n"] for box in start[1:] if box["up"] == 0)
        self.assertEqual([box["n"] for box in boxes["down"] if box["focused"]], [first])
        opened(boxes["entered"], first)
        opened(boxes["escaped"], 0)

    def snapshot(self, name):
        sample(name, self.path(name + ".refheap"))
        return self.path(name + ".refheap")

    def test_garbage_cycles(self):
        found = self.opened(self.snapshot("proxy"), FILTER="CONN")
        self.check(found)
        self.assertEqual(found["filtered"], ["1 of 3", ["connection"]])

    def test_two_snapshots(self):
        paths = [self.path("%d.refheap" % i) for i in range(2)]
        subprocess.run([os.path.join(TOOLS, "several_dumps"), "s", *paths], check=True)
        self.check(self.opened(paths[1], paths[0]))

    def test_a_large_heap(self):
        snapshot = self.path("big.refheap")
        subprocess.run([os.path.join(TOOLS, "make_big"), "300000", snapshot], check=True)
        self.check(self.opened(snapshot))

    def test_hostile_names(self):
        snapshot = self.path("hostile.refheap")
        hostile_snapshot(snapshot)
        found = self.opened(snapshot, FILTER="<script>")
        self.check(found)
        self.assertIn("<script>document.title='hacked'</script>", found["filtered"][1])


if __name__ == "__main__":
    unittest.main()
