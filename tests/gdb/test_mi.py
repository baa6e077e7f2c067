"""The commands as front ends see them: a session of MI."""

import json
import os
import re
import subprocess
import unittest

from gdb_support import BUILD, LOADER, SAMPLES, GdbTestCase, ask


def parse(text):
    """The value of an MI result, from its text."""
    value, rest = _value("{" + text + "}")
    assert not rest, rest
    return value


def _value(text):
    if text[0] == '"':
        string = re.match(r'"(?:[^"\\]|\\.)*"', text).group()
        return json.loads(re.sub(r"\\(\d{3})", lambda m: "\\u00" + "%02x" % int(m.group(1), 8), string)), text[len(string):]
    end = {"{": "}", "[": "]"}[text[0]]
    found, rest = ({} if end == "}" else []), text[1:]
    while rest[0] != end:
        name = re.match(r"([\w-]+)=", rest)
        value, rest = _value(rest[name.end():] if name else rest)
        if isinstance(found, dict):
            found[name.group(1)] = value
        else:
            found.append(value)
        if rest[0] == ",":
            rest = rest[1:]
    return found, rest[1:]


def strings(value):
    """JSON as MI carries it."""
    if isinstance(value, dict):
        return {k: strings(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return ["" if v is None else strings(v) for v in value]
    return str(int(value)) if isinstance(value, bool) else str(value)


class Session(GdbTestCase):
    def mi(self, *commands, program=os.path.join(SAMPLES, "proxy"), stop="sample_pause"):
        """Runs the commands at a stop of a program; returns their results, in order."""
        gdb = subprocess.Popen(["timeout", "-k", "5", "60", "gdb", "-nx", "-q", "-i=mi3", "-iex", "set debuginfod enabled off", "-iex",
                                "set auto-load no", "-iex", "set startup-with-shell off", "-x", LOADER, program],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=self.environment(), cwd=self.folder)
        results = []
        for n, command in enumerate(("-gdb-set confirm off", "-break-insert " + stop, "-exec-run", "-stack-select-frame 1",
                                     *commands, "-gdb-exit")):
            gdb.stdin.write(b"%d%s\n" % (n, command.encode()))
            gdb.stdin.flush()
            line = ""
            while not line.startswith("%d^" % n):
                line = gdb.stdout.readline().decode()
                self.assertTrue(line, command)
                # Nothing but MI's own records, whatever the commands run meanwhile.
                self.assertRegex(line, r"^(\d*[\^*=+~@&]|\(gdb\)|Opened )")
            results.append(line.split("^", 1)[1].rstrip("\n"))
            while command == "-exec-run" and not line.startswith("*stopped"):
                line = gdb.stdout.readline().decode()
        gdb.communicate()
        return results[4:-1]

    def result(self, line):
        self.assertTrue(line.startswith("done"), line)
        return parse(line[len("done,"):]) if line != "done" else {}

    def test_answers_are_those_of_json(self):
        asked = {
            "-refheap-summary": ["summary"],
            "-refheap-generations": ["generations"],
            "-refheap-cycles -type connection": ["cycles", "--type", "connection"],
            "-refheap-audit": ["audit"],
            "-refheap-retained -limit 3": ["retained", "--limit", "3"],
            "-refheap-why root:active": ["why", "root:active"],
            "-refheap-referents -depth 2 -- root:active": ["referents", "root:active", "--depth", "2"],
            "-refheap-dominators": ["dominators"],
            "-refheap-suspects": ["suspects"],
            "-refheap-what-if -cut connection.peer": ["what-if", "--cut", "connection.peer"],
            '-refheap-sql -limit 2 -- "select type, generation, serial from objects"':
                ["sql", "select type, generation, serial from objects", "--limit", "2"],
        }
        capture, *lines, conn, error, nothing, unknown, short, drawn, diff, status, loaded, loaded_summary, back = self.mi(
            "-refheap-capture stop.refheap", *asked, "-refheap-object conn->peer", "-refheap-object nonsense", "-refheap-object",
            "-refheap-frobnicate", "-refheap-cycles -limit", "-refheap-render -o drawn.svg", "-refheap-diff stop.refheap",
            "-refheap-status", "-refheap-load stop.refheap", "-refheap-summary", "-refheap-load")
        path = self.path("stop.refheap")
        self.assertEqual(self.result(capture)["objects"], "169")
        for line, (command, words) in zip(lines, asked.items()):
            expected, found = strings(ask(words[0], path, *words[1:])), self.result(line)
            for answer in expected, found:  # of two captures
                del answer["snapshot"]["uuid"]
            said = (json.dumps(answer).replace(answer["snapshot"]["path"], "FILE") for answer in (found, expected))
            self.assertEqual(*map(json.loads, said), command)
        self.assertEqual(self.result(conn)["type"], "connection")
        self.assertEqual(error, 'error,msg="No symbol \\"nonsense\\" in current context."')
        self.assertIn("name an object", nothing)
        self.assertIn("undefined-command", unknown)
        self.assertIn("requires an argument", short)
        self.assertEqual(self.result(drawn)["path"], self.path("drawn.svg"))
        self.assertGreater(os.path.getsize(self.path("drawn.svg")), 1000)
        self.assertEqual(self.result(diff)["same_process"], "1")
        self.assertIn("live process", self.result(status)["target"])
        self.assertIn("stop.refheap", self.result(loaded)["answers"])
        self.assertEqual(self.result(loaded_summary)["snapshot"]["path"], path)
        self.assertEqual(self.result(back), {})

    def test_variables_have_children(self):
        """What editors show when a variable is opened."""
        _, _, listed, _, keyed, _, head, _, fields = self.mi(
            "-enable-pretty-printing", "-var-create l * *list", "-var-list-children --all-values l", "-var-create d * *dict",
            "-var-list-children --all-values d", "-var-create c * *conn", "-var-list-children --all-values c",
            "-var-create i * *instance", "-var-list-children --all-values i",
            program=os.path.join(BUILD, "tests", "gdb", "values"), stop="pause_here")
        values = [[re.sub(r"0x\w+", "0x", child["value"]) for child in self.result(line)["children"]] for line in (
            listed, keyed, head, fields)]
        self.assertEqual(values[0], ['0x "say \\"hello\\",\\n\u00c3\u00a9"', "0x -42", "0x none"])
        self.assertEqual(values[1][:4], ['"one"', "0x 1", '"removed"', "0x none"])
        self.assertEqual(values[1][6:8], ["-42", "0x true"])
        self.assertEqual(values[2][0], 'connection "client", refcount 2, generation 0')
        self.assertEqual(values[3], ['0x <class "Account">', '0x "Ada"', "0x 12"])

    def test_dumps(self):
        now, both, later = self.mi("-refheap-dump -now " + self.path("now.refheap"), "-refheap-dump -now -wait x",
                                   "-refheap-dump later.refheap")
        self.assertEqual(self.result(now)["path"], self.path("now.refheap"))
        self.assertTrue(ask("info", self.path("now.refheap"))["snapshot"]["complete"])
        self.assertIn("exclude each other", both)
        self.result(later)


if __name__ == "__main__":
    unittest.main()
