"""What a process says of itself (target.py) beside what refheap reads from outside."""

import collections
import os
import re
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))

import second_reader as sr  # noqa: E402
from support import REFHEAP  # noqa: E402

COUNTED, TRAVERSED, INFERRED, WEAK = 1, 2, 4, 8
CONTAINER, IMMORTAL, ESTIMATED = 8, 16, 128
GENERATION = 7

Truth = collections.namedtuple("Truth", "generation refcount type type_name size referents")


class Target:
    """A process held still, and its truth."""

    def __init__(self, python, folder, population, *arguments, environment=None, limit=0):
        """`limit`: of the size of a core it may leave behind."""
        self.truth_path = os.path.join(folder, "truth")
        self.process = subprocess.Popen(
            [python, os.path.join(HERE, "target.py"), self.truth_path, os.path.join(HERE, population), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **(environment or {})), cwd=folder,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (limit, limit)))
        self.pid = self.process.pid
        line = self.process.stdout.readline()
        if line != b"ready\n":
            self.close()
            raise AssertionError("%s: the target did not get ready: %r" % (python, line))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self):
        """(objects by id, garbage ids by generation, frozen)"""
        objects, garbage, frozen = {}, {}, 0
        with open(self.truth_path, errors="replace") as f:
            for line in f:
                words = line.split()
                if words[0] == "object":
                    objects[int(words[1], 16)] = Truth(
                        int(words[2]), int(words[3]), int(words[4], 16), words[6], int(words[5]),
                        collections.Counter(int(w, 16) for w in words[7:]))
                elif words[0] == "frozen":
                    frozen = int(words[1])
        for generation in range(3):
            with open("%s.%d" % (self.truth_path, generation), errors="replace") as f:
                told = f.read()
            last = int(re.search(r"^last (\w+)$", told, re.M).group(1), 16)
            found = re.findall(r"^gc: (?:un)?collectable <.* (0x[0-9a-f]+)>$", told, re.M)
            # What the telling itself dropped, after all objects had been told, is none of theirs.
            garbage[generation] = {int(w, 16) for w in found} & set(objects) - {last}
        return objects, garbage, frozen


def capture(to, *arguments, timeout=120):
    done = subprocess.run([REFHEAP, "capture", *map(str, arguments), "-o", to, "--quiet"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout)
    if done.returncode:
        raise AssertionError("capture: %d: %s" % (done.returncode, done.stderr.decode()))
    return sr.read_snapshot(to)


def traversed(o):
    return collections.Counter(e.target for e in o.edges if e.info & TRAVERSED)


class Comparison:
    """Of every container both know: whether generation, references, refcount and size agree."""

    def __init__(self, snapshot, objects):
        self.snapshot = snapshot
        self.seen = {o.address: o for o in snapshot.objects}
        self.truth = objects
        self.containers = collections.Counter()  # by type
        self.wrong = collections.defaultdict(list)  # (what, type) to details
        for address, t in objects.items():
            self.look(address, t)

    def look(self, address, t):
        o = self.seen.get(address)
        if o is None:
            if t.generation < 3:
                self.wrong["missing", t.type_name].append(address)
            return
        container = o.state & CONTAINER
        if not container and t.referents:
            self.wrong["no container", t.type_name].append(address)
        if container:
            self.containers[t.type_name] += 1
            found = traversed(o)
            if found != t.referents:
                self.wrong["references", t.type_name].append((address, found - t.referents, t.referents - found))
        if o.state & GENERATION != t.generation and not (o.state & GENERATION == 3 and t.generation > 2):
            self.wrong["generation", t.type_name].append((address, o.state & GENERATION, t.generation))
        if t.refcount >= 0 and not o.state & IMMORTAL and o.refcount != t.refcount:
            self.wrong["refcount", t.type_name].append((address, o.refcount, t.refcount))
        if t.size >= 0 and not o.state & ESTIMATED and o.size != t.size:
            self.wrong["size", t.type_name].append((address, o.size, t.size))

    def count(self, what):
        return sum(len(v) for (w, _), v in self.wrong.items() if w == what)

    def told(self, limit=6):
        lines = []
        for (what, type_name), cases in sorted(self.wrong.items(), key=lambda i: -len(i[1])):
            lines.append("%s %s: %d of %d" % (what, type_name, len(cases), self.containers[type_name]))
            for case in cases[:limit]:
                lines.append("    " + self.tell(case))
        return "\n".join(lines)

    def tell(self, case):
        if not isinstance(case, tuple) or not isinstance(case[1], collections.Counter):
            return str([hex(c) if isinstance(c, int) and c > 1 << 20 else c for c in (case if isinstance(case, tuple) else (case,))])
        address, more, less = case
        labels = {}
        for e in self.seen[address].edges:
            labels.setdefault(e.target, []).append("%s:%d" % (self.label(e), e.info & 15))
        return "%x  too many: %s  missing: %s" % (
            address, ", ".join("%s %x %s" % (labels.get(a), a, self.type_of(a)) for a in more),
            ", ".join("%x %s %s" % (a, self.type_of(a), labels.get(a)) for a in less))

    def label(self, e):
        return getattr(e.label, "text", e.label) if not isinstance(e.label, (int, bytes)) else e.label

    def type_of(self, address):
        t = self.truth.get(address)
        if t:
            return t.type_name
        o = self.seen.get(address)
        return self.snapshot.types[o.type].name if o else "?"


def garbage_of(snapshot, generation):
    """garbage(N) by DESIGN section 3, in Python: the addresses."""
    found = set()
    for heap in range(len(snapshot.heaps)):
        objects = {o.address: o for o in snapshot.objects
                   if o.heap == heap and o.state & CONTAINER and o.state & GENERATION <= generation and not o.state & IMMORTAL}
        counts = {a: o.refcount for a, o in objects.items()}
        for o in objects.values():
            for e in o.edges:
                if e.target in counts and e.info & 3 == 3:
                    counts[e.target] -= 1
        live = [a for a, n in counts.items() if n > 0]
        reached = set(live)
        while live:
            for e in objects[live.pop()].edges:
                if e.target in counts and e.info & 3 == 3 and e.target not in reached:
                    reached.add(e.target)
                    live.append(e.target)
        found |= set(counts) - reached
    return found
