"""`refheap browse` at a terminal: every key, and what is shown is what the commands say of the same snapshot."""

import os
import pty
import re
import shutil
import signal
import subprocess
import time
import unicodedata
import unittest

from support import BUILD, REFHEAP, SOURCE, TestCase, ask, run, sample, tool
from terminal import Terminal

import second_reader as sr

SANITIZED = "-san" in BUILD
TITLES = 3  # lines above the list: banner, tabs, trail


def size(n):
    """A number of bytes as people read it."""
    unit, value = 0, float(n)
    while value >= 1000 and unit < 6:
        value, unit = value / 1024, unit + 1
    digits = "%.0f" if unit == 0 or value >= 100 else "%.1f" if value >= 10 else "%.2f"
    return (digits + " " + ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][unit]) % value


def generation(n):
    return {-1: "untracked", 3: "permanent"}.get(n, str(n))


def words(line):
    """A line's words, a size as one."""
    return re.sub(r"(\d) ([KMGTPE]?i?B)\b", r"\1\2", line).split()


def row(*cells):
    return words("  ".join(str(c) for c in cells))


@unittest.skipUnless(shutil.which("tmux"), "tmux, which stands in for a terminal, is not installed")
class BrowseTestCase(TestCase):
    def begin(self, snapshot, *options, width=80, height=24, **environment):
        self.snapshot = snapshot
        self.terminal = Terminal(self.folder, width, height, **environment)
        self.addCleanup(self.terminal.close)
        self.terminal.type("trap : INT; stty -a > before; %s browse %s %s; echo status $?; stty -a > after\n" % (
            REFHEAP, snapshot, " ".join(options)))
        self.terminal.until_text("1 Dominators")
        return self.terminal

    def browse(self, name, *options, **more):
        path = self.path(name + ".refheap")
        sample(name, path)
        return self.begin(path, *options, **more)

    def go(self, *keys, to=None):
        """Presses keys; `to` is what the trail ends in then. Returns the lines of the screen."""
        self.terminal.keys(*keys)
        if to is None:
            return self.terminal.screen()
        return self.terminal.until(lambda s: re.search(r"(^ |> )%s( +[\d,]+ of [\d,]+)?$" % re.escape(to), s[2]))

    def rows(self, lines, notes=0):
        """The rows of the list, as words."""
        return [words(line) for line in lines[TITLES + notes + 1:-2] if line.strip()]

    def page(self, lines):
        return [line for line in lines[TITLES:-2]]

    def ended(self, status=0):
        lines = self.terminal.until_text("status %s" % status)
        self.assertEqual(self.terminal.ask("alternate_on"), "0")
        self.assertEqual(self.terminal.ask("cursor_flag"), "1")
        self.terminal.until(lambda _: os.path.exists(self.path("after")) and os.path.getsize(self.path("after")))
        with open(self.path("before")) as before, open(self.path("after")) as after:
            self.assertEqual(before.read(), after.read())
        return lines


