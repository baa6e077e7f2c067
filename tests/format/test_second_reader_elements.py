"""Tests of second_reader: files that break, or just keep, the rules of FORMAT.md's section 3."""

import struct
import unittest

from second_reader import Edge, FormatError, Object, Process, Text, Value, read_snapshot, snapshot_bytes
from second_reader_examples import (
    CONTAINER, NONE, SECTION_NAMES, UNTRACKED, FileTest, edges_payload, full_snapshot, objects_payload,
    string_element, tiny_snapshot, u8, u64, value_element)


class FixedElements(FileTest):
    def test_element_sizes(self):
        for section in (1, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            for change in (lambda payload: payload + bytes(8), lambda payload: payload[:-8]):
                self.restart()
                self.block(section).payload = change(self.block(section).payload)
                self.rejected("elements of", SECTION_NAMES[section - 1])

    def test_reserved_fields(self):
        for section, offset, code in (
                (1, 18, "H"), (1, 72, "Q"), (3, 56, "Q"), (4, 64, "Q"), (5, 56, "Q"), (7, 14, "H"),
                (12, 12, "I"), (12, 32, "Q"), (13, 20, "I"), (14, 20, "I"), (15, 20, "I")):
            self.patched(section, offset, code, 1, "reserved")

    def test_enumerations(self):
        self.patched(1, 16, "H", 10, "unknown captured 10")
        self.patched(4, 18, "h", 3, "unknown collecting 3")
        self.patched(4, 18, "h", -2, "unknown collecting -2")
        self.patched(5, 4, "I", 4, "unknown generation 4")
        self.patched(7, 12, "H", 11, "unknown kind 11")
        self.patched(11, 32, "H", 0, "unknown kind 0")
        self.patched(11, 32, "H", 11, "unknown kind 11")
        self.patched(15, 0, "I", 0, "unknown severity 0")
        self.patched(15, 0, "I", 4, "unknown severity 4")

    def test_undefined_bits(self):
        for bit in range(3, 16):
            self.patched(4, 16, "H", 1 << bit, "reserved bits in flags")
        for bit in range(5, 32):
            self.patched(6, 12, "I", 1 << bit, "reserved bits in flags")
        for bit in range(2, 16):
            self.patched(11, 34, "H", 1 << bit, "reserved bits in flags")

    def test_what_may_be_anything(self):
        self.assertEqual(self.patched_well(1, 28, "I", NONE).process.machine, NONE)
        self.patched_well(1, 40, "Q", 2**64 - 1)  # more known bytes than runtime bytes
        self.patched_well(3, 8, "Q", 0)  # a module that ends before its base
        self.patched_well(3, 64, "Q", 0x1000)  # modules that overlap
        self.patched_well(4, 20, "I", NONE)  # debug flags
        self.patched_well(5, 4, "I", 1)  # objects of generation 0, which the heap does not list
        self.patched_well(11, 8, "Q", 0)
        self.patched_well(12, 16, "Q", 2**64 - 1)  # a stack that ends before it begins

    def test_processes(self):
        process = self.block(1).payload
        self.add(1, process)
        self.rejected("second process", "process")
        self.restart()
        self.block(1).payload, self.block(1).count = process + process, 2
        self.rejected("second process", "process")
        self.restart()
        self.file.remove(1)
        self.rejected("no process", "trailer")

    def test_build_ids(self):
        self.patched(3, 20, "I", 33, "build id length 33")
        self.patched(3, 24 + 3, "B", 1, "beyond its length")
        self.patched(3, 24 + 31, "B", 1, "beyond its length")

    def test_heap_ids(self):
        self.patched(4, 72, "I", 0, "heap id 0 of heap 1")
        self.patched(4, 0, "I", 1, "heap id 1 of heap 0")

    def test_no_heap(self):
        self.restart(tiny_snapshot())
        self.file.remove(4)
        self.rejected("objects but no heap", "trailer")

    def test_generations_repeat(self):
        self.patched(5, 64 + 4, "I", 0, "generation 0 of heap 0 repeats")

    def test_references(self):
        for section, offset, limit in (
                (5, 0, 2), (6, 40, 2), (11, 36, 2), (11, 20, 2), (11, 24, 1), (11, 28, 2), (13, 0, 1),
                (14, 16, 2), (15, 16, 2)):
            self.patched(section, offset, "I", limit, " %d of %d" % (limit, limit))
        for section, offset in ((5, 0), (11, 36), (13, 0)):
            self.patched(section, offset, "I", NONE, " %d of " % NONE)
        for section, offset in ((6, 40), (11, 20), (11, 24), (11, 28), (14, 16), (15, 16)):
            self.patched_well(section, offset, "I", NONE)

    def test_the_error_names_the_block(self):
        self.add(15, struct.pack("<IIQII", 1, 0, 0, 7, 0))
        data = self.file.bytes()
        with self.assertRaises(FormatError) as caught:
            read_snapshot(data)
        self.assertEqual(caught.exception.offset, len(data) - 208 - 40 - 24)

    def test_string_ids(self):
        for section, offset in ((1, 8), (1, 12), (1, 20), (1, 24), (3, 16), (4, 4), (4, 8), (4, 12), (6, 4),
                                (6, 8), (7, 8), (11, 16), (12, 8), (13, 8), (13, 12), (14, 4), (14, 8),
                                (15, 4)):
            self.patched(section, offset, "I", self.file.limits[1], "string")
            self.patched(section, offset, "I", NONE, "string")

    def test_site_callers(self):
        self.patched(14, 32, "I", 1, "site 1 is called by site 1")
        self.patched(14, 0, "I", 1, "site 0 is called by site 1")
        self.patched(14, 0, "I", 0, "site 0 is called by site 0")

    def test_roots(self):
        self.patched(11, 0, "Q", 0, "a root of address 0")
        self.assertEqual(self.patched_well(11, 0, "Q", 0x998).dangling(), (1, 1))


class Strings(FileTest):
    def test_ids(self):
        for string_id in (0, NONE):
            self.restart()
            self.add(2, string_element(string_id, b"x"))
            self.rejected("string id %d" % string_id, "strings")

    def test_keeps_too_much(self):
        self.add(2, string_element(1, b"abc", 2))
        self.rejected("keeps 3 of 2", "strings")

    def test_two_meanings(self):
        block = self.add(2, string_element(1, b"other"))
        self.rejected("two meanings", "strings")
        block.payload = string_element(1, b"a b", 4)
        self.rejected("two meanings", "strings")
        block.payload = string_element(1, b"a b")
        self.accepted()

    def test_same_and_empty_texts(self):
        limit = self.file.limits[1]
        self.add(2, string_element(limit, b"a b") + string_element(limit + 1, b"")
                 + string_element(limit + 2, b"") + string_element(limit + 3, b"", 7), 4)
        self.file.limits[1] = limit + 4
        self.block(1).patch(8, "I", limit)
        self.block(1).patch(20, "II", limit + 1, limit + 3)
        self.assertEqual(self.accepted().process,
                         Process(7, b"a b", b"/a", 3, b"", Text(b"", 7), 62, 10, 9, 8, 7, 6))

    def test_any_bytes(self):
        self.add(2, string_element(self.file.limits[1], b"\xff\0\xc0"))
        self.file.limits[1] += 1
        self.accepted()

    def test_not_defined(self):
        limit = self.file.limits[1]
        self.add(2, string_element(limit + 1, b"x"))
        self.file.limits[1] = limit + 2
        self.rejected("string %d is not defined" % limit, "trailer")

    def test_largest_id(self):
        self.add(2, string_element(NONE - 1, b"x"))
        self.file.limits[1] = NONE
        self.rejected("is not defined", "trailer")

    def test_sizes(self):
        block = self.add(2, string_element(1, b"a b")[:-8])
        self.rejected("passes the end", "strings")
        block.payload = string_element(1, b"a b")[:8]
        self.rejected("passes the end", "strings")
        block.payload = string_element(1, b"a b") + bytes(8)
        self.rejected("after the last", "strings")
        block.payload = struct.pack("<IIQ", 1, NONE, NONE)
        self.rejected("passes the end", "strings")

    def test_padding(self):
        block = self.add(2, string_element(1, b"a b")[:-1] + b"\1")
        self.rejected("padding", "strings")
        block.payload = string_element(1, b"a b")[:-1]
        self.rejected("passes the end", "strings")

    def test_count(self):
        self.block(2).count += 1
        self.rejected("passes the end", "strings")
        self.block(2).count = NONE
        self.rejected("passes the end", "strings")


class TypesAndFields(FileTest):
    def test_type_with_two_meanings(self):
        block = self.add(6, self.block(6).payload[:48])
        self.accepted()
        block.patch(24, "Q", 17)
        self.rejected("type 0 has two meanings", "types")

    def test_type_not_defined(self):
        self.block(6).patch(48, "I", 2)
        self.file.limits[2] = 3
        self.rejected("type 1 is not defined", "trailer")

    def test_largest_type_id(self):
        self.block(6).patch(48, "I", NONE - 1)
        self.file.limits[2] = NONE
        self.rejected("type 1 is not defined", "trailer")
        self.patched(6, 48, "I", NONE, "type id NONE")

    def test_field_with_two_meanings(self):
        block = self.add(7, self.block(7).payload[:24])
        self.accepted()
        block.patch(16, "Q", 99)
        self.rejected("field 0 of type 0 has two meanings", "fields")

    def test_field_of_no_type(self):
        self.patched(7, 0, "I", 2, "type 2 of 2")

    def test_field_number(self):
        self.patched(7, 24 + 4, "I", 3, "field 3 of the 3 of type 0")

    def test_field_not_defined(self):
        self.patched(6, 44, "I", 4, "field 3 of type 0 is not defined")
        self.patched(6, 48 + 44, "I", 65535, "field 0 of type 1 is not defined")
        self.patched(6, 48 + 44, "I", 65536, "65536 fields of type 1")
        self.restart()
        self.block(7).payload = self.block(7).payload[24:]
        self.block(7).count = 2
        self.rejected("field 0 of type 0 is not defined", "types")

    def test_longest_field_table(self):
        self.block(6).patch(48 + 44, "I", 65535)
        for first in (0, 32768):
            numbers = range(first, min(first + 32768, 65535))
            self.add(7, b"".join(struct.pack("<IIIHHQ", 1, n, 0, 0, 0, n) for n in numbers), len(numbers))
        fields = self.accepted().types[1].fields
        self.assertEqual((len(fields), fields[65534].offset), (65535, 65534))


class Objects(FileTest):
    def objects(self, entries, count=1, state=UNTRACKED, **options):
        """A block of objects more, in which every object is of type 0; without a state if None."""
        self.restart()
        if state is not None:
            entries = entries + [(6, 2, struct.pack("<H", state) * count)]
        options.setdefault("first_edge", 9)
        return self.add(8, objects_payload(entries, **options), count)

    def test_accepted(self):
        self.objects([(1, 8, u64(0x300, 0x400))], 2)
        self.assertEqual(self.accepted().objects[-1], Object(0, 0x400, state=UNTRACKED))

    def test_head(self):
        self.objects([(1, 8, u64(0x300))], reserved=1)
        self.rejected("reserved", "objects")
        self.objects([(1, 8, u64(0x300))], first_edge=8)
        self.rejected("first edge 8, not 9", "objects")
        self.objects([(1, 8, u64(0x300))], heap=2)
        self.rejected("heap 2 of 2", "objects")
        self.objects([(1, 8, u64(0x300))], heap=NONE)
        self.rejected("heap %d of 2" % NONE, "objects")
        self.file.blocks[-1].payload = bytes(8)
        self.rejected("raw length 8", "objects")

    def test_addresses(self):
        self.objects([])
        self.rejected("no address column", "objects")
        self.objects([(1, 8, u64(0))])
        self.rejected("address 0", "objects")
        self.objects([(1, 8, u64(0x300, 0x300))], 2)
        self.rejected("address 0x300 repeats", "objects")
        self.objects([(1, 8, u64(0x100))])
        self.rejected("address 0x100 repeats", "objects")
        self.objects([(1, 4, struct.pack("<I", 0x300))])
        self.rejected("width 4 of column 1", "objects")

    def test_ids(self):
        self.objects([(1, 8, u64(0x300)), (2, 1, u8(2))])
        self.rejected("type 2 of 2", "objects")
        self.objects([(1, 8, u64(0x300)), (2, 8, u64(2**64 - 1))])
        self.rejected("type", "objects")
        self.objects([(1, 8, u64(0x300)), (8, 1, u8(2))])
        self.accepted()
        self.objects([(1, 8, u64(0x300)), (8, 1, u8(3))])
        self.rejected("site 2 of 2", "objects")

    def test_type_when_there_is_none(self):
        self.restart(tiny_snapshot())
        self.file.remove(6)
        self.file.limits[2] = 0
        self.rejected("type 0 of 0", "objects")

    def test_states(self):
        for state in (13, 14, 15, 1 << 10 | UNTRACKED, 1 << 15 | UNTRACKED):
            self.objects([(1, 8, u64(0x300))], state=state)
            self.rejected("state 0x%x" % state, "objects")
        for width in (4, 8):
            self.objects([(1, 8, u64(0x300)), (6, width, bytes(width))], state=None)
            self.rejected("width %d of column 6" % width, "objects")

    def test_containers(self):
        for generation in range(4):
            self.objects([(1, 8, u64(0x300))], state=generation)
            self.rejected("an object in generation %d is no container" % generation, "objects")
            self.objects([(1, 8, u64(0x300))], state=generation | CONTAINER)
            self.accepted()
        self.objects([(1, 8, u64(0x300))], state=UNTRACKED | CONTAINER)
        self.accepted()
        self.objects([(1, 8, u64(0x300))], state=None)
        self.rejected("an object in generation 0 is no container", "objects")

    def test_column_widths(self):
        for width in (0, 3, 5, 16, 0xFFFF):
            self.objects([(1, 8, u64(0x300)), (3, width, bytes(width))])
            self.rejected("width %d of column 3" % width, "objects")
            self.objects([(1, 8, u64(0x300)), (0x8001, width, bytes(width))])
            self.rejected("width %d of column 32769" % width, "objects")

    def test_column_ids(self):
        self.objects([(1, 8, u64(0x300)), (7, 1, u8(1)), (7, 1, u8(1))])
        self.rejected("column 7 repeats", "objects")
        self.objects([(1, 8, u64(0x300)), (0x8001, 1, u8(1)), (0x8001, 1, u8(1))])
        self.rejected("column 32769 repeats", "objects")
        for column in (0, 12, 0x7FFF):
            self.objects([(1, 8, u64(0x300)), (column, 1, u8(0))])
            self.rejected("unknown column %d" % column, "objects")
        self.objects([(0xFFFF, 1, u8(9)), (1, 8, u64(0x300))])
        self.accepted()

    def test_column_sizes(self):
        block = self.objects([(1, 8, u64(0x300)), (7, 1, u8(1))])
        block.payload += bytes(8)
        self.rejected("does not fit", "objects")
        block.payload = block.payload[:-16]
        self.rejected("does not fit", "objects")
        block.payload = block.payload[:16]
        self.rejected("entries pass the end", "objects")
        block = self.objects([(1, 8, u64(0x300))])
        block.count = NONE
        self.rejected("does not fit", "objects")
        block.patch(4, "H", 0xFFFF)
        self.rejected("entries pass the end", "objects")

    def test_column_padding(self):
        self.objects([(1, 8, u64(0x300)), (7, 1, u8(1, 0, 0, 0, 0, 0, 0, 1))])
        self.rejected("padding", "objects")
        self.objects([(1, 8, u64(0x300)), (0x8001, 1, u8(1, 0, 0, 0, 0, 0, 0, 1))])
        self.rejected("padding", "objects")
        self.objects([(1, 8, u64(0x300)), (7, 1, u8(1))]).patch(16 + 12, "I", 1)
        self.rejected("padding", "objects")

    def test_out_degrees(self):
        self.objects([(1, 8, u64(0x300)), (5, 1, u8(1))])
        self.rejected("9 edges, but the objects have 10", "trailer")
        self.restart()
        self.add(9, edges_payload([(1, 8, u64(0x100))]))
        self.rejected("10 edges, but the objects have 9", "trailer")

    def test_sums_past_64_bits(self):
        self.objects([(1, 8, u64(0x300)), (5, 8, u64(2**64 - 10))])
        self.rejected("9 edges, but", "trailer")
        self.objects([(1, 8, u64(0x300)), (5, 8, u64(2**64 - 9))])
        self.rejected("passes 2^64 - 1", "objects")
        room = 2**64 - 1 - self.file.limits[0]
        self.objects([(1, 8, u64(0x300)), (3, 8, u64(room))])
        self.file.limits[0] = 2**64 - 1
        self.accepted()
        self.objects([(1, 8, u64(0x300)), (3, 8, u64(room + 1))])
        self.file.limits[0] = 0
        self.rejected("passes 2^64 - 1", "objects")


class Edges(FileTest):
    def edge(self, info, label, type_id=0, **options):
        """An object more with one edge more; the block of the edge."""
        self.restart()
        self.add(8, objects_payload([(1, 8, u64(0x300)), (2, 1, u8(type_id)), (5, 1, u8(1)),
                                     (6, 1, u8(UNTRACKED))], first_edge=9))
        columns = [(1, 8, u64(0x100)), (2, 1, u8(info)), (3, 8, u64(label))]
        return self.add(9, edges_payload(columns, **options))

    def assert_edge(self, edge):
        self.assertEqual(self.accepted().objects[-1].edges, [edge])

    def test_blocks(self):
        self.edge(0x23, 5)
        self.assert_edge(Edge(0x100, 0x23, 5))
        self.edge(0x23, 5, reserved=1)
        self.rejected("reserved", "edges")
        self.edge(0x23, 5, reserved2=1)
        self.rejected("reserved", "edges")

    def test_label_kinds(self):
        for kind in range(7, 16):
            self.edge(kind << 4, 0)
            self.rejected("unknown label kind %d" % kind, "edges")

    def test_weak_edges(self):
        for info in (9, 10, 11, 13, 14, 15):
            self.edge(info, 0)
            self.rejected("weak", "edges")
        for info in (8, 12):
            self.edge(info, 0)
            self.accepted()

    def test_labels_that_are_ignored(self):
        for kind in (0, 6):
            self.edge(kind << 4 | 3, 2**64 - 1)
            self.assert_edge(Edge(0x100, kind << 4 | 3, 0))

    def test_string_labels(self):
        limit = self.file.limits[1]
        for label in (limit, 2**64 - 1):
            self.edge(0x43, label)
            self.rejected("string %d of %d" % (label, limit), "edges")
        self.edge(0x43, 0)
        self.assert_edge(Edge(0x100, 0x43, b""))

    def test_fields_beyond_the_table(self):
        for info, label, type_id in ((0x13, 3, 0), (0x13, 0, 1), (0x13, 2**64 - 1, 0), (0x53, 3 << 48, 0),
                                     (0x53, 2**64 - 1, 1)):
            self.edge(info, label, type_id)
            self.assert_edge(Edge(0x100, info, label))

    def test_keys_of_any_address(self):
        for key in (0, 0x998):
            self.edge(0x33, key)
            self.assert_edge(Edge(0x100, 0x33, key))

    def test_columns(self):
        target = (1, 8, u64(0x100))
        for entries, message in (
                ([], "no target column"), ([(1, 8, u64(0))], "address 0"),
                ([(1, 4, bytes(4))], "width 4 of column 1"),
                ([target, (2, 2, bytes(2))], "width 2 of column 2"),
                ([target, (3, 3, bytes(3))], "width 3 of column 3"),
                ([target, (4, 1, u8(0))], "unknown column 4"),
                ([target, (3, 1, u8(0)), (3, 1, u8(0))], "column 3 repeats"),
                ([target, (3, 1, u8(0, 1))], "padding")):
            self.edge(0, 0).payload = edges_payload(entries)
            self.rejected(message, "edges")
        block = self.edge(0, 0)
        block.payload = edges_payload([target, (0x8000, 1, u8(1))])
        self.assert_edge(Edge(0x100, 0, 0))
        block.payload = bytes(4)
        self.rejected("raw length 4", "edges")


class Values(FileTest):
    def value(self, *arguments, **options):
        """A value more."""
        self.restart()
        return self.add(10, value_element(*arguments, **options))

    def test_reserved(self):
        self.value(0x100, 1, b"", reserved=1)
        self.rejected("reserved", "values")

    def test_addresses(self):
        self.value(0, 1, b"")
        self.rejected("address 0", "values")
        self.value(0x998, 1, b"")
        self.assertEqual(self.accepted().values[-1], Value(0x998))

    def test_kinds(self):
        for kind in (0, 9, 0xFFFF):
            self.value(0x100, kind, b"")
            self.rejected("unknown kind of value %d" % kind, "values")

    def test_lengths(self):
        for kind, right in ((1, 0), (2, 1), (3, 8), (5, 8)):
            for wrong in {0, 1, 7, 8, 9} - {right}:
                self.value(0x100, kind, bytes(wrong))
                self.rejected("value kind %d of length %d" % (kind, wrong), "values")
            self.value(0x100, kind, bytes(right), right + 1)
            self.rejected("value kind %d" % kind, "values")
        self.value(0x100, 3, bytes(4), 8)
        self.rejected("value kind 3 of length 8, 4 kept", "values")

    def test_keeps_too_much(self):
        self.value(0x100, 6, b"abc", 2)
        self.rejected("keeps 3 of 2", "values")

    def test_bools(self):
        self.value(0x100, 2, b"\2")
        self.rejected("bool value 2", "values")

    def test_any_bytes(self):
        for kind in (6, 7, 8):
            for kept in (b"", b"\xff\0"):
                self.value(0x100, kind, kept)
                self.assertEqual(self.accepted().values[-1], Value(0x100, kind, kept))

    def test_large_integers(self):
        for kept in (b"0x0", b"-0xFf09a"):
            self.value(0x100, 4, kept)
            self.assertEqual(self.accepted().values[-1], Value(0x100, 4, kept))
        for cut in (b"", b"-", b"0", b"-0x"):
            self.value(0x100, 4, cut, 9)
            self.accepted()

    def test_texts_that_are_no_large_integer(self):
        for kept in (b"", b"-", b"0x", b"12", b"0xg", b"+0x1", b"0x1\0"):
            with self.subTest(kept):
                self.value(0x100, 4, kept)
                self.rejected("is no large integer", "values")

    def test_sizes(self):
        block = self.value(0x100, 7, b"abcdefgh")
        block.payload += bytes(8)
        self.rejected("after the last", "values")
        block.payload = block.payload[:-16]
        self.rejected("passes the end", "values")
        block.payload = block.payload[:16]
        self.rejected("passes the end", "values")

    def test_padding(self):
        self.value(0x100, 7, b"a").patch(31, "B", 1)
        self.rejected("padding", "values")


class ValuesLeftOut(FileTest):
    """File flag bit 0."""

    def setUp(self):
        self.snapshot = full_snapshot()
        self.snapshot.header.flags = 1
        self.snapshot.values = self.snapshot.values[-1:]
        self.snapshot.process.command_line = b""
        self.snapshot.objects[0].hash = 0

    def assert_rejected(self, message, section):
        self.rejected(message, section, snapshot_bytes(self.snapshot))

    def test_accepted(self):
        self.assertEqual(read_snapshot(snapshot_bytes(self.snapshot)), self.snapshot)

    def test_values(self):
        self.snapshot.values.append(Value(0x110))
        self.assert_rejected("value kind 1", "values")

    def test_command_line(self):
        for text in (b"a", Text(b"", 1)):
            self.snapshot.process.command_line = text
            self.assert_rejected("command line", "process")

    def test_empty_command_line_of_another_id(self):
        self.restart(self.snapshot)
        self.block(1).patch(8, "I", self.file.limits[1])
        self.add(2, string_element(self.file.limits[1], b""))
        self.file.limits[1] += 1
        self.accepted()

    def test_hashes(self):
        self.snapshot.objects[2].hash = 5
        self.assert_rejected("content hash", "objects")


if __name__ == "__main__":
    unittest.main()
