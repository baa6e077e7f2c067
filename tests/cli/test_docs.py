"""Every command line shown in a document is run, and what is shown is what it says.

In ```console blocks, lines that begin with `$ ` are commands, the rest is their output: compared with addresses made alike
and spaces folded; a line `[...]` stands for any lines. In ```gdb blocks, `(gdb) ` lines are run in one session on the proxy
sample. With UPDATE_DOCS=1 the outputs are written anew instead.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

from support import BUILD, SAMPLES, SOURCE, TestCase

DOCUMENTS = ["README.md"] + sorted(os.path.relpath(p, SOURCE) for p in glob.glob(SOURCE + "/*/*.md") if "tests/" not in p)
UPDATE = os.environ.get("UPDATE_DOCS") == "1"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def normal(text):
    text = re.sub(r"0x[0-9a-f]+", "0xADDRESS", text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


def matches(shown, said):
    """Whether output lines are as shown, [...] standing for any."""
    if not shown:
        return not said
    if shown[0] == "[...]":
        return any(matches(shown[1:], said[i:]) for i in range(len(said) + 1))
    return bool(said) and shown[0] == said[0] and matches(shown[1:], said[1:])


class Documents(TestCase):
    def run_console(self, block):
        """Runs a block's commands from the top of the tree; returns the block with its outputs as they are now."""
        parts = re.split(r"^\$ (.*)\n", block, flags=re.M)
        self.assertEqual(parts[0], "", "a console block begins with a command")
        now = ""
        for command, shown in zip(parts[1::2], parts[2::2]):
            done = subprocess.run(command.replace("build/", BUILD + "/"), shell=True, cwd=SOURCE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=120)
            said = done.stdout.decode().replace(BUILD + "/", "build/")
            self.assertEqual(done.returncode, 0, command + "\n" + said)
            if not UPDATE:
                self.assertTrue(matches(normal(shown), normal(said)), "%s\nshown:\n%s\nsaid:\n%s" % (command, shown, said))
            now += "$ %s\n%s" % (command, shown if "[...]" in shown else said)
        return now

    def run_gdb(self, block):
        if not shutil.which("gdb"):
            return
        commands = re.findall(r"^\(gdb\) (.*)$", block, re.M)
        sys.path.insert(0, os.path.join(SOURCE, "tests", "gdb"))
        from test_gdb import GdbTestCase
        session = GdbTestCase()
        session.folder = self.folder
        results, said = session.gdb(os.path.join(SAMPLES, "proxy"), *commands)
        for result in results:
            self.assertIsNone(result["error"], result)

    def test_shown_is_said(self):
        blocks = 0
        for document in DOCUMENTS:
            path = os.path.join(SOURCE, document)
            with open(path) as f:
                text = f.read()
            for language, block in BLOCK.findall(text):
                if language == "console":
                    text = text.replace(block, self.run_console(block))
                if language == "gdb":
                    self.run_gdb(block)
                blocks += language in ("console", "gdb")
            if UPDATE:
                with open(path, "w") as f:
                    f.write(text)
        self.assertGreater(blocks, 5)

    def test_the_picture_is_what_the_program_draws(self):
        snapshot, drawn = self.path("proxy.refheap"), self.path("proxy.svg")
        subprocess.run([os.path.join(SAMPLES, "proxy"), snapshot], stdout=subprocess.DEVNULL, check=True)
        subprocess.run([os.path.join(BUILD, "refheap"), "render", snapshot, "-o", drawn], stdout=subprocess.DEVNULL, check=True)
        shown = os.path.join(SOURCE, "samples", "pictures", "proxy.svg")
        if UPDATE:
            shutil.copy(drawn, shown)

        def texts(path):
            with open(path) as f:
                return re.findall(r"<text[^>]*>([^<]*)</text>", f.read())

        self.assertEqual(texts(shown), texts(drawn))


if __name__ == "__main__":
    unittest.main()
