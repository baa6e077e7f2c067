"""A program that says the truth about its own heap, and then stands still to be looked at.

usage: target.py TRUTH POPULATION [ARGUMENT...]

POPULATION is a Python file with a function populate(), whose result is kept. What the collector knows is written to the
file TRUTH, a line for each object, from within: generations, refcounts, sizes, referents. Then "ready" is printed, and
nothing runs until standard input ends. Nothing of the writing is alive by then; what a forked copy of the process, whose
heap is the same, finds to be garbage of each generation stands in TRUTH.0 to TRUTH.2.

Runs on any CPython from 3.8 on.
"""

import gc
import os
import resource
import signal
import sys
import weakref

gc.disable()
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # a mistake here must not take the machine along

FLAG_GC = 1 << 14


MRO, DICT, NAME = (type.__dict__[name].__get__ for name in ("__mro__", "__dict__", "__name__"))
METHOD = type(list.append)


def rest_of(o):
    """Size and type. No code of a class is run: a mock makes more of itself when it is asked for its size."""
    size = -1
    for c in MRO(type(o)) or ():
        how = DICT(c).get("__sizeof__")
        if how is not None:
            if type(how) is METHOD:
                size = sys.getsizeof(o)
            break
    return "%d %s" % (size, NAME(type(o)).replace(" ", "_"))


def write_truth(path):
    """object ID GENERATION REFCOUNT SIZE TYPE-ID TYPE REFERENT...; 3 is the permanent generation, 4 untracked."""
    out = open(path, "w", buffering=1 << 20, errors="replace")
    frozen = gc.get_freeze_count()
    skip = {id(sys._getframe()), id(sys._getframe(1)), id(out), id(out.buffer), id(out.buffer.raw)}
    skip.update(map(id, gc.get_referents(out)))
    probe = [[]]
    lists = []
    for generation in range(3):
        lists.append(gc.get_objects(generation=generation))
    for o in probe:
        over = sys.getrefcount(o) - 1  # what looking at it costs; the reference of `probe` is its own
    out.write("frozen %d\n" % frozen)
    seen, work = set(), []
    skip |= set(map(id, lists)) | {id(lists), id(probe), id(probe[0]), id(seen), id(work), id(skip)}
    seen |= skip
    for generation, objects in enumerate(lists):
        for o in objects:
            found = f = None  # noqa: F841 (they held what the object before refers to)
            count = sys.getrefcount(o) - over
            if id(o) in skip:
                continue
            seen.add(id(o))
            found = gc.get_referents(o)
            out.write("object %x %d %d %x %s" % (id(o), generation, count, id(type(o)), rest_of(o)))
            for f in found:
                out.write(" %x" % id(f))
            out.write("\n")
            work.append(o)
    for objects in lists:
        objects.clear()  # the first of them has the list of lists
    lists.clear()
    while work:
        for f in gc.get_referents(work.pop()):
            if id(f) in seen:
                continue
            seen.add(id(f))
            work.append(f)
            found = gc.get_referents(f)
            tracked = gc.is_tracked(f)
            out.write("object %x %d -1 %x %s" % (id(f), 3 if tracked else 4, id(type(f)), rest_of(f)))
            for g in found:
                out.write(" %x" % id(g))
            out.write("\n")
    out.close()


try:
    import ctypes
    fork = ctypes.PyDLL(None).fork  # os.fork() has Python code run that makes locks anew
except ImportError:
    fork = os.fork


class Last:
    """Garbage whose death is told when the collector has told what it found, and before any finalizer runs."""

    __slots__ = ("me", "__weakref__")


def write_garbage(path, generation):
    """What a copy of this process finds when it collects, a line each, to a file of its own."""
    child = fork()
    if not child:
        signal.alarm(120)
        try:
            told = os.open("%s.%d" % (path, generation), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(told, 2)
            sys.stderr = open(2, "w", buffering=1 << 16, errors="replace")
            last = Last()
            last.me = last
            sys.stderr.write("last %x\n" % id(last))
            watch = weakref.ref(last, lambda _: (sys.stderr.flush(), os._exit(0)))
            gc.set_debug(gc.DEBUG_COLLECTABLE | gc.DEBUG_UNCOLLECTABLE)
            del last
            gc.collect(generation)
            sys.stderr.write("the garbage was not told: %r\n" % watch)
        finally:
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the copy did not tell its garbage")


def main():
    truth, population = sys.argv[1:3]
    sys.path.insert(0, os.path.dirname(os.path.abspath(population)))
    # A population is what a program leaves in its variables, and what it drops.
    made = __import__(os.path.splitext(os.path.basename(population))[0])
    kept = made.populate(*sys.argv[3:])
    write_truth(truth)
    for generation in range(3):
        write_garbage(truth, generation)
    os.write(1, b"ready\n")
    while os.read(0, 1):
        pass
    return kept


if __name__ == "__main__":
    main()
    os._exit(0)
