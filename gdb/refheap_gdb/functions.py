"""Convenience functions, for conditions and printf: $refheap_count(o), $refheap_generation(o), $refheap_type(o),
$refheap_garbage(o). They answer from the snapshot that the commands answer from."""

import gdb

from . import target
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
        return self._convert(_facts_of(value)[self._key])


def register():
    _Function("count", """The refcount of an object, -1 when it is immortal.
Usage: $refheap_count (OBJECT)""", "refcount", lambda count: -1 if count is None else count)
    _Function("generation", """The generation of an object: 0, 1, 2, 3 for permanent, -1 for untracked.
Usage: $refheap_generation (OBJECT)""", "generation")
    _Function("type", """The name of an object's type.
Usage: $refheap_type (OBJECT)""", "type", _c_string)
    _Function("garbage", """Whether the collector, collecting the oldest generation now, would find the object: 1 or 0.
Usage: $refheap_garbage (OBJECT)""", "garbage", int)
