"""Where objects were made: what tracemalloc says in the process beside the allocation sites of its snapshots.

The process tells (traced.py); the module dumps from inside, `refheap capture` from outside and from a core.
"""

import collections
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "cli")]

import pythons  # noqa: E402
from support import REFHEAP, TestCase, ask, run  # noqa: E402
from test_capture import attaching  # noqa: E402
from test_outside import segments_of  # noqa: E402
from test_truth import environment  # noqa: E402
from truth import capture, sr  # noqa: E402

NONE = 0xffffffff
DAMAGES = int(os.environ.get("CORE_DAMAGES", "60" if os.environ.get("CPYTHONS") == "all" else "12"))
ABOUT_TRACES = "tracemalloc"


FREES = """
#include <pthread.h>
#include <stdlib.h>
void *PyMem_RawMalloc(size_t);
void PyMem_RawFree(void *);
static void **blocks;
static int count;
void make(int n)
{
    blocks = malloc(n * sizeof *blocks);
    for (count = 0; count < n; count++)
        blocks[count] = PyMem_RawMalloc(16);
}
static void *give_back(void *unused)
{
    while (count)
        PyMem_RawFree(blocks[--count]);
    return unused;
}
void begin(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, give_back, NULL);
}
int left(void) { return __atomic_load_n(&count, __ATOMIC_SEQ_CST); }
"""


class Traced:
    """A process that tells where its objects were made."""

    def __init__(self, python, folder, how, frames=1, population="small.py", dump=None):
        self.truth = os.path.join(folder, "truth")
        self.process = subprocess.Popen(
            [python, os.path.join(HERE, "traced.py"), self.truth, how, str(frames), os.path.join(HERE, population)] + ([dump] if dump else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), cwd=folder)
        self.pid = self.process.pid
        if self.process.stdout.readline() != b"ready\n":
            self.__exit__()
            raise AssertionError("%s: the program did not get ready" % python)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def read(self):
        """{address: ((file, line), ...) innermost first, or ()}"""
        with open(self.truth, encoding="utf-8", errors="surrogatepass") as f:
            said = json.load(f)
        tracebacks = [tuple(map(tuple, t)) for t in said["tracebacks"]]
        return {int(a, 16): tracebacks[n] if n >= 0 else () for a, n in said["objects"].items()}

    def core(self, folder):
        subprocess.run(["gcore", "-o", os.path.join(folder, "core"), str(self.pid)], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True, cwd=folder)
        return os.path.join(folder, "core.%d" % self.pid)


def sites_of(snapshot):
    """{address: ((file, line), ...)} of all objects."""
    chains = []
    for s in snapshot.sites:
        own = ((bytes(s.file).decode("utf-8", "surrogatepass"), s.line),)
        chains.append(own + (chains[s.caller] if s.caller != NONE else ()))
    return {o.address: chains[o.site - 1] if o.site else () for o in snapshot.objects}


def told(snapshot):
    return [bytes(d.text).decode() for d in snapshot.diagnostics if ABOUT_TRACES in bytes(d.text).decode()]


