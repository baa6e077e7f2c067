"""What keeps what, by the plainest means: retained sizes and the dominator tree, what dies without some references,
several paths that share none, and paths to many merged. Set beside what the program says."""

from collections import Counter

from . import brute
from .brute import OLDEST, reach
from .graphs import ELEMENT, FIELD, INDEX, IS_KEY, KEY

ROOT_KINDS = ["?", "root", "handle", "pin", "global", "stack", "register"]
PATHS = 4


def address(text):
    return int(text, 16)


class WhatIf:
    """A slow simulation: over and over, all references are counted again, until nothing more dies."""

    def __init__(self, oracle, edges=(), objects=(), dropped=None):
        self.oracle, self.cut = oracle, {id(e) for e in edges}
        self.dropped = dropped or Counter()
        self.standing = [e for e in oracle.counted if id(e) not in self.cut]
        self.dead = {a for a in objects if not oracle.at[a].immortal}
        self.spared = set()
        self.die_out()
        self.at_once = set(self.dead)
        garbage = self.collect()
        self.spared = self.oracle_uncollectable(garbage)
        self.dead |= garbage - self.spared
        self.die_out()
        self.with_collector = set(self.dead)
        self.dead |= self.spared
        self.die_out()
        self.uncollectable = self.dead - self.with_collector
        self.invisible = self.unseen()

    def left(self, a):
        """The refcount of `a` when cut references are gone, and those of the dead."""
        lost = self.dropped[a] + sum(e.target == a and (id(e) in self.cut or e.source in self.dead)
                                     for e in self.oracle.counted)
        return self.oracle.at[a].refcount - lost

    def die_out(self):
        dying = True
        while dying:
            dying = {a for a, o in self.oracle.at.items() if a not in self.dead | self.spared and not o.immortal
                     and o.refcount > 0 and self.left(a) <= 0}
            self.dead |= dying

    def unreachable(self, candidates, followed):
        inside = [e for e in followed if e.source in candidates and e.target in candidates]
        into = Counter(e.target for e in inside)
        alive = [a for a in candidates if self.oracle.at[a].immortal or self.left(a) - into[a] > 0]
        return candidates - reach(alive, brute.arrows_of(inside))

    def collect(self):
        found = set()
        for heap in range(self.oracle.graph.heaps):
            found |= self.unreachable(self.oracle.candidates(heap, OLDEST) - self.dead,
                                      [e for e in self.standing if e.traversed])
        return found

    def oracle_uncollectable(self, garbage):
        legacy = {a for a in garbage if self.oracle.graph.types[self.oracle.at[a].type].legacy}
        strong = [e for e in self.standing if e.traversed and e.source in garbage and e.target in garbage]
        return reach(legacy, brute.arrows_of(strong))

    def unseen(self):
        return self.unreachable(set(self.oracle.at) - self.dead, self.standing)


