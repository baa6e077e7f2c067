"""Completion of the command line: what the program offers, and that it arrives in bash, zsh and fish.

What is offered must be true: every word offered is taken by the command, and every one a command says it takes is offered.
In the shells, a line is typed at a terminal with TAB and Enter behind it, and the words are looked at that the program
would have been run with.
"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
import unittest

from support import BUILD, REFHEAP, SOURCE, TestCase, run, sample

import second_reader

PACKAGE = "/usr/share/bash-completion/bash_completion"
COMPLETION = os.path.join(SOURCE, "packaging", "completion")
COMMANDS = re.findall(r"^  (\S+)  ", run("help")[0], re.M)


def offered(*words):
    """[what, word, about] of each line."""
    out, err = run("complete", *words)
    assert not err, err
    return [line.split("\t") for line in out.splitlines()]


def words(*line):
    return [word for what, word, _ in offered(*line) if what in ("word", "part")]


class Offers(TestCase):
    def setUp(self):
        super().setUp()
        for name in ("proxy", "lapsed_listener"):
            sample(name, self.path(name))
        self.proxy = self.path("proxy")

    def test_commands(self):
        self.assertEqual(words(""), COMMANDS + ["help", "version"])
        self.assertEqual(words(), words(""))
        self.assertEqual(words("help", ""), COMMANDS)
        self.assertEqual(words("gen"), ["generations"])
        self.assertEqual(words("no-such-command", ""), [])

    def test_options_are_those_of_help(self):
        for command in COMMANDS:
            told = re.findall(r"^  (--[a-z-]+)", run(command, "--help")[0], re.M)
            self.assertEqual(words(command, "--"), told + ["--help"], command)
        self.assertIn(["word", "--csv", "print the table as CSV"], offered("summary", self.proxy, "--c"))
        self.assertEqual(words("summary", "--", "--c"), [])

    def complaint(self, command, option, value):
        """What a command says of an option's value, "" when it takes it."""
        more = {"trend": [self.proxy] * 2, "diff": [self.proxy], "referrers": ["@0"], "referents": ["@0"]}.get(command, [])
        return subprocess.run([REFHEAP, command, self.proxy, *more, option, value], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=self.folder).stderr.decode()

    def test_every_value_offered_is_taken_and_every_value_taken_is_offered(self):
        seen, checked = set(), 0
        for command in COMMANDS:
            for option, help_line in re.findall(r"^  (--[a-z-]+) [^ ].*?  +(.*)$", run(command, "--help")[0], re.M):
                if option in ("--heap", "--sort", "--type", "--pid") or (option, help_line) in seen:
                    continue  # names and numbers; or the same as another command's
                seen.add((option, help_line))
                values = words(command, option, "")
                for value in values:
                    checked += 1
                    self.assertNotIn("cannot be", self.complaint(command, option, value), (command, option))
                taken = re.search(r'cannot be "nonsense"; it is (.*); see', self.complaint(command, option, "nonsense"))
                if taken:
                    self.assertEqual(sorted(values), sorted(re.split(r", | or ", taken.group(1))))
                if values:
                    self.assertEqual(words(command, option + "=")[0], option + "=" + values[0])
        self.assertGreater(checked, 30)

    def test_columns_are_those_the_command_sorts_by(self):
        lines = [["summary", self.proxy], ["summary", self.proxy, "--waste"], ["generations", self.proxy], ["cycles", self.proxy],
                 ["cycles", self.proxy, "--objects"], ["referrers", self.proxy, "@0"], ["retained", self.proxy],
                 ["what-if", self.proxy, "--cut", "connection.peer"], ["diff", self.proxy, self.proxy],
                 ["diff", self.proxy, self.proxy, "--by", "generation"], ["diff", self.proxy, self.proxy, "--objects", "new"],
                 ["trend", self.proxy, self.proxy, self.proxy, self.proxy]]
        for line in lines:
            said = run(*line, "--sort", "nonsense", status=2)[1]
            columns = re.search("there are (.*); see", said).group(1).split(", ")
            self.assertEqual(words(*line, "--sort", ""), columns, line)
            self.assertEqual(words(*line, "--sort", "-" + columns[1][:3])[0], "-" + columns[1], line)
            for column in columns:
                run(*line, "--sort", column)
        with_sort = [c for c in COMMANDS if "--sort" in words(c, "--")]
        self.assertEqual(sorted(set(line[0] for line in lines) | {"referents"}), sorted(with_sort))

    def test_snapshots_come_first_and_then_what_the_command_wants(self):
        for command in COMMANDS:
            if re.search(r" (SNAPSHOT|A) ", run(command, "--help")[0].splitlines()[0]):
                self.assertEqual(offered(command, ""), [["file", "*.refheap", ""]], command)
        self.assertEqual(offered("diff", "a", ""), [["file", "*.refheap", ""]])
        self.assertEqual(offered("diff", "a", "b", ""), [])
        self.assertEqual(offered("info", "a", ""), [])
        self.assertEqual(words("object", self.proxy, ""), ["root:"])
        self.assertEqual(words("why", self.proxy, ""), ["root:", "type:", "cycle:", "sql:", "garbage"])
        self.assertEqual(words("render", self.proxy, "ref"), ["referrers", "referents"])
        self.assertEqual(words("render", self.proxy, "why", "root:"), ["root:active"])
        self.assertEqual(offered("render", self.proxy, "diff", ""), [["file", "*.refheap", ""]])
        for kind in words("render", self.proxy, ""):
            self.assertIn(kind.rstrip(":"), run("render", "--help")[0])

    def test_names_of_the_snapshot(self):
        self.assertEqual(words("why", self.proxy, "root:"), ["root:active"])
        self.assertEqual(words("why", self.proxy, "type:b"), ["type:buffer", "type:bytes", "type:bool"])
        self.assertEqual(words("summary", self.proxy, "--type", "conn"), ["connection"])
        self.assertEqual(words("summary", self.proxy, "--heap", ""), ["0"])
        self.assertEqual(words("summary", "--type=conn", self.proxy, ""), [])
        self.assertEqual(words("summary", self.proxy, "--type=conn"), ["--type=connection"])
        self.assertEqual(words("check", self.proxy, "--forbid", "conn"), ["connection"])
        self.assertIn(["part", "connection=", ""], offered("check", self.proxy, "--max-objects", "c"))
        self.assertEqual(words("what-if", self.proxy, "--cut", "connection."), ["connection.peer", "connection.buffer"])
        for kind in ("connection.peer", "root:active", "type:list"):
            self.assertIn(kind, words("what-if", self.proxy, "--cut", kind[:6]))
            run("what-if", self.proxy, "--cut", kind)

    def test_names_that_no_shell_should_be_sent_are_left_out(self):
        write_names(self.path("names"))
        self.assertEqual(words("summary", self.path("names"), "--type", ""), NAMES + ["unknown"])

    def test_processes_files_and_folders(self):
        mine = [about for _, pid, about in offered("capture", "--pid", "") if pid == str(os.getpid())]
        self.assertEqual(len(mine), 1)
        self.assertEqual(offered("capture", "--core", ""), [["file", "*", ""]])
        self.assertEqual(offered("capture", "--core="), [["file", "*", "--core="]])
        self.assertEqual(offered("capture", "--sysroot", ""), [["folder", "*", ""]])
        self.assertEqual(offered("summary", "x", "-o", ""), [["file", "*", ""]])

    def test_a_line_that_is_wrong_offers_little_and_says_nothing(self):
        with open(self.path("torn"), "wb") as f, open(self.proxy, "rb") as whole:
            f.write(whole.read()[:5000])
        for path in ("/nonexistent", self.path("torn"), "/dev/null", "/dev/zero", self.folder, "-"):
            self.assertEqual(offered("why", path, "type:"), [])
            self.assertEqual(offered("summary", path, "--sort", ""), [])
        self.assertEqual(offered("cycles", self.proxy, "--type"), [["word", "--type", "only objects of this type; * matches anything"]])
        self.assertEqual(offered("cycles", self.proxy, "--wrong", "--sor")[0][1], "--sort")
        self.assertEqual(words("cycles", self.proxy, "--generation=9", "--sort", "obj"), ["objects"])


