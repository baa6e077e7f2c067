"""Bad input gets one clear line, says where, and ends with exit status 2."""

import errno
import os
import re
import stat
import struct
import subprocess
import time
import unittest

from support import BUILD, REFHEAP, SOURCE, TestCase, run, sample

READING = ["info", "verify", "summary", "generations", "cycles"]


class Usage(TestCase):
    def fail(self, *arguments, **more):
        out, err = run(*arguments, status=2, **more)
        self.assertEqual(out, "")
        self.assertOneLine(err)
        return err

    def test_wrong_words(self):
        snapshot = self.path("s.refheap")
        sample("two_lists", snapshot)
        cases = {
            ("frobnicate",): 'there is no command "frobnicate"',
            ("cycles",): "name a snapshot",
            ("cycles", snapshot, "extra"): "too many arguments",
            ("object", snapshot): "too few arguments",
            ("cycles", snapshot, "--frob"): "unknown option --frob",
            ("cycles", snapshot, "-x"): "unknown option -x",
            ("info", snapshot, "--depth", "3"): "unknown option --depth",
            ("cycles", snapshot, "--generation"): "needs a value",
            ("cycles", snapshot, "--generation", "9"): '--generation cannot be "9"',
            ("cycles", snapshot, "--generation", "permanent"): "must be 0, 1 or 2",
            ("cycles", snapshot, "--limit", "-1"): '--limit cannot be "-1"',
            ("cycles", snapshot, "--json=yes"): "takes no value",
            ("cycles", snapshot, "--json", "--csv"): "exclude each other",
            ("summary", snapshot, "--by", "colour"): '--by cannot be "colour"',
            ("summary", snapshot, "--sort", "colour"): 'no column "colour"',
            ("object", snapshot, "hello"): "names no object",
            ("object", snapshot, "0xzz"): "is no address",
            ("object", snapshot, "0x"): "is no address",
            ("object", snapshot, "0x10"): "there is no object at 0x10",
            ("object", snapshot, "@99"): "ranks go from @0 to @1",
            ("object", snapshot, "@-1"): "is no rank",
            ("object", snapshot, "root:nobody"): 'no root "nobody"',
            ("object", snapshot, "type:list"): "names several objects",
            ("object", snapshot, "type:nothing"): "names no object",
            ("object", snapshot, "cycle:7"): 'no cycle "7"',
            ("referrers", snapshot, "@0", "--kind", "red"): '--kind cannot be "red"',
            ("what-if", snapshot): "say what to cut",
            ("what-if", snapshot, "--cut"): "needs a value",
            ("what-if", snapshot, "--cut", "@0.nothing"): '"@0.nothing" names no reference',
            ("what-if", snapshot, "--cut", "@0->@0"): '"@0->@0" names no reference',
            ("what-if", snapshot, "--cut", "@9.next"): "there is no object @9",
            ("what-if", snapshot, "--cut", "list.next"): '"list.next" names no reference',
            ("what-if", snapshot, "--cut", "Ghost.next"): "names nothing that could be cut",
            ("what-if", snapshot, "--cut", ""): "names nothing that could be cut",
            ("what-if", snapshot, "--cut", "type:nothing"): '"type:nothing" names no object',
            ("what-if", snapshot, "--cut", "root:nobody"): 'no root "nobody"',
            ("dominators", snapshot, "cycle:9"): 'no cycle "9"',
            ("dominators", snapshot, "type:list"): "names several objects",
            ("dominators", snapshot, "--depth", "65"): "--depth goes to 64",
            ("retained", snapshot, "--sort", "colour"): 'no column "colour"',
            ("why", snapshot, "@0", "--paths", "0"): "--paths must be",
            ("why", snapshot, "@0", "--paths", "many"): "--paths must be",
            ("why", snapshot, "type:list", "--paths", "2"): "--paths is for one object",
            ("why", snapshot, "type:nothing"): '"type:nothing" names no object',
            ("suspects", snapshot, "/nowhere/x"): "cannot open it: No such file or directory",
            ("summary", snapshot, "--waste", "--by", "heap"): "takes no --by",
            ("summary", snapshot, "--waste", "--sort", "retained"): 'no column "retained"',
            ("render", snapshot): "name the file to draw",
            ("render", snapshot, "-o", "x.bmp"): "cannot tell the format",
            ("render", snapshot, "clouds", "-o", "x.svg"): 'cannot draw "clouds"',
            ("render", snapshot, "referrers", "-o", "x.svg"): "referrers of what?",
            ("render", snapshot, "-o", "/nowhere/x.svg"): "cannot create a file there: No such file or directory",
            ("render", snapshot, "-o", snapshot, "--format", "svg"): "it is the snapshot that is read",
            ("summary", snapshot, "-o", snapshot): "it is the snapshot that is read",
            ("pack", snapshot, "-o", snapshot): "it is the snapshot that is read",
            ("pack", snapshot): "name the file to write",
            ("pack", snapshot, "-o", "x", "--level", "99"): "--level must be",
            ("capture",): "name the file to write",
            ("capture", "-o", "x"): "--pid PID or --core CORE",
            ("capture", "--pid", "1", "--core", "x", "-o", "y"): "take one",
            ("capture", "--pid", "no", "-o", "y"): "process id",
            ("capture", "--pid", "1", "--exe", "x", "-o", "y"): "go with --core",
            ("info", snapshot, "-o", "/nowhere/x"): "cannot create a file there: No such file or directory",
            ("diff", snapshot): "too few arguments",
            ("diff", snapshot, snapshot, snapshot): "too many arguments",
            ("diff", snapshot, snapshot, "--by", "heap"): '--by cannot be "heap"; it is type, generation or module',
            ("diff", snapshot, snapshot, "--objects", "old"): "it is new, gone, moved or stayed",
            ("diff", snapshot, snapshot, "--sort", "colour"): 'no column "colour"',
            ("diff", snapshot, snapshot, "--heap", "7"): "there is no heap 7",
            ("trend", snapshot, snapshot): "too few arguments",
            ("trend", snapshot, snapshot, snapshot, "--sort", "count_9"): 'no column "count_9"',
            ("check", snapshot): "nothing to check: name a budget",
            ("check", snapshot, snapshot, "--max-garbage", "0"): "is for --max-growth alone",
            ("check", snapshot, "--max-growth", "list=0"): "compares with a baseline",
            ("check", snapshot, snapshot, snapshot, "--max-growth", "list=0"): "too many arguments",
            ("check", snapshot, "--max-garbage", "many"): '--max-garbage cannot be "many"; it wants N|SIZE',
            ("check", snapshot, "--max-garbage", "1.5"): "it wants N|SIZE",
            ("check", snapshot, "--max-garbage", "10%"): "it wants N|SIZE",
            ("check", snapshot, "--max-garbage", "-1"): "it wants N|SIZE",
            ("check", snapshot, "--max-garbage", "1KiBs"): "it wants N|SIZE",
            ("check", snapshot, "--max-garbage", "99999999999999999999"): "it wants N|SIZE",
            ("check", snapshot, "--max-garbage", "999999999999EiB"): "it wants N|SIZE",
            ("check", snapshot, "--max-garbage", ""): "it wants N|SIZE",
            ("check", snapshot, "--max-objects", "list"): "it wants TYPE=N|SIZE",
            ("check", snapshot, "--max-objects", "=3"): "it wants TYPE=N|SIZE",
            ("check", snapshot, "--forbid", "@2"): "it wants TYPE[@GENERATION]",
            ("check", snapshot, "--forbid", ""): "it wants TYPE[@GENERATION]",
            ("check", snapshot, "--audit=yes"): "takes no value",
            ("help", "frobnicate"): 'there is no command "frobnicate"',
        }
        for arguments, text in cases.items():
            self.assertIn(text, self.fail(*arguments), arguments)

    def test_missing_and_foreign_files(self):
        for name in ("empty", "text", "elf"):
            with open(self.path(name), "wb") as f:
                f.write({"empty": b"", "text": b"hello\n" * 100, "elf": b"\x7fELF" + bytes(100)}[name])
        cases = {"nowhere": "cannot open it: No such file or directory", "empty": "the file is empty",
                 "text": "this is not a refheap snapshot", "elf": "this is not a refheap snapshot",
                 ".": "cannot read it: Is a directory"}
        for name, text in cases.items():
            for command in READING:
                err = self.fail(command, self.path(name))
                self.assertIn(text, err)
                self.assertIn(self.path(name), err)

    def test_other_versions_are_named(self):
        snapshot = self.path("s.refheap")
        sample("two_lists", snapshot)
        with open(snapshot, "r+b") as f:
            f.seek(8)
            f.write(struct.pack("<HH", 3, 1))
        self.assertIn("version 3.1 of the format and this program reads 1.x", self.fail("info", snapshot))

    def test_full_disk_is_no_short_answer(self):
        snapshot = self.path("s.refheap")
        sample("forgotten_list", snapshot)
        with open("/dev/full", "w") as full:
            done = subprocess.run([REFHEAP, "referents", snapshot, "root:audit_log", "--limit", "0"], stdout=full,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertOneLine(done.stderr.decode())
        self.assertIn("No space left", done.stderr.decode())

    def test_reader_that_stops_early_gets_no_noise(self):
        snapshot = self.path("s.refheap")
        sample("forgotten_list", snapshot)
        done = subprocess.run("%s referents %s root:audit_log --limit 0 | head -1" % (REFHEAP, snapshot), shell=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.stderr, b"")

    def test_help_that_cannot_be_written_is_an_error(self):
        for arguments in (["--help"], ["--version"], ["cycles", "--help"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([REFHEAP, *arguments], stdout=full, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2)
            self.assertOneLine(done.stderr.decode())

    def test_help_of_every_command_names_what_it_takes(self):
        commands = re.findall(r"^  ([a-z-]+) ", run("help")[0], re.M)
        self.assertGreaterEqual(len(commands), 17)
        for command in commands:
            out, _ = run(command, "--help")
            self.assertTrue(out.startswith("usage: refheap %s" % command), out)
            self.assertEqual(out, run("help", command)[0])
            self.assertTrue(os.path.exists(os.path.join(SOURCE, "analyzer", "cmd_%s.c" % {
                "referrers": "neighbours", "referents": "neighbours"}.get(command, command.replace("-", "_")))))
        self.assertRegex(run("--version")[0], r"^refheap \d+\.\d+\.\d+, snapshot format \d+\.\d+\n$")


class Targets(TestCase):
    """-o: a file appears whole or not at all, and nothing else is touched."""

    def setUp(self):
        super().setUp()
        self.snapshot = self.path("s.refheap")
        sample("two_lists", self.snapshot)
        with open(self.snapshot, "rb") as f:
            self.bytes = f.read()

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def tearDown(self):
        with open(self.snapshot, "rb") as f:
            self.assertEqual(f.read(), self.bytes)
        self.assertEqual([], [name for name in os.listdir(self.folder) if name.endswith(".tmp")])
        super().tearDown()

    def test_a_command_that_fails_leaves_the_earlier_file(self):
        notes = self.write("notes.txt", "precious")
        run("object", self.snapshot, "0x1", "-o", notes, status=2)
        self.assertEqual(self.read("notes.txt"), "precious")

    def test_the_snapshot_is_never_written_over(self):
        os.symlink(self.snapshot, self.path("link"))
        os.link(self.snapshot, self.path("hard.dot"))
        for arguments in (["verify", self.snapshot, "-o", self.path("link")],
                          ["cycles", self.path("link"), "--json", "-o", self.snapshot],
                          ["render", self.snapshot, "-o", self.path("hard.svg")],
                          ["render", self.snapshot, "-o", self.path("hard.dot")]):
            self.assertOneLine(run(*arguments, status=2)[1])

    def test_a_link_is_followed_and_the_mode_kept(self):
        real = self.write("real.svg", "old")
        os.chmod(real, 0o640)
        os.symlink("real.svg", self.path("link.svg"))
        run("render", self.snapshot, "-o", self.path("link.svg"))
        self.assertTrue(os.path.islink(self.path("link.svg")))
        self.assertTrue(self.read("real.svg").startswith("<?xml"))
        self.assertEqual(os.stat(real).st_mode & 0o777, 0o640)

    def test_a_text_that_is_no_picture_is_not_written_over(self):
        self.write("plan.dot", "my notes")
        err = run("render", self.snapshot, "-o", self.path("plan.svg"), status=2)[1]
        self.assertIn("is in the way", err)
        self.assertEqual(self.read("plan.dot"), "my notes")
        self.assertFalse(os.path.exists(self.path("plan.svg")))
        os.unlink(self.path("plan.dot"))
        for _ in range(2):
            run("render", self.snapshot, "-o", self.path("plan.svg"))
        self.assertTrue(self.read("plan.dot").startswith("digraph"))

    def join_reader(self, pipe):
        """Opens a pipe for writing once somebody reads it."""
        for _ in range(600):
            try:
                return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                self.assertEqual(error.errno, errno.ENXIO)
                time.sleep(0.1)
        self.fail("nobody reads the pipe")

    def test_a_pipe_stays_a_pipe(self):
        pipe = self.path("pipe.svg")
        os.mkfifo(pipe)
        for command, first in ((["render", self.snapshot], b"<?xml"), (["summary", self.snapshot], b"2 objects"),
                               (["pack", self.snapshot], b"RHEAP")):
            reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
            fd = self.join_reader(pipe)  # a reader that came after the writer would wait for ever
            run(*command, "-o", pipe)
            os.close(fd)
            self.assertIn(first, reader.communicate(timeout=60)[0][:40])
        self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))
        self.assertFalse(os.path.exists(self.path("pipe.dot")))

    def test_a_dash_is_standard_output(self):
        out, err = run("render", self.snapshot, "-o", "-", "--format", "svg")
        self.assertTrue(out.startswith("<?xml"))
        self.assertTrue(out.rstrip().endswith("</svg>"))
        done = subprocess.run([REFHEAP, "pack", self.snapshot, "-o", "-"], stdout=subprocess.PIPE, check=True)
        with open(self.path("packed"), "wb") as f:
            f.write(done.stdout)
        run("verify", self.path("packed"))
        self.assertFalse(os.path.exists("-") or os.path.exists("-.dot"))


class Damage(TestCase):
    """The sections of a real snapshot truncated, flipped and enlarged: exit 2, section and offset, little memory. (The unit tests turn every
    bit; here the whole program answers.)"""

    # The program may take this much address space, its libraries included, for a file of a few KiB.
    COMMAND = [REFHEAP] if BUILD.endswith("-san") else ["sh", "-c", "ulimit -v 150000; exec \"$@\"", "sh", REFHEAP]

    def setUp(self):
        super().setUp()
        self.whole = self.path("whole.refheap")
        sample("proxy", self.whole)
        with open(self.whole, "rb") as f:
            self.bytes = bytearray(f.read())
        self.blocks, at = [], 64
        while at < len(self.bytes):
            _, _, section, _, _, stored, _ = struct.unpack_from("<IIHHIII", self.bytes, at)
            end = at + 40 + (stored + 7) // 8 * 8
            self.blocks.append((section, at, end))
            at = end

    def test_what_is_left_without_a_section_answers_every_command(self):
        commands = ["info", "summary", "summary --by module", "generations", "cycles", "cycles --objects",
                    "cycles --json", "object @0", "why @1", "audit", "audit --json",
                    "check --audit --max-garbage 0 --forbid *", "referrers @2", "referents @0 --depth 0", "retained",
                    "dominators", "why type:*", "what-if --cut type:connection", "suspects", "suspects " + self.whole,
                    "summary --waste", "summary --by site", "render -o " + self.path("x.svg"),
                    "render referrers @2 -o " + self.path("x.svg")]
        for lost in sorted({section for section, _, _ in self.blocks}):
            with open(self.path("part.refheap"), "wb") as f:
                f.write(self.bytes[:64])
                for section, start, end in self.blocks:
                    if section != lost:
                        f.write(self.bytes[start:end])
            for command in commands:
                name, *more = command.split()
                done = subprocess.run([REFHEAP, name, self.path("part.refheap"), *more, "--salvage"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertIn(done.returncode, (0, 1, 2) if name == "check" else (0, 2), (lost, command, done.stderr.decode()))
                if done.returncode == 2:
                    self.assertOneLine(done.stderr.decode().splitlines(True)[-1])
                if command == "summary" and b"type" in done.stdout and lost == 6:
                    self.assertIn(b"unknown", done.stdout)

    def judge(self, contents, what):
        path = self.path("damaged.refheap")
        with open(path, "wb") as f:
            f.write(contents)
        done = subprocess.run(self.COMMAND + ["verify", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        out, err = done.stdout, done.stderr.decode()
        self.assertEqual(done.returncode, 2, (what, err))
        self.assertOneLine(err)
        self.assertRegex(err, r"\[at section [a-z]+, offset \d+\]; \S", what)
        self.assertEqual(out, b"")

    def test_every_section_truncated(self):
        sections = set()
        for section, start, end in self.blocks:
            sections.add(section)
            for at in (start, start + 20, start + 40, (start + 40 + end) // 2, end - 1):
                self.judge(self.bytes[:at], ("cut", section, at))
        self.assertEqual(sections - {127}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})

    def test_every_section_flipped(self):
        for section, start, end in self.blocks:
            for at in (start, start + 8, start + 12, start + 16, start + 20, start + 24, start + 32, start + 40, end - 1):
                changed = bytearray(self.bytes)
                changed[at] ^= 0x10
                self.judge(changed, ("flip", section, at))

    def test_every_section_enlarged(self):
        for section, start, end in self.blocks:
            self.judge(self.bytes[:end] + bytes(64) + self.bytes[end:], ("insert", section))
            for offset in (12, 16, 20):  # raw length, stored length, count
                changed = bytearray(self.bytes)
                struct.pack_into("<I", changed, start + offset, 0xfffffff0)
                self.judge(changed, ("length", section, offset))
        self.judge(self.bytes + bytes(8), "behind the end")

    def test_salvage_reads_the_rest_and_says_so(self):
        _, start, end = next(b for b in self.blocks if b[0] == 10)  # values
        changed = bytearray(self.bytes)
        changed[start + 50] ^= 1
        path = self.path("damaged.refheap")
        with open(path, "wb") as f:
            f.write(changed)
        run("cycles", path, status=2)
        out, err = run("cycles", path, "--salvage")
        self.assertIn("would find 74 unreachable", out)
        self.assertIn("what follows rests on the rest", err)
        self.assertIn("section values", err)
        run("verify", path, "--salvage", status=2)


if __name__ == "__main__":
    unittest.main()
