"""What the program makes of attributes: a __dict__ as one with its owner, paths as Python writes them."""

import unittest

from support import TestCase, ask, run
import second_reader as sr

TEXT, NAME, INTEGER = 6, 8, 3
LABEL_INDEX, LABEL_KEY, LABEL_STRING, LABEL_IS_KEY = 2, 3, 4, 6
STRONG = sr.model.COUNTED | sr.model.TRAVERSED
TYPES = ["module", "dict", "Session", "list", "str", "int"]
RUNTIME_TABLE = 7
EXACT, COUNTED_ROOT = 1, 2


class Heap:
    """A Python-like heap, built by hand: objects by name, refcounts as the edges make them."""

    def __init__(self, runtime=b"cpython"):
        self.objects, self.values, self.extra = {}, [], {}
        self.runtime = runtime
        self.roots = []

    def add(self, name, kind, size, value=None, extra=0):
        tracked = kind not in ("str", "int")
        self.objects[name] = sr.model.Object(0, 0x1000 + 0x100 * len(self.objects), TYPES.index(kind), size,
                                             state=(2 | 8) if tracked else sr.model.UNTRACKED)
        self.extra[name] = extra
        if value is not None:
            self.values.append(sr.model.Value(self.objects[name].address, *value))
        return name

    def edge(self, source, target, kind=0, label=0, bits=STRONG):
        self.objects[source].edges.append(
            sr.model.Edge(self.objects[target].address, bits | kind << 4,
                          self.objects[label].address if kind == LABEL_KEY else label))

    def item(self, owner, key, value):
        """A dict's item: the key is held too."""
        self.edge(owner, key, LABEL_IS_KEY)
        self.edge(owner, value, LABEL_KEY, key)

    def root(self, name, text):
        self.roots.append(sr.model.Root(self.objects[name].address, name=text, kind=RUNTIME_TABLE,
                                        flags=EXACT | COUNTED_ROOT))

    def address(self, name):
        return hex(self.objects[name].address)

    def write(self, path):
        by_address = {o.address: n for n, o in self.objects.items()}
        for name, o in self.objects.items():
            o.refcount = self.extra[name] + sum(r.object == o.address for r in self.roots)
        for o in self.objects.values():
            for e in o.edges:
                self.objects[by_address[e.target]].refcount += 1
        sr.write_snapshot(sr.model.Snapshot(
            heaps=[sr.model.Heap(self.runtime, b"3.11.2")], types=[sr.model.Type(t.encode(), flags=1) for t in TYPES],
            objects=list(self.objects.values()), values=self.values, roots=self.roots), path)


def service(runtime=b"cpython"):
    """sys.modules -> module app.cache -> CACHE['a'][3] -> a Session whose dict is its own, and one whose dict is not."""
    h = Heap(runtime)
    h.add("modules", "dict", 232)
    h.add("app.cache", "str", 60, (TEXT, b"app.cache"))
    h.add("module", "module", 72, (NAME, b"app.cache"))
    h.add("module dict", "dict", 232)
    h.add("CACHE", "str", 54, (TEXT, b"CACHE"))
    h.add("cache", "dict", 232)
    h.add("a", "str", 50, (TEXT, b"a"))
    h.add("list", "list", 88)
    for n in ("one", "two"):
        h.add(n, "Session", 48)
        h.add(n + " dict", "dict", 104)
        h.add(n + " data", "list", 1000)
        h.edge(n, n + " dict", LABEL_STRING, b"__dict__")
    h.add("data", "str", 53, (TEXT, b"data"))
    h.add("other", "str", 54, (TEXT, b"other"))
    h.root("modules", b"sys.modules")
    h.item("modules", "app.cache", "module")
    h.edge("module", "module dict", LABEL_STRING, b"__dict__")
    h.item("module dict", "CACHE", "cache")
    h.item("cache", "a", "list")
    h.edge("list", "one", LABEL_INDEX, 3)
    h.edge("list", "two", LABEL_INDEX, 4)
    h.edge("list", "two dict", LABEL_INDEX, 5)  # this one is not its owner's alone
    for n in ("one", "two"):
        h.item(n + " dict", "data", n + " data")
        h.item(n + " dict", "other", "two" if n == "one" else "one")
    return h


