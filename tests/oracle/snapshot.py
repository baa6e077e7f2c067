"""A graph as the snapshot that says it."""

import second_reader as sr

STATE_CONTAINER, STATE_IMMORTAL = 8, 16
TYPE_CONTAINER, TYPE_LEGACY = 1, 4
ROOT_EXACT, ROOT_COUNTED = 1, 2
FIELD_STRONG, TEXT = 1, 6
THRESHOLDS = (700, 10, 10, 0)


def state_of(o):
    return o.generation | (STATE_CONTAINER if o.container else 0) | (STATE_IMMORTAL if o.immortal else 0)


def type_of(t):
    flags = (TYPE_CONTAINER if t.container else 0) | (TYPE_LEGACY if t.legacy else 0)
    fields = [sr.Field(name.encode(), FIELD_STRONG, 16 + 8 * i) for i, name in enumerate(t.fields)]
    return sr.Type(t.name.encode(), flags=flags, fields=fields)


def root_of(r, heap):
    flags = (ROOT_EXACT if r.exact else 0) | (ROOT_COUNTED if r.counted else 0)
    return sr.Root(r.target, where=0x7000, name=r.name.encode(), kind=r.kind, flags=flags, heap=heap)


def snapshot_of(graph, rng, shuffled=False):
    """The snapshot of a graph; its objects in the order of the graph or, `shuffled`, in any."""
    at = graph.by_address()
    edges = {}
    for e in graph.edges:
        edges.setdefault(e.source, []).append(sr.Edge(e.target, e.bits | e.label_kind << 4, e.label))
    objects = [sr.Object(o.heap, o.address, o.type, o.size, o.refcount, state_of(o), o.serial,
                         edges=edges.get(o.address, [])) for o in graph.objects]
    if shuffled:
        rng.shuffle(objects)
    held = [[sum(o.heap == h and o.container and o.generation == g for o in graph.objects)
             for g in range(len(THRESHOLDS))] for h in range(graph.heaps)]
    return sr.Snapshot(
        process=sr.Process(pid=4242, command_line=b"oracle", captured=1, writer=b"oracle"),
        heaps=[sr.Heap(b"librefheap", b"0.1", b"heap %d" % h, flags=2, address=0x1000 + h)
               for h in range(graph.heaps)],
        generations=[sr.Generation(h, g, threshold, objects=held[h][g])
                     for h in range(graph.heaps) for g, threshold in enumerate(THRESHOLDS)],
        types=[type_of(t) for t in graph.types],
        objects=objects,
        values=[sr.Value(o.address, TEXT, b"text %x" % o.address)
                for o in graph.objects if not o.container][:3],
        roots=[root_of(r, at[r.target].heap if r.target in at else 0) for r in graph.roots])
