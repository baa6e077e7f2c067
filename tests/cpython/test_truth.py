"""What the module writes of an interpreter is what CPython's own tools say of it, object for object.

The truth is read by truth_program.py from forked copies of the very heap that is dumped. No number is expected: sets and
multisets are compared.
"""

import array
import os
import subprocess
import sys
import tempfile
import unittest
from collections import Counter

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(os.path.dirname(TESTS), "build")))
REFHEAP = os.path.join(BUILD, "refheap")
sys.path.insert(0, TESTS)

from second_reader import read_snapshot  # noqa: E402

import pythons  # noqa: E402

COUNTED, TRAVERSED, INFERRED, WEAK = 1, 2, 4, 8
CONTAINER, IMMORTAL, ESTIMATED = 8, 16, 128
PERMANENT, UNTRACKED = 3, 4


def environment(**more):
    return dict(os.environ, PYTHONPATH=":".join([BUILD, os.path.join(BUILD, "tests", "cpython"), os.path.join(TESTS, "cpython")]),
                PYTHONDONTWRITEBYTECODE="1", **more)


class Look:
    """A snapshot and the truth about the same heap."""

    def __init__(self, python, *parts):
        self.folder = tempfile.TemporaryDirectory(prefix="refheap-truth-")
        subprocess.run([python, "-W", "ignore", os.path.join(TESTS, "cpython", "truth_program.py"), self.folder.name, REFHEAP, *parts],
                       env=environment(), check=True, timeout=300)
        self.path = os.path.join(self.folder.name, "snapshot.refheap")
        self.snapshot = read_snapshot(self.path)
        self.objects = {o.address: o for o in self.snapshot.objects}

    def words(self, name):
        words = array.array("Q")
        with open(os.path.join(self.folder.name, "words." + name), "rb") as f:
            words.frombytes(f.read())
        return words

    def pairs(self, name):
        words = self.words(name)
        return zip(words[0::2], words[1::2])

    def referents(self):
        words, at = self.words("referents"), 0
        while at < len(words):
            yield words[at], words[at + 2:at + 2 + words[at + 1]]
            at += 2 + words[at + 1]

    def type_of(self, o):
        return bytes(self.snapshot.types[o.type].name).decode()

    def describe(self, addresses):
        """For messages: the first few, with their types."""
        names = {v.object: bytes(v.kept) for v in self.snapshot.values} if addresses else {}
        return ["%#x %s %r" % (a, self.type_of(self.objects[a]) if a in self.objects else "?", names.get(a, b""))
                for a in sorted(addresses)[:10]]

    def garbage(self, generation):
        said = subprocess.run([REFHEAP, "cycles", self.path, "--objects", "--generation", str(generation), "--limit", "0",
                               "--csv", "--no-cache", "--quiet"], stdout=subprocess.PIPE, check=True, timeout=120)
        lines = said.stdout.decode().splitlines()
        at = lines[0].split(",").index("address") if lines else 0
        return {int(line.split(",")[at], 16) for line in lines[1:]}