class Attributes(TestCase):
    def snapshot(self, heap):
        path = self.path("h.refheap")
        heap.write(path)
        return path

    def rows(self, text):
        return {line.split("  ")[0]: line.split() for line in text.splitlines() if line}

    def test_a_summary_counts_a_dict_with_its_owner(self):
        h = service()
        path = self.snapshot(h)
        text = run("summary", path)[0]
        self.assertIn("\n2 dicts of attributes counted with their owners (--no-fold counts them apart)\n", text)
        rows = self.rows(text)
        sizes = {t: [o.size for o in h.objects.values() if o.type == i] for i, t in enumerate(TYPES)}
        # One Session and the module have a dict of their own; modules, cache, and the shared one are dicts.
        self.assertEqual(rows["Session"][1:3], ["2", "%d" % (48 + 48 + 104)])
        self.assertEqual(rows["Session"][-2], str(48 + 104))  # the largest: with its dict
        self.assertEqual(rows["module"][1:3], ["1", str(72 + 232)])
        self.assertEqual(rows["dict"][1:3], ["3", str(sum(sizes["dict"]) - 104 - 232)])
        apart = self.rows(run("summary", path, "--no-fold")[0])
        self.assertEqual(apart["dict"][1], str(len(sizes["dict"])))
        self.assertEqual(apart["Session"][1:3], ["2", "96"])

    def test_a_filter_goes_by_the_owner(self):
        path = self.snapshot(service())
        self.assertEqual(set(self.rows(run("summary", path, "--type", "Session")[0])) & set(TYPES), {"Session"})
        self.assertEqual(self.rows(run("summary", path, "--type", "dict")[0])["dict"][1], "3")

    def test_programs_get_every_object(self):
        h = service()
        path = self.snapshot(h)
        types = {t["type"]: t["count"] for t in ask("summary", path)["types"]}
        self.assertEqual(types["dict"], sum(o.type == 1 for o in h.objects.values()))

    def test_other_runtimes_have_no_such_dicts(self):
        path = self.snapshot(service(b"librefheap"))
        self.assertNotIn("counted with", run("summary", path)[0])
        self.assertEqual(self.rows(run("summary", path)[0])["dict"][1], "5")

    def test_why_speaks_python(self):
        h = service()
        path = self.snapshot(h)
        text = run("why", path, h.address("one data"))[0]
        self.assertIn("\nin Python: app.cache.CACHE['a'][3].data\n", text)
        steps = [line.split("  0x")[0].strip() for line in text.splitlines()[:8]]
        self.assertEqual(steps, [
            "runtime sys.modules", "-> dict", "['app.cache'] -> module app.cache", ".CACHE -> dict", "['a'] -> list",
            "[3] -> Session", ".data -> list", "in Python: app.cache.CACHE['a'][3].data"])
        apart = run("why", path, h.address("one data"), "--no-fold")[0]
        self.assertIn(".__dict__ -> dict", apart)
        self.assertIn("['data'] -> list", apart)
        self.assertEqual(ask("why", path, h.address("one data"))["expressions"], ["app.cache.CACHE['a'][3].data"])

    def test_variables_of_a_module_that_runs(self):
        """The frame of a module holds its dict without the module."""
        h = Heap()
        for n in ("__name__", "__doc__", "TABLE", "a"):
            h.add(n, "str", 50, (TEXT, n.encode()))
        h.add("name", "str", 57, (TEXT, b"__main__"))
        h.add("doc", "str", 40, (TEXT, b""))
        for n in ("globals", "table", "other"):
            h.add(n, "dict", 232)
        h.add("one", "Session", 48)
        h.add("two", "Session", 48)
        for owner, key, value in (("globals", "__name__", "name"), ("globals", "__doc__", "doc"), ("globals", "TABLE", "table"),
                                  ("table", "a", "one"), ("other", "__name__", "name"), ("other", "a", "two")):
            h.item(owner, key, value)
        h.root("globals", b"f_locals")
        h.root("other", b"x")
        path = self.snapshot(h)
        self.assertEqual(ask("why", path, h.address("one"))["expressions"], ["__main__.TABLE['a']"])
        self.assertEqual(ask("why", path, h.address("globals"))["expressions"], ["__main__.__dict__"])
        self.assertEqual(ask("why", path, h.address("two"))["expressions"], [None])  # a dict like others
        text = run("why", path, h.address("one"))[0]
        self.assertIn("-> dict globals of __main__  0x", text)
        self.assertIn(".TABLE -> dict", text)
        merged = run("why", path, "type:Session")[0]
        self.assertIn(".TABLE -> dict", merged)
        self.assertIn("['...'] -> Session", merged)

    def test_a_dict_asked_for_is_shown(self):
        h = service()
        path = self.snapshot(h)
        self.assertEqual(ask("why", path, h.address("one dict"))["expressions"],
                         ["app.cache.CACHE['a'][3].__dict__"])
        self.assertIn(".__dict__ -> dict", run("why", path, h.address("one dict"))[0])

    def test_long_paths_are_counted_as_shown(self):
        h = service()
        path = self.snapshot(h)
        text = run("why", path, h.address("one data"), "--limit", "3")[0]
        self.assertIn("... 3 more steps", text)  # of six
        self.assertEqual(sum("->" in line for line in text.splitlines()), 3)

    def test_what_python_cannot_say_is_not_said(self):
        for key in (b"it's", b"back\\slash", b"new\nline", b"\xff", b"x" * 500, b"class"):
            with self.subTest(key=key[:20]):
                h = service()
                h.add("key", "str", 50, (TEXT, key))
                h.add("value", "list", 56)
                h.item("cache", "key", "value")
                said = ask("why", self.snapshot(h), h.address("value"))["expressions"][0]
                if key in (b"new\nline", b"\xff", b"x" * 500):
                    self.assertIsNone(said)
                else:
                    self.assertEqual(said,
                                     "app.cache.CACHE[%s]" % ("'%s'" % key.decode().replace("\\", "\\\\").replace("'", "\\'")))

    def test_numbers_are_keys_too(self):
        h = service()
        h.add("key", "int", 28, (INTEGER, (-7).to_bytes(8, "little", signed=True)))
        h.add("value", "list", 56)
        h.item("cache", "key", "value")
        self.assertEqual(ask("why", self.snapshot(h), h.address("value"))["expressions"], ["app.cache.CACHE[-7]"])

    def pairs(self, attributes=("parent", "child")):
        """Two Sessions that hold each other by attributes in their dicts, twice: garbage."""
        h = Heap()
        for a in attributes:
            h.add(a, "str", 54, (TEXT, a.encode()))
            h.root(a, b"interned")
        for pair in "pq":
            for n in "ab":
                h.add(pair + n, "Session", 48)
                h.add(pair + n + " dict", "dict", 104)
                h.edge(pair + n, pair + n + " dict", LABEL_STRING, b"__dict__")
            h.item(pair + "a dict", attributes[1], pair + "b")
            h.item(pair + "b dict", attributes[0], pair + "a")
        return h

    def test_a_cycle_through_dicts(self):
        h = self.pairs()
        path = self.snapshot(h)
        text = run("cycles", path)[0]
        self.assertEqual([line.split("  0x")[0].strip() for line in text.splitlines()[3:]], [
            "Session", ".child -> Session", "Session", ".parent -> Session",
            "to break it: make Session.parent weak"])
        self.assertIn("cycle 1: 4 objects, 304 B; retains 304 B; and 1 more like it", text)
        apart = run("cycles", path, "--no-fold")[0]
        self.assertIn("    .__dict__ -> dict", apart)
        self.assertIn("    ['parent'] -> Session", apart)
        cycle = ask("cycles", path)["cycles"][0]
        self.assertEqual(cycle["advice"], "make Session.parent weak")
        self.assertEqual([(e["from"], e["to"]) for e in cycle["cut"]], [(h.address("pb dict"), h.address("pa"))])
        self.assertEqual(len(cycle["members"]), 4)

    def test_a_dict_is_never_what_is_made_weak(self):
        cycle = ask("cycles", self.snapshot(self.pairs(("left", "right"))))["cycles"][0]
        self.assertRegex(cycle["advice"], "^make Session[.](left|right) weak$")

    def test_who_owns_a_collection_keeps_it(self):
        """A list is held by its owner alone; what its items point back with is made weak."""
        h = Heap()
        for n in ("lines", "order"):
            h.add(n, "str", 54, (TEXT, n.encode()))
            h.root(n, b"interned")
        h.add("shop order", "Session", 48)
        h.add("shop order dict", "dict", 104)
        h.add("list", "list", 88)
        h.edge("shop order", "shop order dict", LABEL_STRING, b"__dict__")
        h.item("shop order dict", "lines", "list")
        for i in range(3):
            h.add("line%d" % i, "module", 48)
            h.add("line%d dict" % i, "dict", 104)
            h.edge("line%d" % i, "line%d dict" % i, LABEL_STRING, b"__dict__")
            h.item("line%d dict" % i, "order", "shop order")
            h.edge("list", "line%d" % i, LABEL_INDEX, i)
        self.assertEqual(ask("cycles", self.snapshot(h))["cycles"][0]["advice"], "make module.order weak")

    def test_an_exception_and_its_frame(self):
        """Nobody can make a frame's variable weak; the traceback is let go of."""
        h = Heap()
        for n in ("error", "traceback", "frame"):
            h.add(n, "Session", 40)
        h.edge("error", "traceback", LABEL_STRING, b"__traceback__")
        h.edge("traceback", "frame", LABEL_STRING, b"tb_frame")
        h.edge("frame", "error", LABEL_STRING, b"error")
        self.assertEqual(ask("cycles", self.snapshot(h))["cycles"][0]["advice"], "drop Session.__traceback__")

    def test_dicts_that_own_each_other(self):
        """A chain and a ring of __dict__ edges, as a hostile file might have them."""
        h = Heap()
        for n in ("a", "b", "c", "x", "y"):
            h.add(n, "Session", 40)
        for source, target in (("a", "b"), ("b", "c"), ("x", "y"), ("y", "x")):
            h.edge(source, target, LABEL_STRING, b"__dict__")
        h.root("a", b"sys.modules")
        text = run("summary", self.snapshot(h))[0]
        self.assertIn("\n2 dicts of attributes", text)
        self.assertEqual(self.rows(text)["Session"][1:4], ["3", "200", "B"])


if __name__ == "__main__":
    unittest.main()
