"""The elements of each block, checked one by one: section 3 but for what ids name."""

import bisect
import itertools
import re
import struct
from typing import Dict, Iterator, List, Tuple

from .blocks import Block
from .columns import check_zero, parse_columns
from .errors import FormatError
from .layout import (
    CONTAINER, EDGE_COLUMNS, EDGES, EDGES_HEAD, ENUMERATED, FIELDS, GENERATION_BITS, GENERATIONS, HEAPS,
    KNOWN_BITS, LABEL_KIND_SHIFT, LAYOUTS, MAX_FIELDS, MODULES, OBJECT_COLUMNS, OBJECTS, OBJECTS_HEAD,
    PROCESS, ROOTS, SITES, STATE_BITS, STRING_HEAD, STRINGS, TYPES, U64_MAX, VALUE_BOOL, VALUE_HEAD,
    VALUE_KINDS, VALUE_LARGE_INTEGER, VALUE_LENGTHS, VALUE_NAME, VALUES, Layout, pad8, section_name)
from .model import (
    COUNTED, LABEL_IS_KEY, NONE, TRAVERSED, UNTRACKED, VALUES_LEFT_OUT, WEAK, AnyText, Header, Text, Value)


WHOLE_INTEGER = re.compile(rb"-?0x[0-9a-fA-F]+")
CUT_INTEGER = re.compile(rb"-?(0(x[0-9a-fA-F]*)?)?")


class Contents:
    """What the blocks of a file hold; strings and types by id, all else in file order."""

    def __init__(self, header: Header):
        self.header = header
        self.rows: Dict[int, List] = {section: [] for section in LAYOUTS}
        self.texts: Dict[int, AnyText] = {0: b""}
        self.types: Dict[int, tuple] = {}
        self.fields: Dict[Tuple[int, int], tuple] = {}
        self.object_rows: List[tuple] = []  # the heap, then the columns in the order of their ids
        self.edge_rows: List[tuple] = []  # the columns in the order of their ids
        self.values: List[Value] = []
        self.object_bytes = 0
        self.out_degrees = 0
        self.trailer_offset = 0
        self._places: Dict[int, Tuple[List[int], List[int]]] = {}

    def note_place(self, block: Block) -> None:
        firsts, offsets = self._places.setdefault(block.section, ([], []))
        firsts.append(block.first)
        offsets.append(block.offset)

    def error(self, section: int, index: int, message: str) -> FormatError:
        """An error about the element `index` of a section."""
        firsts, offsets = self._places[section]
        offset = offsets[bisect.bisect_right(firsts, index) - 1]
        return FormatError(message, section_name(section), offset)

    def trailer_error(self, message: str) -> FormatError:
        """An error that shows when the trailer is reached."""
        return FormatError(message, "trailer", self.trailer_offset)


