"""A process that stands where it is awkward to be read - in malloc, in the collector, in a handler, on an overflown stack,
behind a lock - is read like any other, and goes on as it would have."""

import os
import re
import resource
import signal
import subprocess
import unittest

from support import TestCase, ask, run
from test_capture import HELD, SANITIZED, attaching, core_pattern
from test_collector import graph_of

AWKWARD = os.path.join(os.path.dirname(HELD), "awkward")


def bare(graph):
    """A graph without what a collection changes: that finalizers had their turn, and the reference it takes while they have."""
    found = []
    for item in graph:
        if isinstance(item, list):
            words = item[0].split()
            words[6] = str(int(words[6]) & 7)  # of its state the generation
            words[5] = "-"
            found.append([" ".join(words)] + item[1:])
    return found


class Awkward(TestCase):
    program = AWKWARD

    def start(self, mode):
        child = subprocess.Popen([self.program, mode, self.path("dump.refheap")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 cwd=self.folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))

        def stop():
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()
        self.addCleanup(stop)
        name, kept = child.stdout.readline().decode().split()
        self.assertEqual(name, "kept")
        self.assertEqual(child.stdout.readline(), b"ready %d\n" % child.pid)
        return child, kept

    @staticmethod
    def end(child):
        """How it ends: (status, what it says)."""
        out = child.communicate(b"\n", timeout=60)[0]
        return child.returncode, out

    def capture(self, *where):
        path = self.path("live.refheap")
        self.assertEqual(run("capture", *where, "-o", path)[1], "")
        run("verify", path)
        return path

    def holders_of(self, snapshot, address, others=0):
        audit = ask("audit", snapshot, "--limit", "0")
        found = {o["address"]: o["possible"] for o in audit["possibly_over"]}
        self.assertEqual(len(found), 1 + others, found)
        self.assertEqual((audit["over"], audit["under"], audit["possibly_under"]), ([], [], []))
        return found[address]

    def check_mode(self, mode, compare, holder, others=0):
        undisturbed = self.end(self.start(mode)[0])
        child, kept = self.start(mode)
        for _ in range(3):
            snapshot = self.capture("--pid", child.pid)
            compare(graph_of(self.path("dump.refheap")), graph_of(snapshot))
            holders = self.holders_of(snapshot, kept, others)
            self.assertTrue([h for h in holders if re.match(holder, h)], holders)
        self.assertEqual(self.end(child), undisturbed)
        return snapshot

    IN_SERVE = r"stack of thread \d+ in serve(\.\w+)*\(\)$"

    def test_in_malloc(self):
        self.check_mode("malloc", self.assertEqual, self.IN_SERVE)

    def test_behind_a_lock(self):
        self.check_mode("lock", self.assertEqual, self.IN_SERVE)

    def test_in_the_collector(self):
        snapshot = self.check_mode("collector", lambda a, b: self.assertEqual(bare(a), bare(b)), self.IN_SERVE,
                                   others=1)  # the object whose finalizer runs: the collector holds it
        heap, = ask("info", snapshot)["heaps"]
        self.assertEqual((heap["collecting"], heap["partial"]), (True, False))

    def test_in_a_handler(self):
        self.check_mode("handler", self.assertEqual, self.IN_SERVE)

    def test_in_a_handler_on_another_stack(self):
        self.check_mode("altstack", self.assertEqual, self.IN_SERVE)

    def test_after_a_stack_overflow(self):
        self.check_mode("overflow", self.assertEqual, self.IN_SERVE)

    def test_while_it_collects(self):
        """Anywhere in the collector: the live part is whole, and nothing is damaged."""
        child, kept = self.start("busy")
        for _ in range(12):
            snapshot = self.capture("--pid", child.pid)
            said = ask("info", snapshot)
            self.assertEqual([d for d in said["diagnostics"] if d["severity"] == "error"], [])
            rows = run("sql", snapshot, "select count(*) from objects where generation = 2 and label + 0 < 100 and not garbage", "--csv")[0]
            self.assertGreaterEqual(int(rows.split()[-1]), 100)
            chain = ask("referents", snapshot, "root:top", "--depth", 200, "--limit", 0)
            self.assertEqual(len({e["to"] for e in chain["edges"]}), 100)
        self.assertEqual(self.end(child)[0], 0)

    @unittest.skipIf(SANITIZED, "a process with a sanitizer's shadow leaves cores of terabytes")
    def test_core_of_a_stack_overflow(self):
        if core_pattern() != "core":
            self.skipTest("cores of the kernel do not stay here")
        child, kept = self.start("crash")
        self.assertEqual(self.end(child)[0], -signal.SIGSEGV)
        core, = [n for n in os.listdir(self.folder) if re.fullmatch(r"core(\.\d+)?", n)]
        snapshot = self.capture("--core", self.path(core))
        self.assertEqual(graph_of(self.path("dump.refheap")), graph_of(snapshot))
        holders = self.holders_of(snapshot, kept)
        self.assertTrue([h for h in holders if re.match(self.IN_SERVE, h)], holders)


@attaching
class Stripped(Awkward):
    """The same programs without symbols: threads are named, functions are not."""

    IN_SERVE = r"stack of thread \d+( in \w+\(\))?$"

    def setUp(self):
        super().setUp()
        self.program = self.path("stripped")
        if subprocess.run(["strip", "-o", self.program, AWKWARD], stderr=subprocess.PIPE).returncode:
            self.skipTest("there is no strip")


Awkward = attaching(Awkward)

if SANITIZED:
    del Awkward, Stripped  # a sanitizer keeps pointers and a shadow of its own


if __name__ == "__main__":
    unittest.main()
