"""Brute-force answers about a small heap graph, straight from DESIGN section 3 ("Words").

Nothing here is clever: sets are found by walking until nothing changes, and what an object retains
is found by taking it out and looking at what can still be reached.
"""

from collections import Counter
from dataclasses import dataclass, field

COUNTED, TRAVERSED, INFERRED, WEAK = 1, 2, 4, 8
STRONG, OWNED, INFERRED_EDGE, BORROWED = 3, 1, 7, 0

PERMANENT, UNTRACKED = 3, 4
OLDEST = 2


@dataclass
class Type:
    name: str
    container: bool = True
    legacy: bool = False
    fields: tuple = ()


@dataclass
class Edge:
    source: int
    target: int
    bits: int
    label_kind: int = 0
    label: int = 0

    @property
    def counted(self):
        return bool(self.bits & COUNTED)

    @property
    def traversed(self):
        return bool(self.bits & TRAVERSED)

    @property
    def kind(self):
        if self.bits & WEAK:
            return "weak"
        if not self.counted:
            return "borrowed"
        # Counted, inferred and not traversed has no name of its own; the program says "inferred".
        if self.bits & INFERRED:
            return "inferred"
        return "strong" if self.traversed else "owned"


@dataclass
class Object:
    address: int
    heap: int
    type: int
    size: int
    refcount: int = 0
    generation: int = 0
    container: bool = True
    immortal: bool = False
    serial: int = 0


@dataclass
class Root:
    target: int
    exact: bool
    counted: bool
    kind: int = 1
    name: str = ""


@dataclass
class Graph:
    """A heap in memory. `objects` stands in file order; edges are grouped by source by the writer."""

    types: list = field(default_factory=list)
    objects: list = field(default_factory=list)
    edges: list = field(default_factory=list)
    roots: list = field(default_factory=list)
    heaps: int = 1
    note: str = ""

    def by_address(self):
        return {o.address: o for o in self.objects}

    def type_name(self, o):
        return self.types[o.type].name


def reach(starts, arrows):
    """All that can be reached from `starts` (themselves included) along {source: targets}."""
    seen, todo = set(starts), list(starts)
    while todo:
        for target in arrows.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def arrows_of(edges):
    arrows = {}
    for e in edges:
        arrows.setdefault(e.source, []).append(e.target)
    return arrows


