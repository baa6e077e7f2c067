"""The analysis of heaps of growing size: time of each phase, memory, and the same beside igraph, memlab, DevTools and CPython.

    analysis.py BUILD [OBJECTS...]

Each row is the median of several processes that open the snapshot and read no kept index; the last rows are of the
program itself with the index it keeps. igraph, memlab and DevTools are measured where they are installed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
REFHEAP = os.path.join(BUILD, "refheap")
TOOLS = os.path.join(BUILD, "tests", "tools")
PEERS_MAX = 10_000_000

COLLECT = """
import gc, sys, time
class Node:
    __slots__ = ("left", "right")
n = int(sys.argv[1])
gc.disable()
nodes = [Node() for _ in range(n)]
for i, node in enumerate(nodes):
    node.left = nodes[i * 7919 % n]
    node.right = nodes[i // 3]
start = time.perf_counter()
gc.collect()
print(time.perf_counter() - start)
"""


def phases(program, *arguments):
    """[(phase, seconds, MiB)] of one run."""
    out = subprocess.run([program, *arguments], stdout=subprocess.PIPE, check=True).stdout.decode()
    rows = [line.split() for line in out.splitlines()]
    return [(name, float(a), float(b)) for name, a, b in rows]


def medians(rounds):
    return [(column[0][0], statistics.median(r[1] for r in column), statistics.median(r[2] for r in column))
            for column in zip(*rounds)]


def line(name, seconds, objects, edges, mib=None, more=""):
    print("  %-44s %9.3f s %8.1f ns/object %8.1f ns/edge %s  %s" % (
        name, seconds, seconds / objects * 1e9, seconds / edges * 1e9, "%7.0f MiB" % mib if mib is not None else " " * 11, more))


def ours(path):
    """Seconds from opening the file to the retained sizes of all objects."""
    tool, rounds = os.path.join(TOOLS, "phases"), 5
    apart = medians([phases(tool, "one-by-one", path) for _ in range(rounds)])
    together = medians([phases(tool, "together", path) for _ in range(rounds)])
    (_, objects, edges), = [row for row in together if row[0] == "size"]
    print("%s objects, %s references" % (format(int(objects), ","), format(int(edges), ",")))
    names = {"open": "open and check the file", "graph": "the graph: index and references", "garbage": "garbage",
             "cycles": "components, cycles and what they retain", "dominators": "dominators and retained sizes",
             "all": "all, one phase after another"}
    for name, seconds, mib in apart:
        if name in names:
            line(names[name], seconds, objects, edges, mib)
    (_, seconds, mib), = [row for row in together if row[0] == "all"]
    line("all, as refheap does it", seconds, objects, edges, mib)
    return objects, edges, seconds


def again(path, objects, edges):
    """The program itself, when an index was kept."""
    middle = "@%d" % (objects // 2)
    for command in (["summary"], ["object", middle], ["referrers", middle], ["why", middle]):
        subprocess.run([REFHEAP, command[0], path, *command[1:]], stdout=subprocess.PIPE, check=True)
    for command in (["summary"], ["object", middle], ["referrers", middle], ["why", middle]):
        seconds = []
        for _ in range(9):
            start = time.perf_counter()
            subprocess.run([REFHEAP, command[0], path, *command[1:]], stdout=subprocess.PIPE, check=True)
            seconds.append(time.perf_counter() - start)
        print("  %-44s %9.3f s" % ("with the kept index: refheap " + command[0], statistics.median(seconds)))
    os.remove(path + ".index")


def page(path, folder, objects, edges):
    """The report beside opening the snapshot for its summary; no index for either."""
    out = os.path.join(folder, "page.html")
    rounds = {"summary": [], "report": []}
    for _ in range(3):
        for command, more in (("summary", []), ("report", ["-o", out])):
            start = time.perf_counter()
            subprocess.run([REFHEAP, command, path, "--no-cache", *more], stdout=subprocess.PIPE, check=True)
            rounds[command].append(time.perf_counter() - start)
    opening, making = statistics.median(rounds["summary"]), statistics.median(rounds["report"])
    line("refheap summary, no index", opening, objects, edges)
    line("refheap report, no index", making, objects, edges, None,
         "%.2f times as long; a page of %d KiB" % (making / opening, os.path.getsize(out) >> 10))


def igraph(path, objects, edges, own):
    program = os.path.join(BUILD, "bench", "igraph")
    if not os.path.exists(program):
        print("  libigraph is not installed (libigraph-dev)")
        return
    rows = phases(program, path)
    total = sum(seconds for name, seconds, _ in rows if name != "agree")
    for name, seconds, mib in rows:
        if name != "agree":
            line("libigraph: " + name, seconds, objects, edges, mib)
    line("libigraph, all", total, objects, edges, None, "refheap is %.1f times as fast, and agrees" % (total / own))


# Who else opens .heapsnapshots: its name, its package, and the script that has it open one.
LOADERS = [("memlab", "@memlab", "memlab.js"), ("DevTools", "chrome-devtools-frontend", "devtools.mjs")]


def loaders(path, folder, objects, edges, own):
    web = os.environ.get("WEB", os.path.join(BUILD, "web"))
    exported = os.path.join(folder, "s.heapsnapshot")
    start = time.perf_counter()
    subprocess.run([REFHEAP, "export", path, "-o", exported, "--no-cache"], stdout=subprocess.PIPE, check=True)
    line("refheap export, as .heapsnapshot", time.perf_counter() - start, objects, edges)
    for name, package, script in LOADERS:
        if not os.path.exists(os.path.join(web, "node_modules", package)):
            print("  %s is not installed (make test-web does it)" % name)
            continue
        done = subprocess.run(["node", "--max-old-space-size=16000", os.path.join(HERE, "..", "web", script), exported,
                               os.path.join(folder, "sizes")], cwd=web, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        said = done.stdout.decode().split()
        if done.returncode or "read" not in said:
            print("  %s could not open the export (exit status %d)" % (name, done.returncode))
            continue
        seconds, mib = float(said[-2]) / 1000, float(said[-1])
        line("%s: load, dominators, retained sizes" % name, seconds, objects, edges, mib,
             "refheap is %.1f times as fast" % (seconds / own))
    os.remove(exported)


def collector(objects, own):
    out = subprocess.run(["/usr/bin/python3", "-c", COLLECT, str(int(objects))], stdout=subprocess.PIPE, check=True).stdout
    print("  %-44s %9.3f s  refheap takes %.1f times as long for everything" % (
        "CPython's gc.collect() on as many", float(out), own / float(out)))


def main():
    for objects in [int(x) for x in sys.argv[2:]] or [100_000, 1_000_000, 10_000_000]:
        with tempfile.TemporaryDirectory(prefix="refheap-bench-", dir=BUILD) as folder:
            path = os.path.join(folder, "big.refheap")
            subprocess.run([os.path.join(TOOLS, "make_big"), str(objects), path], check=True)
            count, edges, own = ours(path)
            if objects > 100_000:
                again(path, count, edges)
            page(path, folder, count, edges)
            collector(count, own)
            if objects <= PEERS_MAX:
                igraph(path, count, edges, own)
                loaders(path, folder, count, edges, own)


main()
