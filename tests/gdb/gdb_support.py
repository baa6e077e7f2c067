"""What the tests of the GDB extension share: running real GDB on a program, and what it said."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from support import BUILD, REFHEAP, SAMPLES, SOURCE, TestCase, ask, run  # noqa: E402, F401

LOADER = os.path.join(BUILD, "refheap_gdb", "refheap-gdb.py")
DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "driver.py")
TARGET = os.path.join(BUILD, "tests", "gdb", "target")
ENDING = "collected 40 and 0, 10 blocks, 1 signals, 0 leaked"


@unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
class GdbTestCase(TestCase):
    def environment(self):
        """What GDB finds around it: nothing of whoever runs the tests."""
        home = self.path("home")
        os.makedirs(home, exist_ok=True)
        return {"HOME": home, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb", "SHELL": "/bin/sh",
                "DEBUGINFOD_URLS": "", "TMPDIR": self.folder, "ASAN_OPTIONS": "detect_leaks=0"}

    def gdb(self, program, *commands, loader=LOADER, more=None):
        """Runs GDB on a program; returns the result of each command and what the program wrote. `more`: of its environment."""
        with open(self.path("commands"), "w") as f:
            json.dump(commands, f)
        environment = dict(self.environment(), DRIVER_COMMANDS=self.path("commands"), DRIVER_RESULTS=self.path("results"),
                           **more or {})
        arguments = ["timeout", "-k", "5", "100", "gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-iex",
                     "set auto-load no", "-iex", "set startup-with-shell off", *(["-x", loader] if loader else []), "-x", DRIVER]
        done = subprocess.run(arguments + ([program] if program else []), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment, cwd=self.folder, timeout=120)
        said = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, 0, said)
        with open(self.path("results")) as f:
            self.results = json.load(f)
        return self.results, said

    def gdbserver(self, *words):
        """Starts gdbserver on a program or, with "--attach", on a process; returns the command that has GDB talk to it. (Through
        a pipe, as in "target remote | gdbserver -", GDB 13 is twenty times slower.)"""
        server = subprocess.Popen(["gdbserver", "--once", *([words[0]] if words[0] == "--attach" else []), "127.0.0.1:0",
                                   *[str(w) for w in words if w != "--attach"]], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder,
                                  env=dict(self.environment(), LC_ALL="C"))
        self.addCleanup(lambda: (server.kill(), server.wait(), server.stderr.close()))
        for line in server.stderr:
            port = re.match(rb"Listening on port (\d+)", line)
            if port:
                return "target remote 127.0.0.1:%d" % int(port.group(1))
        self.fail("gdbserver does not start")

    def output(self, command, which=0):
        """What a command said, which must not have failed."""
        found = [r for r in self.results if r["command"] == command][which]
        self.assertIsNone(found["error"], found)
        return found["output"]

    def error(self, command):
        """The one line a command failed with."""
        found = [r for r in self.results if r["command"] == command][0]
        self.assertIsNotNone(found["error"], found)
        self.assertNotRegex(found["error"], r"(?<!C)Python", found)  # an exception that was not meant for people
        self.assertEqual(found["error"].count("\n"), 0, found)
        return found["error"]
