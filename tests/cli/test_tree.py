"""The tree itself: what may depend on what, what is exported, what `make install` puts where."""

import os
import re
import shutil
import subprocess
import unittest

from support import BUILD, SOURCE, TestCase, run, sample

# Folders by what they may include: themselves and these.
BELOW = {"dumpfmt", "analyzer/graph", "analyzer/render"}
LAW = {
    "dumpfmt": set(),
    "runtime/maps": {"dumpfmt"},
    "runtime/librefheap": {"dumpfmt", "runtime/maps"},
    "runtime/cpython": {"dumpfmt"},
    "runtime/cpython/module": {"dumpfmt", "runtime/maps", "runtime/cpython"},
    "runtime/probe": {"dumpfmt", "runtime/maps", "runtime/librefheap", "runtime/cpython"},
    "analyzer/graph": {"dumpfmt"},
    "analyzer/render": {"dumpfmt"},
    "analyzer/session": {"dumpfmt", "analyzer/graph", "analyzer/render"},
    "analyzer/answers": BELOW | {"analyzer/session"},
    "analyzer/sql": BELOW | {"analyzer/session", "analyzer/answers"},
    "analyzer/pictures": BELOW | {"analyzer/session", "analyzer/answers"},
    "analyzer/export": BELOW | {"analyzer/session", "analyzer/answers"},
    "analyzer/line": BELOW | {"analyzer/session", "analyzer/answers", "analyzer/sql"},
    "analyzer/parts": BELOW | {"analyzer/session", "analyzer/answers", "analyzer/line"},
    "analyzer/report": BELOW | {"analyzer/session", "analyzer/answers", "analyzer/pictures", "analyzer/parts"},
    "analyzer/browse": BELOW | {"analyzer/session", "analyzer/answers", "analyzer/line"},
    "analyzer": BELOW | {"analyzer/" + f for f in ("session", "answers", "sql", "pictures", "export", "line", "parts", "report", "browse")} |
                {"runtime/probe"},
}
# Of a folder, all that another may use.
FACES = {
    ("runtime/librefheap", "dumpfmt"): {"error.h", "format.h", "writer.h", "rawsys.h", "refheap/error.h"},
    ("runtime/maps", "dumpfmt"): {"rawsys.h", "writer.h"},
    ("runtime/cpython", "dumpfmt"): {"format.h"},
    ("runtime/cpython/module", "dumpfmt"): {"error.h", "format.h", "sink.h", "writer.h", "rawsys.h", "refheap/error.h"},
    ("runtime/cpython/module", "runtime/cpython"): {"describe.h", "layout.h", "threads.h", "traces.h"},
    ("runtime/probe", "runtime/librefheap"): {"refheap/control.h"},
    # The tables are made of the session; nothing but the command, and sets that a condition chooses, is made of the tables.
    ("analyzer/sql", "analyzer/session"): {"session.h", "names.h"},
    ("analyzer/sql", "analyzer/answers"): {"generations.h"},
    ("analyzer", "analyzer/sql"): {"database.h", "guard.h", "result.h"},
    ("analyzer/line", "analyzer/sql"): {"database.h"},
    ("analyzer", "analyzer/report"): {"report.h"},
    # Views are made of the session, and of what other commands answer.
    ("analyzer/browse", "analyzer/answers"): {"keepers.h", "generations.h", "shape.h", "advice.h"},
    ("analyzer/browse", "analyzer/line"): {"command.h", "commands.h", "options.h"},
    ("analyzer", "analyzer/browse"): {"browser.h", "terminal.h"},
}
# Of a folder, the only files that may use another.
USERS = {("analyzer", "analyzer/sql"): {"cmd_sql.c"}, ("analyzer/line", "analyzer/sql"): {"select_sql.c"},
         ("analyzer", "analyzer/report"): {"cmd_report.c"}, ("analyzer", "analyzer/browse"): {"cmd_browse.c"}}


def code_of(path):
    """A source without its comments."""
    with open(os.path.join(SOURCE, path)) as f:
        return re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)


def folder_of(path):
    return max((f for f in LAW if path.startswith(f + "/")), key=len)


