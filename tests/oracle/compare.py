"""The program's answers about one graph beside those of the brute-force oracle."""

import json
import os
import subprocess
from collections import Counter

from . import brute
from .brute import OLDEST, PERMANENT, UNTRACKED
from .keeping import Keeping


class Program:
    """Runs refheap on one snapshot and keeps what went wrong in running it."""

    def __init__(self, program, path):
        self.program, self.path = program, path
        self.complaints = []
        self.env = dict(os.environ, NO_COLOR="1", LC_ALL="C")

    def run(self, *arguments, status=0):
        command = [self.program, arguments[0], self.path, *map(str, arguments[1:]), "--no-cache"]
        done = subprocess.run(command, capture_output=True, env=self.env, timeout=120)
        if done.returncode != status or done.stderr:
            self.complaints.append(
                ("run", f"{' '.join(map(str, arguments))}: exit {done.returncode}, {done.stderr[:200]!r}"))
        return done.stdout.decode("utf-8", "replace")

    def json(self, *arguments, status=0):
        out = self.run(*arguments, "--json", status=status)
        try:
            return json.loads(out)
        except ValueError as error:
            self.complaints.append(("json", f"{' '.join(map(str, arguments))}: {error}"))
            return None


def address(text):
    return int(text, 16)


def shown(addresses):
    return "{" + ", ".join(hex(a) for a in sorted(addresses)) + "}"


def shown_generation(o):
    return -1 if o.generation == UNTRACKED else o.generation


