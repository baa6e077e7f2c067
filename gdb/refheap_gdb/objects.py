"""Objects of librefheap as memory shows them, read by the field tables of their types (refheap/object.h).

Nothing here is believed: memory may be freed, overwritten, or of something else altogether. Whatever cannot be read raises
Unreadable, lengths are bounded by those who ask, and what was read is forgotten as soon as the target moves.
"""

import struct

import gdb

from . import control, process

STRONG, WEAK, BORROWED, TAGGED, ARRAY, INLINE_ARRAY, BYTES, CHILDREN, TABLE = range(1, 10)
INT, UINT, BOOL, FLOAT, TEXT, NAME, DATA, CSTRING, NOTHING = range(16, 25)
FIXED, KEYS, VALUES, ITEMS, ATTRIBUTES = 8, 2, 4, 16, 32

_PAGE, _PAGES_MAX = 4096, 2048
_FIELDS_MAX, _NAME_MAX, _SIZE_MAX = 1000, 200, 1 << 30
_CHUNK = 256  # elements of an array that are read at a time
_SCAN_MAX = 1 << 20  # elements looked at, of one array: a damaged one may claim any number
UNTRACKED = 4


class Unreadable(Exception):
    """Memory that is not there, or not what it should be."""


class Field:
    __slots__ = ("name", "kind", "flags", "count_size", "offset", "count_offset", "stride", "key_offset", "value_offset", "mask",
                 "other")


class Type:
    __slots__ = ("address", "name", "size", "fields")

    def value(self):
        """The field that is its value: the first of a kind without references; None for none."""
        return next((f for f in self.fields if f.kind >= INT), None)

    def items(self):
        """The array that its objects as a whole are made of."""
        return next((f for f in self.fields if f.kind in (ARRAY, INLINE_ARRAY) and f.flags & ITEMS), None)

    def table(self, attributes):
        """Its table of attributes, or the one that makes it a dict or a set."""
        return next((f for f in self.fields if f.kind == TABLE and bool(f.flags & ATTRIBUTES) == attributes), None)

    def is_value(self):
        """Whether there is nothing to its objects but their value."""
        return len(self.fields) == 1 and self.fields[0].kind >= INT


class Object:
    __slots__ = ("address", "type", "refcount", "generation")


class Memory:
    """Reads whole pages and keeps them: a target may be at the other end of a slow line."""

    def __init__(self, inferior):
        self._inferior, self._pages = inferior, {}

    def _page(self, start):
        page = self._pages.get(start)
        if page is None:
            try:
                page = bytes(self._inferior.read_memory(start, _PAGE))
            except (gdb.error, OverflowError, ValueError):
                page = b""
            if len(self._pages) >= _PAGES_MAX:
                self._pages.clear()
            self._pages[start] = page
        if not page:
            raise Unreadable()
        return page

    def read(self, address, size):
        if not 0 < address <= (1 << 64) - 1 - size:
            raise Unreadable()
        found = b""
        while len(found) < size:
            at = address + len(found)
            offset = at % _PAGE
            found += self._page(at - offset)[offset:offset + size - len(found)]
        return found

    def number(self, address, size=8, signed=False):
        return int.from_bytes(self.read(address, size), "little", signed=signed)

    def text(self, address, limit):
        """Bytes up to a zero, at most `limit`."""
        found = b""
        while len(found) < limit:
            at = address + len(found)
            piece = self._page(at - at % _PAGE)[at % _PAGE:][:limit - len(found)]
            end = piece.find(b"\0")
            if end >= 0:
                return found + piece[:end]
            found += piece
        return found


