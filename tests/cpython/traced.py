"""A program that tracemalloc watches, and that says of its own objects where tracemalloc has them made.

usage: traced.py TRUTH HOW FRAMES POPULATION [SNAPSHOT]

HOW is one of
  off      tracemalloc is never on
  on       it is from the start, with so many FRAMES
  stopped  it was, and is no more
  again    it was, and is once more: what was made before and in between has no traces
  cleared  it is, and has forgotten all until now

With SNAPSHOT the program dumps itself. Then the truth is written to the file TRUTH as JSON - {"objects": {ADDRESS: number
of a traceback, -1 for none}, "tracebacks": [[[FILE, LINE], ...], ...]}, innermost frame first - of all objects that can be
reached; "ready" is printed, and nothing runs until standard input ends.
"""

import gc
import json
import os
import sys
import tracemalloc

if sys.argv[2] in ("on", "cleared"):
    tracemalloc.start(int(sys.argv[3]))

gc.disable()
FLAGS = type.__dict__["__flags__"].__get__
MANAGED_DICT = 1 << 4


def nested(depth):
    return nested(depth - 1) if depth else [object(), {"depth": depth}, (depth, [depth]), "made " + str(depth)]


def nested_otherwise(depth):
    return [nested_otherwise(depth - 1), bytearray(3)] if depth % 3 else [nested(depth)]


class Plain:
    def __init__(self, held):
        self.held = held


class Slots:
    __slots__ = ("held",)


class Both(Slots):
    pass


class Listed(list):
    pass


class Number(int):
    pass


def made():
    """Objects of every way to be laid out, from many places."""
    kept = [nested(depth) for depth in range(12)]
    kept += [nested_otherwise(depth) for depth in range(12)]
    for i in range(50):
        kept += [Plain(i), Slots(), Both(), Listed([i]), Number(1000 + i), {i: str(i)}, {i, str(i)}, (i for i in kept)]
        kept += [b"%d" % i, 1.5 * i, [i] * i, lambda: i, type("T%d" % i, (Plain,), {}), ValueError(i), 2 ** 70 + i]
    return kept


def block_traceback(o):
    """3.11 looks for what has a dict before it at the wrong place; at the right one there is a trace."""
    import ctypes
    ask = ctypes.pythonapi._PyTraceMalloc_GetTraceback
    ask.argtypes, ask.restype = (ctypes.c_uint, ctypes.c_size_t), ctypes.py_object
    return ask(0, id(o) - 32)


def traceback_of(o):
    """((FILE, LINE), ...), or None."""
    found = tracemalloc.get_object_traceback(o)
    if found is not None:
        return tuple((f.filename, f.lineno) for f in reversed(found))
    if sys.version_info[:2] == (3, 11) and FLAGS(type(o)) & MANAGED_DICT:
        return block_traceback(o)
    return None


def everything():
    seen, work = {}, gc.get_objects()
    while work:
        o = work.pop()
        if id(o) not in seen:
            seen[id(o)] = o
            work.extend(gc.get_referents(o))
    return list(seen.values())


def write_truth(path, objects):
    numbers, of = {}, {}
    for o in objects:
        t = traceback_of(o)
        of["%x" % id(o)] = -1 if t is None else numbers.setdefault(t, len(numbers))
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as f:
        json.dump({"objects": of, "tracebacks": list(numbers)}, f)


def main():
    truth, how, frames, population = sys.argv[1:5]
    kept = [made()]
    if how == "again":
        tracemalloc.start(3)
        kept.append(made())
        tracemalloc.stop()
        kept.append(made())
        tracemalloc.start(int(frames))
    sys.path.insert(0, os.path.dirname(os.path.abspath(population)))
    kept.append(__import__(os.path.splitext(os.path.basename(population))[0]).populate())
    kept.append(made())
    if how == "stopped":
        tracemalloc.start(2)
        kept.append(made())
        tracemalloc.stop()
    if how == "cleared":
        tracemalloc.clear_traces()
    objects = everything()
    if len(sys.argv) > 5:
        import refheap
        refheap.dump(sys.argv[5])
    write_truth(truth, objects)
    os.write(1, b"ready\n")
    while os.read(0, 1):
        pass
    return kept, objects


if __name__ == "__main__":
    main()
    os._exit(0)