class Tree(TestCase):
    def sources(self):
        for top, _, names in os.walk(SOURCE):
            for name in names:
                path = os.path.relpath(os.path.join(top, name), SOURCE)
                if name.endswith((".c", ".h")) and any(path.startswith(f + "/") for f in LAW) and "/generate/" not in path:
                    yield path

    def included(self, path):
        """(folder, name) of what a source includes from the project."""
        with open(os.path.join(SOURCE, path)) as f:
            text = f.read()
        for name in re.findall(r'^#include "([^"]+)"', text, re.M):
            if name not in ("crc32c_table.h", "assets.h"):  # made when it is built
                target = os.path.normpath(os.path.join(os.path.dirname(path), name))
                yield folder_of(target), os.path.basename(target)
        for name in re.findall(r"^#include <(refheap/[^>]+)>", text, re.M):
            yield ("dumpfmt" if name == "refheap/error.h" else "runtime/librefheap"), name

    def test_dependencies_run_one_way(self):
        seen = set()
        for path in self.sources():
            folder = folder_of(path)
            for target, name in self.included(path):
                seen.add((folder, target))
                self.assertTrue(target == folder or target in LAW[folder], "%s includes %s of %s" % (path, name, target))
                allowed = FACES.get((folder, target))
                self.assertTrue(allowed is None or name in allowed, "%s includes %s of %s" % (path, name, target))
                users = USERS.get((folder, target))
                self.assertTrue(users is None or os.path.basename(path) in users, "%s includes %s of %s" % (path, name, target))
        self.assertGreater(len(seen), 12)

    def test_graph_knows_neither_stdio_nor_argv(self):
        for path in self.sources():
            if path.startswith("analyzer/graph/"):
                self.assertNotRegex(code_of(path), r"stdio\.h|printf|argv|getenv|stderr", path)

    def test_tables_know_neither_the_terminal_nor_argv(self):
        for path in self.sources():
            if path.startswith("analyzer/sql/"):
                self.assertNotRegex(code_of(path), r"\b(printf|puts|perror|exit|abort|getenv)\(|stdout|stderr|stdin\b", path)

    def test_a_page_writes_markup_as_literals_and_the_rest_as_text(self):
        for path in self.sources():
            if not path.startswith("analyzer/report/") or "/make_" in path:
                continue
            code = code_of(path)
            for call in re.findall(r"\bf(?:puts|putc)\(([^;]*?), (?:r->)?f\);", code, re.S):
                bare = re.sub(r"""(["'])(\\.|(?!\1).)*\1""", "L", call)  # a literal, or a choice between such
                for choice in bare.split(":"):
                    self.assertRegex(choice.split("?")[-1].strip("() \n"), r"^L(\s+(L|[A-Z_]+))*$", "%s: %s" % (path, call))
            for call in re.findall(r"\bfprintf\((.*?)\);", code, re.S):
                self.assertNotRegex(call, r"%[-0-9.*]*[sc]", path)
            if os.path.basename(path) not in ("page.c", "cycles.c"):  # what is built in, and pictures
                self.assertNotIn("fwrite(", code, path)

    def test_one_file_knows_the_terminal(self):
        for path in self.sources():
            if path.startswith("analyzer/") and path != "analyzer/browse/terminal.c":
                self.assertNotRegex(code_of(path), r"curses\.h|<term\.h>|termios", path)
            if path.startswith("analyzer/browse/") and not path.endswith(("terminal.c", "answer.c")):
                self.assertNotRegex(code_of(path), r"\b(printf|puts|perror|exit|abort|fork)\(|std(in|err)\b", path)

    def test_libraries_neither_print_nor_exit(self):
        for path in self.sources():
            if path.startswith(("dumpfmt/", "runtime/")) and "make_crc32c_table" not in path:
                self.assertNotRegex(code_of(path), r"\b(printf|puts|perror|exit|abort)\(", path)

    @unittest.skipIf(BUILD.endswith("-san"), "a sanitizer adds names of its own")
    def test_only_rh_names_are_exported(self):
        names = subprocess.run(["nm", "-D", "--defined-only", os.path.join(BUILD, "librefheap.so")], stdout=subprocess.PIPE,
                               check=True).stdout.decode()
        exported = [line.split()[-1].split("@")[0] for line in names.splitlines() if " A " not in line]
        self.assertGreater(len(exported), 80)
        self.assertEqual([n for n in exported if not n.startswith("rh_")], [])
        names = subprocess.run(["nm", "-g", "--defined-only", os.path.join(BUILD, "librefheap.a")], stdout=subprocess.PIPE,
                               check=True).stdout.decode()
        inside = [line.split()[-1] for line in names.splitlines() if len(line.split()) == 3]
        self.assertEqual([n for n in inside if not n.startswith("rh_")], [])

    @unittest.skipIf(BUILD.endswith("-san"), "a sanitizer adds names of its own")
    def test_everything_the_headers_promise_is_there(self):
        promised = set()
        headers = os.path.join(SOURCE, "runtime", "librefheap", "include", "refheap")
        for name in os.listdir(headers):
            with open(os.path.join(headers, name)) as f:
                promised |= set(re.findall(r"RH_API [^;(]*?\b(rh_\w+)(?:\(|;)", f.read()))
        names = subprocess.run(["nm", "-D", "--defined-only", os.path.join(BUILD, "librefheap.so")], stdout=subprocess.PIPE,
                               check=True).stdout.decode()
        self.assertEqual(promised, {line.split()[-1].split("@")[0] for line in names.splitlines() if " A " not in line})

    def test_gdb_extension_knows_nothing_but_the_program(self):
        folder = os.path.join(SOURCE, "gdb", "refheap_gdb")
        for name in os.listdir(folder):
            if name.endswith(".py"):
                with open(os.path.join(folder, name)) as f:
                    self.assertNotRegex(f.read(), r"RHBK|x89RHEAP|ctypes", name)

    def make(self, *arguments):
        make = ["make", "-C", SOURCE, "O=" + BUILD, "DESTDIR=" + self.folder, "PREFIX=/opt/refheap"] + list(arguments)
        if BUILD.endswith("-san"):
            make.append("SAN=address,undefined")
        subprocess.run(make, stdout=subprocess.DEVNULL, check=True)

    def files(self):
        return {os.path.relpath(os.path.join(top, name), self.folder) for top, _, names in os.walk(self.folder) for name in names}

    def test_install_and_uninstall(self):
        self.make("install")
        installed = self.files()
        for place in ("bin/refheap", "lib/librefheap.so", "lib/pkgconfig/librefheap.pc", "include/refheap/refheap.h",
                      "share/man/man1/refheap.1", "share/man/man1/refheap-cycles.1", "share/man/man3/librefheap.3",
                      "share/man/man5/refheap-format.5", "share/man/man7/refheap-gdb.7", "share/doc/refheap/FORMAT.md",
                      "share/bash-completion/completions/refheap", "share/zsh/site-functions/_refheap",
                      "share/fish/vendor_completions.d/refheap.fish", "share/refheap/gdb/refheap_gdb/refheap-gdb.py"):
            self.assertIn("opt/refheap/" + place, installed)
        # What is not ours stays: a file in each folder; and what GDB's Python leaves beside its sources goes.
        strangers = {os.path.join(os.path.dirname(path), "stranger") for path in installed}
        for path in strangers:
            with open(self.path(path), "w"):
                pass
        os.mkdir(self.path("opt/refheap/share/refheap/gdb/refheap_gdb/__pycache__"))
        with open(self.path("opt/refheap/share/refheap/gdb/refheap_gdb/__pycache__/x.pyc"), "w"):
            pass
        self.make("uninstall")
        self.assertEqual(self.files(), strangers)
        for path in strangers:
            os.unlink(self.path(path))
        self.make("install")
        self.make("install")
        self.assertEqual(self.files(), installed)
        self.make("uninstall")
        self.assertEqual(self.files(), set())
        self.assertFalse(os.path.exists(self.path("opt/refheap/share/refheap")))
        self.make("install", "libdir=/opt/refheap/lib/here", "zshdir=/opt/refheap/zsh")
        with open(self.path("opt/refheap/lib/here/pkgconfig/librefheap.pc")) as f:
            self.assertIn("\nlibdir=${prefix}/lib/here\n", f.read())
        self.assertIn("opt/refheap/zsh/_refheap", self.files())

    @unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
    def test_the_line_of_gdb_init_works_where_it_is_installed(self):
        self.make("install")
        program = self.path("opt/refheap/bin/refheap")
        with open(self.path("init"), "wb") as f:
            f.write(subprocess.run([program, "gdb-init"], stdout=subprocess.PIPE, check=True).stdout)
        sample("proxy", self.path("proxy.refheap"))
        done = subprocess.run(["gdb", "-nx", "-q", "-batch", "-x", self.path("init"), "-ex", "refheap load " + self.path("proxy.refheap"),
                               "-ex", "refheap cycles", "-ex", "python print(refheap_gdb.program.path())"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, env=dict(os.environ, HOME=self.folder))
        self.assertIn("make connection.peer weak", done.stdout.decode())
        self.assertIn(program + "\n", done.stdout.decode())

    def test_a_program_is_built_with_what_is_installed(self):
        self.make("install")
        root = self.path("opt/refheap")
        program = self.path("program.c")
        with open(program, "w") as f:
            f.write("#include <refheap/refheap.h>\nint main(void) { struct rh_heap *h; return rh_heap_create(0, &h, 0); }\n")
        flags = ["-fsanitize=address,undefined"] if BUILD.endswith("-san") else []
        found = subprocess.run(["pkg-config", "--define-variable=prefix=" + root, "--cflags", "--libs", "librefheap"],
                               env=dict(os.environ, PKG_CONFIG_PATH=root + "/lib/pkgconfig"), stdout=subprocess.PIPE,
                               check=True).stdout.decode().split()
        subprocess.run(["cc", "-Wall", "-Werror", program, "-o", self.path("program"), "-Wl,-rpath," + root + "/lib"] +
                       found + flags, check=True)
        needed = subprocess.run(["readelf", "-d", self.path("program")], stdout=subprocess.PIPE, check=True).stdout
        self.assertRegex(needed.decode(), r"NEEDED.*librefheap\.so\.\d+\]")
        subprocess.run([self.path("program")], check=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))

    def test_version_is_one(self):
        with open(os.path.join(SOURCE, "Makefile")) as f:
            version = re.search(r"^VERSION := (\S+)", f.read(), re.M).group(1)
        self.assertIn(version, run("--version")[0])


if __name__ == "__main__":
    unittest.main()
