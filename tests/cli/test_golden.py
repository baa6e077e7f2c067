"""Golden files of version 1.0 of the format read for ever, by both readers, and say what they said when they were made.

tests/golden/NAME.refheap is a snapshot, made once; NAME.txt is what is to be read of it: the SHA-256 of its canonical text
and answers of the program. `make_answers()` writes NAME.txt for a new one.
"""

import glob
import hashlib
import json
import os
import sys
import unittest

from support import TESTS, TestCase, ask, run, tool
import second_reader

GOLDEN = os.path.join(TESTS, "golden")
FILES = sorted(glob.glob(os.path.join(GOLDEN, "*.refheap")))


def answers(path):
    """What a golden file says: facts that no later version may read differently."""
    canonical = "\n".join(second_reader.canonical(second_reader.read_snapshot(path)))
    cycles = ask("cycles", path)
    return {
        "canonical": hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest(),
        "snapshot": {k: v for k, v in cycles["snapshot"].items() if k != "path"},
        "types": [[t[k] for k in ("type", "count", "shallow", "owned", "retained")] for t in ask("summary", path)["types"]],
        "generations": [[g[k] for k in ("heap", "generation", "objects", "garbage_objects", "survivors")]
                        for g in ask("generations", path)["generations"]],
        "garbage": [cycles[k] for k in ("garbage", "dependent", "invisible")],
        "cycles": sorted([c["objects"], c["shallow"], c["retained"]] for c in cycles["cycles"]),
    }


def make_answers(path):
    with open(path[:-len(".refheap")] + ".txt", "w", encoding="utf-8") as f:
        json.dump(answers(path), f, indent=1)
        f.write("\n")


class Golden(TestCase):
    def test_they_say_what_they_said(self):
        self.assertGreaterEqual(len(FILES), 4)
        for path in FILES:
            with self.subTest(os.path.basename(path)), open(path[:-len(".refheap")] + ".txt", encoding="utf-8") as f:
                self.assertEqual(json.loads(json.dumps(answers(path))), json.load(f))

    def test_both_readers_read_them_alike(self):
        for path in FILES:
            with self.subTest(os.path.basename(path)):
                done = tool("snapdump", path)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout.decode().splitlines(),
                                 list(second_reader.canonical(second_reader.read_snapshot(path))))
                self.assertIn("whole", run("verify", path)[0])

    def test_they_are_of_the_first_version_and_name_no_machine(self):
        for path in FILES:
            with self.subTest(os.path.basename(path)), open(path, "rb") as f:
                data = f.read()
                self.assertEqual(data[8:12], b"\1\0\0\0")
                for word in (b"/home/", b"/root/", b"/work/", b"/tmp/"):
                    self.assertNotIn(word, data)


if __name__ == "__main__":
    for golden in sys.argv[1:]:
        make_answers(golden)
    if len(sys.argv) == 1:
        unittest.main()
