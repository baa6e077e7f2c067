"""make bench: refheap beside the machine's limits and CPython, in one run, medians.

Timings decide no test. Each figure stands beside what it is measured against, as a ratio.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
ROUNDS = 5

COLLECT = """
import gc, sys, time
gc.disable()
class Node:
    __slots__ = ("a", "b", "c")
n = int(sys.argv[1])
state = 88172645463325252
nodes = [Node() for _ in range(n)]
def below(n):
    global state
    state ^= state << 13 & 0xffffffffffffffff
    state ^= state >> 7
    state ^= state << 17 & 0xffffffffffffffff
    return state % n
for i, node in enumerate(nodes):
    dead = i % 32 < 2
    node.a = nodes[i ^ 1] if dead else nodes[(i + 3) % n if (i + 1) % n % 32 < 2 else (i + 1) % n]
    for slot in ("b", "c"):
        to = below(n)
        setattr(node, slot, node if dead else nodes[i if to % 32 < 2 else to])
kept = [node for i, node in enumerate(nodes) if i % 32 >= 2]
del nodes, node
start = time.perf_counter()
found = gc.collect()
print(time.perf_counter() - start, found, sys.version.split()[0])
"""


def timed(command):
    """Median wall seconds of a whole process, and its peak memory in MiB."""
    seconds, peak = [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds.append(time.perf_counter() - start)
        child.returncode = status
        assert status == 0, command
        peak = max(peak, usage.ru_maxrss / 1024)
    return statistics.median(seconds), peak


def line(what, seconds, *more):
    print("  %-52s %8.3f s  %s" % (what, seconds, "  ".join(more)))


def bench(objects, folder):
    path = os.path.join(folder, "bench.refheap")
    refheap = os.path.join(BUILD, "refheap")
    print("%s objects, %s edges" % (format(objects, ","), format(3 * objects, ",")))
    done = subprocess.run([os.path.join(BUILD, "tests", "tools", "bench_heap"), str(objects), path, str(ROUNDS)],
                          stdout=subprocess.PIPE, check=True)
    rounds = [[float(x) for x in row.split()] for row in done.stdout.decode().splitlines()]
    dump = statistics.median(r[0] for r in rounds)
    plain = statistics.median(r[1] for r in rounds)
    size = rounds[0][2]
    line("dump (rh_dump, to its final name)", dump, "%.1f M objects/s" % (objects / dump / 1e6),
         "%.2f GB/s" % (size / dump / 1e9))
    line("plain write and fsync of the same %.1f MB" % (size / 1e6), plain, "", "%.2f GB/s" % (size / plain / 1e9),
         "dump takes %.1f times as long" % (dump / plain))
    cycles, peak = timed([refheap, "cycles", path])
    line("load and cycles (refheap cycles)", cycles, "%.0f ns/object" % (cycles / objects * 1e9),
         "peak %.0f MiB" % peak)
    info, peak = timed([refheap, "verify", path])
    line("  of that, open, check and build the graph", info)
    summary, peak = timed([refheap, "summary", path])
    line("load and all retained sizes (refheap summary)", summary, "%.0f ns/object" % (summary / objects * 1e9),
         "peak %.0f MiB" % peak)
    collect = rounds[-1][3]
    line("the library's own full collection", collect, "%.0f ns/object" % (collect / objects * 1e9))
    for python in ("/usr/bin/python3", "python3.13"):
        try:
            runs = [subprocess.run([python, "-c", COLLECT, str(objects)], stdout=subprocess.PIPE, check=True)
                    .stdout.decode().split() for _ in range(3)]
        except (OSError, subprocess.CalledProcessError):
            continue
        seconds = statistics.median(float(r[0]) for r in runs)
        line("gc.collect() of CPython %s, as many objects" % runs[0][2], seconds,
             "%.0f ns/object" % (seconds / objects * 1e9), "refheap cycles takes %.2f of that" % (cycles / seconds),
             "rh_collect %.2f" % (collect / seconds))


def main():
    with tempfile.TemporaryDirectory(prefix="refheap-bench-", dir=BUILD) as folder:
        for objects in [int(x) for x in sys.argv[2:]] or [1000000]:
            bench(objects, folder)


main()