class Views(BrowseTestCase):
    def test_dominators(self):
        t = self.browse("proxy", height=60)
        top = ask("dominators", self.snapshot, "--depth", "1", "--limit", "0")["objects"]
        lines = t.screen()
        self.assertEqual(lines[2].split(), ["all", "objects", "1", "of", str(len(top))])
        self.assertTrue(lines[0].startswith(" refheap  proxy.refheap") and lines[0].endswith("169 objects, 849 KiB; garbage 74, 4.05 KiB"))
        # Both go by retained size, largest first; the command folds by type before that.
        expected = sorted(top, key=lambda o: -o["retained"])
        shown = self.rows(lines)
        self.assertEqual(len(shown), len(expected))
        for line, o in zip(shown, expected):
            self.assertEqual(line[0], size(o["retained"]).replace(" ", ""))
            self.assertIn(str(o["child_count"]), line)
            self.assertIn(o["type"].strip("()"), line)
        # Down into the list, and what it keeps.
        o = next(o for o in top if o["type"] == "list")
        lines = self.go("Enter", to="list")
        below = ask("dominators", self.snapshot, o["address"], "--depth", "1", "--limit", "0")["objects"][0]["children"]
        self.assertEqual([r[0] for r in self.rows(lines)], [size(c["retained"]).replace(" ", "") for c in below])
        self.assertIn('"client"', lines[4])
        self.go("Right", to='connection "client"')
        self.go("BSpace", to="list")
        lines = self.go("q", to="all objects")
        self.assertEqual(len(self.rows(lines)), len(top))
        t.keys("BSpace")
        t.until_text("this is the first view; q ends")
        t.keys("q")
        self.ended()

    def test_types_and_orders(self):
        t = self.browse("two_dicts", height=40, width=100)
        lines = self.go("2", to="types")
        types = ask("summary", self.snapshot)["types"]

        def shown(lines):
            return [(r[0], r[-1]) for r in self.rows(lines)]

        def expected(key, turned=False):
            order = sorted(types, key=key)
            return [("{:,}".format(o["count"]), o["type"]) for o in (order[::-1] if turned else order)]

        self.assertEqual(shown(lines), [("{:,}".format(o["count"]), o["type"]) for o in types])
        for line, o in zip(self.rows(lines), types):
            self.assertEqual(line[1:4], row(size(o["shallow"]), size(o["owned"]), size(o["retained"])))
            self.assertEqual(line[-2], size(o["largest"]).replace(" ", ""))
        # By largest, type, as the command has them, count ...
        rank = {o["type"]: i for i, o in enumerate(types)}
        self.assertIn("retained▼", lines[3])
        for title, key in [("largest", lambda o: (-o["largest"], rank[o["type"]])), ("type", lambda o: o["type"]),
                           (None, lambda o: rank[o["type"]]), ("count", lambda o: (-o["count"], rank[o["type"]]))]:
            t.keys("s")
            lines = t.until_text("sorted by " + title if title else "in the order of the commands")
            self.assertEqual(shown(lines), expected(key), title)
        self.assertIn("count▼", lines[3])
        t.keys("S")
        lines = t.until_text("the other way round")
        self.assertEqual(shown(lines), expected(lambda o: (o["count"], rank[o["type"]])))
        self.assertIn("count▲", lines[3])

    def test_a_types_objects_and_their_references(self):
        t = self.browse("proxy", height=60)
        self.go("2", to="types")
        lines = self.go("Enter", to="type connection")
        connections = ask("sql", self.snapshot, "select hex_address(address), retained from objects where type = 'connection' "
                          "order by retained desc, ordinal")["rows"]
        first = self.rows(lines)
        self.assertEqual([r[0] for r in first], [c[0] for c in connections[:len(first)]])
        self.assertEqual([r[3] for r in first], [size(c[1]).replace(" ", "") for c in connections[:len(first)]])
        lines = self.go("End", to="type connection")
        lines = t.until(lambda s: "84 of 84" in s[2])
        self.assertEqual(self.rows(lines)[-1][0], connections[-1][0])
        address = connections[-1][0]
        # What the last one refers to, and who refers to it.
        for key, command in (("e", "referents"), ("r", "referrers")):
            lines = self.go(key, to='%s of connection "client"' % command)
            edges = ask(command, self.snapshot, address)["edges"]
            other = "to" if command == "referents" else "from"
            self.assertGreater(len(edges), 0)
            self.assertEqual([r[:3] for r in self.rows(lines)], [[e["label"], e["kind"], e[other]] for e in edges])
            self.assertEqual([r[4] for r in self.rows(lines)], [e["type"] for e in edges])
            self.go("Left", to="type connection")
        # Of all of a type at once.
        self.go("BSpace", to="types")
        lines = self.go("r", to="referrers of type connection")
        edges = ask("referrers", self.snapshot, "type:connection")["edges"]
        self.assertIn("1 of %d" % len(edges), lines[2])

    def test_cycles(self):
        t = self.browse("proxy", height=60)
        cycles = ask("cycles", self.snapshot)["cycles"]
        lines = self.go("3", to="cycles")
        self.assertEqual(lines[3], " garbage: 74 objects, 4.05 KiB; freed with it: 74 objects, 743 KiB")
        self.assertTrue(lines[4].startswith(" 37 cycles;"))
        self.assertEqual(self.rows(lines, 2), [row(1, 2, size(cycles[0]["retained"]), 37, "source", "2 connection")])
        t.keys("f")
        lines = t.until(lambda s: "1 of 37" in s[2])
        self.assertEqual([r[0] for r in self.rows(lines, 1)], [str(c["id"]) for c in cycles])
        t.keys("f")
        lines = t.until(lambda s: "1 of 1" in s[2] and "37" not in s[2])
        lines = self.go("Enter", to="cycle 1")
        self.assertEqual(lines[3:5], [" retains " + size(cycles[0]["retained"]), " to break it: " + cycles[0]["advice"]])
        self.assertEqual([r[0] for r in self.rows(lines, 2)], [m["address"] for m in cycles[0]["members"]])
        self.go("BSpace", to="cycles")
        lines = self.go("e", to="referents of cycle 1")
        edges = ask("referents", self.snapshot, "cycle:1")["edges"]
        self.assertEqual(sorted(r[2] for r in self.rows(lines)), sorted(e["to"] for e in edges))
        self.go("BSpace", to="cycles")
        lines = self.go("t", to="cycle 1: 2 connection")
        self.assertEqual(len(self.rows(lines)), 2)

    def test_generations(self):
        t = self.browse("freeze_before_fork", width=110)
        lines = self.go("4", to="generations")
        for line, g in zip(self.rows(lines, 1), ask("generations", self.snapshot)["generations"]):
            self.assertEqual(line[:4], row(g["heap"], generation(g["generation"]), "{:,}".format(g["objects"]), size(g["bytes"])))
            if 0 <= g["generation"] < 3:
                self.assertEqual(line[4:], row(g["garbage_objects"], size(g["garbage_bytes"]), g["dependent_objects"],
                                               g["uncollectable_objects"], "{:,}".format(g["survivors"]), "{:,}".format(g["threshold"])))
        t.keys("Down", "Down", "Down")
        lines = self.go("Enter", to="generation permanent")
        frozen = ask("sql", self.snapshot, "select count(*) from objects where generation = 3")["rows"][0][0]
        self.assertGreater(frozen, 0)
        self.assertIn("1 of {:,}".format(frozen), lines[2])

    def test_roots(self):
        self.browse("lapsed_listener", "" if SANITIZED else "--no-cache")
        lines = self.go("5", to="roots")
        roots = ask("sql", self.snapshot, "select r.name, o.type, o.retained from roots r join objects o on o.ordinal = r.target "
                    "order by o.retained desc, o.ordinal")["rows"]
        self.assertEqual(len(self.rows(lines)), len(roots))
        for line, (name, type_, retained) in zip(self.rows(lines), roots):
            self.assertEqual(line[0], size(retained).replace(" ", ""))
            self.assertIn(type_, line)
            self.assertEqual(line[-1], name.split()[-1])

    def browse_all(self, *words):
        """What a command says, as a page has it."""
        return run(*words)[0].splitlines()

    def test_pages_are_what_the_commands_say(self):
        t = self.browse("missing_release", width=200, height=90)
        self.go("6", to="audit")
        said = self.browse_all("audit", self.snapshot, "--limit", "1000")
        lines = t.until(lambda s: "1 of %d" % len(said) in s[2])
        self.assertEqual([line for line in self.page(lines)][:len(said)], said)
        t.keys("f")
        said = self.browse_all("audit", self.snapshot, "--limit", "1000", "--no-fold")
        lines = t.until(lambda s: "1 of %d" % len(said) in s[2])
        self.assertEqual(self.page(lines)[:len(said)], said)
        # A line with an address stands for the object.
        place = next(i for i, line in enumerate(said) if re.search(r"0x[0-9a-f]+", line))
        address = re.search(r"0x[0-9a-f]+", said[place]).group()
        t.keys(*["Down"] * place)
        t.keys("o")
        said = self.browse_all("object", self.snapshot, address)
        lines = t.until(lambda s: "of %d" % len(said) in s[2] and s[3] == said[0])
        self.assertEqual(self.page(lines)[:len(said)], said)
        t.keys("w")
        said = self.browse_all("why", self.snapshot, address, "--limit", "1000")
        lines = t.until(lambda s: s[3] == said[0])
        self.assertEqual(self.page(lines)[:len(said)], said)
        self.go("BSpace")
        self.go("7", to="suspects")
        said = self.browse_all("suspects", self.snapshot)
        lines = t.until(lambda s: s[3].split()[:6] == said[0].split()[:6])
        self.assertEqual(" ".join(" ".join(self.page(lines)).split()), " ".join(" ".join(said).split()))

    def test_suspects_are_broken_to_the_terminal_and_lead_on(self):
        t = self.browse("proxy", width=60)
        said = " ".join(" ".join(self.browse_all("suspects", self.snapshot)).split())
        self.go("7", to="suspects")
        for width in (60, 33, 140, 80):
            t.resize(width, 24)
            lines = t.until(lambda s: " ".join(" ".join(self.page(s)).split()).replace(" ", "") == said.replace(" ", ""))
            self.assertTrue(all(len(line) < width for line in lines[3:-2]))
        place = next(i for i, line in enumerate(self.page(lines)) if "cycle:1" in line)
        t.keys(*["Down"] * place)
        self.go("Enter", to="cycle 1")

    def test_why_of_sets(self):
        t = self.browse("proxy", width=120, height=40)
        self.go("2", to="types")
        self.go("Down", to="types")
        t.keys("w")
        said = self.browse_all("why", self.snapshot, "type:buffer", "--limit", "1000")
        lines = t.until(lambda s: s[3] == said[0])
        self.assertEqual(self.page(lines)[:len(said)], said)
        # An object on the way can be gone on with.
        place = next(i for i, line in enumerate(said) if "-> " not in line and "0x" in line)
        t.keys(*["Down"] * place, "Enter")
        t.until_text("held by      root active")


