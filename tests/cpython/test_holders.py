"""Possible holders seen from inside: an audit of a dump says what an audit of a capture says of the same process."""

import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "cli")]

import pythons  # noqa: E402
from test_truth import BUILD, REFHEAP, UNTRACKED, environment, read_snapshot  # noqa: E402
from truth import GENERATION, capture  # noqa: E402

BEGIN = """
import os, sys, threading, time, held, leaky, refheap
class Message:
    def __init__(self, words):
        self.words = words
    def __len__(self):
        return self.words
def stand():
    os.write(1, b"ready\\n")
    os.read(0, 1)
"""
NOTE = 1  # a diagnostic that is no warning
OWN_CALL = 4  # what the call of dump() itself holds for its time


class Holders(pythons.OfPython):
    """The tests, for one interpreter."""

    def run_program(self, program, captured=False, under=()):
        variables = environment()
        variables["PYTHONPATH"] += ":" + os.path.join(BUILD, "samples")
        process = subprocess.Popen([*under, self.python, "-W", "ignore", "-c", BEGIN + program + "stand()"], cwd=self.folder, env=variables,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            line = process.stdout.readline()
            self.assertEqual(line, b"ready\n", line or process.stderr.read())
            if captured:
                capture(self.path("out.refheap"), "--pid", process.pid)
        finally:
            process.communicate(b"x", timeout=60)

    def audit(self, name, *options):
        said = subprocess.run([REFHEAP, "audit", self.path(name), "--json", "--limit", "0", "--no-cache", "--quiet", *options],
                              stdout=subprocess.PIPE, check=True).stdout
        return json.loads(said)

    def count(self, name, kind):
        said = subprocess.run([REFHEAP, "sql", self.path(name), "select count(*) from objects where type = '%s'" % kind, "--csv",
                               "--no-cache"], stdout=subprocess.PIPE, check=True).stdout
        return int(said.split()[-1])

    def test_a_static_variable_holds_and_a_missing_release_does_not(self):
        self.run_program("""
outbox = [Message(3)]
also = list(outbox)
def work():
    leaky.longest([Message(words) for words in (10, 20, 30)])
    leaky.total(outbox)
    leaky.remember(Message(4))
thread = threading.Thread(target=work)  # its stack goes with what is left on it
thread.start()
thread.join()
refheap.dump("in.refheap")
stand()
os._exit(0)  # one would be freed too early
""")
        said = self.audit("in.refheap", "--type", "Message")
        self.assertEqual((len(said["over"]), [o["possible"] for o in said["possibly_over"]]),
                         (2, [["global remembered in leaky.abi3.so"]]))

    def test_where_process_vm_readv_is_forbidden_nothing_is_missed(self):
        self.run_program("""
leaky.remember(Message(4))
refheap.dump("in.refheap")
""", under=[os.path.join(BUILD, "tests", "tools", "without_readv"), "EPERM"])
        said = self.audit("in.refheap", "--type", "Message")
        (message,) = said["possibly_over"]
        self.assertIn("global remembered in leaky.abi3.so", message["possible"])
        snapshot = read_snapshot(self.path("in.refheap"))
        self.assertEqual([d.text for d in snapshot.diagnostics if d.severity > NOTE], [])
        self.assertGreater(sum(o.state & GENERATION == UNTRACKED for o in snapshot.objects), 1000)

    def test_as_many_are_over_as_from_outside(self):
        self.run_program("""
import ctypes, collections, datetime, decimal, json, pickle, re, socket
leaky.remember(Message(4))
refheap.dump("in.refheap")
""", captured=True)
        inside, outside = self.audit("in.refheap"), self.audit("out.refheap")
        over_inside, over_outside = ({o["address"] for o in said["over"]} for said in (inside, outside))
        self.assertLessEqual(len(over_inside - over_outside), OWN_CALL,
                             [o for o in inside["over"] if o["address"] not in over_outside])
        # Static variables have the names they have from outside.
        names_inside, names_outside = ({o["address"]: {p for p in o["possible"] if p.startswith("global")}
                                        for o in said["possibly_over"]} for said in (inside, outside))
        both = [a for a in names_inside if names_outside.get(a)]
        self.assertGreater(len(both), 20)
        differ = [(names_inside[a], names_outside[a]) for a in both if names_inside[a] != names_outside[a]]
        self.assertLessEqual(len(differ), len(both) / 50, differ[:5])
        self.assertTrue(any("remembered in leaky" in n for names in names_inside.values() for n in names))

    def test_what_the_interpreter_keeps_is_explained(self):
        """By atexit, and by the list of a bounded cache, which has a reference to each link beside the dict's."""
        self.run_program("""
import atexit, functools
atexit.register(lambda *words, **more: None, Message(1), more=Message(2))
gone = lambda: None
atexit.register(gone)
atexit.unregister(gone)
cached = functools.lru_cache(maxsize=5)(Message)
for words in range(20):
    cached(words)
refheap.dump("in.refheap")
""", captured=True)
        for name in ("in.refheap", "out.refheap"):
            for kind, count in (("Message", 7), ("functools._lru_list_elem", 5)):
                said = self.audit(name, "--type", kind)
                self.assertEqual((said["over"], said["possibly_over"], said["under"]), ([], [], []), (name, kind))
                self.assertGreaterEqual(self.count(name, kind), count)
            roots = {bytes(r.name) for r in read_snapshot(self.path(name)).roots}
            version = pythons.version_of(self.python)[0].split(".")[1]
            self.assertEqual({b"atexit function", b"atexit arguments", b"atexit keywords"} <= roots, int(version) >= 10, name)

    def test_the_stack_of_a_thread_that_waits_holds(self):
        self.run_program("""
message = Message(1)
out, to = os.pipe()
thread = threading.Thread(target=held.keep, args=(message, out), daemon=True)
thread.start()
time.sleep(0.2)
refheap.dump("in.refheap")
os.write(to, b"x")
thread.join()
refheap.dump("after.refheap")
""")
        said = self.audit("in.refheap", "--type", "Message")
        self.assertEqual((said["over"], len(said["possibly_over"])), ([], 1))
        self.assertTrue(all(p.startswith("stack of thread ") for p in said["possibly_over"][0]["possible"]))
        said = self.audit("after.refheap", "--type", "Message")
        self.assertEqual((said["over"], said["possibly_over"]), ([], []))

    def test_libraries_whose_file_is_gone_are_named_by_their_place(self):
        self.run_program("""
import importlib.util, shutil
shutil.copy(leaky.__file__, "other.so")
spec = importlib.util.spec_from_file_location("leaky", os.path.abspath("other.so"))
other = importlib.util.module_from_spec(spec)
thread = threading.Thread(target=lambda: other.remember(Message(4)))
thread.start()
thread.join()
os.unlink("other.so")
refheap.dump("in.refheap")
""")
        said = self.audit("in.refheap", "--type", "Message")
        self.assertEqual((said["over"], len(said["possibly_over"])), ([], 1))
        self.assertRegex(said["possibly_over"][0]["possible"][0], r"^global other\.so \(deleted\)\+0x[0-9a-f]+$")


FOUND, _ = pythons.found()
for version, path in FOUND:
    name = "Holders_%s_%s" % (version.replace(".", "_"), "debian" if path.startswith("/usr/bin") else "built")
    globals()[name] = type(name, (Holders, unittest.TestCase), {"python": path, "version": version})

if __name__ == "__main__":
    unittest.main()