class Oracle:
    """The answers for one graph. Sets hold addresses."""

    def __init__(self, graph):
        self.graph = graph
        self.at = graph.by_address()
        # Edges to no object dangle: they are counted and reported, and take part in nothing.
        self.edges = [e for e in graph.edges if e.target in self.at]
        self.dangling = len(graph.edges) - len(self.edges)
        self.counted = [e for e in self.edges if e.counted]
        self.counted_arrows = arrows_of(self.counted)
        self.in_counted = Counter(e.target for e in self.counted)
        self.immortal = {o.address for o in graph.objects if o.immortal}

    def is_right(self):
        """Whether every refcount covers the references that are seen."""
        return all(o.immortal or o.refcount >= self.in_counted[o.address] for o in self.graph.objects)

    # ---- garbage, dependent, invisible ----

    def unreachable(self, candidates, subtracted, followed):
        """The collector's rule: what keeps no positive count and is reached from nothing that does."""
        counts = {a: self.at[a].refcount for a in candidates}
        for e in subtracted:
            counts[e.target] -= 1
        alive = [a for a in candidates if counts[a] > 0]
        return candidates - reach(alive, arrows_of(followed))

    def candidates(self, heap, generation):
        return {o.address for o in self.graph.objects
                if o.heap == heap and o.container and not o.immortal
                and 0 <= o.generation <= min(generation, OLDEST)}

    def heap_garbage(self, heap, generation):
        candidates = self.candidates(heap, generation)
        inside = [e for e in self.edges
                  if e.source in candidates and e.target in candidates]
        subtracted = [e for e in inside if e.counted and e.traversed]
        return self.unreachable(candidates, subtracted, subtracted)

    def garbage(self, generation):
        """Over all heaps: each is collected for itself."""
        found = set()
        for heap in range(self.graph.heaps):
            found |= self.heap_garbage(heap, generation)
        return found

    def dependent(self, garbage):
        """What refcounting frees once every object of `garbage` has dropped its references."""
        counts = {o.address: o.refcount for o in self.graph.objects}
        dead, todo = set(), list(garbage)
        while todo:
            dropped = todo.pop()
            for target in self.counted_arrows.get(dropped, ()):
                counts[target] -= 1
                # A count that reaches zero frees; one that was zero or less before never gets there.
                if counts[target] == 0 and target not in garbage and target not in dead \
                        and target not in self.immortal:
                    dead.add(target)
                    todo.append(target)
        return dead

    def dead_of_all(self):
        """The same rule with every object a candidate and every counted edge subtracted. Immortal
        objects have no refcount and never die, so they count as held."""
        candidates = set(self.at) - self.immortal
        inside = [e for e in self.counted if e.target in candidates]
        held = {e.target for e in inside if e.source in self.immortal}
        from_candidates = [e for e in inside if e.source not in self.immortal]
        dead = self.unreachable(candidates, from_candidates, from_candidates)
        return dead - reach(held, self.counted_arrows)

    def invisible(self):
        garbage = self.garbage(OLDEST)
        return self.dead_of_all() - garbage - self.dependent(garbage)

    # ---- cycles ----

    def components(self, members):
        """Strongly connected components with two or more objects, or a self reference."""
        inside = [e for e in self.counted if e.source in members and e.target in members]
        arrows = arrows_of(inside)
        # A path of at least one edge: start from what the object refers to.
        beyond = {a: reach(arrows.get(a, ()), arrows) for a in members}
        found, done = [], set()
        for a in sorted(members):
            if a not in done and a in beyond[a]:
                component = frozenset(b for b in beyond[a] if a in beyond[b])
                found.append(component)
                done |= component
        return found

    def is_source(self, component, dead):
        """Nothing else of what is unreachable or would be freed with it leads into the component."""
        return not any(e.source in dead - component and e.target in component for e in self.counted)

    def uncollectable(self, garbage):
        """Garbage with a legacy finalizer, and all garbage it reaches by strong edges."""
        legacy = {a for a in garbage if self.graph.types[self.at[a].type].legacy}
        strong = [e for e in self.counted
                  if e.traversed and e.source in garbage and e.target in garbage]
        return reach(legacy, arrows_of(strong))

    # ---- ownership ----

    def owner_of(self, a):
        """The one object that holds `a` when nothing else does, or None."""
        o = self.at[a]
        if o.immortal or o.refcount != 1 or self.in_counted[a] != 1:
            return None
        return next(e.source for e in self.counted if e.target == a)

    def owned_set(self, a):
        owns = {}
        for b in self.at:
            owner = self.owner_of(b)
            if owner is not None:
                owns.setdefault(owner, []).append(b)
        return reach([a], owns)

    def size_of(self, addresses):
        return sum(self.at[a].size for a in addresses)

    def owner_ancestors(self, a):
        """Proper ancestors in the owner forest. A ring of owners is opened at its lowest-addressed
        member, which is then a root."""
        chain, b = [], a
        while not self.opens_ring(b) and self.owner_of(b) is not None:
            b = self.owner_of(b)
            chain.append(b)
        return chain

    def opens_ring(self, a):
        """Whether `a` is the lowest-addressed member of a ring of owners."""
        ring, b = [a], self.owner_of(a)
        while b is not None and b != a and b not in ring:
            ring.append(b)
            b = self.owner_of(b)
        return b == a and a == min(ring)

    # ---- references and refcounts ----

    def referrers(self, a):
        return [e for e in self.edges if e.target == a]

    def referents(self, a):
        return [e for e in self.graph.edges if e.source == a]

    def layers(self, start, depth, backwards):
        """{depth: edges} of a breadth-first walk over edges of every kind; each object is left once.
        A depth of 0 walks to the end."""
        seen, front, found, d = {start}, {start}, {}, 0
        while front and (depth == 0 or d < depth):
            d += 1
            found[d] = [e for e in (self.edges if backwards else self.graph.edges)
                        if (e.target if backwards else e.source) in front]
            front = {e.source if backwards else e.target for e in found[d]} - seen
            seen |= front
        return found

    def internal(self, a):
        return self.in_counted[a]

    def explained(self, a):
        return sum(1 for r in self.graph.roots if r.target == a and r.exact and r.counted)

    def external(self, a):
        return self.at[a].refcount - self.internal(a)

    def unexplained(self, a):
        return self.external(a) - self.explained(a)

    # ---- audit ----

    def possible(self, a):
        return [r for r in self.graph.roots if r.target == a and not r.exact]

    def audit_class(self, a):
        if a in self.immortal:
            return "not_auditable"
        unexplained = self.unexplained(a)
        if unexplained > 0:
            return "possibly_over" if self.possible(a) else "over"
        if unexplained == 0:
            return "clean"
        known = sum(1 for e in self.counted if e.target == a and not e.bits & INFERRED)
        return "under" if known + self.explained(a) > self.at[a].refcount else "possibly_under"

    def pinned(self):
        """Cycles of live objects with unexplained references that nothing held for a known reason reaches."""
        garbage = self.garbage(OLDEST)
        live = set(self.at) - garbage - self.dependent(garbage) - self.invisible()
        known = {a for a in live
                 if a in self.immortal or self.at[a].generation == PERMANENT or self.explained(a)}
        held = set(known)
        while True:
            more = {e.target for e in self.counted if e.source in held and e.target in live} - held
            if not more:
                break
            held |= more
        return {c for c in self.components(live - held)
                if any(self.audit_class(a) in ("over", "possibly_over") for a in c)}

    def path_length(self, starts, goal):
        """Objects on the shortest counted path from one of `starts` to `goal`, or None."""
        seen, front, length = set(starts), set(starts), 1
        while front:
            if goal in front:
                return length
            front = {t for a in front for t in self.counted_arrows.get(a, ())} - seen
            seen |= front
            length += 1
        return None


