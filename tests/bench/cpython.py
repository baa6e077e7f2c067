#!/usr/bin/python3
"""How long a dump of CPython from inside takes (the process stands still all that time), beside the same walk written in Python,
a core made by gcore, and a plain write of as many bytes.

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

HEAP = '''
import gc, json, os, sys, time
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

kept = build(int(sys.argv[1]))
print(json.dumps({"ready": os.getpid()}), flush=True)
for line in sys.stdin:
    what, path = line.split()
    took, busy = timed({"dump": refheap.dump, "python": by_hand}[what], path)
    print(json.dumps({"took": took, "busy": busy, "bytes": os.path.getsize(path)}), flush=True)
os._exit(0)
'''


def ask(process, what, path):
    process.stdin.write(("%s %s\n" % (what, path)).encode())
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def plain_write(path, size):
    """Seconds for a write of as many bytes, without a sync, as the dump is."""
    piece = os.urandom(1 << 20)
    began = time.perf_counter()
    with open(path, "wb", buffering=0) as f:
        for _ in range(size >> 20):
            f.write(piece)
    return time.perf_counter() - began


def gcore(pid, folder):
    began = time.perf_counter()
    done = subprocess.run(["gcore", "-o", os.path.join(folder, "core"), str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - began
    core = os.path.join(folder, "core.%d" % pid)
    if os.path.exists(core):
        os.unlink(core)
    return took if done.returncode == 0 else None


def measure(build, objects, folder):
    process = subprocess.Popen(["/usr/bin/python3", "-c", HEAP, str(objects)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               env=dict(os.environ, PYTHONPATH=build))
    pid = json.loads(process.stdout.readline())["ready"]
    path = os.path.join(folder, "a.refheap")
    times = {"dump": [], "busy": [], "python": [], "busy python": [], "gcore": [], "write": []}
    for _ in range(ROUNDS):
        answer = ask(process, "dump", path)
        times["dump"].append(answer["took"])
        times["busy"].append(answer["busy"])
        times["write"].append(plain_write(path + ".plain", answer["bytes"]))
        os.unlink(path + ".plain")
        answer = ask(process, "python", path + ".python")
        times["python"].append(answer["took"])
        times["busy python"].append(answer["busy"])
        os.unlink(path + ".python")
        core = gcore(pid, folder) if shutil.which("gcore") else None
        if core:
            times["gcore"].append(core)
    said = json.loads(subprocess.run([os.path.join(build, "refheap"), "info", path, "--json", "--no-cache"], check=True,
                                     stdout=subprocess.PIPE).stdout)
    size = os.path.getsize(path)
    process.stdin.close()
    process.wait()
    os.unlink(path)
    return {what: statistics.median(t) for what, t in times.items() if t}, said, size


def main():
    build = os.path.abspath(sys.argv[1])
    if not os.path.exists(os.path.join(build, "refheap.abi3.so")):
        print("  CPython: the module was not built here")
        return
    with tempfile.TemporaryDirectory(prefix="refheap-bench-") as folder:
        for objects in map(int, sys.argv[2:] or ["2500000", "7000000"]):
            took, said, size = measure(build, objects, folder)
            count, edges = said["snapshot"]["objects"], said["snapshot"]["edges"]
            print("CPython, dump from inside: %s objects, %s references, %d MiB of file" % (format(count, ","), format(edges, ","), size >> 20))
            print("  %-34s %6.2f s   %.1f million objects a second" % ("stopped, and done", took["dump"], count / took["dump"] / 1e6))
            print("  %-34s %6.2f s   %.1f million objects a second of processor time; the walk in Python takes %.1f times as much" % (
                "processor time", took["busy"], count / took["busy"] / 1e6, took["busy python"] / took["busy"]))
            for what, name in (("python", "gc.get_objects, gc.get_referents"), ("gcore", "gcore"), ("write", "a plain write of as many bytes")):
                if what in took:
                    print("  %-34s %6.2f s   %.1f times the dump" % (name, took[what], took[what] / took["dump"]))


if __name__ == "__main__":
    main()
