"""Dumps that are killed, find the disk full, or lose their reader: no false file, no lost file, one clear error."""

import os
import random
import resource
import signal
import subprocess
import time
import unittest

from support import TOOLS, TestCase, run

DUMPER = os.path.join(TOOLS, "dumper")
KILLS = 200


class Dump(TestCase):
    def temporary_files(self):
        return [name for name in os.listdir(self.folder) if name.startswith(".refheap-")]

    def test_kill_at_any_moment_leaves_a_whole_file_or_none(self):
        path, kept = self.path("heap.refheap"), 0
        moments = random.Random(1)
        start = time.monotonic()
        subprocess.run([DUMPER, "3000", path, "1"], stderr=subprocess.DEVNULL, check=True)
        whole = time.monotonic() - start  # from start to a whole dump: kills come before, in and behind the first few
        for _ in range(KILLS):
            child = subprocess.Popen([DUMPER, "3000", path], stderr=subprocess.DEVNULL)
            time.sleep(moments.random() * 3 * whole)
            child.send_signal(signal.SIGKILL)
            self.assertEqual(child.wait(), -signal.SIGKILL)
            if os.path.exists(path):
                run("verify", path)
                kept += 1
            for name in self.temporary_files():
                os.unlink(self.path(name))
            if moments.random() < 0.3 and os.path.exists(path):
                os.unlink(path)
        self.assertGreater(kept, 0)
        self.assertLess(kept, KILLS)

    def fail_to_dump(self, path, **more):
        """One dump that must fail: the program lives on and says one thing."""
        done = subprocess.run([DUMPER, "20000", path, "1"], stderr=subprocess.PIPE, timeout=60, **more)
        self.assertEqual(done.returncode, 0)
        return done.stderr.decode()

    def earlier(self):
        path = self.path("heap.refheap")
        subprocess.run([DUMPER, "10", path, "1"], stderr=subprocess.DEVNULL, check=True)
        with open(path, "rb") as f:
            return path, f.read()

    def assertUntouched(self, path, contents):
        with open(path, "rb") as f:
            self.assertEqual(f.read(), contents)
        self.assertEqual(self.temporary_files(), [])

    def test_size_limit_leaves_the_earlier_file(self):
        path, contents = self.earlier()
        said = self.fail_to_dump(path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)))
        self.assertEqual(said, "File too large\n")
        self.assertUntouched(path, contents)

    def test_full_disk_leaves_the_earlier_file(self):
        disk = self.path("disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no permission to mount a small file system")
        try:
            path = os.path.join(disk, "heap.refheap")
            subprocess.run([DUMPER, "10", path, "1"], stderr=subprocess.DEVNULL, check=True)
            self.assertEqual(self.fail_to_dump(path), "No space left on device\n")
            run("verify", path)
            self.assertEqual(os.listdir(disk), ["heap.refheap"])
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_full_device(self):
        self.assertEqual(self.fail_to_dump("/dev/full"), "No space left on device\n")

    def test_closed_pipe_is_an_error_and_not_the_end(self):
        read, write = os.pipe()
        os.close(read)
        self.assertEqual(self.fail_to_dump("/dev/stdout", stdout=write), "Broken pipe\n")
        os.close(write)

    def test_pipe_carries_the_whole_snapshot(self):
        done = subprocess.run([DUMPER, "5000", "/dev/stdout", "1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with open(self.path("piped"), "wb") as f:
            f.write(done.stdout)
        run("verify", self.path("piped"))
        out, _ = run("verify", "-", input=done.stdout)
        self.assertIn("whole", out)

    def test_folder_that_cannot_be_written(self):
        self.assertEqual(self.fail_to_dump(self.path("nowhere/heap.refheap")), "No such file or directory\n")
        self.assertEqual(self.fail_to_dump(self.folder), "Is a directory\n")


if __name__ == "__main__":
    unittest.main()