class SuperTree:
    """The graph under the super-root, for one choice of garbage. Virtual nodes are ("cycle", i)."""

    ROOT = "super-root"

    def __init__(self, oracle, garbage, dependent, invisible):
        self.oracle = oracle
        self.dead = garbage | dependent | invisible
        every = garbage | invisible
        self.cycles = [(c, bool(c & invisible)) for c in oracle.components(every)]
        self.source = [oracle.is_source(c, self.dead) for c, _ in self.cycles]
        self.arrows = {a: list(t) for a, t in oracle.counted_arrows.items()}
        self.attach_children()
        self.attach_unreached()
        self.lost_memo = {}

    def attach_children(self):
        o = self.oracle
        children = []
        for a in sorted(o.at):
            live = a not in self.dead
            if a in o.immortal:
                children.append(a)
            elif live and (o.external(a) > 0 or o.at[a].generation == PERMANENT):
                children.append(a)
            elif o.in_counted[a] == 0:
                children.append(a)
        for i, (members, _) in enumerate(self.cycles):
            if self.source[i]:
                children.append(("cycle", i))
                self.arrows[("cycle", i)] = sorted(members)
        self.arrows[self.ROOT] = children

    def attach_unreached(self):
        while True:
            left = set(self.oracle.at) - reach([self.ROOT], self.arrows)
            if not left:
                return
            self.arrows[self.ROOT].append(min(left))

    def reached_without(self, removed):
        arrows = {a: [t for t in targets if t not in removed]
                  for a, targets in self.arrows.items() if a not in removed}
        return reach([self.ROOT], arrows)

    def lost_without(self, removed):
        """Addresses no longer reachable once the nodes `removed` are taken out, themselves included."""
        key = frozenset(removed)
        if key not in self.lost_memo:
            left = set(self.oracle.at) - self.reached_without(key)
            self.lost_memo[key] = left | (key & set(self.oracle.at))
        return self.lost_memo[key]

    def retained(self, node):
        return self.oracle.size_of(self.lost_without([node]))

    def children(self, a):
        """How many objects have `a` as their immediate dominator."""
        below = self.lost_without([a]) - {a}
        return [b for b in below
                if not any(b in self.lost_without([c]) for c in below - {b})]


def type_rows(oracle, tree, key=None, counted_in=lambda a: True):
    """{row: (count, shallow, owned, retained)}, nested instances of the same row left out."""
    key = key or (lambda a: oracle.graph.type_name(oracle.at[a]))
    rows = {}
    for a in filter(counted_in, oracle.at):
        row = rows.setdefault(key(a), [0, 0, 0, 0])
        row[0] += 1
        row[1] += oracle.at[a].size
        if all(key(b) != key(a) for b in oracle.owner_ancestors(a)):
            row[2] += oracle.size_of(oracle.owned_set(a))
        if not any(b != a and key(b) == key(a) and a in tree.lost_without([b])
                   for b in oracle.at):
            row[3] += oracle.size_of(tree.lost_without([a]))
    return {k: tuple(v) for k, v in rows.items()}
