"""The manual pages: what they say of commands and options is what the program says, they are clean, and complete.

Their examples are run by test_docs.py.
"""

import glob
import os
import re
import shutil
import subprocess
import unittest

from support import BUILD, SOURCE, TestCase, run

PAGES = os.path.join(SOURCE, "docs", "man")
MADE = os.path.join(BUILD, "man")
COMMANDS = dict(re.findall(r"^  ([a-z-]+)  +(.*)$", run("help")[0], re.M))
OTHERS = {"refheap.1", "refheap-gdb.7", "refheap-format.5", "librefheap.3"}
ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8", MANROFFSEQ="", MANWIDTH="80")


def source(page):
    with open(os.path.join(PAGES, page + ".md")) as f:
        return f.read()


def made(page):
    with open(os.path.join(MADE, page)) as f:
        return f.read()


def rows(text):
    """The tables of a Markdown text: rows of cells, without heads."""
    return [[cell.strip().strip("`") for cell in line.split("|")[1:-1]]
            for line in re.sub(r"^\|.*\n\| ---.*\n", "", text, flags=re.M).splitlines() if line.startswith("|")]


class Manual(TestCase):
    def test_a_page_for_each_command_and_no_other(self):
        pages = {"refheap-%s.1" % command for command in COMMANDS} | OTHERS
        self.assertEqual(set(os.listdir(MADE)), pages)
        self.assertEqual({os.path.basename(path)[:-3] for path in glob.glob(PAGES + "/*.md")}, pages)
        for page in pages:
            self.assertTrue(source(page).startswith("# %s(%s)\n" % tuple(page.split("."))), page)

    def test_options_are_those_of_help(self):
        for command in COMMANDS:
            told = re.findall(r"^  --([a-z-]+)(?: (\S+))?(?:  |$)", run(command, "--help")[0], re.M)
            page = made("refheap-%s.1" % command)
            self.assertEqual(re.findall(r"^\.It Fl \\-([a-z-]+)(?: Ar (\S+))?$", page, re.M), told, command)
            usage = run(command, "--help")[0].splitlines()[0].split(None, 3)[3:]
            self.assertIn(" ".join(usage), page.replace("\\-", "-"), command)
            self.assertIn(".Nd " + COMMANDS[command], page)
            # What is said of options elsewhere on the page is of options there are.
            written = re.sub(r"```.*?```", "", source("refheap-%s.1" % command), flags=re.S)
            self.assertLessEqual(set(re.findall(r"--([a-z-]+)", written)), {name for name, _ in told} | {"help"}, command)

    def test_what_help_says_is_on_the_page(self):
        for command in COMMANDS:
            said = run(command, "--help")[0].split("\n\n", 1)[1].split("\n\noptions:")[0]
            page = re.sub(r"\\fB|\\fP|\\&|\.Dl ", "", made("refheap-%s.1" % command)).replace("\\-", "-").replace("\\e", "\\")
            self.assertIn(" ".join(said.split()), " ".join(page.split()), command)

    def test_every_command_has_examples(self):
        for command in COMMANDS:
            examples = re.findall(r"^\$ (?:.*\b)?refheap %s\b" % command, source("refheap-%s.1" % command), re.M)
            self.assertGreater(len(examples), 0, command)

    def test_pages_refer_to_pages_there_are(self):
        for page in os.listdir(MADE):
            for name, section in re.findall(r"^\.(?:It )?Xr (\S+) (\S+)", made(page), re.M):
                if "refheap" in name:
                    self.assertTrue(os.path.exists(os.path.join(MADE, "%s.%s" % (name, section))), (page, name))

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_has_nothing_to_say(self):
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning"] + sorted(glob.glob(MADE + "/*")), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.stdout.decode(), "")

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff_has_nothing_to_say(self):
        for page in sorted(glob.glob(MADE + "/*")):
            done = subprocess.run(["groff", "-Kutf8", "-mandoc", "-Tutf8", "-ww", "-rLL=80n", "-P-c", page], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=ENVIRONMENT, check=True)
            self.assertEqual(done.stderr.decode(), "", page)

    def test_the_gdb_page_has_what_gdb_has(self):
        if not shutil.which("gdb"):
            self.skipTest("gdb is not installed")
        said = subprocess.run(["gdb", "-nx", "-q", "-batch", "-x", BUILD + "/refheap_gdb/refheap-gdb.py", "-ex", "help refheap", "-ex",
                               "help set refheap", "-ex", "help function"], stdout=subprocess.PIPE, check=True).stdout.decode()
        page = dict(rows(source("refheap-gdb.7")))
        functions = {"function " + re.sub(r"\W.*", "", name[1:]): text for name, text in page.items() if name.startswith("$")}
        page = {name: text for name, text in page.items() if not name.startswith("$")}
        for written, pattern in ((page, r"^((?:set )?refheap \S+) -- (.*)$"), (functions, r"^(function refheap_\w+) -- (.*)$")):
            there = dict(re.findall(pattern, said, re.M))
            self.assertEqual(set(written), set(there))
            for name, text in written.items():
                self.assertTrue(there[name].startswith(text.rstrip(".")), (name, text, there[name]))

    def test_the_format_page_is_the_format(self):
        with open(os.path.join(SOURCE, "dumpfmt", "FORMAT.md")) as f:
            law = f.read()
        page = source("refheap-format.5")
        sections = [("%s %s" % (r[0], r[1]), {"yes": "critical", "no": "may be skipped"}[r[2]])
                    for r in rows(law.split("## 3. Sections")[1].split("###")[0]) if r[0].isdigit()]
        self.assertEqual([tuple(r[:2]) for r in rows(page)], sections)
        self.assertGreater(len(sections), 10)
        version = re.search(r"Version \*\*(\d+\.\d+)\*\*", law).group(1)
        self.assertRegex(page, r"is version %s\b" % re.escape(version))
        for number in ("89 52 48 45 41 50 0d 0a", "52 48 42 4b", "block   = block-header  payload  padding"):
            self.assertIn(number, law)
            self.assertIn(number, page)

    def test_the_library_page_names_what_there_is(self):
        page, headers, code = source("librefheap.3"), "", ""
        for path in glob.glob(SOURCE + "/runtime/librefheap/include/refheap/*.h") + glob.glob(SOURCE + "/dumpfmt/include/refheap/*.h"):
            with open(path) as f:
                headers += os.path.basename(path) + "\n" + f.read()
        for path in glob.glob(SOURCE + "/runtime/librefheap/*.c"):
            with open(path) as f:
                code += f.read()
        for name in set(re.findall(r"\brh_\w+|\bRH_[A-Z]+\b", page.split("## ENVIRONMENT")[0])) | set(re.findall(r"`(\w+\.h)`", page)):
            if name != "RH_DEBUG":
                self.assertRegex(headers, r"\b%s\b" % re.escape(name))
        self.assertEqual({r[0] for r in rows(page)}, set(re.findall(r'"((?:RH|REFHEAP)_[A-Z_]+)"', code)))


if __name__ == "__main__":
    unittest.main()
