"""Brute force for diff and trend, straight from the words: which object is which, and what came and went."""

from collections import Counter

from . import brute

UNKNOWN, ABSENT = "unknown", "absent"
FORK = 9


def may_be_one_process(a, b):
    pids = [0 if d.captured == FORK else d.pid for d in (a, b)]
    return (0 in pids or pids[0] == pids[1]) and a.executable == b.executable


def relation(a, heap, b):
    """What the heap of one dump is in the other: its number there, ABSENT, or UNKNOWN."""
    x = a.heaps[heap]
    if not may_be_one_process(a, b) or not x.address or not x.next_serial:
        return UNKNOWN
    if [y.address for y in a.heaps].count(x.address) > 1:
        return UNKNOWN
    there = [n for n, y in enumerate(b.heaps) if y.address == x.address]
    if not there:
        return UNKNOWN if any(not y.address for y in b.heaps) else ABSENT
    y = b.heaps[there[0]]
    earlier, later = (x, y) if a.time <= b.time else (y, x)
    goes_up = a.time == b.time or earlier.next_serial <= later.next_serial
    same = len(there) == 1 and y.next_serial and goes_up and x.name == y.name
    return there[0] if same else UNKNOWN


class Pairing:
    """pairs: {address before: address after}."""

    def __init__(self, a, b):
        self.a, self.b = a, b
        self.at = [d.graph.by_address() for d in (a, b)]
        self.relation = [[relation(x, h, y) for h in range(x.graph.heaps)] for x, y in ((a, b), (b, a))]
        self.serials = [self.serials_of(d) for d in (a, b)]
        self.pairs = self.by_serial()
        self.serial_pairs = len(self.pairs)
        by_address = self.by_address()
        self.pairs.update(by_address)
        self.address_pairs = len(by_address)
        self.new = set(self.at[1]) - set(self.pairs.values())
        self.gone = set(self.at[0]) - set(self.pairs)
        unsure = [x for side in (0, 1) for x in self.at[side] if not self.is_numbered(side, x)]
        self.identity = "inferred" if unsure or by_address else "serial"

    @staticmethod
    def serials_of(dump):
        """{address: serial}; of several with one number, only the lowest address has it."""
        seen, serials = set(), {}
        for o in sorted(dump.graph.objects, key=lambda o: o.address):
            if o.serial and (o.heap, o.serial) not in seen:
                seen.add((o.heap, o.serial))
                serials[o.address] = o.serial
        return serials

    def related(self, side, x):
        return self.relation[side][self.at[side][x].heap]

    def is_numbered(self, side, x):
        return x in self.serials[side] and self.related(side, x) != UNKNOWN

    def is_absent(self, side, x):
        return x in self.serials[side] and self.related(side, x) == ABSENT

    def by_serial(self):
        pairs = {}
        for x, serial in self.serials[0].items():
            for y, other in self.serials[1].items():
                if serial == other and self.related(0, x) == self.at[1][y].heap \
                        and self.related(1, y) == self.at[0][x].heap:
                    pairs[x] = y
        return pairs

    def by_address(self):
        taken, pairs = set(self.pairs.values()), {}
        for x, o in self.at[0].items():
            if x in self.pairs or x not in self.at[1] or x in taken:
                continue
            both = self.is_numbered(0, x) and self.is_numbered(1, x)
            absent = self.is_absent(0, x) or self.is_absent(1, x)
            if not both and not absent and self.a.type_key(o) == self.b.type_key(self.at[1][x]):
                pairs[x] = x
        return pairs

    def rows(self, key, wanted=lambda dump, o: True):
        """{key: Counter} with the keys of the program's answer."""
        rows = {}
        back = {y: x for x, y in self.pairs.items()}

        def key_of(side, address):
            dump, o = (self.a, self.b)[side], self.at[side][address]
            return key(dump, o) if wanted(dump, o) else None

        for side, came, moved, partner in ((0, "gone", "moved_out", self.pairs), (1, "new", "moved_in", back)):
            for x, o in self.at[side].items():
                name = key_of(side, x)
                if name is None:
                    continue
                row = rows.setdefault(name, Counter())
                when = ("before", "after")[side]
                row[when] += 1
                row[when + "_bytes"] += o.size
                if x not in partner:
                    row[came] += 1
                    row[came + "_bytes"] += o.size
                elif key_of(1 - side, partner[x]) != name:
                    row[moved] += 1
                elif side == 0:
                    row["stayed"] += 1
                    row["grown_bytes"] += self.at[1][partner[x]].size - o.size
        for row in rows.values():
            row["delta_count"] = row["after"] - row["before"]
            row["delta_bytes"] = row["after_bytes"] - row["before_bytes"]
        return rows

    def moved(self):
        """{(generation before, after): objects}."""
        found = Counter((self.at[0][x].generation, self.at[1][y].generation) for x, y in self.pairs.items())
        return {k: n for k, n in found.items() if k[0] != k[1]}


def attribution(pairing):
    """{(held by, type): (objects, bytes)} of what is new, by immediate dominator."""
    graph = pairing.b.graph
    oracle = brute.Oracle(graph)
    garbage = oracle.garbage(brute.OLDEST)
    tree = brute.SuperTree(oracle, garbage, oracle.dependent(garbage) - garbage, oracle.invisible())
    nodes = [a for a in oracle.at] + [("cycle", i) for i, s in enumerate(tree.source) if s]
    found = {}
    for a in pairing.new:
        above = [n for n in nodes if n != a and a in tree.lost_without([n])]
        # The nearest is the one that keeps least; a cycle stands above its only member.
        nearest = min(above, key=lambda n: (len(tree.lost_without([n])), isinstance(n, tuple)), default=None)
        holder = "(roots)" if nearest is None else "(garbage cycle)" if isinstance(nearest, tuple) else \
            pairing.b.type_key(oracle.at[nearest])
        key = holder, pairing.b.type_key(oracle.at[a])
        objects, size = found.get(key, (0, 0))
        found[key] = objects + 1, size + oracle.at[a].size
    return found
