"""The index that is kept beside a snapshot: the same answers with it as without, and never any other."""

import glob
import mmap
import os
import random
import shutil
import struct
import subprocess
import unittest

from support import BUILD, REFHEAP, TestCase
import second_reader as sr
from test_keeping import root, snapshot_of

OBJECTS = 120000
HEAD = 104  # bytes before the table of parts: analyzer/session/kept.c
CHUNK = 16 << 10

# What is asked; each as text and, where the command has it, as JSON.
QUESTIONS = [
    ["info"], ["summary"], ["summary", "--type", "Type0*"], ["summary", "--by", "size"], ["generations"],
    ["cycles", "--limit", "5"], ["cycles", "--generation", "0", "--limit", "5"], ["object", "@0"], ["object", "@77777"],
    ["object", "@119999"], ["referrers", "@2"], ["referrers", "@60000", "--depth", "2"], ["referents", "@500", "--depth", "3"],
    ["why", "@50001"], ["why", "@50001", "--paths", "3"], ["why", "type:Type05"], ["why", "garbage"], ["retained", "--limit", "5"],
    ["dominators", "--limit", "5"], ["audit", "--limit", "5"], ["what-if", "--cut", "@40"], ["suspects"],
    ["sql", "select count(*), sum(retained), max(owned) from objects"],
    ["sql", "select source, label from edges where target = 777"],
]


