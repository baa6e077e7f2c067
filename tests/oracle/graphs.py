"""Seeded small random graphs of many shapes, with right refcounts mostly and wrong ones sometimes."""

import random

from .brute import (BORROWED, COUNTED, INFERRED, INFERRED_EDGE, OWNED, PERMANENT, STRONG, TRAVERSED,
                   UNTRACKED, WEAK, Edge, Graph, Object, Root, Type)

FIELD, INDEX, KEY, STRING, ELEMENT, IS_KEY = 1, 2, 3, 4, 5, 6


class Maker:
    def __init__(self, seed, most=0):
        self.rng = random.Random(seed)
        self.seed = seed
        self.most = most
        self.graph = Graph()
        # Each trait is on in some graphs only, so that plain cases stay plain.
        chance = self.rng.random
        self.wrong = chance() < 0.2
        self.free_zero = chance() < 0.1
        self.dangling = chance() < 0.15
        self.odd_bits = chance() < 0.1
        self.has_weak = chance() < 0.5
        self.has_owned = chance() < 0.4
        self.has_borrowed = chance() < 0.4
        self.has_inferred = chance() < 0.2
        self.has_legacy = chance() < 0.3
        self.has_immortal = chance() < 0.3
        self.has_permanent = chance() < 0.3
        self.has_untracked = chance() < 0.4
        self.has_atomic = chance() < 0.6
        self.share_external = self.rng.choice((0, 0, 0.05, 0.1, 0.3))
        self.share_rooted = self.rng.choice((0, 0.05, 0.1, 0.3))
        self.graph.heaps = 2 if chance() < 0.35 else 1
        self.cross_heap = self.rng.choice((0, 0.05, 0.3, 1.0))
        # What the collector sees is all there is: the analyzer may search such heaps before it knows what is garbage.
        self.plain = chance() < 0.25
        if self.plain:
            self.odd_bits = self.has_weak = self.has_owned = self.has_borrowed = self.has_inferred = False
            self.has_immortal = self.has_permanent = self.has_untracked = False
            self.graph.heaps = 1

    # ---- parts ----

    def make(self):
        self.make_types()
        self.make_objects()
        shape = self.rng.choice((self.sparse, self.dense, self.rings, self.lists, self.trees,
                                 self.hubs, self.multi, self.loops, self.mixture))
        self.graph.note = shape.__name__
        shape()
        self.label_edges()
        self.make_roots()
        self.count()
        traits = ("wrong", "dangling", "odd_bits", "free_zero", "plain")
        self.graph.note += "".join(f", {t}" for t in traits if getattr(self, t))
        return self.graph

    def make_types(self):
        names = ["Node", "Leaf", "Dict", "str", "Proxy", "Legacy"]
        self.graph.types = [Type(n, n not in ("Leaf", "str"), n == "Legacy" and self.has_legacy,
                                 ("next", "prev", "item") if n in ("Node", "Proxy") else ())
                            for n in names]
        if self.rng.random() < 0.2:
            # Two types of one name: rows of the summary go by name.
            self.graph.types.append(Type("Node"))

    def how_many(self):
        if self.most:
            return self.rng.randint(self.most // 10, self.most)
        r = self.rng.random()
        if r < 0.35:
            return self.rng.randint(1, 8)
        if r < 0.9:
            return self.rng.randint(4, 40)
        return self.rng.randint(40, 120) if r < 0.98 else self.rng.randint(120, 200)

    def make_objects(self):
        n = self.how_many()
        step = self.rng.choice((8, 16, 1 << 33))
        addresses = [0x10000 + 16 * (i + 1) * step // 8 for i in range(n)]
        self.rng.shuffle(addresses)
        if self.rng.random() < 0.03:
            addresses[0] = (1 << 64) - 16
        for i, address in enumerate(addresses):
            self.graph.objects.append(self.make_object(address, i + 1))

    def make_object(self, address, serial):
        rng = self.rng
        o = Object(address, rng.randrange(self.graph.heaps), 0, rng.choice((16, 32, 48, 64, 100)),
                   serial=serial if self.seed % 3 == 0 else 0)
        if rng.random() < 0.03:
            o.size = rng.choice((0, 1, 1 << 40))
        o.type = rng.choice([i for i, t in enumerate(self.graph.types) if t.container])
        o.generation = rng.choice((0, 0, 1, 2, 2, 2))
        if self.has_atomic and rng.random() < 0.3:
            o.type = rng.choice([i for i, t in enumerate(self.graph.types) if not t.container])
            o.container, o.generation = False, UNTRACKED
        elif self.has_untracked and rng.random() < 0.2:
            o.generation = UNTRACKED
        elif self.has_permanent and rng.random() < 0.15:
            o.generation = PERMANENT
        o.immortal = self.has_immortal and rng.random() < 0.08
        return o

    def bits(self):
        rng = self.rng
        if self.has_weak and rng.random() < 0.12:
            return WEAK
        if self.has_owned and rng.random() < 0.15:
            return OWNED
        if self.has_borrowed and rng.random() < 0.12:
            return BORROWED
        if self.has_inferred and rng.random() < 0.2:
            return INFERRED_EDGE
        if self.odd_bits and rng.random() < 0.1:
            return rng.choice((TRAVERSED, TRAVERSED | INFERRED, INFERRED, COUNTED | INFERRED,
                               WEAK | INFERRED))
        return STRONG

    def link(self, source, target, bits=None):
        """An edge, unless the two may not be joined: an atomic object mostly refers to nothing."""
        rng = self.rng
        if not source.container and (self.plain or rng.random() < 0.8):
            return
        if source.heap != target.heap and rng.random() >= self.cross_heap:
            return
        address = target.address
        if self.dangling and rng.random() < 0.1:
            address = 0xDEAD0000 + rng.randint(1, 5)
        self.graph.edges.append(Edge(source.address, address, self.bits() if bits is None else bits))

    def pick(self):
        return self.rng.choice(self.graph.objects)

    # ---- shapes ----

    def sparse(self):
        for _ in range(int(len(self.graph.objects) * self.rng.uniform(0.3, 1.5))):
            self.link(self.pick(), self.pick())

    def dense(self):
        for _ in range(int(len(self.graph.objects) * self.rng.uniform(2, 5))):
            self.link(self.pick(), self.pick())

    def ring(self, members, both_ways=False):
        for i, a in enumerate(members):
            b = members[(i + 1) % len(members)]
            self.link(a, b)
            if both_ways:
                self.link(b, a)

    def rings(self):
        """Rings one behind another, with single edges between some: sources and followers."""
        objects, at = list(self.graph.objects), 0
        while at < len(objects):
            size = self.rng.randint(1, 5)
            self.ring(objects[at:at + size], self.rng.random() < 0.2)
            if at and self.rng.random() < 0.6:
                self.link(self.rng.choice(objects[:at]), objects[at])
            at += size
        self.sprinkle(0.15)

    def lists(self):
        objects = self.graph.objects
        for a, b in zip(objects, objects[1:]):
            self.link(a, b)
            if self.rng.random() < 0.5:
                self.link(b, a)
        if self.rng.random() < 0.5:
            self.link(objects[-1], objects[0])
        self.sprinkle(0.05)

    def trees(self):
        """Children point back at their parents, strongly or (as they should) weakly."""
        objects = self.graph.objects
        back = self.rng.choice((STRONG, None) if self.plain else (STRONG, WEAK, BORROWED, None))
        for i in range(1, len(objects)):
            parent = objects[self.rng.randrange(max(0, i - 4), i)]
            self.link(parent, objects[i])
            if self.rng.random() < 0.7:
                self.link(objects[i], parent, back)
        self.sprinkle(0.05)

    def hubs(self):
        hubs = self.graph.objects[:self.rng.randint(1, 3)]
        for o in self.graph.objects:
            hub = self.rng.choice(hubs)
            if self.rng.random() < 0.8:
                self.link(hub, o)
            if self.rng.random() < 0.5:
                self.link(o, hub)
        self.sprinkle(0.1)

    def multi(self):
        for _ in range(len(self.graph.objects)):
            a, b = self.pick(), self.pick()
            for _ in range(self.rng.randint(1, 4)):
                self.link(a, b)

    def loops(self):
        for o in self.graph.objects:
            for _ in range(self.rng.choice((0, 1, 1, 2))):
                self.link(o, o)
        self.sprinkle(0.4)

    def mixture(self):
        self.rings()
        self.rng.choice((self.trees, self.hubs, self.sparse))()

    def sprinkle(self, share):
        for _ in range(int(len(self.graph.objects) * share)):
            self.link(self.pick(), self.pick())

    # ---- labels, roots, counts ----

    def label_edges(self):
        rng, g = self.rng, self.graph
        kinds = {o.address: g.types[o.type] for o in g.objects}
        for i, e in enumerate(g.edges):
            e.label_kind = rng.choice((0, FIELD, INDEX, INDEX, KEY, ELEMENT, IS_KEY))
            if e.label_kind == FIELD and not kinds[e.source].fields:
                e.label_kind = 0
            if e.label_kind == FIELD:
                e.label = rng.randrange(len(kinds[e.source].fields))
            elif e.label_kind == INDEX:
                e.label = i
            elif e.label_kind == KEY:
                e.label = self.pick().address
            elif e.label_kind == ELEMENT:
                e.label = (0 << 48) + i

    def make_roots(self):
        rng, g = self.rng, self.graph
        for o in list(g.objects):
            if rng.random() < self.share_rooted:
                for _ in range(rng.choice((1, 1, 2))):
                    g.roots.append(self.make_root(o.address))
        if self.dangling and rng.random() < 0.5:
            g.roots.append(self.make_root(0xDEAD0001))

    def make_root(self, address):
        r = self.rng.random()
        name = self.rng.choice(("", "cache", "registry"))
        if r < 0.65:
            return Root(address, True, True, self.rng.choice((1, 2, 3)), name)
        if r < 0.75:
            return Root(address, True, False, 1, name)
        return Root(address, False, self.rng.random() < 0.3, self.rng.choice((4, 5, 6)), name)

    def count(self):
        """Refcounts: internal references, counted roots, and some that nothing shows."""
        rng, g = self.rng, self.graph
        at = g.by_address()
        for e in g.edges:
            if e.counted and e.target in at:
                at[e.target].refcount += 1
        for r in g.roots:
            # A possible root that is counted is a real reference too; so are some that are not.
            if r.target in at and (r.counted or (not r.exact and rng.random() < 0.5)):
                at[r.target].refcount += 1
        for o in g.objects:
            if rng.random() < self.share_external:
                o.refcount += rng.randint(1, 3)
            if o.refcount == 0 and not self.free_zero:
                # Nothing alive has a refcount of zero; only the dying, and they are few.
                o.refcount += 1
            if self.wrong and rng.random() < 0.15:
                o.refcount = self.wrong_count(o.refcount)
            if o.immortal:
                o.refcount = rng.choice((0, 1, 2, o.refcount, 0xFFFFFFFF, -1))

    def wrong_count(self, right):
        rng = self.rng
        return rng.choice((right - 1, right - 2, right + 1, 0, -1, -5, 1, 1 << 40))


def make(seed, most=0):
    """A random graph, of a tenth of `most` objects to `most` when that is given."""
    return Maker(seed, most).make()