class ElementReader:
    """Puts the elements of blocks into Contents."""

    def __init__(self, header: Header):
        self.contents = Contents(header)
        self.values_left_out = bool(header.flags & VALUES_LEFT_OUT)
        self._generations = set()
        self._element_checks = {
            PROCESS: self._check_process, MODULES: self._check_module, HEAPS: self._check_heap,
            GENERATIONS: self._check_generation, TYPES: self._check_type, FIELDS: self._check_field,
            ROOTS: self._check_root, SITES: self._check_site,
        }

    def read(self, block: Block) -> None:
        """Any block but the trailer."""
        self.contents.note_place(block)
        if block.section == STRINGS:
            self._strings(block)
        elif block.section == OBJECTS:
            self._objects(block)
        elif block.section == EDGES:
            self._edges(block)
        elif block.section == VALUES:
            self._values(block)
        else:
            self._fixed(block, LAYOUTS[block.section])

    # Sections of fixed elements.

    def _fixed(self, block: Block, layout: Layout) -> None:
        if len(block.payload) != block.count * layout.struct.size:
            raise block.error("raw length %d of %d elements of %d bytes"
                              % (len(block.payload), block.count, layout.struct.size))
        rows = [layout.row._make(row) for row in layout.struct.iter_unpack(block.payload)]
        enumerated = ENUMERATED.get(block.section, {})
        known_bits = KNOWN_BITS.get(block.section, {})
        check = self._element_checks.get(block.section)
        for index, row in enumerate(rows, block.first):
            for name in layout.reserved:
                if getattr(row, name):
                    raise block.error("the %s field is not zero" % name)
            for name, values in enumerated.items():
                if getattr(row, name) not in values:
                    raise block.error("unknown %s %d" % (name, getattr(row, name)))
            for name, known in known_bits.items():
                if getattr(row, name) & ~known:
                    raise block.error("reserved bits in %s 0x%x" % (name, getattr(row, name)))
            if check:
                check(block, index, row)
        self.contents.rows[block.section] += rows

    def _check_process(self, block: Block, index: int, _row) -> None:
        if index > 0:
            raise block.error("a second process")

    def _check_module(self, block: Block, _index: int, row) -> None:
        if row.build_id_length > len(row.build_id):
            raise block.error("build id length %d" % row.build_id_length)
        if any(row.build_id[row.build_id_length:]):
            raise block.error("a build id is not zero beyond its length")

    def _check_heap(self, block: Block, index: int, row) -> None:
        if row.id != index:
            raise block.error("heap id %d of heap %d" % (row.id, index))

    def _check_generation(self, block: Block, _index: int, row) -> None:
        if (row.heap, row.generation) in self._generations:
            raise block.error("generation %d of heap %d repeats" % (row.generation, row.heap))
        self._generations.add((row.heap, row.generation))

    def _check_type(self, block: Block, _index: int, row) -> None:
        if row.id == NONE:
            raise block.error("type id NONE is defined")
        if row.fields > MAX_FIELDS:
            raise block.error("%d fields of type %d" % (row.fields, row.id))
        if self.contents.types.setdefault(row.id, row) != row:
            raise block.error("type %d has two meanings" % row.id)

    def _check_field(self, block: Block, _index: int, row) -> None:
        if self.contents.fields.setdefault((row.type, row.number), row) != row:
            raise block.error("field %d of type %d has two meanings" % (row.number, row.type))

    def _check_root(self, block: Block, _index: int, row) -> None:
        if row.object == 0:
            raise block.error("a root of address 0")

    def _check_site(self, block: Block, index: int, row) -> None:
        if row.caller != NONE and row.caller >= index:
            raise block.error("site %d is called by site %d" % (index, row.caller))

    # Sections of variable elements.

    def _strings(self, block: Block) -> None:
        for (string_id, kept, length), text in self._variable(block, STRING_HEAD, 1):
            if string_id in (0, NONE):
                raise block.error("string id %d is defined" % string_id)
            if kept > length:
                raise block.error("string %d keeps %d of %d bytes" % (string_id, kept, length))
            text = text if kept == length else Text(text, length)
            if self.contents.texts.setdefault(string_id, text) != text:
                raise block.error("string %d has two meanings" % string_id)

    def _values(self, block: Block) -> None:
        for (address, length, kept, kind, reserved), content in self._variable(block, VALUE_HEAD, 2):
            if reserved:
                raise block.error("the reserved field of a value is not zero")
            if address == 0:
                raise block.error("a value of address 0")
            if kept > length:
                raise block.error("a value keeps %d of %d bytes" % (kept, length))
            if kind not in VALUE_KINDS:
                raise block.error("unknown kind of value %d" % kind)
            if kind in VALUE_LENGTHS and not kept == length == VALUE_LENGTHS[kind]:
                raise block.error("value kind %d of length %d, %d kept" % (kind, length, kept))
            if kind == VALUE_BOOL and content[0] > 1:
                raise block.error("bool value %d" % content[0])
            if kind == VALUE_LARGE_INTEGER and not (WHOLE_INTEGER.fullmatch(content) or
                                                    kept < length and CUT_INTEGER.fullmatch(content)):
                raise block.error("%r is no large integer" % content)
            if self.values_left_out and kind != VALUE_NAME:
                raise block.error("value kind %d in a file whose values were left out" % kind)
            self.contents.values.append(Value(address, kind, content, length))

    @staticmethod
    def _variable(block: Block, head: struct.Struct, kept_index: int) -> Iterator[Tuple[tuple, bytes]]:
        """The elements: a head, as many bytes as its field `kept_index` says, padding."""
        payload, position = block.payload, 0
        for _ in range(block.count):
            start = position + head.size
            if start > len(payload):
                raise block.error("an element passes the end of its block")
            values = head.unpack_from(payload, position)
            end = start + values[kept_index]
            position = pad8(end)
            if position > len(payload):
                raise block.error("an element passes the end of its block")
            check_zero(block, end, position)
            yield values, payload[start:end]
        if position != len(payload):
            raise block.error("bytes after the last element of a block")

    # Sections of columns.

    def _objects(self, block: Block) -> None:
        contents = self.contents
        if len(block.payload) < OBJECTS_HEAD.size:
            raise block.error("raw length %d" % len(block.payload))
        heap, entries, reserved, first_edge = OBJECTS_HEAD.unpack_from(block.payload)
        if reserved:
            raise block.error("the reserved field of a block of objects is not zero")
        columns = parse_columns(block, OBJECTS_HEAD.size, entries, OBJECT_COLUMNS)
        if first_edge != contents.out_degrees:
            raise block.error("first edge %d, not %d" % (first_edge, contents.out_degrees))
        in_order = [columns[column.name] for column in OBJECT_COLUMNS]
        for row in zip(itertools.repeat(heap, block.count), *in_order):
            _, address, _, size, _, out_degree, state, _, _, _, _, content_hash = row
            if address == 0:
                raise block.error("an object at address 0")
            self._check_state(block, state)
            if self.values_left_out and content_hash:
                raise block.error("a content hash in a file whose values were left out")
            contents.object_bytes += size
            contents.out_degrees += out_degree
            contents.object_rows.append(row)
        if max(contents.object_bytes, contents.out_degrees) > U64_MAX:
            raise block.error("the sum of the sizes or out-degrees passes 2^64 - 1")

    @staticmethod
    def _check_state(block: Block, state: int) -> None:
        generation = state & GENERATION_BITS
        if state & ~STATE_BITS or generation > UNTRACKED:
            raise block.error("state 0x%x" % state)
        if generation != UNTRACKED and not state & CONTAINER:
            raise block.error("an object in generation %d is no container" % generation)

    def _edges(self, block: Block) -> None:
        if len(block.payload) < EDGES_HEAD.size:
            raise block.error("raw length %d" % len(block.payload))
        entries, reserved, reserved2 = EDGES_HEAD.unpack_from(block.payload)
        if reserved or reserved2:
            raise block.error("a reserved field of a block of edges is not zero")
        columns = parse_columns(block, EDGES_HEAD.size, entries, EDGE_COLUMNS)
        for row in zip(*(columns[column.name] for column in EDGE_COLUMNS)):
            target, info, _ = row
            if target == 0:
                raise block.error("an edge to address 0")
            if info >> LABEL_KIND_SHIFT > LABEL_IS_KEY:
                raise block.error("unknown label kind %d" % (info >> LABEL_KIND_SHIFT))
            if info & WEAK and info & (COUNTED | TRAVERSED):
                raise block.error("a weak edge is also counted or traversed")
            self.contents.edge_rows.append(row)
