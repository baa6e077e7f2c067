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

# The heap of tests/tools/bench_heap.c in Python: objects with three attributes, with and without __slots__.
COLLECT = """
import gc, sys, time
gc.disable()
class Slots:
    __slots__ = ("a", "b", "c")
class Plain:
    pass
Node = Slots if sys.argv[2] == "slots" else Plain
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
gc.collect()
first = time.perf_counter() - start
start = time.perf_counter()
gc.collect()
print(first, time.perf_counter() - start, sys.version.split()[0])
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
    # One round a process: the garbage is gone after the first collection.
    rounds = [[float(x) for x in subprocess.run([os.path.join(BUILD, "tests", "tools", "bench_heap"), str(objects), path, "1"],
                                                stdout=subprocess.PIPE, check=True).stdout.decode().split()]
              for _ in range(ROUNDS)]
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
    pause = statistics.median(r[3] for r in rounds)
    line("the pause of a dump by a forked copy", pause, "%.2f of the plain dump" % (pause / dump))
    collectors(objects, *(statistics.median(r[i] for r in rounds) for i in (4, 5)))


def collectors(objects, first, second):
    for what, seconds in (("first", first), ("second", second)):
        line("rh_collect, the %s time" % what, seconds, "%.0f ns/object" % (seconds / objects * 1e9))
    for python in ("/usr/bin/python3", "python3.13"):
        for kind in ("slots", "plain"):
            try:
                said = [subprocess.run([python, "-c", COLLECT, str(objects), kind], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, check=True).stdout.decode().split() for _ in range(3)]
            except (OSError, subprocess.CalledProcessError):
                continue
            theirs = [statistics.median(float(row[i]) for row in said) for i in (0, 1)]
            line("gc.collect() of CPython %s, %s objects" % (said[0][2], kind), theirs[0],
                 "%.0f ns/object" % (theirs[0] / objects * 1e9),
                 "rh_collect is %.1f times as fast; %.1f times the second time" % (theirs[0] / first, theirs[1] / second))


def medians(command):
    rows = [[float(x) for x in row.split()] for row in
            subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()]
    return [statistics.median(column) for column in zip(*rows)]


def objects_beside_others():
    """Objects made, referred to and freed, beside GObject and make_shared."""
    programs = [("librefheap", ["objects"]), ("GObject", ["gobject"]), ("make_shared", ["make_shared"]),
                ("make_shared, with threads", ["make_shared", "threads"])]
    print("ns an object: made, a reference taken and dropped, freed (of a million at once); made and freed one by one")
    ours = None
    for name, (program, *arguments) in programs:
        path = os.path.join(BUILD, "bench", program)
        if not os.path.exists(path):
            print("  %-28s not built: libglib2.0-dev is missing" % name)
            continue
        figures = medians([path, *arguments])
        ours = ours or figures
        print("  %-28s %7.1f %7.1f %7.1f %7.1f   %s" % (name, *figures, "" if figures is ours else "refheap is %s times as fast"
              % ", ".join("%.1f" % (theirs / own) for theirs, own in zip(figures, ours))))
    print("  header of a container: 32 bytes")


def main():
    objects_beside_others()
    with tempfile.TemporaryDirectory(prefix="refheap-bench-", dir=BUILD) as folder:
        for objects in [int(x) for x in sys.argv[2:]] or [1000000, 5000000]:
            bench(objects, folder)


main()
