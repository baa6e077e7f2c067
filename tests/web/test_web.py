"""What other tools find in exports: memlab opens them, and retains what refheap says, object for object.

Wants the npm packages of package.json in the folder WEB: make test-web installs them.
"""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli"))

from support import REFHEAP, SAMPLES, TOOLS, TestCase, ask, sample

HERE = os.path.dirname(os.path.abspath(__file__))
WEB = os.environ["WEB"]


class Memlab(TestCase):
    def opened(self, snapshot):
        """Retained sizes by node, as memlab has them."""
        exported, sizes = self.path("s.heapsnapshot"), self.path("sizes")
        subprocess.run([REFHEAP, "export", snapshot, "-o", exported], check=True, stdout=subprocess.PIPE)
        done = subprocess.run(["node", "--max-old-space-size=8000", os.path.join(HERE, "memlab.js"), exported, sizes],
                              cwd=WEB, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])
        with open(sizes) as f:
            return [int(line) for line in f]

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
        for name in sorted(os.listdir(SAMPLES)):
            if "." in name:
                continue
            with self.subTest(name):
                snapshot = self.path(name + ".refheap")
                sample(name, snapshot)
                self.compare(snapshot)

    def test_a_million_objects(self):
        snapshot = self.path("big.refheap")
        subprocess.run([os.path.join(TOOLS, "make_big"), "1000000", snapshot], check=True)
        self.compare(snapshot)


if __name__ == "__main__":
    unittest.main()
