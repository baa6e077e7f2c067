"""Convenience functions, for conditions and printf: $refheap_count(o), $refheap_generation(o), $refheap_type(o),
$refheap_garbage(o). What stands in an object of librefheap is read there, since conditions are judged often; all else they
answer from the snapshot that the commands answer from."""

import gdb

from . import objects, process, target
from .asking import address_of, answer

_facts = {}  # of the snapshot they were asked of
_asked_of = None


def _facts_of(value):
    """What `refheap object --json` says of the object a value points at."""
    global _asked_of
    address = address_of(value, "the argument")
    snapshot = target.snapshot()
    if _asked_of is not snapshot:
        _facts.clear()
        _asked_of = snapshot
    if address not in _facts:
        _facts[address] = answer(["object", address], snapshot)
    return _facts[address]


def _at_once(value):
    """What an object of the stopped program says of itself; None where that is not certain."""
    heap = None if target.loaded() or not process.kind() else objects.heap()
    if heap is None:
        return None
    process.require_stopped()
    try:
        found = heap.object_at(int(address_of(value, "the argument"), 16))
    except objects.Unreadable:
        return None
    if found.refcount <= 0:  # freed, or about to be
        return None
    return {"refcount": None if found.refcount >= heap.immortal else found.refcount, "type": found.type.name,
            "generation": -1 if found.generation == objects.UNTRACKED else found.generation}


def _c_string(text):
    """An array of char that ends as C strings do, for printf %s: a plain Python string would not."""
    raw = text.encode("utf-8", "replace") + b"\0"
    try:
        return gdb.Value(raw, gdb.lookup_type("char").array(len(raw) - 1))
    except (gdb.error, TypeError):
        return text


class _Function(gdb.Function):
    def __init__(self, name, doc, key, convert=lambda x: x):
        self.__doc__ = doc
        self._key, self._convert = key, convert
        super().__init__("refheap_" + name)

    def invoke(self, value):
        facts = None if self._key == "garbage" else _at_once(value)
        return self._convert((facts or _facts_of(value))[self._key])


def register():
    _Function("count", """The refcount of an object, -1 when it is immortal.
Usage: $refheap_count (OBJECT)""", "refcount", lambda count: -1 if count is None else count)
    _Function("generation", """The generation of an object: 0, 1, 2, 3 for permanent, -1 for untracked.
Usage: $refheap_generation (OBJECT)""", "generation")
    _Function("type", """The name of an object's type.
Usage: $refheap_type (OBJECT)""", "type", _c_string)
    _Function("garbage", """Whether the collector, collecting the oldest generation now, would find the object: 1 or 0.
Usage: $refheap_garbage (OBJECT)""", "garbage", int)