class Keeping:
    """The checks for one comparison of compare.py, whose graph, oracle and program they use."""

    def __init__(self, comparison):
        self.c = comparison
        self.graph, self.oracle, self.program = comparison.graph, comparison.oracle, comparison.program
        self.rng, self.same = comparison.rng, comparison.same
        self.tree = comparison.tree(OLDEST)
        self.of_id = {}

    def check(self):
        self.check_tree()
        for _ in range(3):
            self.check_what_if()
        for o in self.rng.sample(self.graph.objects, min(3, len(self.graph.objects))):
            self.check_paths(o.address)
        self.check_merged(self.rng.choice(self.graph.types).name)

    # ---- the dominator tree ----

    def check_tree(self):
        cycles = self.program.json("cycles")
        self.of_id = {c["id"]: frozenset(address(m["address"]) for m in c["members"]) for c in cycles["cycles"]}
        nodes = [("cycle", i) for i in range(len(self.tree.cycles)) if self.tree.source[i]]
        self.lost = {v: self.tree.lost_without([v]) for v in list(self.oracle.at) + nodes}
        above = {a: [v for v in self.lost if v != a and a in self.lost[v]] for a in self.oracle.at}
        # Dominators of one object stand in a row: the nearest is the one with the least below it. A virtual node has its
        # members below it and beside it nothing of its own, so it comes before a member that keeps all the others.
        nearest = {a: min(d, key=lambda v: (len(self.lost[v]), isinstance(v, tuple))) if d else self.tree.ROOT
                   for a, d in above.items()}
        self.below = {v: [] for v in list(self.lost) + [self.tree.ROOT]}
        for a, v in nearest.items():
            self.below[v].append(a)
        self.below[self.tree.ROOT] += nodes
        self.check_retained()
        self.check_dominators()

    def vertex(self, row):
        if row["address"] is not None:
            return address(row["address"])
        members = self.of_id.get(row["cycle"])
        return next((("cycle", i) for i, (m, _) in enumerate(self.tree.cycles) if m == members), None)

    def retained(self, v):
        return self.oracle.size_of(self.lost[v])

    def check_row(self, check, row):
        v = self.vertex(row)
        shallow = sum(self.oracle.at[a].size for a in (self.tree.cycles[v[1]][0] if isinstance(v, tuple) else [v]))
        total = sum(o.size for o in self.graph.objects)
        self.same(f"{check}.shallow", v, shallow, row["shallow"])
        self.same(f"{check}.retained", v, self.retained(v), row["retained"])
        if total and abs(row["share"] - self.retained(v) / total) > 0.00006:
            self.same(f"{check}.share", v, self.retained(v) / total, row["share"])
        return v

    def check_retained(self):
        answer = self.program.json("retained")
        rows = {self.check_row("retained", row): row for row in answer["objects"]}
        self.same("retained.rows", "rows", sorted(map(str, self.lost)), sorted(map(str, rows)))
        for v, row in rows.items():
            self.same("retained.children", v, len(self.below.get(v, ())), row["children"])
        sizes = [row["retained"] for row in answer["objects"]]
        self.same("retained.order", "rows", sorted(sizes, reverse=True), sizes)
        few = self.program.json("retained", "--limit", 3)
        self.same("retained.limit", "rows", answer["objects"][:3], few["objects"])
        column = self.rng.choice(("address", "shallow", "children", "type", "cycle", "generation"))
        self.same("retained.sort", column, len(rows), len(self.program.json("retained", "--sort", column)["objects"]))

    def check_dominators(self):
        answer = self.program.json("dominators", "--depth", 0)
        self.check_level(self.tree.ROOT, answer["objects"], 1)
        if self.rng.random() < 0.3:
            self.program.run("dominators")
            self.program.run("dominators", "--no-fold", "--limit", 2)
        a = self.rng.choice(self.graph.objects).address
        answer = self.program.json("dominators", hex(a), "--depth", 2)
        self.same("dominators.start", hex(a), [a], [address(row["address"]) for row in answer["objects"]])
        self.check_level(a, answer["objects"][0]["children"], 63)

    def check_level(self, v, rows, depth):
        found = [self.check_row("dominators", row) for row in rows]
        self.same("dominators.children", v, sorted(map(str, self.below[v])), sorted(map(str, found)))
        for child, row in zip(found, rows):
            self.same("dominators.child_count", child, len(self.below[child]), row["child_count"])
            if depth < 64:
                self.check_level(child, row["children"], depth + 1)

    # ---- what dies without it ----

    def choose_cut(self):
        """(the program's words, edges, objects, dropped)"""
        rng, graph, at = self.rng, self.graph, self.oracle.at
        kind = rng.choice(("label", "arrow", "field", "items", "object", "type", "root", "garbage"))
        edge = rng.choice(graph.edges) if graph.edges else None
        if kind == "label" and edge:
            mine = [e for e in graph.edges if e.source == edge.source]
            labels = [row["label"] for row in self.program.json("referents", hex(edge.source))["edges"]]
            label = rng.choice(labels)
            if label:
                return hex(edge.source) + label, [e for e, x in zip(mine, labels) if x == label], (), None
        if kind == "arrow" and edge and edge.target in at:
            pair = (edge.source, edge.target)
            return (hex(edge.source) + "->" + hex(edge.target),
                    [e for e in graph.edges if (e.source, e.target) == pair], (), None)
        if kind in ("field", "items"):
            name, field = rng.choice(("Node", "Proxy")), rng.choice(("next", "item"))
            wanted = [e for e in graph.edges if graph.type_name(at[e.source]) == name and (
                e.label_kind == INDEX if kind == "items" else
                e.label_kind == FIELD and graph.types[at[e.source].type].fields[e.label] == field)]
            if wanted:
                return name + ("[...]" if kind == "items" else "." + field), wanted, (), None
        if kind == "type":
            name = rng.choice(graph.types).name
            members = [a for a, o in at.items() if graph.type_name(o) == name]
            if members:
                return "type:" + name, (), members, None
        if kind == "garbage" and self.oracle.garbage(OLDEST):
            return "garbage", (), self.oracle.garbage(OLDEST), None
        if kind == "root":
            named = [r for r in graph.roots if r.target in at and r.name]
            if named:
                return self.cut_root(rng.choice(named).name)
        o = rng.choice(graph.objects)
        return hex(o.address), (), [o.address], None

    def cut_root(self, name):
        """A possible root is believed as long as something is left that nothing explains."""
        dropped = Counter()
        for r in self.graph.roots:
            if r.name == name and r.target in self.oracle.at and (
                    r.counted or (not r.exact and dropped[r.target] < self.oracle.unexplained(r.target))):
                dropped[r.target] += 1
        return "root:" + name, (), (), dropped

    def check_what_if(self):
        cuts = [self.choose_cut() for _ in range(self.rng.choice((1, 1, 2)))]
        edges, objects, dropped = set(), set(), Counter()
        for i, (_, some, members, gone) in enumerate(cuts):
            edges |= set(map(id, some))
            objects |= set(members)
            if gone and cuts.index(cuts[i]) == i:
                dropped += gone
        words = list(dict.fromkeys(c[0] for c in cuts))
        self.compare_what_if(words, WhatIf(self.oracle, [e for e in self.graph.edges if id(e) in edges], objects, dropped))

    def compare_what_if(self, words, then):
        answer = self.program.json("what-if", *[x for w in words for x in ("--cut", w)])
        if answer is None:
            return
        now, where = WhatIf(self.oracle), f"{words}"
        for key, members in (("at_once", then.at_once), ("with_collector", then.with_collector),
                             ("without_cut", now.with_collector),
                             ("uncollectable", then.uncollectable - now.uncollectable),
                             ("invisible", then.invisible - now.invisible)):
            theirs = answer[key]
            self.same(f"what-if.{key}", where, (len(members), self.oracle.size_of(members)),
                      (theirs["objects"], theirs["bytes"]))
            if "types" in theirs:
                names = Counter(self.graph.type_name(self.oracle.at[a]) for a in members)
                self.same(f"what-if.{key}.types", where, names, Counter({t["type"]: t["objects"] for t in theirs["types"]}))
        self.same("what-if.cuts", where, words, [c["cut"] for c in answer["cuts"]])
        if self.rng.random() < 0.3:
            self.program.run("what-if", "--cut", words[0])

    # ---- paths that share nothing ----

    def check_paths(self, goal):
        answer = self.program.json("why", hex(goal), "--paths", PATHS)
        if answer is None:
            return
        o, at = self.oracle, self.oracle.at
        edges = Counter((e.source, e.target) for e in o.counted)
        exact = Counter(r.target for r in self.graph.roots if r.exact and r.target in at)
        possible = Counter(r.target for r in self.graph.roots if not r.exact and r.target in at)
        rooted = set(exact) | set(possible)
        nameless = {a for a in at if a not in rooted and (at[a].immortal or o.external(a) > 0)}
        for path in [[address(s["address"]) for s in p] for p in answer["paths"]] + [None]:
            turns = [+exact, {a for a in +possible if not exact[a] > 0}, nameless]
            lengths = [self.shortest(set(starts), goal, edges) for starts in turns]
            best = next((i for i, length in enumerate(lengths) if length), None)
            if path is None:
                if len(answer["paths"]) < PATHS:
                    self.same("why.paths_end", hex(goal), None, best)
                return
            if best is None:
                return self.same("why.paths_more", hex(goal), None, path)
            self.same("why.paths_length", f"{goal:#x} {path}", lengths[best], len(path))
            self.same("why.paths_start", f"{goal:#x} {path}", True, path[0] in turns[best])
            for step in zip(path, path[1:]):
                self.same("why.paths_share", f"{goal:#x} {step}", True, edges[step] > 0)
                edges[step] -= 1
            if best == 2:
                nameless = nameless - {path[0]}
            else:
                (exact, possible)[best][path[0]] -= 1

    def shortest(self, starts, goal, edges):
        arrows = {}
        for (source, target), n in edges.items():
            if n > 0:
                arrows.setdefault(source, []).append(target)
        seen, front, length = set(starts), set(starts), 1
        while front:
            if goal in front:
                return length
            front = {t for a in front for t in arrows.get(a, ())} - seen
            seen |= front
            length += 1
        return None

    # ---- merged paths ----

    def holder(self, turn, a):
        if turn < 2:
            r = next(r for r in self.graph.roots if r.target == a and r.exact == (turn == 0))
            return f"{ROOT_KINDS[r.kind]} {r.name or '(unnamed)'}" + ("" if turn == 0 else " (possibly)")
        if turn == 2:
            return ("the runtime (immortal)" if self.oracle.at[a].immortal
                    else "references from outside the heap that nothing explains")
        return "garbage cycles" if turn == 3 else "nothing"

    def label(self, e):
        kind = self.graph.types[self.oracle.at[e.source].type]
        if e.label_kind == FIELD:
            return "." + kind.fields[e.label]
        if e.label_kind == ELEMENT:
            return f".{kind.fields[0] if kind.fields else 'field0'}[...]"
        return {0: "", INDEX: "[...]", KEY: "['...']", IS_KEY: "key"}[e.label_kind]

    def search(self, wanted):
        """{object: (parent, edge)} or {object: (None, turn)}, in the order they are met."""
        o, met = self.oracle, {}
        sources = set().union(*[m for i, (m, _) in enumerate(self.tree.cycles) if self.tree.source[i]], set())
        exact = {r.target for r in self.graph.roots if r.exact}
        possible = {r.target for r in self.graph.roots if not r.exact}
        outside = {a for a in o.at if o.at[a].immortal or o.external(a) > 0}
        for turn, starts in enumerate((exact, possible, outside, sources, wanted)):
            queue = [a for a in sorted(starts & set(o.at)) if a not in met]
            met.update((a, (None, turn)) for a in queue)
            for a in queue:
                for e in o.counted:
                    if e.source == a and e.target not in met:
                        met[e.target] = (a, e)
                        queue.append(e.target)
        return met

    def check_merged(self, name):
        o = self.oracle
        wanted = {a for a in o.at if self.graph.type_name(o.at[a]) == name}
        if not wanted:
            return
        answer = self.program.json("why", "type:" + name, "--depth", 0)
        met, spots = self.search(wanted), {}

        def spot(a):
            """The labels and types on the way to an object, ones that repeat the one before left out."""
            if a not in spots:
                above, how = met[a]
                kind = self.graph.type_name(o.at[a])
                if above is None:
                    spots[a] = ((self.holder(how, a), None), ("", kind))
                else:
                    step = (self.label(how), kind)
                    spots[a] = spot(above) if spot(above)[-1] == step else spot(above) + (step,)
            return spots[a]

        needed = set()
        for a in wanted:
            while a is not None and a not in needed:
                needed.add(a)
                a = met[a][0]
        here, through = Counter(map(spot, needed)), Counter()
        for a in wanted:
            for n in range(1, len(spot(a)) + 1):
                through[spot(a)[:n]] += 1
        ours = {place: (here[place] if len(place) > 1 else 0, n) for place, n in through.items()}
        theirs = {}

        def walk(rows, above):
            for row in rows:
                place = above + ((row["label"], row["type"]) if above else (row["holder"], None),)
                theirs[place] = (row["here"], row["objects"])
                walk(row["children"], place)

        walk(answer["merged"], ())
        self.same("why.merged", name, {k: v for k, v in ours.items() if len(k) <= 60},
                  {k: v for k, v in theirs.items() if len(k) <= 60})
        self.same("why.merged_bytes", name, o.size_of(wanted), sum(row["bytes"] for row in answer["merged"]))
        if self.rng.random() < 0.3:
            self.program.run("why", "type:" + name)
