"""Programs that hold every reference where a reader can know of it: whatever they do when they are stopped, an audit finds
nothing over and nothing under, live and from a core.

CLEAN_STOPS says at how many points each is stopped.
"""

import os
import re
import resource
import signal
import subprocess
import unittest

from support import SOURCE, TestCase, ask, run
from test_capture import HELD, SANITIZED, attaching, core_pattern

STOPS = int(os.environ.get("CLEAN_STOPS", "4"))
PROGRAMS = os.path.join(os.path.dirname(os.path.dirname(HELD)), "clean")
NAMES = sorted(n[:-2] for n in os.listdir(os.path.join(SOURCE, "tests", "clean")) if n.endswith(".c"))


@attaching
@unittest.skipIf(SANITIZED, "a sanitizer keeps pointers of its own")
class Clean(TestCase):
    def start(self, name, every):
        child = subprocess.Popen([os.path.join(PROGRAMS, name), str(every)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 cwd=self.folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))

        def stop():
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()
        self.addCleanup(stop)
        return child

    @staticmethod
    def points_of(name):
        said = subprocess.run([os.path.join(PROGRAMS, name)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=True).stdout
        assert b"leaked 0" in said and b"leaked 1" not in said, said
        return max(int(n) for n in re.findall(rb"points (\d+)", said))

    def check(self, what, *where):
        path = self.path("s.refheap")
        run("capture", *where, "-o", path)
        audit = ask("audit", path, "--limit", "0")
        for kind in ("over", "under", "possibly_under"):
            self.assertEqual(audit[kind], [], (what, kind))
        return ask("info", path)["snapshot"]["objects"]

    def check_program(self, name):
        points, most = self.points_of(name), 0
        every = max(1, points // (STOPS + 1)) | 1
        child, stops = self.start(name, every), 0
        for line in child.stdout:
            if not line.startswith(b"at "):
                continue
            stops += 1
            if stops <= STOPS:
                most = max(most, self.check((name, line), "--pid", child.pid))
            child.stdin.write(b"\n")
            child.stdin.flush()
        self.assertEqual(child.wait(), 0)
        self.assertGreaterEqual(stops, STOPS)
        self.assertGreater(most, 5)

    def check_core(self, name):
        points = self.points_of(name)
        for share in (3, 2):
            child = self.start(name, max(1, points // share))
            while not child.stdout.readline().startswith(b"at "):
                pass
            child.send_signal(signal.SIGABRT)
            child.wait()
            core, = [n for n in os.listdir(self.folder) if re.fullmatch(r"core(\.\d+)?", n)]
            self.check((name, "core"), "--core", self.path(core))
            os.unlink(self.path(core))

    def test_live_at_several_points(self):
        for name in NAMES:
            for built in ("O0", "O2"):
                with self.subTest(name=name, built=built):
                    self.check_program(name + "-" + built)

    def test_from_cores(self):
        if core_pattern() != "core":
            self.skipTest("cores of the kernel do not stay here")
        for name in NAMES:
            with self.subTest(name=name):
                self.check_core(name + "-O2")


if __name__ == "__main__":
    unittest.main()