class Keys(BrowseTestCase):
    def test_search(self):
        t = self.browse("proxy")
        self.go("2", to="types")
        self.go("Enter", to="type connection")
        labels = [r[1] for r in ask("sql", self.snapshot, "select address, label from objects where type = 'connection' "
                                    "order by retained desc, ordinal")["rows"]]
        places = [i + 1 for i, label in enumerate(labels) if "server" in label]
        t.keys("/")
        t.type("SERVER")
        t.until(lambda s: s[-1] == "/SERVER")
        t.keys("Enter")
        t.until_text('"SERVER" is in no row of this list')
        t.keys("/")
        t.type("serverx")
        t.keys("BSpace", "Enter")
        t.until(lambda s: "%d of 84" % places[0] in s[2])
        t.keys("n")
        t.until(lambda s: "%d of 84" % places[1] in s[2])
        t.keys("N")
        t.until(lambda s: "%d of 84" % places[0] in s[2])
        t.keys("N")  # round to the last
        t.until(lambda s: "%d of 84" % places[-1] in s[2])
        t.keys("/")
        t.type("nothing")
        t.keys("Escape")
        t.until(lambda s: "Enter open" in s[-1])

    def test_go(self):
        t = self.browse("proxy")
        address, lowest = (ask("object", self.snapshot, name) for name in ("root:active", "@0"))  # whatever the allocator does
        lowest = " ".join(filter(None, (lowest["type"], lowest["label"])))
        for name, title in [("root:active", "list"), (address["address"], "list"), ("@0", lowest), ("type:buffer", "type buffer"),
                            ("cycle:37", "cycle 37")]:
            t.keys(":")
            t.type(name)
            t.until(lambda s: s[-1] == "go to: " + name)
            self.go("Enter", to=title)
            self.go("BSpace", to="all objects")
        for name in ("root:none", "0x10", "0xzz", "@169", "@", "type:none", "cycle:38", "cycle:0", "what"):
            t.keys(":")
            t.type(name)
            t.keys("Enter")
            t.until_text('"%s" names nothing here' % name)

    def test_moving(self):
        t = self.browse("proxy")
        rows = 24 - TITLES - 3
        for keys, place in [(["Down", "j"], 3), (["k", "Up"], 1), (["NPage"], 1 + rows), ([" "], 1 + 2 * rows), (["PPage"], 1 + rows),
                            (["Home"], 1), (["End"], 38), (["g"], 1), (["G"], 38)]:
            t.keys(*keys)
            t.until(lambda s: "  %d of 38" % place in s[2])

    def test_tabs(self):
        t = self.browse("proxy")
        order = ["all objects", "types", "cycles", "generations", "roots", "audit", "suspects"]
        for title in order[1:] + order[:1]:
            self.go("Tab", to=title)
        for title in order[:0:-1]:
            self.go("BTab", to=title)
        for i, title in enumerate(order):
            self.go(str(i + 1), to=title)
        # Each keeps its place.
        self.go("2", to="types")
        self.go("Enter", to="type connection")
        self.go("3", to="cycles")
        self.go("2", to="type connection")
        t.keys("Q")
        self.ended()

    def test_help_is_what_is_documented(self):
        t = self.browse("proxy")
        t.keys("?")
        lines = t.until_text("any key goes on")
        documented = [line[4:] for line in run("browse", "--help")[0].splitlines() if line.startswith("    ")]
        self.assertGreater(len(documented), 15)
        self.assertEqual([line[1:] for line in lines[2:-1] if line], documented)
        t.keys("x")
        t.until_text("all objects")
        t.keys("x")
        t.until_text("? shows what the keys do")

    def test_draw(self):
        t = self.browse("proxy", width=120)
        self.go("3", to="cycles")
        t.keys("d")
        t.until_text("drawn: refheap-cycle-1.svg: ")
        run("render", self.snapshot, "cycle:1", "-o", self.path("same.dot"))
        with open(self.path("refheap-cycle-1.dot")) as drawn, open(self.path("same.dot")) as same:
            self.assertEqual(drawn.read(), same.read())
        with open(self.path("refheap-cycle-1.svg")) as f:
            self.assertIn("</svg>", f.read())
        t.keys("d")  # nothing is written over
        t.until_text("drawn: refheap-cycle-1-2.svg: ")
        self.go("Enter", to="cycle 1")
        self.go("e", to='referents of connection "client"')
        t.keys("d")
        lines = t.until_text("drawn: refheap-referents-0x")
        name = re.search(r"refheap-referents-(0x[0-9a-f]+)\.svg", lines[-1])
        run("render", self.snapshot, "referents", name.group(1), "-o", self.path("same.dot"))
        with open(self.path(name.group()[:-3] + "dot")) as drawn, open(self.path("same.dot")) as same:
            self.assertEqual(drawn.read(), same.read())
        self.go("2", to="types")
        t.keys("d")
        t.until_text("choose an object or a cycle to draw")

    def test_what_a_row_cannot_do_is_said(self):
        t = self.browse("proxy")
        self.go("4", to="generations")
        for key, said in [("r", "choose an object, a cycle or a type"), ("o", "choose an object"), ("w", "choose an object"),
                          ("t", "choose an object or a cycle"), ("s", "this list has one order"), ("f", "nothing is folded here")]:
            t.keys(key)
            t.until(lambda s: s[-1].startswith(" " + said))
        t.keys("n")
        t.until_text("search with / first")
        self.go("7", to="suspects")
        t.until_text("garbage cycles")
        t.keys("Enter")
        t.until_text("there is nothing behind this line")
        self.go("6", to="audit")
        for key in "orewt":
            t.keys(key)
            t.until_text("choose a line that stands for something")

    def test_sideways(self):
        t = self.browse("missing_release")
        self.go("6", to="audit")
        before = t.until_text("over: 12 objects")[5]
        t.keys(">")
        t.until(lambda s: s[5][:60] == before[8:68])
        t.keys("<")
        t.until(lambda s: s[5] == before)


