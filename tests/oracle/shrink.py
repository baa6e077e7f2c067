"""Cutting a graph on which program and oracle differ down to a small one, and printing it."""

import copy


# ---- shrinking ----

def without_object(graph, a):
    g = copy.deepcopy(graph)
    for e in [e for e in g.edges if a in (e.source, e.target)]:
        drop_count(g, e.counted, e.target)
    g.edges = [e for e in g.edges if a not in (e.source, e.target)]
    g.roots = [r for r in g.roots if r.target != a]
    g.objects = [o for o in g.objects if o.address != a]
    return g


def without_edge(graph, i):
    g = copy.deepcopy(graph)
    drop_count(g, g.edges[i].counted, g.edges[i].target)
    del g.edges[i]
    return g


def without_root(graph, i):
    g = copy.deepcopy(graph)
    drop_count(g, g.roots[i].counted, g.roots[i].target)
    del g.roots[i]
    return g


def drop_count(graph, counted, target):
    """Keeps a right refcount right when a reference goes."""
    for o in graph.objects:
        if o.address == target and counted and not o.immortal:
            o.refcount -= 1


def smaller(graph):
    for o in graph.objects:
        yield without_object(graph, o.address)
    for i in range(len(graph.edges)):
        yield without_edge(graph, i)
    for i in range(len(graph.roots)):
        yield without_root(graph, i)


def shrink(graph, differs):
    """The smallest graph that removing one thing after another leads to and that still `differs`."""
    while True:
        for g in smaller(graph):
            if g.objects and differs(g):
                graph = g
                break
        else:
            return graph


def described(g):
    """The graph as text, a line an object, edge or root."""
    lines = []
    for o in sorted(g.objects, key=lambda o: o.address):
        words = [w for w, on in (("container", o.container), ("immortal", o.immortal),
                                 ("legacy", g.types[o.type].legacy)) if on]
        lines.append(f"{o.address:#x} {g.type_name(o)} heap {o.heap} generation {o.generation} "
                     f"size {o.size} refcount {o.refcount} {' '.join(words)}")
    for e in g.edges:
        lines.append(f"{e.source:#x} -> {e.target:#x} {e.kind} (bits {e.bits})")
    for r in g.roots:
        lines.append(f"root -> {r.target:#x} {'exact' if r.exact else 'possible'} "
                     f"{'counted' if r.counted else 'not counted'}")
    return "\n".join(lines)