class Index(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = os.path.join(BUILD, "tests", "index-%d" % os.getpid())
        os.makedirs(cls.shared)
        cls.made = os.path.join(cls.shared, "made.refheap")
        subprocess.run([os.path.join(BUILD, "tests", "tools", "make_big"), str(OBJECTS), cls.made], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared)
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.cache = self.path("cache")
        self.snapshot = self.path("s.refheap")
        shutil.copy(self.made, self.snapshot)
        self.index = self.snapshot + ".index"

    def ask(self, *question, status=0):
        env = dict(os.environ, XDG_CACHE_HOME=self.cache)
        done = subprocess.run([REFHEAP, question[0], self.snapshot, *question[1:]], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env)
        self.assertEqual(done.returncode, status, (question, done.stderr))
        return done.stdout, done.stderr

    def without(self, *question):
        return self.ask(*question, "--no-cache")

    def in_cache(self):
        return glob.glob(os.path.join(self.cache, "refheap", "*"))

    def identity(self):
        st = os.stat(self.index)
        return st.st_ino, st.st_mtime_ns, st.st_size

    def fill(self):
        """An index with everything in it."""
        for question in (["summary"], ["cycles", "--generation", "0"], ["cycles", "--generation", "1"]):
            self.ask(*question)
        return self.identity()

    def flip(self, at):
        with open(self.index, "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 0x40]))

    def parts(self):
        """Numbers, offsets and sizes of the parts."""
        with open(self.index, "rb") as f:
            bytes_ = f.read()
        count, = struct.unpack_from("<I", bytes_, HEAD - 8)
        table = [struct.unpack_from("<IIQQ", bytes_, HEAD + 24 * i) for i in range(count)]
        return [(number, offset, element * n) for number, element, n, offset in table]


class Answers(Index):
    def test_the_same_with_and_without(self):
        expected = {tuple(q): self.without(*q) for q in QUESTIONS}
        self.assertFalse(os.path.exists(self.index))
        for turn in ("made as it goes", "complete"):
            for question in QUESTIONS:
                self.assertEqual(self.ask(*question), expected[tuple(question)], (turn, question))
        before = self.fill()
        for question in reversed(QUESTIONS):
            self.assertEqual(self.ask(*question), expected[tuple(question)], question)
        self.assertEqual(before, self.identity())
        self.assertEqual(sorted(os.listdir(os.path.dirname(self.snapshot))), ["s.refheap", "s.refheap.index"])

    def test_of_each_question_alone(self):
        for question in QUESTIONS:
            for name in (self.index, self.cache):
                if os.path.exists(name):
                    os.remove(name)
            expected = self.without(*question)
            self.assertEqual(self.ask(*question), expected)
            self.assertEqual(self.ask(*question), expected, question)

    def test_of_a_packed_snapshot(self):
        expected = {tuple(q): self.without(*q)[0] for q in QUESTIONS if q[0] != "info"}
        subprocess.run([REFHEAP, "pack", self.snapshot, "-o", self.path("packed")], check=True, stdout=subprocess.PIPE)
        os.replace(self.path("packed"), self.snapshot)
        for question in 2 * list(expected):
            self.assertEqual(self.ask(*question)[0], expected[question], question)
        self.assertTrue(os.path.exists(self.index))

    def test_of_two_snapshots(self):
        other = self.path("other.refheap")
        subprocess.run([os.path.join(BUILD, "tests", "tools", "make_big"), str(OBJECTS + 100), other, "1"], check=True)
        expected = self.without("diff", other)
        for _ in range(2):
            self.assertEqual(self.ask("diff", other), expected)
        self.assertTrue(os.path.exists(self.index) and os.path.exists(other + ".index"))

    def test_with_values(self):
        """Strings, and where they stand in the file, which is not in the order of addresses."""
        first, count = 0x10000, 110000
        types = [sr.Type(b"str", basic_size=32)]
        places = [first + 64 * i for i in range(count)]
        random.Random(3).shuffle(places)
        objects = [sr.Object(0, a, 0, 64, 1, 4) for a in places]
        values = [sr.Value(a, 6, b"text of %d" % ((a - first) // 64)) for a in places if a % 192]
        sr.write_snapshot(snapshot_of(objects, types, roots=[root(first + 64 * 70000)], values=values), self.snapshot)
        for question in (["object", "@1"], ["object", "@70000"], ["summary", "--waste"], ["why", "@70000"]):
            expected = self.without(*question)
            for _ in range(2):
                self.assertEqual(self.ask(*question), expected, question)
        self.assertIn(b"text of 70000", self.ask("object", "@70000")[0])


class Belief(Index):
    def expect(self, *more):
        return {tuple(q): self.without(*q)
                for q in [["summary"], ["object", "@77777"], ["referrers", "@60000"], ["why", "@50001"], ["cycles", "--limit", "3"], *more]}

    def check(self, expected, why):
        for question, answer in expected.items():
            self.assertEqual(self.ask(*question), answer, (why, question))

    def test_any_part_may_be_damaged(self):
        """A byte of every part, and of the front; then the index is whole again."""
        rng = random.Random(7)
        self.fill()
        shutil.copy(self.index, self.path("whole"))
        expected = self.expect()
        cases = [rng.randrange(HEAD) for _ in range(4)] + [HEAD + rng.randrange(200), 4000]
        cases += [offset + rng.randrange(size) for _, offset, size in self.parts() for _ in range(2) if size]
        for at in cases:
            question = rng.choice(list(expected))
            shutil.copy(self.path("whole"), self.index)
            self.flip(at)
            self.assertEqual(self.ask(*question), expected[question], (at, question))
            self.check(expected, at)

    def test_everything_may_be_damaged(self):
        """Every chunk of every long part: what is read for one object too."""
        self.fill()
        shutil.copy(self.index, self.path("whole"))
        expected = self.expect(["object", "@3"], ["object", "@119998"], ["referents", "@90000"])
        for question, answer in expected.items():
            shutil.copy(self.path("whole"), self.index)
            for _, offset, size in self.parts():
                for at in range(offset, offset + size if size > 8 * CHUNK else offset, CHUNK):
                    self.flip(at + 9)
            damaged = self.identity()
            self.assertEqual(self.ask(*question), answer, question)
            if question[0] != "summary":  # which reads none of that
                self.assertNotEqual(self.identity(), damaged, question)
            self.check(expected, question)

    def test_the_very_number_that_is_shown(self):
        """Of one object, each array at its own place."""
        self.fill()
        shutil.copy(self.index, self.path("whole"))
        expected = self.without("object", "@77777")
        elements = dict(self.elements())
        for number, offset, size in self.parts():
            element = elements[number]
            if size < element * 77778:
                continue
            shutil.copy(self.path("whole"), self.index)
            self.flip(offset + element * 77777)
            self.assertEqual(self.ask("object", "@77777"), expected, number)

    def elements(self):
        with open(self.index, "rb") as f:
            bytes_ = f.read(4096)
        count, = struct.unpack_from("<I", bytes_, HEAD - 8)
        return [struct.unpack_from("<II", bytes_, HEAD + 24 * i) for i in range(count)]

    def test_the_snapshot_changes_under_its_index(self):
        """By a writer that had its pages mapped and dirty before: no time of the file tells."""
        with open(self.snapshot, "r+b") as f:
            view = mmap.mmap(f.fileno(), 0)
        for at in range(0, len(view), 4096):
            view[at] = view[at]
        self.fill()
        before = os.stat(self.snapshot)
        for at in range(200000, len(view) - 100000, 1000):
            view[at:at + 4] = b"\xff\xff\xff\xff"
        after = os.stat(self.snapshot)
        if (before.st_ctime_ns, before.st_mtime_ns) != (after.st_ctime_ns, after.st_mtime_ns):
            self.skipTest("this system notices")
        for question in (["object", "@77777"], ["referents", "@77777"], ["referrers", "@60000"]):
            said = self.ask(*question, status=2)[1]  # by what was read late, or because the system noticed after all
            self.assertTrue(b"damaged since its index was made" in said or b"checksum" in said, said)
        view.close()

    def test_it_is_made_right_again(self):
        self.fill()
        target = next((offset, size) for number, offset, size in self.parts() if number == 1 << 8 | 7)  # targets of edges
        whole = self.identity()
        self.flip(target[0] + target[1] // 2)
        expected = self.without("cycles")
        self.assertEqual(self.ask("cycles"), expected)
        self.assertNotEqual(self.identity(), whole)
        again = self.identity()
        self.assertEqual(self.ask("cycles"), expected)
        self.assertEqual(self.identity(), again)

    def test_it_may_be_cut_off_anywhere(self):
        self.fill()
        size = os.path.getsize(self.index)
        expected = self.expect()
        shutil.copy(self.index, self.path("whole"))
        for length in [0, 1, 7, 8, HEAD - 1, HEAD, HEAD + 50, 4096, size // 3, size - CHUNK, size - 1]:
            shutil.copy(self.path("whole"), self.index)
            os.truncate(self.index, length)
            self.check(expected, length)

    def test_of_another_snapshot(self):
        other = self.path("other.refheap")
        subprocess.run([os.path.join(BUILD, "tests", "tools", "make_big"), str(OBJECTS), other, "5"], check=True)
        self.fill()
        shutil.copy(self.index, other + ".index")
        self.snapshot = other
        self.check(self.expect(), "another")

    def test_of_the_snapshot_before_it_was_changed(self):
        self.fill()
        old = os.stat(self.snapshot)
        with open(self.snapshot, "r+b") as f:  # the same size, and the time put back: the time of the change is not
            f.seek(old.st_size // 2)
            byte = f.read(1)[0]
            f.seek(old.st_size // 2)
            f.write(bytes([byte ^ 1]))
        os.utime(self.snapshot, ns=(old.st_atime_ns, old.st_mtime_ns))
        for question in (["summary"], ["object", "@1"]):
            self.assertIn(b"checksum", self.ask(*question, status=2)[1])

    def test_verify_reads_the_file_itself(self):
        self.fill()
        with open(self.snapshot, "r+b") as f:
            f.seek(os.path.getsize(self.snapshot) // 2)
            f.write(b"\0" * 64)
        self.ask("verify", status=2)

    def test_others_could_have_written_it(self):
        self.fill()
        expected = self.expect()
        for mode in (0o620, 0o602, 0o666):
            self.flip(max(offset for _, offset, _ in self.parts()))
            os.chmod(self.index, mode)
            at = self.identity()
            self.check(expected, mode)
            self.assertEqual(at, self.identity())  # and it is not replaced: it may be anybody's
            os.remove(self.index)
            self.fill()

    @unittest.skipIf(os.geteuid(), "only root can give files away")
    def test_it_belongs_to_another(self):
        self.fill()
        expected = self.expect()
        os.chown(self.index, 12345, 12345)
        self.check(expected, "owner")
        self.assertEqual(os.stat(self.index).st_uid, 12345)
        self.assertEqual(len(self.in_cache()), 1)

    def test_a_link_is_not_followed(self):
        self.fill()
        os.rename(self.index, self.path("elsewhere"))
        os.symlink(self.path("elsewhere"), self.index)
        before = os.stat(self.path("elsewhere"))
        self.check(self.expect(), "link")
        self.assertTrue(os.path.islink(self.index))
        self.assertEqual(before.st_mtime_ns, os.stat(self.path("elsewhere")).st_mtime_ns)


class Place(Index):
    def test_small_heaps_keep_none(self):
        subprocess.run([os.path.join(BUILD, "tests", "tools", "make_big"), "99000", self.snapshot], check=True)
        self.ask("summary")
        self.assertFalse(os.path.exists(self.index))

    def test_no_cache(self):
        self.without("summary")
        self.assertFalse(os.path.exists(self.index) or self.in_cache())
        self.fill()
        before = self.identity()
        self.flip(HEAD + 5)
        self.without("cycles")
        self.assertEqual(before[0], self.identity()[0])

    def test_a_file_of_that_name_is_left_alone(self):
        with open(self.index, "w") as f:
            f.write("the index of my book")
        self.ask("summary")
        with open(self.index) as f:
            self.assertEqual(f.read(), "the index of my book")
        self.assertEqual(len(self.in_cache()), 1)
        expected = self.without("object", "@5")
        self.assertEqual(self.ask("object", "@5"), expected)
        self.assertEqual(os.stat(self.in_cache()[0]).st_mode & 0o777, 0o600)

    def test_nowhere_to_keep_it(self):
        os.mkdir(self.index)
        self.cache = "/proc/no/such"
        self.assertEqual(self.ask("summary"), self.without("summary"))

    def test_from_standard_input(self):
        with open(self.snapshot, "rb") as f:
            done = subprocess.run([REFHEAP, "summary", "-"], stdin=f, stdout=subprocess.PIPE, cwd=self.path("."))
        self.assertEqual(done.returncode, 0)
        self.assertFalse(glob.glob(self.path("*.index")))

    def test_several_at_once(self):
        expected = self.without("retained")[0]
        running = [subprocess.Popen([REFHEAP, "retained", self.snapshot], stdout=subprocess.PIPE) for _ in range(4)]
        for process in running:
            self.assertEqual(process.communicate()[0], expected)
        self.assertEqual(self.ask("retained")[0], expected)
        self.assertEqual(sorted(os.listdir(os.path.dirname(self.snapshot))), ["s.refheap", "s.refheap.index"])


if __name__ == "__main__":
    unittest.main()