class Sizes(BrowseTestCase):
    def test_resize(self):
        t = self.browse("proxy")
        for width, height in [(120, 40), (60, 12), (40, 8), (20, 7), (10, 3), (1, 1), (300, 80), (80, 24)]:
            t.resize(width, height)
            if width >= 20:
                first = "101 KiB" if width >= 40 else "list"
                lines = t.until(lambda s: len(s) == height and s[0].startswith(" refheap") and first in s[4])
                self.assertTrue(all(len(line) <= width for line in lines))
        self.assertIn("1 of 38", lines[2])
        self.assertEqual(len(self.rows(lines)), 24 - TITLES - 3)

    def test_the_chosen_row_stays_in_sight(self):
        t = self.browse("proxy", height=50)
        t.keys("End")
        t.until(lambda s: "38 of 38" in s[2])
        t.resize(80, 10)
        lines = t.until(lambda s: len(s) == 10 and "38 of 38" in s[2])
        self.assertEqual(len(self.rows(lines)), 10 - TITLES - 3)
        self.assertIn("cycle 37: ", lines[-3])

    def test_many_children(self):
        path = self.path("out.refheap")
        self.assertEqual(tool("make_shape", "out", 300000, path).returncode, 0)
        t = self.begin(path)
        self.go("Enter", to="node")
        t.until(lambda s: "1 of 299,999" in s[2])
        t.keys("End")
        t.until(lambda s: "299,999 of 299,999" in s[2])
        self.go("BSpace", to="all objects")
        self.go("e", to="referents of node")
        t.keys("End")
        lines = t.until(lambda s: "300,000 of 300,000" in s[2])
        self.assertEqual(self.rows(lines)[-1][0], "[299999]")
        t.keys("s", "s", "g")
        t.until(lambda s: "1 of 300,000" in s[2])
        t.keys("/")
        t.type("[123456]")
        t.keys("Enter")
        t.until_text("/[123456]")


