"""From what the blocks hold to the model: every id is checked and put in place of what it names."""

import itertools
from collections import Counter
from typing import Dict, List

from .elements import Contents
from .layout import (
    DIAGNOSTICS, EDGES, FIELDS, FRAMES, GENERATIONS, HEAPS, LABEL_KIND_SHIFT, LAYOUTS, MODULES, OBJECTS,
    PROCESS, REFERENCES, ROOTS, SITES, THREADS, TYPES)
from .model import (
    LABEL_IS_KEY, LABEL_NONE, LABEL_STRING, NONE, VALUES_LEFT_OUT, AnyText, Diagnostic, Edge, Field, Frame,
    Generation, Heap, Module, Object, Process, Root, Site, Snapshot, Thread, Type, text_parts)


class Resolver:
    """Makes the snapshot of a file whose blocks have all been read."""

    def __init__(self, contents: Contents):
        self.contents = contents

    def snapshot(self) -> Snapshot:
        self._check_tables()
        self._check_references()
        self._check_fields()
        contents = self.contents
        process, = self._models(PROCESS, Process)
        if contents.header.flags & VALUES_LEFT_OUT and text_parts(process.command_line)[1]:
            raise contents.error(PROCESS, 0, "a command line in a file whose values were left out")
        return Snapshot(
            header=contents.header, process=process, modules=self._modules(),
            heaps=self._models(HEAPS, Heap, left_out="id"),
            generations=self._models(GENERATIONS, Generation), types=self._types(),
            objects=self._objects(), values=contents.values, roots=self._models(ROOTS, Root),
            threads=self._models(THREADS, Thread), frames=self._models(FRAMES, Frame),
            sites=self._models(SITES, Site), diagnostics=self._models(DIAGNOSTICS, Diagnostic))

    # Checks of sections as a whole.

    def _check_tables(self) -> None:
        """Every id below a limit is defined; what must be there is."""
        contents = self.contents
        for name, table in (("string", contents.texts), ("type", contents.types)):
            missing = next(i for i in itertools.count() if i not in table)
            if missing != len(table):
                raise contents.trailer_error("%s %d is not defined" % (name, missing))
        if not contents.rows[PROCESS]:
            raise contents.trailer_error("no process")
        if contents.object_rows and not contents.rows[HEAPS]:
            raise contents.trailer_error("objects but no heap")
        if contents.out_degrees != len(contents.edge_rows):
            raise contents.trailer_error("%d edges, but the objects have %d"
                                         % (len(contents.edge_rows), contents.out_degrees))

    def _check_references(self) -> None:
        rows = self.contents.rows
        for section, name, of, optional in REFERENCES:
            limit = len(rows[of])
            for index, row in enumerate(rows[section]):
                value = getattr(row, name)
                if value >= limit and not (optional and value == NONE):
                    raise self.contents.error(section, index, "%s %d of %d" % (name, value, limit))

    def _check_fields(self) -> None:
        """Fields are of a type and below its number of fields, and none is missing."""
        contents = self.contents
        for index, row in enumerate(contents.rows[FIELDS]):
            if row.type not in contents.types:
                raise contents.error(FIELDS, index, "type %d of %d" % (row.type, len(contents.types)))
            fields = contents.types[row.type].fields
            if row.number >= fields:
                raise contents.error(FIELDS, index, "field %d of the %d of type %d"
                                     % (row.number, fields, row.type))
        defined = Counter(type_id for type_id, _ in contents.fields)
        for index, row in enumerate(contents.rows[TYPES]):
            if defined[row.id] != row.fields:
                missing = next(n for n in range(row.fields) if (row.id, n) not in contents.fields)
                raise contents.error(TYPES, index, "field %d of type %d is not defined" % (missing, row.id))

    # The model.

    def _text(self, section: int, index: int, string_id: int) -> AnyText:
        texts = self.contents.texts
        if string_id not in texts:
            raise self.contents.error(section, index, "string %d of %d" % (string_id, len(texts)))
        return texts[string_id]

    def _named_values(self, section: int, index: int, row) -> Dict:
        """The fields of a row by name, strings resolved, without the reserved ones."""
        layout = LAYOUTS[section]
        values = {name: getattr(row, name) for name in layout.names}
        for name in layout.texts:
            values[name] = self._text(section, index, values[name])
        return values

    def _models(self, section: int, model, left_out: str = "") -> List:
        result = []
        for index, row in enumerate(self.contents.rows[section]):
            values = self._named_values(section, index, row)
            values.pop(left_out, None)
            result.append(model(**values))
        return result

    def _modules(self) -> List[Module]:
        return [Module(row.base, row.end, self._text(MODULES, index, row.path),
                       row.build_id[:row.build_id_length])
                for index, row in enumerate(self.contents.rows[MODULES])]

    def _types(self) -> List[Type]:
        fields = {}
        for index, row in enumerate(self.contents.rows[FIELDS]):
            name = self._text(FIELDS, index, row.name)
            fields[row.type, row.number] = Field(name, row.kind, row.offset)
        types = {}
        for index, row in enumerate(self.contents.rows[TYPES]):
            values = self._named_values(TYPES, index, row)
            type_id = values.pop("id")
            values["fields"] = [fields[type_id, number] for number in range(row.fields)]
            types[type_id] = Type(**values)
        return [types[type_id] for type_id in range(len(types))]

    def _objects(self) -> List[Object]:
        contents = self.contents
        heaps, sites = len(contents.rows[HEAPS]), len(contents.rows[SITES])
        seen, result, next_edge = set(), [], 0
        for index, row in enumerate(contents.object_rows):
            heap, address, type_id, size, refcount, out_degree, state, serial, site, *rest = row
            if heap >= heaps:
                raise contents.error(OBJECTS, index, "heap %d of %d" % (heap, heaps))
            if type_id not in contents.types:
                raise contents.error(OBJECTS, index, "type %d of %d" % (type_id, len(contents.types)))
            if site > sites:
                raise contents.error(OBJECTS, index, "site %d of %d" % (site - 1, sites))
            if address in seen:
                raise contents.error(OBJECTS, index, "object address 0x%x repeats" % address)
            seen.add(address)
            edges = [self._edge(edge) for edge in range(next_edge, next_edge + out_degree)]
            next_edge += out_degree
            result.append(Object(heap, address, type_id, size, refcount, state, serial, site, *rest, edges))
        return result

    def _edge(self, index: int) -> Edge:
        target, info, label = self.contents.edge_rows[index]
        kind = info >> LABEL_KIND_SHIFT
        if kind == LABEL_STRING:
            label = self._text(EDGES, index, label)
        elif kind in (LABEL_NONE, LABEL_IS_KEY):
            label = 0  # ignored
        return Edge(target, info, label)


def resolve(contents: Contents) -> Snapshot:
    return Resolver(contents).snapshot()
