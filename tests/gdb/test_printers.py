"""How GDB prints objects: on a process, a core and a remote target alike, and whatever memory holds."""

import json
import os
import re
import shutil
import subprocess
import unittest

from gdb_support import BUILD, SOURCE, GdbTestCase

VALUES = os.path.join(BUILD, "tests", "gdb", "values")
HERE = os.path.dirname(os.path.abspath(__file__))
OBJECTS = """text empty long_text number none yes real bytes tuple list dict set cell klass instance frame exception weakref in_itself
many as_object""".split()
STOP = ["break pause_here", "run", "up"]


class Printers(GdbTestCase):
    def shown(self, expression):
        """What `print` says, without addresses, which nobody can expect."""
        text = self.output("print " + expression)
        return re.sub(r"^\$\d+ = ", "", re.sub(r"0x[0-9a-f]{6,}", "0x", text)).rstrip("\n")

    def test_what_is_shown(self):
        expected = {
            "text": r'0x "say \"hello\",\né"',
            "*text": r'"say \"hello\",\né"',
            "*empty": '""',
            "*long_text": '"%s"...' % ("x" * 200),
            "number": "0x -42",
            "*none": "none",
            "yes": "0x true",
            "*real": "1.5",
            "*bytes": r'b"a\000b\377"',
            "tuple": r'0x ("say \"hello\",\né", NULL)',
            "*tuple": r'tuple of 2 = {0x "say \"hello\",\né", 0x0}',
            "list": r'0x ["say \"hello\",\né", -42, none]',
            "*list": r'list of 3 = {0x "say \"hello\",\né", 0x -42, 0x none}',
            "dict": r'0x {"one": 1, "removed": none, "list": ["say \"hello\",\né", -42, none], -42: true, "last": 0.25}',
            "*dict": r'dict of 5 = {["one"] = 0x 1, ["removed"] = 0x none, ["list"] = 0x ["say \"hello\",\né", -42, none], '
                     '[-42] = 0x true, ["last"] = 0x 0.25}',
            "*set": 'set of 2 = {0x "a", 0x 7}',
            "*cell": r'cell, refcount 1, generation 0 = {content = 0x "say \"hello\",\né"}',
            "klass": '0x <class "Account">',
            "instance": "0x <Account>",
            "*instance": 'Account, refcount 1, generation 0 = {class = 0x <class "Account">, owner = 0x "Ada", balance = 0x 12}',
            "frame": '0x <frame "serve">',
            "*exception": 'exception "ValueError", refcount 1, generation 0 = {name = 0x "ValueError", message = 0x "bad", '
                          'traceback = 0x0, cause = 0x0}',
            "in_itself": r'0x [[...], {"one": 1, "removed": none, "list": [...], -42: true, "last": 0.25}]',
            "many": "0x [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]",
            "as_object": '0x <connection "client">',
            "*as_object": 'connection "client", refcount 2, generation 0',
            "*conn": 'connection "client", refcount 2, generation 0, peer = 0x, ',
            "conn->parent": 'weak reference to 0x <connection "client">',
            "conn->nobody": "weak reference, cleared",
            "conn->pair": "{0x0, 0x0}",
            "nowhere": "0x0",
            # What is no object is shown as GDB shows it.
            "no_object": "{refcount = 0, type = 0x0, links = {next = 0, prev = 0}}",
            "(struct rh_object *) 0x1000": "0x1000 <no object at 0x1000>",
            "(struct rh_object *) &heap": "0x <no object at 0x>",
            "*(struct rh_object *) 0x1000": None,
            "mine": "{number = 7}",
            "/r *number": "{refcount = 3, type = 0x, links = {next = 0x, prev = 0x}}",
        }
        self.gdb(VALUES, *STOP, *("print " + e for e in expected), "print/x list", "set print elements 4", "print *many", "print *text",
                 "set print elements 200", "info pretty-printer", "disable pretty-printer .* librefheap", "print *number")
        expected["in_itself"] = expected["in_itself"].replace("[...], -42", r'["say \"hello\",\né", -42, none], -42')
        for expression, text in expected.items():
            if text is None:
                self.assertIn("Cannot access memory", self.error("print " + expression))
            elif expression == "*conn":
                self.assertIn(text, self.shown(expression))
            elif expression == "/r *number":
                self.assertRegex(self.shown(expression), r"^\{refcount = 3, type = 0x\S*, links = \{next = \d+, prev = \d+\}\}$")
            else:
                self.assertEqual(self.shown(expression), text, expression)
        self.assertRegex(self.output("print/x list"), r"^\$\d+ = 0x[0-9a-f]+\n$")
        self.assertRegex(self.output("print *many"), r"list of 1000 = \{0x\w+ 0, 0x\w+ 1, 0x\w+ 2, 0x\w+ 3\.\.\.\}")
        self.assertIn(r'"say "...', self.output("print *text", 1))
        self.assertRegex(self.output("info pretty-printer"), r"objfile .*librefheap\S* pretty-printers:\n  librefheap")
        self.assertIn("refcount = 3", self.output("print *number"))

    def test_the_same_on_a_core_and_a_remote_target(self):
        asked = ["print " + star + name for name in OBJECTS for star in ("", "*")] + ["print *conn", "info locals"]
        core = self.path("core")
        self.gdb(VALUES, *STOP, *asked, "generate-core-file " + core)
        live = [self.output(command) for command in asked]
        self.gdb(VALUES, "core-file " + core, "up", *asked)
        self.assertEqual([self.output(command) for command in asked], live)
        if shutil.which("gdbserver"):
            self.gdb(VALUES, "set sysroot /", self.gdbserver(VALUES), "break pause_here", "continue", "up",
                     *asked)
            self.assertEqual([self.output(command) for command in asked], live)

    def test_before_the_library_is_there(self):
        self.gdb(VALUES, "print no_object", "print text", "starti", "print text ", "print *text")
        self.assertIn("refcount = 0", self.output("print no_object"))
        self.assertIn("= (struct rh_object *) 0x0", self.output("print text"))
        self.assertIn("Cannot access memory", self.error("print *text"))

    def test_linked_into_the_program(self):
        """Where the library has no debug information, and where it is no file of its own."""
        program, library = self.path("linked"), self.path("librefheap.a")
        shutil.copy(os.path.join(BUILD, "librefheap.a"), library)
        flags = ["-fsanitize=address,undefined"] if BUILD.endswith("-san") else []
        done = subprocess.run(["strip", "-g", library], stderr=subprocess.PIPE)
        if done.returncode:
            self.skipTest("there is no strip")
        subprocess.run(["gcc", "-g", "-I" + os.path.join(SOURCE, "dumpfmt/include"), "-I" +
                        os.path.join(SOURCE, "runtime/librefheap/include"), "-o", program, os.path.join(HERE, "values.c"), library,
                        "-lpthread", *flags], check=True)
        self.gdb(program, *STOP, "print *list", "info pretty-printer")
        self.assertIn("list of 3 = {", self.output("print *list"))
        self.assertRegex(self.output("info pretty-printer"), r"objfile .*linked pretty-printers:\n  librefheap")

    def test_damaged_memory(self):
        results = self.path("damage")
        self.gdb(VALUES, *STOP, "source " + os.path.join(HERE, "damage.py"), "print *list",
                 more={"DAMAGE_NAMES": " ".join(OBJECTS), "DAMAGE_RESULTS": results,
                       "PRINTER_DAMAGES": os.environ.get("PRINTER_DAMAGES", "40")})
        self.assertEqual(self.output("source " + os.path.join(HERE, "damage.py")).count("Traceback"), 0)
        with open(results) as f:
            found = json.load(f)
        self.assertEqual(found["wrong"], [])
        self.assertGreater(found["texts"], 100)  # the damage did show
        self.assertIn("list of 3", self.output("print *list"))

    def test_the_layout_is_that_of_the_header(self):
        """The names by which control.py takes the layout apart are those of control.h, in its order."""
        header = os.path.join(SOURCE, "runtime", "librefheap", "include", "refheap", "control.h")
        self.gdb(None, "python from refheap_gdb import control; text = open('%s').read(); "
                 "print(control.names_promised(text) == control._NAMES, control.KNOWN_VERSION)" % header)
        with open(header) as f:
            version = re.search(r"#define RH_CONTROL_VERSION (\d+)", f.read()).group(1)
        self.assertEqual(self.results[0]["output"], "True %s\n" % version)


if __name__ == "__main__":
    unittest.main()
