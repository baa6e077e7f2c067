"""Objects that a test knows by name: in frames of threads, in interpreters of their own, and as garbage."""

import gc
import sys
import threading


class Plain:
    def __init__(self):
        self.me = self


class Slots:
    __slots__ = ("a", "b")


class Both(Plain):
    __slots__ = ("c",)


class Meta(type):
    pass


class Derived(dict, metaclass=Meta):
    pass


def generate():
    held = ["held by a generator"]
    yield held


def work(ready, end):
    only_here = Plain()
    text = "seen by a thread"
    ready.set()
    end.wait()
    return only_here, text


def interpreters(count):
    """Makes some, in which nothing runs."""
    try:
        import _interpreters as interp
    except ImportError:
        import _xxsubinterpreters as interp
    made = [interp.create() for _ in range(count)]
    for i in made:
        interp.run_string(i, "import threading; kept = [object() for _ in range(100)]")
    return made


def populate(subinterpreters="0"):
    kept = [Plain() for _ in range(10)]
    gc.collect()
    frozen = Plain()
    gc.freeze()
    old = [Plain() for _ in range(3)]
    gc.collect()
    young = [Plain()]
    gc.collect(0)
    generator = generate()
    next(generator)
    s, b, d = Slots(), Both(), Derived(x=1)
    s.a, b.c, d.own = s, [b], d
    for _ in range(7):
        Plain()
    try:
        raise ValueError("kept with its traceback")
    except ValueError as error:
        kept.append(error)
    ready, end = threading.Event(), threading.Event()
    thread = threading.Thread(target=work, args=(ready, end), daemon=True)
    thread.start()
    ready.wait()
    made = interpreters(int(subinterpreters))
    return kept, frozen, old, young, generator, s, b, d, thread, end, made, sys.version
