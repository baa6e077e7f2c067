"""How long a capture takes, and how long the process stands still for it: beside gcore of the same process, a bare
process_vm_readv of its memory, and the dump it writes itself. Medians; timings decide no test.

The process watches the clock itself: the longest time between two looks is how long it stood still.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
REFHEAP = os.path.join(BUILD, "refheap")
ROUNDS = 5


class Standing:
    """A process with a heap of so many objects."""

    def __init__(self, objects, folder):
        self.process = subprocess.Popen([os.path.join(BUILD, "bench", "standing"), str(objects), os.path.join(folder, "own.refheap")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        _, pid, dump = self.process.stdout.readline().split()
        self.pid, self.dump = pid.decode(), float(dump)

    def longest_pause(self):
        """Since it was asked before."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def timed(standing, command, rounds):
    """Medians of (seconds in all, seconds the process stood still)."""
    rows = []
    for _ in range(rounds):
        standing.longest_pause()
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        rows.append((time.perf_counter() - start, standing.longest_pause()))
    return [statistics.median(column) for column in zip(*rows)]


def line(what, seconds, *more):
    print("  %-52s %8.3f s  %s" % (what, seconds, "  ".join(more)))


def bench(objects, folder):
    standing = Standing(objects, folder)
    path = os.path.join(folder, "live.refheap")
    bare = [[float(x) for x in subprocess.run([os.path.join(BUILD, "bench", "bare_copy"), standing.pid], stdout=subprocess.PIPE,
                                              check=True).stdout.split()] for _ in range(ROUNDS)]
    copy, size = statistics.median(row[0] for row in bare), bare[0][1]
    print("capture of %s objects, %s edges, live" % (format(objects, ","), format(3 * objects, ",")))
    line("a bare process_vm_readv of its %.1f MB" % (size / 1e6), copy, "%.1f GB/s" % (size / copy / 1e9))
    for what, more in (("capture", ()), ("capture, held until the end", ("--copy-at-most", "0"))):
        total, still = timed(standing, [REFHEAP, "capture", "--pid", standing.pid, "-o", path, "--quiet", *more], ROUNDS)
        line(what, total, "%.1f M objects/s" % (objects / total / 1e6))
        line("  of that, the process stood still", still, "%.1f times the bare copy" % (still / copy))
    total, _ = timed(standing, [REFHEAP, "capture", "--pid", standing.pid, "-o", "/dev/null", "--quiet"], ROUNDS)
    line("capture, to /dev/null", total, "%.1f M objects/s" % (objects / total / 1e6))
    line("the library's own dump", standing.dump, "%.1f M objects/s" % (objects / standing.dump / 1e6))
    if shutil.which("gdb"):
        core = os.path.join(folder, "core")
        total, still = timed(standing, ["gdb", "-batch", "-nx", "-p", standing.pid, "-ex", "generate-core-file " + core], 3)
        line("gcore", total, "%.1f GB" % (os.path.getsize(core) / 1e9))
        line("  of that, the process stood still", still, "%.1f times the bare copy" % (still / copy))
        start = time.perf_counter()
        subprocess.run([REFHEAP, "capture", "--core", core, "-o", path, "--quiet"], stdout=subprocess.DEVNULL, check=True)
        total = time.perf_counter() - start
        line("capture of that core", total, "%.1f M objects/s" % (objects / total / 1e6))
        os.unlink(core)
    standing.end()


def main():
    with tempfile.TemporaryDirectory(prefix="refheap-bench-", dir=BUILD) as folder:
        for objects in [int(x) for x in sys.argv[2:]] or [1000000, 10000000]:
            bench(objects, folder)


main()