class Heap:
    """What is read of one target at one stop."""

    def __init__(self, inferior, layout, immortal):
        self.memory, self.layout, self._types = Memory(inferior), layout, {}
        self.immortal = immortal

    def object_at(self, address):
        """The object at an address. Raises Unreadable where there is none."""
        if address % 8:
            raise Unreadable()
        found, l = Object(), self.layout
        found.address = address
        found.refcount = self.memory.number(address + l.object_refcount, 8, True)
        found.type = self.type_at(self.memory.number(address + l.object_type))
        found.generation = self.memory.number(address + l.object_links) & l.generation_mask
        if found.generation > UNTRACKED or found.refcount < 0:
            raise Unreadable()
        return found

    def type_at(self, address):
        found = self._types.get(address)
        if found is None:
            try:
                found = self._read_type(address)
            except (Unreadable, UnicodeDecodeError):
                found = Unreadable()
            self._types[address] = found
        if isinstance(found, Unreadable):
            raise found
        return found

    def _name(self, address):
        name = self.memory.text(address, _NAME_MAX).decode("utf-8")
        if not name.isprintable():
            raise Unreadable()
        return name

    def _read_type(self, address):
        m, l, found = self.memory, self.layout, Type()
        heap = m.number(address + l.type_heap)
        found.address, found.name = address, self._name(m.number(address + l.type_name))
        found.size = m.number(address + l.type_size)
        count = m.number(address + l.type_field_count, 4)
        if (not found.name or address % 8 or not l.object_size <= found.size <= _SIZE_MAX or count > _FIELDS_MAX or
                not m.number(heap + l.heap_types)):
            raise Unreadable()
        table = m.number(address + l.type_fields)
        found.fields = [self._read_field(table + i * l.field_size) for i in range(count)]
        return found

    def _read_field(self, at):
        m, l, f = self.memory, self.layout, Field()
        f.name = self._name(m.number(at + l.field_name))
        f.kind, f.flags, f.count_size = (m.number(at + o, 1) for o in (l.field_kind, l.field_flags, l.field_count_size))
        f.offset, f.count_offset, f.stride, f.key_offset, f.value_offset = (
            m.number(at + o, 4) for o in (l.field_offset, l.field_count_offset, l.field_stride, l.field_key_offset,
                                          l.field_value_offset))
        f.mask, f.other = m.number(at + l.field_mask), m.number(at + l.field_other)
        return f

    # ---- what stands in an object's fields ----

    def count(self, o, f):
        if f.flags & FIXED:
            return f.count_offset
        if f.count_size not in (1, 2, 4, 8):
            raise Unreadable()
        return self.memory.number(o.address + f.count_offset, f.count_size)

    def reference(self, o, f):
        """The address a field of one reference holds; 0 for none."""
        word = self.memory.number(o.address + f.offset)
        if f.kind == TAGGED:
            return 0 if word & f.other else word & ~f.mask
        return word

    def _pieces(self, o, f):
        """The elements of an array or table, as bytes, each. Ends with Unreadable where memory does."""
        if not 0 < f.stride <= 1 << 16:
            raise Unreadable()
        base = o.address + f.offset if f.kind == INLINE_ARRAY else self.memory.number(o.address + f.offset)
        count, first = self.count(o, f), 0
        while first < count:
            if first >= _SCAN_MAX:
                raise Unreadable()
            n = min(_CHUNK, count - first)
            try:
                piece = self.memory.read(base + first * f.stride, n * f.stride)
            except Unreadable:
                if n == 1:
                    raise
                n, piece = 1, self.memory.read(base + first * f.stride, f.stride)
            for i in range(n):
                yield piece[i * f.stride:(i + 1) * f.stride]
            first += n

    @staticmethod
    def _word(piece, offset):
        if offset + 8 > len(piece):
            raise Unreadable()
        return struct.unpack_from("<Q", piece, offset)[0]

    def elements(self, o, f):
        """Addresses of what an array refers to, 0 for none."""
        for piece in self._pieces(o, f):
            yield self._word(piece, f.key_offset)

    def entries(self, o, f):
        """(key, value) of the used entries of a table: words, which are addresses if the field's flags say so."""
        for piece in self._pieces(o, f):
            key = self._word(piece, f.key_offset)
            if key not in (f.mask, f.other):
                yield key, self._word(piece, f.value_offset) if f.flags & VALUES or f.value_offset + 8 <= len(piece) else 0

    def children(self, o, f):
        """Addresses of the children in a list, which may end in itself."""
        first = child = self.memory.number(o.address + f.offset)
        while child:
            yield child
            child = self.memory.number(child + f.value_offset)
            if child == first:
                return

    def value(self, o, f, limit):
        """The value in a field: an int, a bool, a float, None; or (bytes, whether there are more than the limit)."""
        at = o.address + f.offset
        if f.kind in (INT, UINT):
            return self.memory.number(at, f.count_size if f.count_size in (1, 2, 4, 8) else 8, f.kind == INT)
        if f.kind == BOOL:
            return self.memory.number(at, 1) != 0
        if f.kind == FLOAT:
            return struct.unpack("<d", self.memory.read(at, 8))[0]
        if f.kind == CSTRING:
            text = self.memory.number(at)
            found = self.memory.text(text, limit + 1) if text else None
            return None if found is None else (found[:limit], len(found) > limit)
        if f.kind in (TEXT, NAME, DATA):
            length = self.count(o, f)
            return self.memory.read(at, min(length, limit)), length > limit
        return None


_heap, _heap_of = None, None


def forget(event=None):
    """Drops what was read: it may have changed."""
    global _heap, _heap_of
    _heap = _heap_of = None


def heap():
    """What is to be read of the selected inferior; None where there is no librefheap, or one that is not known, and while it
    runs."""
    global _heap, _heap_of
    inferior = gdb.selected_inferior()
    if process.is_running(inferior):
        return None
    if process.is_judging():
        forget()
    if _heap_of != (inferior.num, inferior.pid):
        _heap, _heap_of = None, (inferior.num, inferior.pid)
        address = control.by_symbol(inferior) if process.kind() else None
        layout = control.layout(inferior, address) if address else None
        if layout:
            _heap = Heap(inferior, layout, 1 << 62)
    return _heap