class Hostile(BrowseTestCase):
    NAMES = [b"\x1b]2;title taken\x07\x1b[2J\x1b[31mred", b"two\nlines\rover", b"\xff\xfe\xc0\xaf no utf-8", b"x" * ((1 << 20) - 4096),
             "\u202eright to left\u2066\u200b".encode(), "漢字かな交じり文".encode() * 20, "e\u0301\u0301\u0301\u0301\u0301 marks".encode(),
             b"\x9b31m\xc2\x9b31m c1", b"100 %s %n {}", b""]

    def make(self):
        objects, values, types, roots = [], [], [], []
        for i, name in enumerate(self.NAMES):
            types.append(sr.Type(name, flags=1, fields=[sr.Field(name, 1, 16)]))
            a = 0x10000 + 64 * i
            objects.append(sr.Object(0, a, i, 32, 2, 2 | 8, edges=[sr.Edge(a + 32, 3 | 1 << 4, 0)]))
            objects.append(sr.Object(0, a + 32, i, 32, 2, 2 | 8, edges=[sr.Edge(a, 3 | 1 << 4, 0)]))
            values.append(sr.Value(a, 6, name))
            roots.append(sr.Root(a, where=0x7000, name=name, kind=1, flags=3))
        # And each once more as garbage.
        for i, name in enumerate(self.NAMES):
            a = 0x20000 + 64 * i
            objects.append(sr.Object(0, a, i, 32, 1, 2 | 8, edges=[sr.Edge(a + 32, 3 | 1 << 4, 0)]))
            objects.append(sr.Object(0, a + 32, i, 32, 1, 2 | 8, edges=[sr.Edge(a, 3 | 1 << 4, 0)]))
            values.append(sr.Value(a, 6, name))
        snapshot = sr.Snapshot(
            process=sr.Process(pid=1, command_line=b"x", captured=1, writer=b"test"),
            heaps=[sr.Heap(b"librefheap", b"0.1", b"\x1b[31mheap", flags=2, address=0x1000)],
            generations=[sr.Generation(0, g, 700) for g in range(4)], types=types, objects=objects, values=values, roots=roots)
        path = self.path("hostile.refheap")
        sr.write_snapshot(snapshot, path)
        return path

    def test_hostile_names_are_shown_and_harmless(self):
        t = self.begin(self.make(), height=60)
        title = t.ask("pane_title")
        seen = ""
        for keys in (["1"], ["r"], ["e"], ["o"], ["w"], ["2"], ["Enter"], ["r"], ["3"], ["Enter"], ["5"], ["6"], ["7"]):
            t.keys(*keys)
            lines = t.until(lambda s: s[0].startswith(" refheap") and "asking" not in s[3])
            self.assertTrue(lines[1].startswith(" 1 Dominators  2 Types"), lines)
            self.assertTrue(all(sum(not unicodedata.combining(c) for c in line) <= 80 for line in lines))
            seen += "\n".join(lines)
        for _ in range(len(self.NAMES) * 2):
            t.keys("Down")
        for shown in ("\\x1b]2;", "two\\x0alines\\x0dover", "\\xff\\xfe\\xc0\\xaf", "xxxx", "\\u202eright to left", "漢字", "100 %s %n {}",
                      "\\xc2\\x9b31m"):
            self.assertIn(shown, seen)
        self.assertEqual(t.ask("pane_title"), title)
        for line in t.screen("-e"):
            self.assertNotRegex(line, "\x1b\\[31mred|[\x00-\x08\x0b\x0c\x0e-\x1a\x7f\x9b]")
        t.keys("1", "g", "d")
        t.until_text("drawn: ")
        t.keys("Q")
        self.ended()

    def test_a_terminal_without_utf_8(self):
        t = self.begin(self.make(), LC_ALL="C")
        lines = self.go("2", to="types")
        for line in lines:
            self.assertTrue(line.isascii(), line)
        self.assertIn("retainedv", lines[3])
        self.assertIn("\\u6f22", "\n".join(lines))


