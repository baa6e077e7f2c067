"""Every command line shown in a document is run, and what is shown is what it says.

README and the documents beside the sources are for who has built refheap: their commands run at the top of the tree. Tutorials (docs/*.md)
and manual pages (docs/man/*.md) are for who has installed it: theirs run in a folder of their own, with refheap installed.

In ```console blocks, lines that begin with `$ ` are commands, the rest is their output: compared with addresses made alike
and spaces folded; a line `[...]` stands for any lines. In ```gdb blocks, `(gdb) ` lines are run in one session on the proxy
sample. In tutorials, a block that begins with a comment that is a file's name is that file. With UPDATE_DOCS=1 the outputs are written anew instead.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections import Counter

from support import BUILD, SAMPLES, SOURCE, TestCase
from test_capture import HELD, may_attach

DOCUMENTS = ["README.md"] + sorted(os.path.relpath(p, SOURCE) for p in glob.glob(SOURCE + "/*/*.md")
                                   if "/tests/" not in p and "/docs/" not in p)
TUTORIALS = sorted(os.path.relpath(p, SOURCE) for p in glob.glob(SOURCE + "/docs/*.md"))
PAGES = sorted(os.path.relpath(p, SOURCE) for p in glob.glob(SOURCE + "/docs/man/*.md"))
UPDATE = os.environ.get("UPDATE_DOCS") == "1"
SANITIZED = "-san" in BUILD  # the core of such a process is terabytes of shadow
FILE_NAME = re.compile(r"(?:/\* |# )([\w./-]+\.\w+)\b")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def normal(text):
    text = re.sub(r"0x[0-9a-f]+", "0xADDRESS", text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


PERCENT = re.compile(r"\b(\d+) %")


def is_same(shown, said):
    """Whether a line is as shown. Shares of a heap are those of an interpreter, whose environment is part of it: one more or
    less is no difference."""
    return PERCENT.sub("%", shown) == PERCENT.sub("%", said) and all(
        abs(int(a) - int(b)) <= 1 for a, b in zip(PERCENT.findall(shown), PERCENT.findall(said)))


def matches(shown, said):
    """Whether output lines are as shown, [...] standing for any."""
    if not shown:
        return not said
    if shown[0] == "[...]":
        return any(matches(shown[1:], said[i:]) for i in range(len(said) + 1))
    return bool(said) and is_same(shown[0], said[0]) and matches(shown[1:], said[1:])


def texts(picture):
    with open(picture) as f:
        return re.findall(r"<text[^>]*>([^<]*)</text>", f.read())


def agrees(shown, said):
    """Whether an output is as shown. What is in the order of addresses may stand in another the next time."""
    shown, said = normal(shown), normal(said)
    if matches(shown, said):
        return True
    lines = [line for line in shown if line != "[...]"]
    missing = Counter(lines) - Counter(said)
    return "0xADDRESS" in " ".join(shown) and not missing and (len(lines) < len(shown) or len(lines) == len(said))


class DocumentCase(TestCase):
    def run_console(self, block, folder=SOURCE, environment=None):
        """Runs a block's commands in a folder; returns the block with its outputs as they are now."""
        if SANITIZED and "PYTHONPATH" in block:  # Python was not made with a sanitizer
            return block
        parts = re.split(r"^\$ (.*)\n", block, flags=re.M)
        self.assertEqual(parts[0], "", "a console block begins with a command")
        now = ""
        for command, shown in zip(parts[1::2], parts[2::2]):
            with tempfile.TemporaryFile() as output:  # not a pipe: what runs on in the background would hold it
                done = subprocess.run(command.replace("build/", BUILD + "/") if folder == SOURCE else command, shell=True,
                                      cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, timeout=120)
                output.seek(0)
                said = output.read().decode().replace(BUILD + "/", "build/")
            self.assertEqual(done.returncode, 0, command + "\n" + said)
            # With a sanitizer objects stand elsewhere: what is shown is in another order.
            if not UPDATE and not (SANITIZED and folder != SOURCE):
                self.assertTrue(agrees(shown, said), "%s\nshown:\n%s\nsaid:\n%s" % (command, shown, said))
            now += "$ %s\n%s" % (command, shown if "[...]" in shown or agrees(shown, said) else said)
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

    def check(self, document, run_block):
        """Runs a document's blocks; run_block(language, block) returns a block as it is now. Returns how many there were."""
        path = os.path.join(SOURCE, document)
        with open(path) as f:
            text = f.read()
        now, at = "", 0
        blocks = list(BLOCK.finditer(text))
        for found in blocks:
            now += text[at:found.start(2)] + run_block(found.group(1), found.group(2))
            at = found.end(2)
        if UPDATE and now + text[at:] != text:
            with open(path, "w") as f:
                f.write(now + text[at:])
        return len(blocks)