# What stands for refheap in the shells: asked for completion it is the program, else it shows its arguments.
FAKE = """#!/bin/sh
if test "$1" = complete; then exec %s "$@"; fi
printf '\\036'
for word; do printf '\\037%%s' "$word"; done
printf '\\036 END.\\n'
"""

# Types whose names do harm where they are not quoted, have what shells break words at, or what no shell should be sent.
NAMES = ["$(touch harm)`touch harm`; touch harm & '\"\\ a*b !1", "std::map<int, long>", "k=v:w", "été {a,b} ~/x #y"]
NOT_OFFERED = [b"tab\there", b"line\nhere", b"\x1b[31mred", b"\xff\xfe", b""]


def write_names(path):
    names = [name.encode() for name in NAMES] + NOT_OFFERED
    second_reader.write_snapshot(second_reader.Snapshot(
        types=[second_reader.Type(name=name, flags=1, basic_size=32, fields=[]) for name in names],
        objects=[second_reader.Object(heap=0, address=0x1000 + 32 * n, type=n, size=32, refcount=1, state=8, edges=[])
                 for n in range(len(names))], heaps=[second_reader.Heap(runtime=b"x", name=b"y")]), path)


class Shell:
    """A shell at a terminal, in a folder."""

    def __init__(self, command, folder):
        environment = {"PATH": folder + "/bin:" + os.environ["PATH"], "HOME": folder, "TERM": "dumb", "LC_ALL": "C.UTF-8", "PS1": "> "}
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)

    def say(self, text, until):
        """Types; returns what is shown up to `until`."""
        shown = b""
        ends = time.monotonic() + 30
        os.write(self.terminal, text.encode())
        while not re.search(until, shown):
            ready = select.select([self.terminal], [], [], max(0, ends - time.monotonic()))[0]
            if not ready:
                raise AssertionError("%r led to %r" % (text, shown))
            shown += os.read(self.terminal, 65536)
        return shown.decode("utf-8", "replace")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class Shells(TestCase):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bin"))
        os.mkdir(self.path("folder"))
        with open(self.path("bin/refheap"), "w") as f:
            f.write(FAKE % REFHEAP)
        os.chmod(self.path("bin/refheap"), 0o755)
        sample("proxy", self.path("proxy.refheap"))
        with open(self.path("proxy.txt"), "w"):
            pass
        shutil.copy(self.path("proxy.refheap"), self.path("two words.refheap"))
        write_names(self.path("names.refheap"))

    def completes(self, shell, lines):
        self.addCleanup(shell.close)
        for typed, meant in lines:
            shown = shell.say(typed + "\t\n", rb"\x1e END\.")
            got = re.search(r"\x1e(.*)\x1e", shown)
            self.assertEqual(got and [word.rstrip("/") for word in got.group(1).split("\x1f")[1:]], meant, (typed, shown))
        self.assertFalse(os.path.exists(self.path("harm")))

    LINES = [
        ("refheap gener", ["generations"]),
        ("refheap help gener", ["help", "generations"]),
        ("refheap cycles pro", ["cycles", "proxy.refheap"]),
        ("refheap cycles two", ["cycles", "two words.refheap"]),
        ("refheap cycles proxy.refheap --no-f", ["cycles", "proxy.refheap", "--no-fold"]),
        ("refheap cycles proxy.refheap --sort unc", ["cycles", "proxy.refheap", "--sort", "uncollectable"]),
        ("refheap cycles proxy.refheap --sort=unc", ["cycles", "proxy.refheap", "--sort=uncollectable"]),
        ("refheap why proxy.refheap type:conn", ["why", "proxy.refheap", "type:connection"]),
        ("refheap why two\\ words.refheap root:", ["why", "two words.refheap", "root:active"]),
        ("refheap why 'two words.refheap' ty", ["why", "two words.refheap", "type:"]),
        ("refheap what-if proxy.refheap --cut connection.p", ["what-if", "proxy.refheap", "--cut", "connection.peer"]),
        ("refheap check proxy.refheap --max-objects conn", ["check", "proxy.refheap", "--max-objects", "connection="]),
        ("refheap info ~/pro", "home"),
        ("refheap why ~/proxy.refheap root:a", "home"),
        ("refheap capture --core proxy.t", ["capture", "--core", "proxy.txt"]),
        ("refheap capture --core=proxy.t", ["capture", "--core=proxy.txt"]),
        ("refheap capture --sysroot fol", ["capture", "--sysroot", "folder"]),
        ("refheap why names.refheap type:std", ["why", "names.refheap", "type:" + NAMES[1]]),
        ("refheap why names.refheap type:std::m", ["why", "names.refheap", "type:" + NAMES[1]]),
        ("refheap summary names.refheap --type k", ["summary", "names.refheap", "--type", NAMES[2]]),
        ("refheap summary names.refheap --type=k=", ["summary", "names.refheap", "--type=" + NAMES[2]]),
        ("refheap summary names.refheap --type \\$", ["summary", "names.refheap", "--type", NAMES[0]]),
        ("refheap why names.refheap type:\\$", ["why", "names.refheap", "type:" + NAMES[0]]),
        ("refheap why names.refheap type:é", ["why", "names.refheap", "type:" + NAMES[3]]),
        ("refheap why names.refheap 'type:std::map<int, l", ["why", "names.refheap", "type:" + NAMES[1]]),
    ]

    def lines(self):
        for typed, meant in self.LINES:
            if meant == "home":
                meant = [w.replace("~", self.folder) for w in typed.split()[1:]]
                meant[-1] += "xy.refheap" if meant[-1].endswith("pro") else "ctive"
            yield typed, meant

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_bash(self):
        shell = Shell(["bash", "--norc", "--noprofile", "-i"], self.folder)
        shell.say("bind 'set enable-bracketed-paste off'; source %s/refheap.bash; echo rea''dy\n" % COMPLETION, b"ready")
        self.completes(shell, self.lines())

    @unittest.skipUnless(os.path.exists(PACKAGE), "bash-completion is not installed")
    def test_bash_with_its_completion_package_finds_it_where_it_is_installed(self):
        subprocess.run(["make", "-C", SOURCE, "O=" + BUILD, "PREFIX=" + self.path("usr"), "install"] +
                       (["SAN=address,undefined"] if "-san" in BUILD else []), stdout=subprocess.DEVNULL, check=True)
        shell = Shell(["bash", "--norc", "--noprofile", "-i"], self.folder)
        shell.say("bind 'set enable-bracketed-paste off'; export XDG_DATA_DIRS=$HOME/usr/share; source %s; echo rea''dy\n" % PACKAGE, b"ready")
        self.completes(shell, self.lines())

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        shell = Shell(["zsh", "-f", "-i"], self.folder)
        shell.say("unsetopt prompt_sp prompt_cr zle_bracketed_paste; unset zle_bracketed_paste; fpath=(%s $fpath); autoload -U compinit; "
                  "compinit -u -D; echo rea''dy\n" % COMPLETION, b"ready")
        self.completes(shell, self.lines())

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        shell = Shell(["fish", "--no-config", "-i"], self.folder)
        shell.say("source %s/refheap.fish; echo rea''dy\n" % COMPLETION, b"ready\r")
        self.completes(shell, self.lines())


if __name__ == "__main__":
    unittest.main()