class Truth:
    """The tests, for one interpreter."""

    python = None

    @classmethod
    def setUpClass(cls):
        cls.look = Look(cls.python)

    @classmethod
    def tearDownClass(cls):
        cls.look.folder.cleanup()

    def none_of(self, wrong, say):
        """Fails when there are any, without comparing and printing them all."""
        if wrong:
            self.fail("%d: %s" % (len(wrong), say(sorted(wrong)[:10])))

    def test_every_edge_is_one_of_gc_get_referents(self):
        look, compared = self.look, 0
        for address, targets in look.referents():
            edges = [e.target for e in look.objects[address].edges if e.info & TRAVERSED]
            if Counter(edges) != Counter(targets):
                self.fail("%s: edges %s, referents %s" % (
                    look.describe([address]), look.describe(Counter(edges) - Counter(targets)),
                    look.describe(Counter(targets) - Counter(edges))))
            compared += 1
        self.assertEqual(compared, len(look.objects))
        self.assertEqual(sum(e.info & INFERRED for o in look.snapshot.objects for e in o.edges), 0)

    def test_no_edge_leads_nowhere(self):
        self.assertEqual(self.look.snapshot.dangling(), (0, 0))
        self.none_of({r.object for r in self.look.snapshot.roots} - set(self.look.objects), self.look.describe)

    def test_generations_are_those_of_gc_get_objects(self):
        look, own = self.look, set(self.look.words("own"))
        for generation, name in enumerate(["gen0", "gen1", "gen2", "frozen"]):
            dumped = {o.address for o in look.snapshot.objects if o.state & 7 == generation}
            truth = set(look.words(name)) - own
            self.assertTrue(truth)
            self.none_of(dumped ^ truth, look.describe)
            told = [g.objects for g in look.snapshot.generations if g.generation == generation]
            self.assertEqual(told, [len(dumped)])

    def test_refcounts_are_the_process_s(self):
        look = self.look
        wrong = {a: stored for a, stored in zip(look.words("addresses"), look.words("refcounts"))
                 if not look.objects[a].state & IMMORTAL and look.objects[a].refcount != stored}
        self.none_of(wrong, lambda some: [(d, look.objects[a].refcount, wrong[a]) for a, d in zip(some, look.describe(some))])

    def test_no_object_has_more_references_than_its_refcount(self):
        look = self.look
        incoming = Counter(e.target for o in look.snapshot.objects for e in o.edges if e.info & COUNTED)
        incoming.update(r.object for r in look.snapshot.roots if r.flags & 2)
        under = [a for a, n in incoming.items() if n > look.objects[a].refcount and not look.objects[a].state & IMMORTAL]
        self.none_of(under, lambda some: [(d, incoming[a], look.objects[a].refcount) for a, d in zip(some, look.describe(some))])

    def test_sizes_are_those_of_sys_getsizeof(self):
        look = self.look
        truth = dict(look.pairs("sizes"))
        exact = [a for a in truth if not look.objects[a].state & ESTIMATED]
        wrong = [a for a in exact if look.objects[a].size != truth[a]]
        self.none_of(wrong, lambda some: [(d, look.objects[a].size, truth[a]) for a, d in zip(some, look.describe(some))])
        # Those of ctypes and (3.8) of struct call themselves builtins, and count their sizes themselves; code that ran often has a
        # cache of its own before 3.11.
        estimates = {look.type_of(look.objects[a]) for a in truth if look.objects[a].state & ESTIMATED}
        self.assertLessEqual(estimates, {"StgDict", "Struct"} | ({"code"} if self.version.startswith(("3.8", "3.9", "3.10")) else set()))
        self.assertGreater(len(exact), 100000)

    def test_garbage_is_what_the_collector_finds(self):
        for generation in range(3):
            truth = set(self.look.words("garbage%d" % generation))
            self.assertTrue(truth)
            dumped = self.look.garbage(generation)
            self.none_of(dumped ^ truth, self.look.describe)

    def test_every_word_that_a_layout_calls_a_reference_is_one(self):
        said = [bytes(d.text).decode() for d in self.look.snapshot.diagnostics]
        self.assertEqual([line for line in said if "lead to no object" in line or "tp_traverse does not visit" in line], [])

    def test_there_are_more_than_three_hundred_types(self):
        containers = {o.type for o in self.look.snapshot.objects if o.state & CONTAINER}
        self.assertGreater(len(containers), 300)


class Exceptions:
    """Where the collector frees less than it finds unreachable: its finalizers run in between."""

    python = version = None

    def held_by(self, look, those):
        """What can be reached from them."""
        seen, work = set(), list(those)
        while work:
            address = work.pop()
            if address in look.objects and address not in seen:
                seen.add(address)
                work.extend(e.target for e in look.objects[address].edges if e.info & TRAVERSED)
        return seen

    def more_than_truth(self, part):
        look = Look(self.python, part)
        self.addCleanup(look.folder.cleanup)
        truth, dumped = set(look.words("garbage2")), look.garbage(2)
        self.assertEqual(truth - dumped, set())
        return look, truth, dumped - truth

    def test_what_a_waiting_generator_holds_is_freed_when_its_finalizer_closes_it(self):
        look, _, more = self.more_than_truth("generators_in_garbage")
        generators = {a for a in more if look.type_of(look.objects[a]) == "generator"}
        self.assertEqual(len(generators), 1)
        self.assertLessEqual(more, self.held_by(look, generators))

    def test_what_a_finalizer_brings_back_is_no_garbage_then(self):
        look, truth, more = self.more_than_truth("resurrection")
        back = {a for a in more if look.type_of(look.objects[a]).endswith("Back")}
        self.assertEqual(len(back), 1)
        if self.version.startswith("3.8"):
            self.assertEqual(truth, set())  # it gives up on all it found
        else:
            self.assertTrue(truth)
            self.assertLessEqual(more, self.held_by(look, back))


FOUND, MISSING = pythons.found()
for version, path in FOUND:
    name = "Truth_%s_%s" % (version.replace(".", "_"), "debian" if path.startswith("/usr/bin") else "built")
    globals()[name] = type(name, (Truth, unittest.TestCase), {"python": path, "version": version})
    name = name.replace("Truth", "Exceptions")
    globals()[name] = type(name, (Exceptions, unittest.TestCase), {"python": path, "version": version})


@unittest.skipUnless(os.environ.get("CPYTHONS") == "all" and MISSING, "all that were looked for are here")
class Missing(unittest.TestCase):
    def test_versions(self):
        self.skipTest("there is no CPython " + ", ".join(MISSING) + " here")


if __name__ == "__main__":
    unittest.main()