class Ending(BrowseTestCase):
    def pid(self):
        found = subprocess.run(["pgrep", "-f", "^%s browse %s" % (re.escape(REFHEAP), re.escape(self.snapshot))],
                               stdout=subprocess.PIPE).stdout.split()
        return int(found[0])

    def test_signals_leave_the_terminal_as_it_was(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            if SANITIZED and number in (signal.SIGSEGV, signal.SIGBUS):
                continue  # the sanitizer's own business
            with self.subTest(number):
                self.browse("proxy")
                os.kill(self.pid(), number)
                # The program says itself that the file shrank.
                self.ended(2 if number == signal.SIGBUS else 128 + number)
                self.terminal.close()

    def test_it_ends_with_its_terminal(self):
        path = self.path("proxy.refheap")
        sample("proxy", path)
        for how in ("closed", "pane", "ignoring"):  # SIGHUP and no terminal; the same from tmux; no terminal alone
            with self.subTest(how):
                if how == "pane":
                    self.begin(path)
                    pid = self.pid()
                    self.terminal.close()
                else:
                    pid, fd = pty.fork()
                    if not pid:
                        signal.signal(signal.SIGHUP, signal.SIG_IGN if how == "ignoring" else signal.SIG_DFL)
                        os.execve(REFHEAP, [REFHEAP, "browse", path], dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8"))
                    said = b""
                    while b"Enter" not in said:
                        said += os.read(fd, 4096)
                    os.close(fd)
                end = time.monotonic() + 60
                while os.path.exists("/proc/%d" % pid):
                    self.assertLess(time.monotonic(), end)
                    if how != "pane" and os.waitpid(pid, os.WNOHANG)[0]:
                        break
                    time.sleep(0.02)

    def test_interrupt_stops_what_goes_on_and_then_the_program(self):
        path = self.path("out.refheap")
        self.assertEqual(tool("make_shape", "out", 300000, path).returncode, 0)
        t = self.begin(path)
        self.go("e", to="referents of node")
        t.keys("/")
        t.type("no such thing")
        t.keys("Enter")
        lines = t.until(lambda s: "to go (Esc stops it)" in s[-1] or "is in no row" in s[-1])
        if "to go" in lines[-1]:
            t.keys("C-c")  # it may be over by then: so is the program
            lines = t.until(lambda s: "stopped" in s[-1] or "status 130" in s)
        if "status 130" not in lines:
            t.keys("x")
            t.until_text("? shows what the keys do")
            t.keys("C-c")
        self.ended(130)

    def test_escape_leaves_input_and_stops_searches(self):
        t = self.browse("proxy")
        t.keys("/")
        t.type("something")
        t.keys("C-c")  # of what is typed, too
        t.until(lambda s: "Enter open" in s[-1])
        t.keys(":")
        t.keys("BSpace")
        t.until(lambda s: "Enter open" in s[-1])
        t.keys("Escape")
        t.keys("x")
        t.until_text("? shows what the keys do")

    def test_stopped_and_continued(self):
        t = self.browse("proxy")
        t.keys("C-z")
        self.terminal.until(lambda _: t.ask("alternate_on") == "0")
        t.type("fg\n")
        t.until_text("1 Dominators")
        t.keys("q")
        t.until(lambda _: t.ask("alternate_on") == "0")

    def test_a_file_that_shrinks(self):
        path = self.path("proxy.refheap")
        sample("proxy", path)
        t = self.begin(path, "--no-cache", width=300)
        os.truncate(path, 0)
        t.keys("2")
        t.until_text("the file shrank while it was read; copy it first")
        self.ended(2)

    def test_not_a_terminal(self):
        path = self.path("proxy.refheap")
        sample("proxy", path)
        out, err = run("browse", path, status=2, stdin=subprocess.DEVNULL)
        self.assertEqual(out, "")
        self.assertOneLine(err)
        self.assertIn("browse needs a terminal: standard input is none", err)
        for term, why in [("dumb", "cannot place text"), ("no-such-terminal", "nobody here knows"), ("", "TERM does not say")]:
            t = Terminal(self.folder, width=300)
            self.addCleanup(t.close)
            t.type("TERM=%s %s browse %s; echo status $?\n" % (term, REFHEAP, path))
            lines = t.until(lambda s: any(line == "status 2" for line in s))
            self.assertIn(why, "".join(lines))
            self.assertEqual(t.ask("alternate_on"), "0")
            t.close()

    def test_colours(self):
        for options, environment, colored in [((), {}, True), ((), {"NO_COLOR": "1"}, False), (("--color", "never"), {}, False),
                                              (("--color", "always"), {"NO_COLOR": "1"}, True)]:
            t = self.browse("proxy", *options, **environment)
            self.go("3", to="cycles")
            t.keys("f")
            t.until_text("1 of 37")
            has = any(re.search(r"\x1b\[(?:\d+;)*3[1-7]m", line) for line in t.screen("-e"))
            self.assertEqual(has, colored, (options, environment))
            t.close()

    def test_damaged_files_are_refused_and_salvaged(self):
        path = self.path("proxy.refheap")
        sample("proxy", path)
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(data[:-200])
        t = self.begin(path, "--salvage", "--quiet")
        self.assertIn("(incomplete)", t.screen()[0])
        for key in "234567":
            t.keys(key)
            t.until(lambda s: s[0].startswith(" refheap") and "asking" not in s[3])
        t.keys("Q")
        self.ended()


class Document(BrowseTestCase):
    def test_the_screenshots_are_what_is_shown(self):
        shown = []
        for document, before in (("README.md", r"browse /tmp/proxy\.refheap.*?```text\n"),
                                 ("docs/man/refheap-browse.1.md", r"```text\n\$ refheap browse app\.refheap\n")):
            with open(os.path.join(SOURCE, document)) as f:
                shown.append(re.search(before + "(.*?)```", f.read(), re.S).group(1).splitlines())
        t = self.browse("proxy", height=len(shown[0]))
        self.go("3", to="cycles")
        lines = self.go("Enter", to="cycle 1")

        def normal(lines):
            return [re.sub(r"0x[0-9a-f]+", "0xADDRESS", line).rstrip() for line in lines]

        for picture in shown:
            self.assertEqual(normal(picture), normal(lines))
        t.keys("q", "q")


if __name__ == "__main__":
    unittest.main()
