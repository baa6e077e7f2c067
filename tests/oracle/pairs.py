"""Two or three snapshots of one heap, or of heaps that look alike: a random graph, and what became of it.

A `Dump` is a graph with what the file says of process and heaps, which decides how objects are told apart.
"""

import copy
import random
from dataclasses import dataclass, field

import second_reader as sr

from . import graphs, snapshot
from .brute import PERMANENT, UNTRACKED, Edge, Object, Root, Type


@dataclass
class HeapFacts:
    address: int
    next_serial: int = 0  # 0: it numbers nothing
    name: bytes = b"heap"


@dataclass
class Dump:
    graph: object
    heaps: list
    pid: int = 4242
    executable: bytes = b"/bin/oracle"
    captured: int = 1
    time: int = 1_000_000
    modules: dict = field(default_factory=dict)  # type number: module

    def type_key(self, o):
        return self.graph.types[o.type].name, self.modules.get(o.type, b"")

    def write(self, path, rng, seed):
        s = snapshot.snapshot_of(self.graph, rng, shuffled=rng.random() < 0.4)
        s.header.time = self.time
        s.process = sr.Process(pid=self.pid, executable=self.executable, captured=self.captured, writer=b"oracle")
        for heap, facts in zip(s.heaps, self.heaps):
            heap.address, heap.next_serial, heap.name = facts.address, facts.next_serial, facts.name
        for number, module in self.modules.items():
            s.types[number].module = module
        sr.write_snapshot(s, path, vary=rng.random() < 0.4, seed=seed)


def drop_edges(graph, wanted):
    """Takes out edges, and their part of refcounts."""
    at = graph.by_address()
    for e in [e for e in graph.edges if wanted(e)]:
        if e.counted and e.target in at and not at[e.target].immortal:
            at[e.target].refcount -= 1
    graph.edges = [e for e in graph.edges if not wanted(e)]


def remove(graph, gone):
    drop_edges(graph, lambda e: e.source in gone or e.target in gone)
    graph.objects = [o for o in graph.objects if o.address not in gone]
    graph.roots = [r for r in graph.roots if r.target not in gone]


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(f"pairs {seed}")
        self.seed = seed

    def first(self):
        rng, graph = self.rng, graphs.make(self.seed)
        numbered = [rng.random() < 0.7 for _ in range(graph.heaps)]
        for i, o in enumerate(graph.objects):
            o.serial = i + 1 if numbered[o.heap] and rng.random() < 0.97 else 0
        if rng.random() < 0.1 and len(graph.objects) > 2:
            graph.objects[1].serial = graph.objects[0].serial  # broken, but legal
        heaps = [HeapFacts(0x1000 * (h + 1) if rng.random() < 0.95 else 0,
                           len(graph.objects) + 1 if numbered[h] else 0) for h in range(graph.heaps)]
        modules = {i: rng.choice((b"", b"app", b"net")) for i in range(len(graph.types))} if rng.random() < 0.4 else {}
        return Dump(graph, heaps, modules=modules)

    def next(self, before):
        """What became of it: objects went and came, some where others had been; some changed."""
        rng, after = self.rng, copy.deepcopy(before)
        graph = after.graph
        after.time += 1000
        share = rng.choice((0, 0.1, 0.3, 0.9))
        gone = [o.address for o in graph.objects if rng.random() < share]
        gone = gone[:len(graph.objects) - 1]
        remove(graph, set(gone))
        for o in graph.objects:
            if o.container and o.generation < PERMANENT and rng.random() < 0.3:
                o.generation = min(o.generation + 1, 2)
            if rng.random() < 0.1:
                o.size += 16
            if rng.random() < 0.02:
                o.serial = 0
        self.add(after, gone)
        self.renumber_types(after)
        self.change_process(after)
        return after

    def add(self, dump, gone):
        rng, graph = self.rng, dump.graph
        if rng.random() < 0.2:
            graph.types.append(Type("Newcomer"))
        fresh = max([o.address for o in graph.objects] + gone, default=0) % (1 << 40)
        taken = {o.address for o in graph.objects}
        for _ in range(rng.choice((0, 1, 3, 10, 30))):
            if gone and rng.random() < 0.6:
                address = gone.pop(rng.randrange(len(gone)))
            else:
                fresh += 32
                address = fresh
            if address in taken:
                continue
            taken.add(address)
            o = Object(address, rng.randrange(graph.heaps), rng.randrange(len(graph.types)), rng.choice((16, 48)), 1, 0)
            if not graph.types[o.type].container:
                o.container, o.generation = False, UNTRACKED
            facts = dump.heaps[o.heap]
            if facts.next_serial:
                o.serial = facts.next_serial
                facts.next_serial += 1
            graph.objects.append(o)
            self.hold(graph, o)

    def hold(self, graph, o):
        rng = self.rng
        holders = [x for x in graph.objects if x.container and x.heap == o.heap and x is not o]
        if holders and rng.random() < 0.8:
            graph.edges.append(Edge(rng.choice(holders).address, o.address, 3))
        elif rng.random() < 0.7:
            graph.roots.append(Root(o.address, True, True, 1, "cache"))
        else:
            o.refcount = rng.choice((0, 1, 1))

    def renumber_types(self, dump):
        """Type ids mean nothing from one file to the next."""
        if self.rng.random() < 0.5:
            return
        order = list(range(len(dump.graph.types)))
        self.rng.shuffle(order)
        new = {old: i for i, old in enumerate(order)}
        dump.graph.types = [dump.graph.types[old] for old in order]
        dump.modules = {new[old]: module for old, module in dump.modules.items()}
        for o in dump.graph.objects:
            o.type = new[o.type]

    def change_process(self, dump):
        rng = self.rng
        if rng.random() < 0.15:
            dump.pid = rng.choice((0, 77))
        if rng.random() < 0.1:
            dump.pid, dump.captured = 78, 9
        if rng.random() < 0.05:
            dump.executable = b"/bin/other"
        if rng.random() < 0.05:
            dump.time -= rng.choice((1000, 5000))
        for facts in dump.heaps:
            if rng.random() < 0.05:
                facts.address = rng.choice((0, 0x1000, facts.address + 0x100))  # another heap
            if rng.random() < 0.05:
                facts.name = b"other"
            if rng.random() < 0.05 and facts.next_serial:
                facts.next_serial = 1
        if dump.graph.heaps == 2 and rng.random() < 0.2:
            dump.heaps.reverse()
            for o in dump.graph.objects:
                o.heap = 1 - o.heap


def make(seed, count=2):
    maker = Maker(seed)
    dumps = [maker.first()]
    while len(dumps) < count:
        dumps.append(maker.next(dumps[-1]))
    return dumps