@attaching
class Traces(TestCase):
    def each(self):
        found, _ = pythons.found()
        self.assertTrue(found)
        for version, path in found:
            print("CPython", version, path)  # shown when the test fails
            yield version, path

    def compare(self, snapshot, truth, traced=True):
        """Every object that both know was made where the process says."""
        sites = sites_of(snapshot)
        both = [a for a in truth if a in sites]
        self.assertGreater(len(both), 0.95 * len(truth))
        wrong = [(hex(a), sites[a], truth[a]) for a in both if sites[a] != truth[a]]
        self.assertEqual(wrong[:5], [], "%d of %d" % (len(wrong), len(both)))
        self.assertEqual(told(snapshot), [])
        if traced:
            self.assertGreater(sum(truth[a] != () for a in both), 1500)
            self.assertGreater(len({truth[a] for a in both}), 30)
            self.assertGreater(sum(truth[a] == () for a in both), 100)  # made before tracemalloc was on
        else:
            self.assertEqual({truth[a] for a in both}, {()})
            self.assertEqual(snapshot.sites, [])
        return both

    def both_ways(self, how, frames=1, population="small.py", traced=True):
        for _, python in self.each():
            inside = self.path("inside.refheap")
            with Traced(python, self.folder, how, frames, population, inside) as process:
                outside = capture(self.path("outside.refheap"), "--pid", process.pid)
                truth = process.read()
            snapshots = sr.read_snapshot(inside), outside
            for snapshot in snapshots:
                both = self.compare(snapshot, truth, traced)
                if traced:
                    self.assertEqual(max(len(truth[a]) for a in both) > 1, frames > 1)
            os.unlink(inside)
            yield snapshots

    def test_one_frame(self):
        for snapshots in self.both_ways("on", 1):
            for snapshot in snapshots:
                self.assertEqual({s.caller for s in snapshot.sites}, {NONE})

    def test_several_frames(self):
        for snapshots in self.both_ways("on", 7):
            for snapshot in snapshots:
                self.shared(snapshot)

    def test_the_standard_library(self):
        self.each = lambda: [pythons.found()[0][0]]
        for snapshots in self.both_ways("on", 3, "stdlib.py"):
            for snapshot in snapshots:
                self.shared(snapshot)

    def shared(self, snapshot):
        """What tracebacks have in common is there once."""
        rows = [(s.caller, bytes(s.file), s.line) for s in snapshot.sites]
        self.assertEqual(len(rows), len(set(rows)))
        callers = collections.Counter(caller for caller, _, _ in rows)
        self.assertGreater(max(n for c, n in callers.items() if c != NONE), 1)

    def test_nothing_is_written_when_it_is_off(self):
        for how in ("off", "stopped"):
            for _ in self.both_ways(how, traced=False):
                pass

    def test_on_off_and_on_again(self):
        for _ in self.both_ways("again", 2):
            pass

    def test_what_was_forgotten(self):
        for _, python in self.each():
            with Traced(python, self.folder, "cleared") as process:
                snapshot = capture(self.path("cleared.refheap"), "--pid", process.pid)
                truth = process.read()
            sites = sites_of(snapshot)
            self.assertEqual([a for a in truth if a in sites and sites[a] != truth[a]], [])
            self.assertEqual(told(snapshot), [])

    def test_a_core_says_what_the_process_says(self):
        for _, python in self.each():
            with Traced(python, self.folder, "on", 100) as process:
                core = process.core(self.folder)
                truth = process.read()
            self.compare(capture(self.path("core.refheap"), "--core", core), truth)
            os.unlink(core)

    def test_keys_with_a_domain(self):
        """Memory of other allocators, as numpy tells of it, has a domain of its own: in 3.8 all keys then have one."""
        program = ("import ctypes, tracemalloc; tracemalloc.start(2)\n"
                   "kept = [[object(), {}] for _ in range(1000)]\n"
                   "track = ctypes.pythonapi.PyTraceMalloc_Track\n"
                   "track.argtypes = ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t\n"
                   "for o in kept[:500]:\n"
                   "    tracemalloc_domain = track(389047, id(o) - 16, 99), track(5, id(o[0]), 99)\n"
                   "more = [[object(), {}] for _ in range(1000)]\n"
                   "where = {'%x' % id(o): tuple((f.filename, f.lineno) for f in reversed(tracemalloc.get_object_traceback(o) or ()))\n"
                   "         for k in kept + more for o in [k] + k}\n"
                   "import refheap, sys; refheap.dump(sys.argv[1]); print(repr(where), flush=True); sys.stdin.read()")
        for _, python in self.each():
            inside = self.path("domains.refheap")
            with subprocess.Popen([python, "-c", program, inside], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as child:
                truth = {int(a, 16): t for a, t in eval(child.stdout.readline()).items()}
                outside = capture(self.path("outside.refheap"), "--pid", child.pid)
                child.kill()
            for snapshot in (sr.read_snapshot(inside), outside):
                sites = sites_of(snapshot)
                self.assertEqual([(a, sites.get(a), t) for a, t in truth.items() if sites.get(a) != t][:3], [])
                self.assertEqual(told(snapshot), [])
            os.unlink(inside)

    def test_memory_that_is_freed_meanwhile(self):
        """A thread of C frees without the GIL: the table changes, and shrinks, while the dump reads it."""
        library, source = self.path("frees.so"), self.path("frees.c")
        with open(source, "w") as f:
            f.write(FREES)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-lpthread"], check=True)
        program = ("import ctypes, refheap, sys, tracemalloc; tracemalloc.start(2)\n"
                   "kept = [[object()] for _ in range(1000)]\n"
                   "frees = ctypes.PyDLL(sys.argv[1])\n"
                   "for i in range(3):\n"
                   "    frees.make(500000); frees.begin()\n"
                   "    refheap.dump('%d.refheap' % i)\n"
                   "    while frees.left(): pass\n"
                   "where = [tracemalloc.get_object_traceback(k) for k in kept]\n"
                   "print({id(k): [f.lineno for f in t or ()] for k, t in zip(kept, where)})")
        for _, python in self.each():
            done = subprocess.run([python, "-c", program, library], stdout=subprocess.PIPE, env=environment(), timeout=100, cwd=self.folder)
            self.assertEqual(done.returncode, 0)
            truth = eval(done.stdout)
            for i in range(3):
                snapshot = sr.read_snapshot(self.path("%d.refheap" % i))
                lines = {a: [line for _, line in reversed(t)] for a, t in sites_of(snapshot).items() if a in truth}
                self.assertEqual([a for a in truth if lines[a] and lines[a] != truth[a]], [])
                if not told(snapshot):
                    self.assertEqual(lines, truth)
                os.unlink(self.path("%d.refheap" % i))

    def test_commands_show_them(self):
        path = self.path("s.refheap")
        with Traced("/usr/bin/python3", self.folder, "on", 3) as process:
            capture(path, "--pid", process.pid)
            truth = process.read()
        sites = sites_of(sr.read_snapshot(path))
        rows = {r["site"]: r["count"] for r in ask("summary", path, "--by", "site", "--no-fold")["groups"]}
        innermost = collections.Counter("%s:%d" % t[0] for t in sites.values() if t)
        self.assertEqual({k: n for k, n in rows.items() if k != "(not recorded)"}, innermost)
        address = max((a for a in truth if a in sites), key=lambda a: (len(sites[a]), a))
        frames = ["%s:%d" % f for f in truth[address]]
        self.assertEqual(len(frames), 3)
        self.assertEqual(ask("object", path, hex(address))["site"], frames)
        shown = run("object", path, hex(address))[0]
        self.assertIn("made         " + frames[0], shown)


@attaching
class Damaged(TestCase):
    """Tables whose words were overwritten: told, and nothing wrong is believed."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="refheap-test-")
        cls.addClassCleanup(folder.cleanup)
        with Traced("/usr/bin/python3", folder.name, "on", 3) as process:
            cls.core = process.core(folder.name)
            cls.truth = process.read()
        cls.segments = segments_of(cls.core)
        with open(cls.core, "rb") as f:
            cls.bytes = f.read()
        cls.entries = list(cls.find_entries())  # where in the file they are
        cls.address = {e: start + e - at for start, end, at in cls.segments for e in cls.entries if at <= e < at + end - start}
        if len(cls.entries) < 500:
            raise AssertionError("of the table %d entries were found" % len(cls.entries))

    @classmethod
    def find_entries(cls):
        """Of the table: a key's hash stands before the key. They are where the first is."""
        keys = {a - before for a, t in cls.truth.items() if t for before in (0, 16, 32)}
        first = next(at for at in (cls.bytes.find(struct.pack("<QQ", key >> 4, key)) for key in keys) if at >= 0)
        begin, end = next((at, at + end - start) for start, end, at in cls.segments if at <= first < at + end - start)
        words = struct.unpack_from("<%dQ" % ((end - begin) // 8), cls.bytes, begin)
        for i, word in enumerate(words):
            if word in keys and i > 1 and words[i - 1] == word >> 4:
                yield begin + 8 * (i - 2)

    def offset(self, address):
        return next((at + address - start for start, end, at in self.segments if start <= address < end - 8), None)

    def word(self, offset):
        return struct.unpack_from("<Q", self.bytes, offset)[0]

    def capture(self, changes):
        """A capture of the core with {offset: word} changed; None when it was refused."""
        to = self.path("damaged.refheap")
        with open(self.core, "r+b") as f:
            for offset, word in changes.items():
                f.seek(offset)
                f.write(struct.pack("<Q", word & (1 << 64) - 1))
        done = subprocess.run([REFHEAP, "capture", "--core", self.core, "-o", to, "--quiet"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=100)
        with open(self.core, "r+b") as f:
            for offset in changes:
                f.seek(offset)
                f.write(self.bytes[offset:offset + 8])
        self.assertIn(done.returncode, (0, 2), done.stderr[-2000:])
        if done.returncode:
            return None
        snapshot = sr.read_snapshot(to)
        os.unlink(to)
        return snapshot

    def nothing_wrong(self, snapshot):
        sites = sites_of(snapshot)
        self.assertEqual([(hex(a), sites[a], self.truth[a]) for a in self.truth if sites.get(a) and sites[a] != self.truth[a]][:3], [])
        return sum(map(bool, sites.values()))

    def test_nothing_is_wrong_when_nothing_is_damaged(self):
        snapshot = self.capture({})
        self.assertEqual(told(snapshot), [])
        self.assertGreater(self.nothing_wrong(snapshot), 1000)

    def refused(self, changes):
        snapshot = self.capture(changes)
        self.assertEqual(len(told(snapshot)), 1, told(snapshot))
        self.assertEqual(snapshot.sites, [])

    def test_a_table_with_an_entry_that_is_none(self):
        entry = self.entries[len(self.entries) // 2]
        self.refused({entry: 16})                             # a chain that leads nowhere
        self.refused({entry + 8: self.word(entry + 8) + 1})   # a hash that is another key's
        self.refused({entry + 16: self.word(entry + 16) + 64})  # a key with another hash

    def test_a_chain_that_is_a_loop(self):
        self.refused({e: self.address[e] for e in self.entries[::7]})

    def table(self):
        """Where the table's head is: it leads to buckets, and one of these to an entry of ours."""
        ours = set(self.address.values())
        for match in re.finditer(rb"(?=(.....\0\0\0)(.....\0\0\0)(......\0\0))", self.bytes, re.S):
            if match.start() % 8:
                continue
            entries, buckets, array = struct.unpack_from("<QQQ", self.bytes, match.start())
            if not 500 < entries <= buckets or buckets & (buckets - 1):
                continue
            offset = self.offset(array)
            heads = offset and struct.unpack_from("<%dQ" % min(buckets, (len(self.bytes) - offset) // 8), self.bytes, offset)
            if heads and sum(h in ours for h in heads) > 200:
                return match.start()
        raise AssertionError("the table is not in the core")

    def test_a_head_that_makes_no_sense(self):
        head = self.table()
        entries, buckets, array = struct.unpack_from("<QQQ", self.bytes, head)
        for word in (3, 1 << 39, buckets // 2, 2 * buckets):
            self.refused({head + 8: word})
        for word in (0, array + 8, (1 << 64) - 8):
            self.refused({head + 16: word})
        for word in (entries - 2, (1 << 64) - 1):
            self.refused({head: word})

    def test_tracebacks_that_are_none(self):
        """Their objects have no site then, the others keep theirs."""
        whole = self.nothing_wrong(self.capture({}))
        for seed in range(4):
            rng = random.Random(seed)
            changes = {}
            for e in rng.sample(self.entries[200:], 40):
                trace = self.offset(self.word(e + 24))
                where = rng.choice((e + 24, trace + 8, self.offset(self.word(trace + 8)) + 8))
                changes[where] = rng.choice((0, 8, 12345, 1 << 46, (1 << 64) - 1))
            snapshot = self.capture(changes)
            self.assertEqual(len(told(snapshot)), 1, told(snapshot))
            self.assertLess(self.nothing_wrong(snapshot), whole)

    def test_words_overwritten_at_random(self):
        head = self.table()
        places = [head + 8 * i for i in range(5)] + [e + 8 * i for e in self.entries for i in range(4)]
        for seed in range(DAMAGES):
            rng = random.Random(seed)
            words = (0, 1, 2 ** 63 - 1, 2 ** 40, 2 ** 20, rng.getrandbits(64), rng.randrange(4096), self.word(rng.choice(places)))
            snapshot = self.capture({rng.choice(places): rng.choice(words) for _ in range(rng.choice((1, 30, 3000)))})
            if snapshot:
                self.assertLessEqual(len(told(snapshot)), 2)


if __name__ == "__main__":
    unittest.main()
