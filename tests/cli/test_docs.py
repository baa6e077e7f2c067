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
SANITIZED = "-san" in BUILD  # the core of such a process is terabytes of shadow
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
        if "--core" in block and SANITIZED:
            return block
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
        if SANITIZED:
            commands = [c for c in commands if not c.startswith("generate-core-file")]
        sys.path.insert(0, os.path.join(SOURCE, "tests", "gdb"))
        from gdb_support import GdbTestCase
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

    def test_programs_in_documents_compile_and_run(self):
        programs = 0
        for document in DOCUMENTS:
            with open(os.path.join(SOURCE, document)) as f:
                blocks = [block for language, block in BLOCK.findall(f.read()) if language == "c" and "int main(" in block]
            for block in blocks:
                programs += 1
                source, program = self.path("program.c"), self.path("program")
                with open(source, "w") as f:
                    f.write(block)
                flags = ["-fsanitize=address,undefined"] if BUILD.endswith("-san") else []
                subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-I" + SOURCE + "/runtime/librefheap/include",
                                "-I" + SOURCE + "/dumpfmt/include", source, "-o", program, BUILD + "/librefheap.a"] + flags,
                               check=True)
                said = subprocess.run([program], stdout=subprocess.PIPE, check=True, timeout=60).stdout.decode()
                self.assertEqual(said, "found 3\nleaked 0\n")
        self.assertGreater(programs, 0)

    def test_the_table_of_pythons_names(self):
        with open(os.path.join(SOURCE, "runtime", "README.md")) as f:
            rows = [line.split("|")[1:-1] for line in f.read().split("## Python's names")[1].splitlines()
                    if line.startswith("| `")]
        sources, headers = "", ""
        for path in glob.glob(SOURCE + "/tests/unit/*.c"):
            with open(path) as f:
                sources += f.read()
        for path in glob.glob(SOURCE + "/runtime/librefheap/include/refheap/*.h"):
            with open(path) as f:
                headers += f.read()
        for python, here, _, test in rows:
            for name in re.findall(r"\brh_\w+", here):
                self.assertRegex(headers, r"\b%s\b" % name, python)
            self.assertIn("cmocka_unit_test", sources)
            self.assertRegex(sources, r"cmocka_unit_test\w*\(%s\b" % test.strip().strip("`"), python)
        # The whole surface of the gc module.
        surface = "enable disable isenabled collect set_debug get_debug get_objects get_stats set_threshold get_threshold " \
            "get_count get_referrers get_referents is_tracked is_finalized freeze unfreeze get_freeze_count garbage callbacks"
        named = " ".join(row[0] for row in rows)
        for name in surface.split():
            self.assertIn("gc.%s" % name, named)

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
