#!/usr/bin/python3
"""How long a snapshot of CPython takes and how long the process stands still for it, from inside (all that time) and from outside
(while it is copied), beside the same walk written in Python, what objgraph counts and finds (where it is installed: Debian's
python3-objgraph), a core made by gcore, and a plain write of as many bytes.

usage: cpython.py BUILD [OBJECTS...]

Medians of interleaved rounds. Times say little on a busy machine: look at the ratios.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
PYTHON = "/usr/bin/python3"

HEAP = '''
import gc, json, os, select, sys, time
import refheap

class Order:
    def __init__(self, number, before):
        self.number = number
        self.before = before
        self.lines = [(number, "line"), {"goods": str(number), "price": float(number)}]

def build(objects):
    gc.disable()
    kept, order = [], None
    for number in range(objects // 8):  # an order is eight: itself, list, tuple, dict, str, float, int, and its attributes
        order = Order(number, order if number % 100 else None)
        order.__dict__
        kept.append(order)
    return kept

def by_hand(path):
    """Every container, and what it refers to: what can be had in Python, without names, sizes and refcounts."""
    with open(path, "wb") as f:
        for thing in gc.get_objects():
            f.write(b"%d %d\\n" % (id(thing), len(gc.get_referents(thing))))

def timed(function, path):
    began, busy = time.perf_counter(), time.process_time()
    function(path)
    return time.perf_counter() - began, time.process_time() - busy

def counted(path):
    """Objects by type, and the way to one from a module, as objgraph does it."""
    import objgraph
    objgraph.typestats()
    objgraph.find_backref_chain(kept[len(kept) // 2].lines, objgraph.is_proper_module)

def watch():
    """The longest time between two looks at the clock, until the next line: how long this process stood still."""
    longest, before = 0, time.perf_counter()
    while not select.select([sys.stdin], [], [], 0)[0]:
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    os.read(0, 4096)
    return longest

kept = build(int(sys.argv[1]))
print(json.dumps({"ready": os.getpid()}), flush=True)
while True:
    line = os.read(0, 4096).decode()  # a line at a time, for select() to see the next one
    if not line:
        break
    what, path = line.split()
    if what == "watch":
        print(json.dumps({"still": watch()}), flush=True)
        continue
    took, busy = timed({"dump": refheap.dump, "python": by_hand, "objgraph": counted}[what], path)
    print(json.dumps({"took": took, "busy": busy}), flush=True)
os._exit(0)
'''


def say(process, what, path):
    process.stdin.write(("%s %s\n" % (what, path)).encode())
    process.stdin.flush()


def ask(process, what, path):
    say(process, what, path)
    return json.loads(process.stdout.readline())


def from_outside(process, command):
    """Seconds a command takes, and of these the longest that the process stood still."""
    say(process, "watch", "-")
    time.sleep(0.01)
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - began
    say(process, "enough", "-")
    return (took if done.returncode == 0 else None), json.loads(process.stdout.readline())["still"]


def plain_write(path, size):
    """Seconds for a write of as many bytes, without a sync, as the dump is."""
    piece = os.urandom(1 << 20)
    began = time.perf_counter()
    with open(path, "wb", buffering=0) as f:
        for _ in range(size >> 20):
            f.write(piece)
    return time.perf_counter() - began


def has_objgraph():
    return subprocess.run([PYTHON, "-c", "import objgraph"], stderr=subprocess.DEVNULL).returncode == 0


def one_round(process, build, folder, path, times):
    def note(what, seconds):
        if seconds is not None:
            times.setdefault(what, []).append(seconds)

    answer = ask(process, "dump", path)
    note("dump", answer["took"])
    note("busy", answer["busy"])
    note("write", plain_write(path + ".plain", os.path.getsize(path)))
    os.unlink(path + ".plain")
    took, still = from_outside(process, [os.path.join(build, "refheap"), "capture", "--pid", str(process.pid), "-o", path + ".outside", "--quiet"])
    note("capture", took)
    note("capture still", still)
    answer = ask(process, "python", path + ".python")
    note("python", answer["took"])
    note("busy python", answer["busy"])
    if has_objgraph():
        note("objgraph", ask(process, "objgraph", path)["took"])
    if shutil.which("gcore"):
        core = os.path.join(folder, "core.%d" % process.pid)
        took, still = from_outside(process, ["gcore", "-o", os.path.join(folder, "core"), str(process.pid)])
        note("gcore", took)
        note("gcore still", still)
        if os.path.exists(core):
            os.unlink(core)


def measure(build, objects, folder):
    process = subprocess.Popen([PYTHON, "-c", HEAP, str(objects)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               env=dict(os.environ, PYTHONPATH=build))
    json.loads(process.stdout.readline())
    path, times = os.path.join(folder, "a.refheap"), {}
    for _ in range(ROUNDS):
        one_round(process, build, folder, path, times)
    said = json.loads(subprocess.run([os.path.join(build, "refheap"), "info", path, "--json", "--no-cache"], check=True,
                                     stdout=subprocess.PIPE).stdout)
    size = os.path.getsize(path)
    process.stdin.close()
    process.wait()
    for left in (path, path + ".outside", path + ".python"):
        os.unlink(left)
    return {what: statistics.median(t) for what, t in times.items()}, said, size


def show(took, said, size):
    count, edges = said["snapshot"]["objects"], said["snapshot"]["edges"]
    print("CPython: %s objects, %s references, %d MiB of file" % (format(count, ","), format(edges, ","), size >> 20))
    print("  %-44s %6.2f s   %.1f million objects a second" % ("dump from inside, stopped all the time", took["dump"], count / took["dump"] / 1e6))
    print("  %-44s %6.2f s   %.1f million objects a second; the walk in Python takes %.1f times as much" % (
        "  processor time", took["busy"], count / took["busy"] / 1e6, took["busy python"] / took["busy"]))
    print("  %-44s %6.2f s   %.1f million objects a second" % ("capture from outside", took["capture"], count / took["capture"] / 1e6))
    print("  %-44s %6.3f s" % ("  of that, the process stood still", took["capture still"]))
    for what, name in (("python", "gc.get_objects, gc.get_referents"), ("objgraph", "objgraph: typestats and one chain"),
                       ("gcore", "gcore"), ("gcore still", "  of that, the process stood still"),
                       ("write", "a plain write of as many bytes")):
        if what in took:
            print("  %-44s %6.2f s   %.1f times the capture" % (name, took[what], took[what] / took["capture"]))


def main():
    build = os.path.abspath(sys.argv[1])
    if not os.path.exists(os.path.join(build, "refheap.abi3.so")):
        print("  CPython: the module was not built here")
        return
    with tempfile.TemporaryDirectory(prefix="refheap-bench-") as folder:
        for objects in map(int, sys.argv[2:] or ["2500000", "7000000"]):
            show(*measure(build, objects, folder))


if __name__ == "__main__":
    main()
