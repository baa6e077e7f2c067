"""Dumps that the environment asks for: REFHEAP_DUMP_ON and REFHEAP_DUMP_TO."""

import os
import re
import signal
import subprocess
import time
import unittest

from support import TOOLS, TestCase, ask, run


class Triggers(TestCase):
    def start(self, mode, on, to="%p-%n.refheap", *more):
        environment = dict(os.environ, REFHEAP_DUMP_ON=on)
        if to:
            environment["REFHEAP_DUMP_TO"] = os.path.join(self.folder, to)
        child = subprocess.Popen([os.path.join(TOOLS, "triggered"), mode, *more], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=self.folder)
        self.addCleanup(self.end, child)
        if mode != "nomem":
            self.assertEqual(child.stdout.readline(), b"ready\n")
        return child

    @staticmethod
    def end(child):
        if child.poll() is None:
            try:
                child.communicate(b"stop\n", timeout=60)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()

    def wait_for(self, name):
        """The snapshot once it is there: it appears whole."""
        path, end = self.path(name), time.monotonic() + 60
        while not os.path.exists(path):
            self.assertLess(time.monotonic(), end, "%s did not appear; there are %s" % (name, os.listdir(self.folder)))
            time.sleep(0.005)
        run("verify", path)
        return path

    def check(self, path, captured):
        facts = ask("info", path)
        self.assertGreaterEqual(facts["snapshot"]["objects"], 101)
        self.assertIn(captured, run("info", path)[0])

    def test_a_signal_is_served_in_whatever_the_program_does(self):
        for mode in ("sleep", "thread", "asleep", "work", "malloc", "busy"):
            with self.subTest(mode):
                child = self.start(mode, "signal:USR2", mode + "-%n.refheap")
                for n in range(5):
                    child.send_signal(signal.SIGUSR2)
                    path = self.wait_for("%s-%d.refheap" % (mode, n))
                    self.check(path, "by the program, ")
                self.assertIsNone(child.poll())
                self.end(child)
                self.assertEqual(child.returncode, 0)

    def test_a_signal_by_number(self):
        child = self.start("sleep", "signal:%d" % signal.SIGUSR1)
        child.send_signal(signal.SIGUSR1)
        self.check(self.wait_for("%d-0.refheap" % child.pid), "on a signal")

    def test_at_exit(self):
        child = self.start("exit", "exit", "%p-at-%t-100%%.refheap")
        child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0)
        name, = (n for n in os.listdir(self.folder) if n.startswith("%d-at-" % child.pid))
        self.assertRegex(name, r"-at-\d{10}-100%\.refheap$")
        self.check(self.path(name), "at exit")

    def test_when_memory_runs_out(self):
        child = self.start("nomem", "nomem")
        child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0)
        self.check(self.wait_for("%d-0.refheap" % child.pid), "when memory ran out")
        self.assertEqual(len(os.listdir(self.folder)), 1)

    def test_the_default_name(self):
        child = self.start("exit", "exit", None)
        child.communicate(timeout=60)
        self.wait_for("refheap-%d-0.refheap" % child.pid)

    def test_what_makes_no_sense_is_said(self):
        for on, to, text in (("signal:NOPE,exit", "%n", 'REFHEAP_DUMP_ON: cannot understand "signal:NOPE"'),
                             ("sometimes", "%n", 'cannot understand "sometimes"; it takes signal:NAME, exit and nomem'),
                             ("exit", "%q", "REFHEAP_DUMP_TO: cannot understand"),
                             ("signal:KILL", "%n", "REFHEAP_DUMP_ON: cannot catch the signal: Invalid argument"),
                             ("exit", "nowhere/%n", "cannot create a file there: No such file or directory")):
            child = self.start("exit", on, to)
            _, err = child.communicate(timeout=60)
            self.assertEqual(child.returncode, 0)
            self.assertIn(text, err.decode())
            self.assertEqual(err.count(b"\n"), 1, err)

    def test_who_sleeps_is_told_apart(self):
        child = self.start("wait", "", None, self.path("asked.refheap"))
        said = child.stdout.readline().decode()
        self.assertRegex(said, r"^-5 thread %d, which owns a heap, sleeps in the kernel" % child.pid)
        self.assertIn("refheap capture", said)
        self.assertFalse(os.path.exists(self.path("asked.refheap")))


if __name__ == "__main__":
    unittest.main()