class Installed(DocumentCase):
    """Documents for who has installed refheap."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.TemporaryDirectory(prefix="refheap-docs-")
        cls.addClassCleanup(cls.root.cleanup)
        usr = os.path.join(cls.root.name, "usr")
        subprocess.run(["make", "-C", SOURCE, "O=" + BUILD, "PREFIX=" + usr, "install"] +
                       (["SAN=address,undefined"] if SANITIZED else []), stdout=subprocess.DEVNULL, check=True)
        os.symlink("/usr/bin/python3", usr + "/bin/python3")  # sizes are those of Debian's, whatever else is on PATH
        cls.environment = dict(os.environ, PATH=usr + "/bin:" + os.environ["PATH"], LD_LIBRARY_PATH=usr + "/lib",
                               PYTHONPATH=usr + "/lib/python3/dist-packages", LC_ALL="C.UTF-8",
                               PKG_CONFIG_PATH=usr + "/lib/pkgconfig", HOME=cls.root.name, NO_COLOR="1", DEBUGINFOD_URLS="")

    def test_tutorials(self):
        if SANITIZED:
            self.skipTest("programs that do not link the sanitizers cannot use this library, and have no cores")
        for document in TUTORIALS:
            with open(os.path.join(SOURCE, document)) as f:
                if "gcore" in f.read() and not (shutil.which("gcore") and may_attach()):
                    print("%s: left out: there is no gcore, or this system lets no process read another" % document)
                    continue
            with self.subTest(document), tempfile.TemporaryDirectory(prefix="refheap-tutorial-") as folder:
                def run_block(language, block):
                    name = FILE_NAME.match(block)
                    if name:
                        os.makedirs(os.path.dirname(os.path.join(folder, name.group(1))), exist_ok=True)
                        with open(os.path.join(folder, name.group(1)), "w") as f:
                            f.write(block)
                    return self.run_console(block, folder, self.environment) if language == "console" else block
                self.assertGreater(self.check(document, run_block), 3)
                self.check_pictures(document, folder)

    def check_pictures(self, document, folder):
        """The pictures a tutorial shows are those its commands drew."""
        with open(os.path.join(SOURCE, document)) as f:
            names = re.findall(r"!\[[^]]*\]\(pictures/([\w.-]+)\)", f.read())
        for name in names:
            shown, drawn = os.path.join(SOURCE, "docs", "pictures", name), os.path.join(folder, name)
            if UPDATE and not (os.path.exists(shown) and texts(shown) == texts(drawn)):
                shutil.copy(drawn, shown)
            self.assertEqual(texts(shown), texts(drawn))

    def test_examples_of_the_manual(self):
        for name, snapshots in (("proxy", ["app"]), ("lapsed_listener", ["9", "10", "11"]), ("missing_release", ["missing"])):
            subprocess.run([os.path.join(SAMPLES, name)] + [self.path(s + ".refheap") for s in snapshots], check=True,
                           stdout=subprocess.DEVNULL)
        for page in PAGES:
            with self.subTest(page):
                self.check(page, lambda language, block: self.run_example(page, language, block))

    def run_example(self, page, language, block):
        if language == "gdb":
            self.run_gdb(block)
        if language != "console" or ("gdb " in block and not shutil.which("gdb")):
            return block
        if "service" not in block:
            return self.run_console(block, self.folder, self.environment)
        if not may_attach() or not shutil.which("gcore") or "-san" in HELD:
            return block
        # The service the page speaks of.
        shutil.copy(HELD, self.path("service"))
        service = subprocess.Popen([self.path("service"), "1", "100", self.path("own.refheap"), "0"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        service.stdout.readline()
        try:
            return self.run_console(block, self.folder, dict(self.environment, PATH=self.folder + ":" + self.environment["PATH"]))
        finally:
            service.kill()
            service.communicate()


class Documents(DocumentCase):
    def run_block(self, language, block):
        if language == "gdb":
            self.run_gdb(block)
        if language != "console" or ("--core" in block and SANITIZED):
            return block
        return self.run_console(block)

    def test_shown_is_said(self):
        self.assertGreater(sum(self.check(document, self.run_block) for document in DOCUMENTS), 5)

    def test_links_lead_somewhere(self):
        seen = 0
        for document in DOCUMENTS + TUTORIALS + PAGES:
            with open(os.path.join(SOURCE, document)) as f:
                text = re.sub(r"```.*?```", "", f.read(), flags=re.S)
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
                seen += 1
                self.assertTrue(os.path.exists(os.path.join(SOURCE, os.path.dirname(document), link)), (document, link))
        self.assertGreater(seen, 8)

    def test_every_tutorial_is_linked_from_the_readme(self):
        with open(os.path.join(SOURCE, "README.md")) as f:
            readme = f.read()
        for tutorial in TUTORIALS:
            self.assertTrue("(%s)" % tutorial in readme, "README.md has no link to " + tutorial)

    def test_programs_in_documents_compile_and_run(self):
        programs = 0
        for document in DOCUMENTS + PAGES:
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
                self.assertRegex(said, r"^found [23]\nleaked 0\n$")
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

    def test_pictures_are_what_the_program_draws(self):
        proxy, hours = self.path("proxy.refheap"), [self.path("%d.refheap" % hour) for hour in (9, 10, 11)]
        subprocess.run([os.path.join(SAMPLES, "proxy"), proxy], stdout=subprocess.DEVNULL, check=True)
        subprocess.run([os.path.join(SAMPLES, "lapsed_listener"), *hours], stdout=subprocess.DEVNULL, check=True)
        for name, question in (("proxy.svg", [proxy]), ("since.svg", [hours[1], "diff", hours[0]])):
            drawn, shown = self.path(name), os.path.join(SOURCE, "samples", "pictures", name)
            subprocess.run([os.path.join(BUILD, "refheap"), "render", *question, "-o", drawn], stdout=subprocess.DEVNULL, check=True)
            if UPDATE:
                shutil.copy(drawn, shown)
            self.assertEqual(texts(shown), texts(drawn))


if __name__ == "__main__":
    unittest.main()
