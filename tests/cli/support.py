"""What the tests of the program share: where it is, and running it."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.dirname(TESTS)
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(SOURCE, "build")))
REFHEAP = os.path.join(BUILD, "refheap")
SAMPLES = os.path.join(BUILD, "samples")
TOOLS = os.path.join(BUILD, "tests", "tools")

sys.path.insert(0, TESTS)


def run(*arguments, status=0, timeout=120, **more):
    """Runs the program; returns (stdout, stderr) as text. Any other exit status than `status` is a failure."""
    more.setdefault("env", dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8"))
    done = subprocess.run([REFHEAP, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, **more)
    out, err = done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "replace")
    if done.returncode != status:
        raise AssertionError("refheap %s: exit status %d, not %d\n%s%s" % (
            " ".join(map(str, arguments)), done.returncode, status, out[-2000:], err[-2000:]))
    return out, err


def ask(command, snapshot, *arguments):
    """The JSON answer of a command."""
    return json.loads(run(command, snapshot, *arguments, "--json")[0])


def sample_names():
    """The programs in samples/c, which each leave a snapshot."""
    return sorted(f[:-2] for f in os.listdir(os.path.join(SOURCE, "samples", "c")) if f.endswith(".c"))


def sample(name, path):
    """Runs a sample and leaves its snapshot at `path`; returns what it said."""
    done = subprocess.run([os.path.join(SAMPLES, name), path], stdout=subprocess.PIPE, timeout=60, check=True)
    return done.stdout.decode()


def tool(name, *arguments, **more):
    return subprocess.run([os.path.join(TOOLS, name), *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=600, **more)


class TestCase(unittest.TestCase):
    """A test with a folder of its own."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="refheap-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def assertOneLine(self, text):
        self.assertEqual(text.count("\n"), 1, text)
        self.assertTrue(text.startswith("refheap: "), text)