class Comparison:
    """One graph, the oracle's answers and the program's. Differences gather in `found`."""

    def __init__(self, graph, program, rng):
        self.graph, self.program, self.rng = graph, program, rng
        self.oracle = brute.Oracle(graph)
        self.found = []
        self.invisible = self.oracle.invisible()
        self.trees = {}

    def tree(self, generation):
        """The super-root graph with garbage(generation) for the garbage."""
        if generation not in self.trees:
            garbage = self.oracle.garbage(generation)
            self.trees[generation] = brute.SuperTree(
                self.oracle, garbage, self.oracle.dependent(garbage) - garbage,
                self.invisible_at(generation))
        return self.trees[generation]

    def invisible_at(self, generation):
        """What a younger collection finds first is not called invisible too: the sets are disjoint."""
        garbage = self.oracle.garbage(generation)
        return self.invisible - garbage - self.oracle.dependent(garbage)

    def same(self, check, where, ours, theirs):
        if ours != theirs:
            self.found.append((check, f"{where}: oracle {ours}, program {theirs}"))

    def check(self):
        self.check_generations()
        for generation in range(OLDEST + 1):
            self.check_cycles(generation)
        self.check_summary()
        self.check_filters()
        self.check_audit()
        self.check_budgets()
        self.check_text()
        Keeping(self).check()
        some = list(self.graph.objects)
        if len(some) > 6:
            some = self.rng.sample(some, 6)
        for o in some:
            self.check_references(o)
            self.check_object(o)
            self.check_why(o)
            self.check_depth(o)
        return self.found + self.program.complaints

    # ---- generations ----

    def check_generations(self):
        answer = self.program.json("generations")
        if answer is None:
            return
        rows = {(r["heap"], r["generation"]): r for r in answer["generations"]}
        wanted = {(h, g) for h in range(self.graph.heaps) for g in (0, 1, 2, 3, -1)}
        self.same("generations.rows", "rows", sorted(wanted), sorted(rows))
        for (heap, generation), row in rows.items():
            self.check_generation_row(heap, generation, row)

    def check_generation_row(self, heap, generation, row):
        o = self.oracle
        members = [x for x in self.graph.objects
                   if x.heap == heap and shown_generation(x) == generation]
        ours = {"objects": len(members), "bytes": sum(x.size for x in members)}
        if 0 <= generation <= OLDEST:
            garbage = o.heap_garbage(heap, generation)
            # Dependents of the garbage of all heaps, counted where they live.
            freed = o.dependent(o.garbage(generation))
            dependent = {a for a in freed if o.at[a].heap == heap}
            ours.update(garbage_objects=len(garbage), garbage_bytes=o.size_of(garbage),
                        dependent_objects=len(dependent),
                        uncollectable_objects=len(o.uncollectable(garbage)),
                        # A candidate that goes with the garbage does not survive it.
                        survivors=len(o.candidates(heap, generation) - garbage - dependent))
        for key, value in ours.items():
            self.same(f"generations.{key}", f"heap {heap} generation {generation}", value, row[key])

    # ---- cycles ----

    def check_cycles(self, generation):
        answer = self.program.json("cycles", "--generation", generation, "--objects")
        if answer is None:
            return
        o, where = self.oracle, f"generation {generation}"
        garbage = o.garbage(generation)
        theirs = {address(x["address"]) for x in answer["garbage_objects"]}
        self.same("cycles.garbage", where, shown(garbage), shown(theirs))
        sets = {"garbage": garbage, "dependent": o.dependent(garbage),
                "invisible": self.invisible_at(generation)}
        for name, members in sets.items():
            ours = {"objects": len(members), "bytes": o.size_of(members)}
            self.same(f"cycles.{name}", f"{where} {name} {shown(members)}", ours, answer[name])
        # Cycles are those of the oldest generation, and of a younger one those it has found whole. With right
        # refcounts that is the same as to look for cycles in its garbage; with wrong ones it need not be.
        if generation == OLDEST or o.is_right():
            self.check_cycle_list(generation, answer["cycles"], garbage)

    def check_cycle_list(self, generation, rows, garbage):
        where = f"generation {generation}"
        tree = self.tree(generation)
        # Invisible garbage is a matter of the oldest generation, and its cycles are shown there.
        ours = {members: (invisible, tree.source[i])
                for i, (members, invisible) in enumerate(tree.cycles)
                if generation == OLDEST or not invisible}
        theirs = {frozenset(address(m["address"]) for m in r["members"]): r for r in rows}
        self.same("cycles.members", where, sorted(map(shown, ours)), sorted(map(shown, theirs)))
        self.check_ids(generation, where, rows)
        uncollectable = self.oracle.uncollectable(garbage)
        for members in ours.keys() & theirs.keys():
            invisible, source = ours[members]
            row, at = theirs[members], f"{where} cycle {shown(members)}"
            self.same("cycles.objects", at, len(members), row["objects"])
            self.same("cycles.shallow", at, self.oracle.size_of(members), row["shallow"])
            self.same("cycles.source", at, source, row["source"])
            self.same("cycles.invisible_flag", at, invisible, row["invisible"])
            self.same("cycles.uncollectable", at, bool(members & uncollectable),
                      row["uncollectable"])
            self.check_cycle_retained(at, members, source, row)
            self.check_cut(at, members, row)

    def check_ids(self, generation, where, rows):
        """Ids go up from 1 in the oldest generation; younger ones borrow them from there."""
        ids = [r["id"] for r in rows]
        if generation == OLDEST:
            self.same("cycles.ids", where, list(range(1, len(rows) + 1)), ids)
        else:
            self.same("cycles.ids_unique", where, len(ids), len(set(ids)))

    def check_cycle_retained(self, at, members, source, row):
        """What is lost without the members; of a source, also what is lost without its virtual node. A cycle retains
        as much in a younger generation as in the oldest: seen from the younger one, garbage older than it would
        count as alive. Where a refcount is so wrong that something alive refers to garbage, the program leaves that
        reference out."""
        if not self.oracle.is_right():
            return
        tree = self.tree(OLDEST)
        number = [cycle for cycle, _ in tree.cycles].index(members)
        self.same("cycles.retained", at, self.oracle.size_of(tree.lost_without(members)), row["retained"])
        if source:
            self.same("cycles.retained_virtual", at, tree.retained(("cycle", number)), row["retained"])

    def check_cut(self, at, members, row):
        inside = Counter((e.source, e.target, e.kind) for e in self.oracle.counted
                         if e.source in members and e.target in members)
        edges = Counter((address(e["from"]), address(e["to"]), e["kind"]) for e in row["edges"])
        cut = Counter((address(e["from"]), address(e["to"]), e["kind"]) for e in row["cut"])
        self.same("cycles.edges", at, sorted(inside.items()), sorted(edges.items()))
        self.same("cycles.cut_is_inside", at, [], sorted((cut - edges).items()))
        left = inside - cut
        arrows = {}
        for source, target, _ in left.elements():
            arrows.setdefault(source, []).append(target)
        ringed = {a for a in members if a in brute.reach(arrows.get(a, ()), arrows)}
        self.same("cycles.cut", at, "{}", shown(ringed))

    # ---- summary ----

    def check_summary(self):
        self.check_rows("summary", "types", "type", None)
        self.check_rows("summary_generation", "groups", "generation", self.generation_name)

    def generation_name(self, a):
        return shown_generation(self.oracle.at[a])

    def check_rows(self, check, table, column, key):
        answer = self.program.json("summary", *(["--by", column] if key else []))
        if answer is None:
            return
        ours = brute.type_rows(self.oracle, self.tree(OLDEST), key)
        theirs = {r[column]: r for r in answer[table]}
        self.same(f"{check}.rows", "rows", sorted(ours), sorted(theirs))
        for name in ours.keys() & theirs.keys():
            at = self.oracle.at
            key_of = key or (lambda a: self.graph.type_name(at[a]))
            largest = max(at[a].size for a in at if key_of(a) == name)
            self.same(f"{check}.largest", name, largest, theirs[name]["largest"])
            for i, part in enumerate(("count", "shallow", "owned", "retained")):
                self.same(f"{check}.{part}", name, ours[name][i], theirs[name][part])

    def check_filters(self):
        """Counts and sizes under --heap, --generation and --type."""
        heap = self.rng.randrange(self.graph.heaps)
        generation = self.rng.choice((0, 1, 2, PERMANENT, UNTRACKED))
        word = {PERMANENT: "permanent", UNTRACKED: "untracked"}.get(generation, str(generation))
        kind = self.rng.choice(self.graph.types).name
        at = self.oracle.at
        for option, value, wanted in (
                ("--heap", heap, lambda a: at[a].heap == heap),
                ("--generation", word, lambda a: at[a].generation == generation),
                ("--type", kind, lambda a: self.graph.type_name(at[a]) == kind)):
            answer = self.program.json("summary", option, value)
            rows = Counter(self.graph.type_name(at[a]) for a in at if wanted(a))
            sizes = Counter()
            for a in filter(wanted, at):
                sizes[self.graph.type_name(at[a])] += at[a].size
            theirs = answer["types"] if answer else []
            self.same("filter.count", f"{option} {value}", dict(rows),
                      {r["type"]: r["count"] for r in theirs})
            self.same("filter.shallow", f"{option} {value}", {k: sizes[k] for k in rows},
                      {r["type"]: r["shallow"] for r in theirs})
        self.check_heap_cycles(heap)

    def check_heap_cycles(self, heap):
        answer = self.program.json("cycles", "--heap", heap, "--objects")
        if answer is None:
            return
        garbage = self.oracle.heap_garbage(heap, OLDEST)
        theirs = {address(x["address"]) for x in answer["garbage_objects"]}
        self.same("cycles.heap_garbage", f"heap {heap}", shown(garbage), shown(theirs))
        self.same("cycles.heap_tally", f"heap {heap}",
                  {"objects": len(garbage), "bytes": self.oracle.size_of(garbage)},
                  answer["garbage"])

    # ---- audit and budgets ----

    def check_audit(self):
        answer = self.program.json("audit")
        if answer is None:
            return
        o = self.oracle
        classes = {a: o.audit_class(a) for a in o.at}
        for name in ("over", "possibly_over", "under", "possibly_under"):
            ours = {a: (o.at[a].refcount, o.internal(a), o.explained(a), o.unexplained(a), len(o.possible(a)),
                        self.graph.type_name(o.at[a])) for a in o.at if classes[a] == name}
            theirs = {address(x["address"]): (x["refcount"], x["internal"], x["explained"], x["unexplained"],
                                              len(x["possible"]), x["type"]) for x in answer[name]}
            self.same(f"audit.{name}", "objects", ours, theirs)
            gaps = [abs(x["unexplained"]) for x in answer[name]]
            self.same(f"audit.{name}_order", "worst first", sorted(gaps, reverse=True), gaps)
        counts = Counter(classes.values())
        for name in ("clean", "not_auditable"):
            self.same(f"audit.{name}", "objects", counts[name], answer[name])
        auditable = len(classes) - counts["not_auditable"]
        share = answer["coverage"]["refcounts_explained"]
        self.same("audit.coverage", "share", round(counts["clean"] / auditable, 6) if auditable else None,
                  None if share is None else round(share, 6))
        self.same("audit.dangling", "edges", o.dangling, answer["coverage"]["dangling_edges"])
        self.check_pinned(answer["pinned"])

    def check_pinned(self, rows):
        o = self.oracle
        ours = {c: (len(c), o.size_of(c), sum(max(o.unexplained(a), 0) for a in c)) for c in o.pinned()}
        theirs = {frozenset(address(m["address"]) for m in r["members"]):
                  (r["objects"], r["bytes"], r["unexplained"]) for r in rows}
        self.same("audit.pinned", "cycles", sorted((shown(c), v) for c, v in ours.items()),
                  sorted((shown(c), v) for c, v in theirs.items()))

    def check_budgets(self):
        """What `check` measures, and the ways to what it blames."""
        o, at = self.oracle, self.oracle.at
        garbage, kind = o.garbage(OLDEST), self.rng.choice(self.graph.types).name
        generation = self.rng.choice((0, 1, 2))
        of_kind = {a for a in at if self.graph.type_name(at[a]) == kind}
        classes = {a: o.audit_class(a) for a in at}
        limit = self.rng.choice((0, 0, 3, 1000))
        cases = [
            ("--max-garbage", str(limit), len(garbage), limit, garbage),
            ("--max-garbage", f"{limit}B", o.size_of(garbage | o.dependent(garbage)), limit, garbage),
            ("--max-invisible", str(limit), len(self.invisible), limit, self.invisible),
            ("--max-objects", f"{kind}={limit}", len(of_kind), limit, of_kind),
            ("--max-objects", f"{kind}={limit}KiB", o.size_of(of_kind), 1024 * limit, of_kind),
            ("--forbid", f"{kind}@{generation}", 0, 0, {a for a in of_kind if at[a].generation == generation}),
            ("--audit", None, 0, 0, {a for a in at if classes[a] == "over"}),
            ("", None, 0, 0, {a for a in at if classes[a] == "under"}),
        ]
        cases = [(option, value, len(blamed) if option in ("--forbid", "--audit", "") else actual, most, blamed)
                 for option, value, actual, most, blamed in cases]
        words = [w for option, value, *_ in cases for w in (option, value) if w]
        passed = all(actual <= most for _, _, actual, most, _ in cases)
        self.program.run("check", *words, status=0 if passed else 1)
        answer = self.program.json("check", *words, "--limit", "0", status=0 if passed else 1)
        if answer is None:
            return
        self.same("check.measured", " ".join(words), [(c[2], c[2] <= c[3]) for c in cases],
                  [(c["actual"], c["passed"]) for c in answer["checks"]])
        self.same("check.passed", "all", passed, answer["passed"])
        failed = [c for c in cases if c[2] > c[3]]
        for (option, value, _, _, blamed), failure in zip(failed, answer["failures"]):
            theirs = [address(x["address"]) for x in failure["objects"]]
            self.same("check.blamed", f"{option} {value}", shown(blamed), shown(theirs))
            self.check_ways(f"{option} {value}", theirs, failure["paths"])

    def check_ways(self, at, objects, ways):
        """Each way ends at its object by steps that exist; from an exact root it is the shortest."""
        k = self.oracle
        exact = {r.target for r in self.graph.roots if r.exact and r.target in k.at}
        pairs = {(e.source, e.target) for e in k.counted}
        cyclic = {a for c in k.components(k.garbage(OLDEST) | self.invisible) for a in c}
        held = {a for a in k.at if k.at[a].immortal or k.external(a) > 0} | {r.target for r in self.graph.roots}
        reached = brute.reach(held & set(k.at), k.counted_arrows)
        self.same("check.ways", at, len(objects), len(ways))
        for a, way in zip(objects, ways):
            steps = [address(s["address"]) for s in way]
            where = f"{at} {a:#x}"
            for step in zip(steps, steps[1:]):
                self.same("check.step", f"{where} {list(map(hex, step))}", True, step in pairs)
            if steps:
                self.same("check.way_ends", where, a, steps[-1])
            best = k.path_length(exact, a)
            if best is not None:
                self.same("check.way_length", where, best, len(steps))
            elif a in reached:
                self.same("check.way_begins", where, True, steps[0] in held)
            elif a in cyclic:
                self.same("check.way_round", where, a, steps[0])
                self.same("check.way_shortest", where, 1 + min(
                    k.path_length({e.target}, a) for e in k.counted if e.source == a and k.path_length({e.target}, a)),
                    len(steps))
            elif steps:
                self.same("check.way_from_cycle", where, True, steps[0] in cyclic)

    def check_text(self):
        """What is for people must at least come out without complaint."""
        for command in (["generations"], ["cycles"], ["cycles", "--objects"], ["summary"],
                        ["cycles", "--no-fold"], ["info"], ["verify"], ["summary", "--by", "heap"],
                        ["suspects"], ["summary", "--waste"],
                        ["generations", "--csv"], ["cycles", "--csv"], ["summary", "--csv"],
                        ["audit"], ["audit", "--no-fold"], ["audit", "--csv"]):
            if self.rng.random() < 0.2:
                self.program.run(*command)

    # ---- one object ----

    def check_depth(self, o):
        depth = self.rng.choice((0, 2, 3))
        for command, backwards in (("referrers", True), ("referents", False)):
            answer = self.program.json(command, hex(o.address), "--depth", depth)
            layers = self.oracle.layers(o.address, depth, backwards)
            ours = Counter((d, e.source, e.target, e.kind) for d in layers for e in layers[d])
            theirs = Counter((e["depth"], address(e["from"]), address(e["to"]), e["kind"])
                             for e in answer["edges"]) if answer else Counter()
            self.same(f"{command}.depth", f"{o.address:#x} --depth {depth}", ours, theirs)
            self.program.run(command, hex(o.address), "--depth", depth)

    def check_references(self, o):
        for command, edges in (("referrers", self.oracle.referrers(o.address)),
                               ("referents", self.oracle.referents(o.address))):
            answer = self.program.json(command, hex(o.address))
            if answer is None:
                continue
            ours = sorted((e.source, e.target, e.kind) for e in edges)
            theirs = sorted((address(e["from"]), address(e["to"]), e["kind"])
                            for e in answer["edges"])
            self.same(command, hex(o.address), ours, theirs)

    def check_object(self, o):
        answer = self.program.json("object", hex(o.address))
        if answer is None:
            return
        k, a, at = self.oracle, o.address, hex(o.address)
        garbage = k.garbage(OLDEST)
        ours = {"type": self.graph.type_name(o), "size": o.size,
                "refcount": None if o.immortal else o.refcount,
                "generation": shown_generation(o), "heap": o.heap,
                "internal": k.internal(a),
                "explained": k.explained(a),
                "unexplained": 0 if o.immortal else k.unexplained(a),
                "owned": k.size_of(k.owned_set(a)),
                "retained": self.tree(OLDEST).retained(a),
                "garbage": a in garbage, "dependent": a in k.dependent(garbage),
                "invisible": a in self.invisible}
        for key, value in ours.items():
            self.same(f"object.{key}", at, value, answer[key])
        possible = [r for r in self.graph.roots if r.target == a and not r.exact]
        self.same("object.possible", at, len(possible), len(answer["possible"]))
        exact = [r for r in self.graph.roots if r.target == a and r.exact]
        self.same("object.roots", at, len(exact), len(answer["roots"]))
        self.same("object.referrers", at, len(k.referrers(a)), answer["referrers"])
        self.same("object.referents", at, len(k.referents(a)), answer["referents"])
        self.same("object.tracked", at, o.container and o.generation != UNTRACKED,
                  answer["tracked"])
        self.program.run("object", hex(a))
        self.same("object.in_cycle", at, any(a in m for m, _ in self.tree(OLDEST).cycles),
                  answer["cycle"] is not None)

    def check_why(self, o):
        answer = self.program.json("why", hex(o.address))
        if answer is None:
            return
        k, a, at = self.oracle, o.address, hex(o.address)
        exact = {r.target for r in self.graph.roots if r.exact and r.target in k.at}
        best = k.path_length(exact, a)
        paths = [[address(s["address"]) for s in p] for p in answer["paths"]]
        pairs = {(e.source, e.target) for e in k.counted}
        for path in paths:
            self.same("why.ends", at, a, path[-1])
            for step in zip(path, path[1:]):
                self.same("why.step", f"{at} {list(map(hex, step))}", True, step in pairs)
        if best is not None:
            self.same("why.length", at, best, min(map(len, paths), default=None))
            for path in paths:
                self.same("why.starts_at_root", at, True, path[0] in exact)
        self.check_verdict(o, answer["verdict"])
        self.check_fate(o, best, paths, answer["verdict"])
        self.program.run("why", hex(a))

    def check_fate(self, o, best, paths, verdict):
        """Without an exact root, a path begins at what else is held from outside, if anything is."""
        k, a, at = self.oracle, o.address, hex(o.address)
        garbage = k.garbage(OLDEST)
        fate = ("garbage" if a in garbage else "dependent" if a in k.dependent(garbage)
                else "invisible" if a in self.invisible else "alive")
        self.same("why.fate", at, fate, verdict["fate"])
        if best is not None:
            return
        possible = {r.target for r in self.graph.roots if not r.exact and r.target in k.at}
        outside = {b for b in k.at if k.at[b].immortal or k.unexplained(b) > 0}
        for name, starts in (("possible", possible), ("outside", outside)):
            best = k.path_length(starts, a)
            if best is not None:
                self.same(f"why.length_{name}", at, best, min(map(len, paths), default=None))
                return
        self.same("why.no_path", at, [], paths)

    def check_verdict(self, o, verdict):
        k, a, at = self.oracle, o.address, hex(o.address)
        ours = {"refcount": None if o.immortal else o.refcount, "internal": k.internal(a),
                "unexplained": 0 if o.immortal else k.unexplained(a)}
        for key, value in ours.items():
            self.same(f"why.{key}", at, value, verdict[key])
