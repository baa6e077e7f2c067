"""From the model to the payloads of blocks: section 3, written."""

import itertools
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from .choices import PlainChoices
from .columns import PackedColumn, narrowest, pack_columns
from .layout import (
    DIAGNOSTICS, EDGE_COLUMNS, EDGES, EDGES_HEAD, FIELDS, FRAMES, GENERATIONS, HEAPS, LAYOUTS, MAX_PAYLOAD,
    MODULES, OBJECT_COLUMNS, OBJECTS, OBJECTS_HEAD, PROCESS, ROOTS, SITES, STRING_HEAD, STRINGS, THREADS,
    TYPES, VALUE_HEAD, VALUES, Column)
from .model import AnyText, Edge, Module, Object, Snapshot, Value, text_parts

# A block takes 16 bytes of head, 48 of column entries, 7 of padding a column, and a row at the most
# 90 bytes (an edge 25), a column the reader does not know among them.
MAX_OBJECT_ROWS = MAX_PAYLOAD // 100
MAX_EDGE_ROWS = MAX_PAYLOAD // 32


class BlockSizes(NamedTuple):
    """The most elements a block takes."""

    rows: int
    edges: int
    elements: int


class Payload(NamedTuple):
    count: int
    payload: bytes


class StringTable:
    """Gives texts their ids, in order of first use."""

    def __init__(self, choices: PlainChoices):
        self.choices = choices
        self.ids: Dict[Tuple[bytes, int], int] = {(b"", 0): 0}
        self.texts: List[Tuple[bytes, int]] = []  # that of id 1 first

    def id(self, text: AnyText) -> int:
        parts = text_parts(text)
        if parts not in self.ids or self.choices.new_string_id():
            self.texts.append(parts)
            self.ids[parts] = len(self.texts)
        return self.ids[parts]

    def elements(self) -> List[bytes]:
        return [pad_element(STRING_HEAD.pack(number, len(kept), length) + kept)
                for number, (kept, length) in enumerate(self.texts, 1)]


def pad_element(element: bytes) -> bytes:
    return element + bytes(-len(element) % 8)


class Encoder:
    """Turns a snapshot, valid or not, into the payloads of its sections."""

    def __init__(self, snapshot: Snapshot, sizes: BlockSizes, choices: PlainChoices):
        self.snapshot, self.choices = snapshot, choices
        self.rows_per_block = min(sizes.rows, MAX_OBJECT_ROWS)
        self.edges_per_block = min(sizes.edges, MAX_EDGE_ROWS)
        self.elements_per_block = sizes.elements
        self.strings = StringTable(choices)
        self.payloads: Dict[int, List[Payload]] = {}

    def encode(self) -> Dict[int, List[Payload]]:
        """The payloads of each section, in the order of the section ids."""
        s = self.snapshot
        self._fixed(PROCESS, [vars(s.process)])
        self._fixed(MODULES, [self._module(m) for m in s.modules])
        self._fixed(HEAPS, [dict(vars(h), id=number) for number, h in enumerate(s.heaps)])
        self._fixed(GENERATIONS, [vars(g) for g in s.generations])
        self._fixed(TYPES, [dict(vars(t), id=number, fields=len(t.fields))
                            for number, t in enumerate(s.types)], definitions=True)
        self._fixed(FIELDS, [dict(vars(f), type=type_id, number=number)
                             for type_id, t in enumerate(s.types)
                             for number, f in enumerate(t.fields)], definitions=True)
        self._objects()
        self._edges()
        self._elements(VALUES, [self._value(v) for v in s.values])
        self._fixed(ROOTS, [vars(r) for r in s.roots])
        self._fixed(THREADS, [vars(t) for t in s.threads])
        self._fixed(FRAMES, [vars(f) for f in s.frames])
        self._fixed(SITES, [vars(site) for site in s.sites])
        self._fixed(DIAGNOSTICS, [vars(d) for d in s.diagnostics])
        self._elements(STRINGS, self.choices.definitions(self.strings.elements()))
        return dict(sorted(self.payloads.items()))

    def _add(self, section: int, count: int, payload: bytes) -> None:
        self.payloads.setdefault(section, []).append(Payload(count, payload))

    @staticmethod
    def _module(m: Module) -> Dict:
        return dict(vars(m), build_id_length=len(m.build_id))

    @staticmethod
    def _value(v: Value) -> bytes:
        return pad_element(VALUE_HEAD.pack(v.object, v.length, len(v.kept), v.kind, 0) + v.kept)

    def _fixed(self, section: int, models: List[Dict], definitions: bool = False) -> None:
        """Adds a section of fixed elements, each the dictionary of its fields."""
        layout, elements = LAYOUTS[section], []
        for model in models:
            values = dict(model)
            for name in layout.texts:
                values[name] = self.strings.id(values[name])
            elements.append(layout.pack(values))
        self._elements(section, self.choices.definitions(elements) if definitions else elements)

    def _elements(self, section: int, elements: List[bytes]) -> None:
        """Adds whole elements, as many a block as fit."""
        part: List[bytes] = []
        size, limit = 0, self.choices.block_size(self.elements_per_block)
        for element in elements:
            if len(element) > MAX_PAYLOAD:
                raise ValueError("an element of %d bytes fits no block" % len(element))
            if part and (len(part) == limit or size + len(element) > MAX_PAYLOAD):
                self._add(section, len(part), b"".join(part))
                part, size, limit = [], 0, self.choices.block_size(self.elements_per_block)
            part.append(element)
            size += len(element)
        if part:
            self._add(section, len(part), b"".join(part))

    def _parts(self, items: Sequence, limit: int) -> Iterator[Sequence]:
        start = 0
        while start < len(items):
            end = start + self.choices.block_size(limit)
            yield items[start:end]
            start = end

    def _objects(self) -> None:
        first_edge = 0
        for heap, group in itertools.groupby(self.snapshot.objects, key=lambda o: o.heap):
            for rows in self._parts(list(group), self.rows_per_block):
                values = {column.name: [self._object_value(o, column) for o in rows]
                          for column in OBJECT_COLUMNS}
                columns = self._columns(OBJECT_COLUMNS, values, len(rows))
                head = OBJECTS_HEAD.pack(heap, len(columns), 0, first_edge)
                self._add(OBJECTS, len(rows), head + pack_columns(columns))
                first_edge += sum(len(o.edges) for o in rows)

    @staticmethod
    def _object_value(o: Object, column: Column) -> int:
        return len(o.edges) if column.name == "out_degree" else getattr(o, column.name)

    def _edges(self) -> None:
        edges = [e for o in self.snapshot.objects for e in o.edges]
        for part in self._parts(edges, self.edges_per_block):
            values = {"target": [e.target for e in part], "info": [e.info for e in part],
                      "label": [self._label(e) for e in part]}
            columns = self._columns(EDGE_COLUMNS, values, len(part))
            self._add(EDGES, len(part), EDGES_HEAD.pack(len(columns), 0, 0) + pack_columns(columns))

    def _label(self, edge: Edge) -> int:
        return edge.label if isinstance(edge.label, int) else self.strings.id(edge.label)

    def _columns(self, known: List[Column], values: Dict[str, List[int]], count: int) -> List[PackedColumn]:
        """The columns that are not all zero."""
        columns = []
        for column in known:
            numbers = values[column.name]
            if column.required or any(numbers) or self.choices.keeps_zeros():
                least = narrowest(numbers, column.signed, column.widths)
                width = self.choices.width([width for width in column.widths if width >= least])
                columns.append(PackedColumn(column.id, width, column.signed, numbers))
        return self.choices.columns(columns, count)
