"""Snapshots and files for the tests of second_reader.

RawFile knows the layout from FORMAT.md on its own: it takes a valid file apart, lets a test put any
bytes anywhere, and puts it together with the CRCs, sequence numbers and trailer right again, but for
what the test overrides.
"""

import random
import struct
import unittest

from second_reader import (
    NONE, Diagnostic, Edge, Field, FormatError, Frame, Generation, Header, Heap, Module, Object, Process,
    Root, Site, Snapshot, Text, Thread, Type, Value, read_snapshot, snapshot_bytes, zstd)
from second_reader.checksum import crc32c

MIB = 1 << 20
UNTRACKED, CONTAINER = 4, 8
SECTION_NAMES = ("process strings modules heaps generations types fields objects edges values roots threads "
                 "frames sites diagnostics").split()

needs_zstd = unittest.skipUnless(zstd.available(), "needs libzstd")


# --- files ---


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


class RawBlock:
    """The parts of a block; those that are None are what the format asks for."""

    def __init__(self, section, payload, count=1, flags=None, raw=None):
        self.section, self.payload, self.count, self.raw = section, payload, count, raw
        if flags is None:
            flags = int(section in range(1, 16) and section not in (10, 15) or section == 127)
        self.flags = flags
        self.magic, self.sequence, self.first, self.crc = b"RHBK", None, None, None
        self.stored, self.reserved, self.padding = None, 0, None

    def raw_length(self):
        return len(self.payload) if self.raw is None else self.raw

    def pack(self, uuid, sequence, first):
        """The bytes of the block, and its CRC."""
        padding = bytes(-len(self.payload) % 8) if self.padding is None else self.padding
        head = struct.pack(
            "<4sIHHIIIQ", self.magic, sequence if self.sequence is None else self.sequence, self.section,
            self.flags, self.raw_length(), len(self.payload) if self.stored is None else self.stored,
            self.count, first if self.first is None else self.first)
        crc = self.crc
        if crc is None:
            crc = crc32c(uuid + head + struct.pack("<II", 0, self.reserved) + self.payload + padding)
        return head + struct.pack("<II", crc, self.reserved) + self.payload + padding, crc

    def patch(self, offset, code, *values):
        """Puts values at an offset of the payload."""
        payload = bytearray(self.payload)
        struct.pack_into("<" + code, payload, offset, *values)
        self.payload = bytes(payload)


class RawFile:
    """A file taken apart. `limits` are the trailer's object bytes, string limit and type limit."""

    def __init__(self, data):
        self.header = bytearray(data[:64])
        self.blocks = []
        offset = 64
        while offset < len(data):
            section, flags, raw, stored, count = struct.unpack_from("<HHIII", data, offset + 8)
            payload = data[offset + 40:offset + 40 + stored]
            if section == 127:
                self.limits = list(struct.unpack_from("<QII", payload, 16))
            else:
                self.blocks.append(RawBlock(section, payload, count, flags, raw if flags & 6 else None))
            offset += 40 + (stored + 7 & ~7)
        self.trailer = RawBlock(127, bytes(168))
        self.trailer_patches = []
        self.fix_header_crc = True
        self.after = b""

    def block(self, section, index=0):
        return [b for b in self.blocks if b.section == section][index]

    def remove(self, section):
        self.blocks = [b for b in self.blocks if b.section != section]

    def patch_trailer(self, offset, code, *values):
        self.trailer_patches.append((offset, code, values))

    def bytes(self):
        if self.fix_header_crc:
            struct.pack_into("<I", self.header, 60, crc32c(bytes(self.header[:60])))
        uuid = bytes(self.header[16:32])
        parts, crcs, totals, size, raw = [bytes(self.header)], bytes(self.header[60:]), {}, 64, 0
        for sequence, block in enumerate(self.blocks):
            packed, crc = block.pack(uuid, sequence, totals.get(block.section, 0))
            totals[block.section] = totals.get(block.section, 0) + block.count
            crcs += struct.pack("<I", crc)
            parts.append(packed)
            size += len(packed)
            raw += block.raw_length()
        self.trailer.patch(0, "QQQIIIIQ15Q", len(self.blocks), size, *self.limits, crc32c(crcs), 0, raw,
                           *(totals.get(i, 0) for i in range(1, 16)))
        for offset, code, values in self.trailer_patches:
            self.trailer.patch(offset, code, *values)
        parts.append(self.trailer.pack(uuid, len(self.blocks), 0)[0])
        return b"".join(parts) + self.after


class FileTest(unittest.TestCase):
    """A test that breaks, or does not break, one rule in the file of full_snapshot()."""

    def setUp(self):
        self.restart()

    def restart(self, snapshot=None):
        self.file = RawFile(FULL if snapshot is None else snapshot_bytes(snapshot))

    def block(self, section, index=0):
        return self.file.block(section, index)

    def add(self, section, payload, count=1, **options):
        block = RawBlock(section, payload, count, **options)
        self.file.blocks.append(block)
        return block

    def accepted(self):
        return read_snapshot(self.file.bytes())

    def rejected(self, message, section=None, data=None):
        """The file is not read, and the error says so and where."""
        data = self.file.bytes() if data is None else data
        with self.assertRaises(FormatError) as caught:
            read_snapshot(data)
        self.assertIn(message, caught.exception.message)
        self.assertEqual(caught.exception.section, section)
        self.assertIsNotNone(caught.exception.offset)

    def patched(self, section, offset, code, value, message):
        """A value at an offset of a section's payload makes the file rejected."""
        self.restart()
        self.block(section).patch(offset, code, value)
        self.rejected(message, SECTION_NAMES[section - 1])

    def patched_well(self, section, offset, code, value):
        """A value at an offset of a section's payload is accepted."""
        self.restart()
        self.block(section).patch(offset, code, value)
        return self.accepted()


# --- payloads ---


def column_bytes(entries):
    """Column entries and columns of [(id, width, bytes)]."""
    head = pad(b"".join(struct.pack("<HH", column, width) for column, width, _ in entries))
    return head + b"".join(pad(data) for _, _, data in entries)


def objects_payload(entries, heap=0, reserved=0, first_edge=0):
    return struct.pack("<IHHQ", heap, len(entries), reserved, first_edge) + column_bytes(entries)


def edges_payload(entries, reserved=0, reserved2=0):
    return struct.pack("<HHI", len(entries), reserved, reserved2) + column_bytes(entries)


def u8(*values):
    return bytes(values)


def u64(*values):
    return struct.pack("<%dQ" % len(values), *values)


def string_element(number, kept, length=None):
    return pad(struct.pack("<IIQ", number, len(kept), len(kept) if length is None else length) + kept)


def value_element(address, kind, kept, length=None, reserved=0):
    return pad(struct.pack("<QQIHH", address, len(kept) if length is None else length, len(kept), kind,
                           reserved) + kept)


# --- snapshots ---


def full_snapshot() -> Snapshot:
    """Something in every section, two heaps, every label kind."""
    return Snapshot(
        Header(uuid=bytes(range(16)), time=-5),
        Process(7, b"a b", b"/a", 3, b"w 1", b"h", 62, 10, 9, 8, 7, 6),
        modules=[Module(0x1000, 0x2000, b"/lib", b"\1\2\3"), Module(0x3000, 0x4000, b"/a")],
        heaps=[Heap(b"one", b"1", b"n", 3, 2, 4, 0x10, 1, 2, 3, 4), Heap(b"two")],
        generations=[Generation(0, 0, 1, 2, 3, 4, 5, 6), Generation(0, 3), Generation(1, 0)],
        types=[Type(b"T", b"m", 31, 0x20, 16, 8, 0, [Field(b"f", 1, 8), Field(), Field(b"g")]), Type(b"U")],
        objects=[
            Object(0, 0x100, 0, 48, 3, 0x18, 9, 2, 4, 5, 77, [
                Edge(0x110, 0x03, 0), Edge(0x110, 0x13, 2), Edge(0x999, 0x23, 70000),
                Edge(0x110, 0x33, 0x200), Edge(0x100, 0x43, b"attr"), Edge(0x100, 0x57, 2 << 48 | 5),
                Edge(0x200, 0x63, 0), Edge(0x200, 0x08)]),
            Object(0, 0x110, 1, 24, -2, 0x3FC),
            Object(1, 0x200, 1, 2**40, edges=[Edge(0x100, 0x41, Text(b"cap", 9))])],
        values=[Value(0x110, 1), Value(0x110, 2, b"\1"), Value(0x110, 3, bytes(8)),
                Value(0x110, 4, b"-0xff"), Value(0x110, 5, bytes(8)), Value(0x110, 6, b"x", 5),
                Value(0x110, 7, b"\xff"), Value(0x100, 8, b"name")],
        roots=[Root(0x100, 8, b"r", 1, 0, 1, 8, 3, 0, 4), Root(0x200, kind=1, heap=1)],
        threads=[Thread(44, b"main", 1, 2)],
        frames=[Frame(0, 0, b"f", b"f.c", 3, 4, 5, 0x100), Frame(0, 1)],
        sites=[Site(NONE, b"f", b"f.c", 3, 0, 0x1234), Site(0)],
        diagnostics=[Diagnostic(2, b"uh", 0x100, 1), Diagnostic(3)])


def tiny_snapshot() -> Snapshot:
    return Snapshot(heaps=[Heap()], types=[Type()], objects=[Object(0, 16), Object(0, 32)])


FULL = snapshot_bytes(full_snapshot())


class RandomSnapshot:
    """Makes a valid snapshot of a seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.left_out = self.rng.random() < 0.2
        self.heaps = [self.heap() for _ in range(self.rng.randint(1, 3))]
        self.modules = self.some(self.module)
        self.types = [self.type() for _ in range(self.rng.randint(1, 5))]
        self.sites = []
        for _ in range(self.rng.randint(0, 5)):
            self.sites.append(Site(self.index_or_none(self.sites), self.text(), self.text(), self.number(32),
                                   self.index_or_none(self.modules), self.number(64)))
        self.threads = self.some(lambda: Thread(self.number(64), self.text(), 1, 2**63))
        self.frames = self.some(self.frame) if self.threads else []
        self.addresses = list({1 + self.number(63) for _ in range(self.rng.choice((1, 5, 60)))})
        self.rng.shuffle(self.addresses)

    def snapshot(self) -> Snapshot:
        rng = self.rng
        header = Header(uuid=self.bytes(16), time=rng.getrandbits(64) - 2**63, flags=int(self.left_out))
        objects = [self.object(address) for address in self.addresses]
        if rng.random() < 0.5:
            objects.sort(key=lambda o: o.heap)
        return Snapshot(
            header, self.process(), self.modules, self.heaps,
            generations=[Generation(heap, g, *(self.number(64) for _ in range(6)))
                         for heap in range(len(self.heaps)) for g in range(4) if rng.random() < 0.6],
            types=self.types, objects=objects, values=self.some(self.value, 20),
            roots=self.some(self.root, 9), threads=self.threads, frames=self.frames, sites=self.sites,
            diagnostics=self.some(lambda: Diagnostic(rng.randint(1, 3), self.text(), self.number(64),
                                                     self.index_or_none(self.heaps))))

    def number(self, bits):
        return self.rng.getrandbits(self.rng.choice([n for n in (1, 7, 8, 16, 31, 32, 63, 64) if n <= bits]))

    def bytes(self, length):
        return bytes(self.rng.getrandbits(8) for _ in range(length))

    def text(self):
        kept = self.bytes(self.rng.choice((0, 1, 3, 8, 20)))
        if self.rng.random() < 0.2:
            return Text(kept, len(kept) + 1 + self.number(31))
        return self.rng.choice((kept, b"same", b""))

    def some(self, make, most=4):
        return [make() for _ in range(self.rng.randint(0, most))]

    def index_or_none(self, items):
        return self.rng.choice([NONE] + list(range(len(items))))

    def process(self):
        return Process(self.number(64), b"" if self.left_out else self.text(), self.text(),
                       self.rng.randint(0, 9), self.text(), self.text(), self.number(32),
                       *(self.number(64) for _ in range(5)))

    def module(self):
        return Module(self.number(64), self.number(64), self.text(), bytes(range(1, self.rng.randint(1, 33))))

    def heap(self):
        return Heap(self.text(), self.text(), self.text(), self.rng.getrandbits(3), self.rng.randint(-1, 2),
                    self.number(32), *(self.number(64) for _ in range(5)))

    def type(self):
        fields = [Field(self.text(), self.rng.randint(0, 10), self.number(64))
                  for _ in range(self.rng.choice((0, 1, 4)))]
        return Type(self.text(), self.text(), self.rng.getrandbits(5), self.number(64), self.number(64),
                    self.number(64), self.index_or_none(self.heaps), fields)

    def frame(self):
        return Frame(self.rng.randrange(len(self.threads)), self.number(32), self.text(), self.text(),
                     self.number(32), self.number(64), self.number(64), self.number(64))

    def object(self, address):
        rng = self.rng
        generation = rng.randint(0, UNTRACKED)
        container = CONTAINER if generation < UNTRACKED else rng.choice((0, CONTAINER))
        state = generation | container | rng.choice((0, rng.getrandbits(6) << 4))
        serial, used, capacity, content_hash = (self.number(64) * (rng.random() < 0.3) for _ in range(4))
        edges = [self.edge() for _ in range(rng.choice((0, 0, 1, 2, 9)))]
        return Object(rng.randrange(len(self.heaps)), address, rng.randrange(len(self.types)),
                      self.number(32), self.number(63) - rng.choice((0, 2**63)), state, serial,
                      rng.randint(0, len(self.sites)), used, capacity, 0 if self.left_out else content_hash,
                      edges)

    def edge(self):
        rng = self.rng
        target = rng.choice(self.addresses + [1 + self.number(63)])
        kind = rng.randint(0, 6)
        if kind in (0, 6):
            label = 0
        elif kind == 4:
            label = self.text()
        else:
            label = self.number(64)
        return Edge(target, rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 12)) | kind << 4, label)

    def value(self):
        rng = self.rng
        address = rng.choice(self.addresses)
        kind = 8 if self.left_out else rng.randint(1, 8)
        if kind == 1:
            return Value(address, kind)
        if kind == 2:
            return Value(address, kind, u8(rng.getrandbits(1)))
        if kind in (3, 5):
            return Value(address, kind, self.bytes(8))
        if kind == 4:
            digits = rng.choice((b"", b"-")) + b"0x%x" % rng.getrandbits(rng.randint(1, 200))
            cut = rng.randint(0, len(digits))
            return Value(address, kind, digits) if rng.random() < 0.5 else Value(address, kind, digits[:cut], len(digits) + 1)
        kept = self.bytes(rng.randint(0, 20))
        return Value(address, kind, kept, len(kept) + rng.choice((0, 0, 5)))

    def root(self):
        rng = self.rng
        return Root(rng.choice(self.addresses), self.number(64), self.text(),
                    self.index_or_none(self.modules), self.index_or_none(self.threads),
                    self.index_or_none(self.frames), rng.randint(1, 10), rng.randint(0, 3),
                    rng.randrange(len(self.heaps)), self.number(64))


def random_snapshot(seed) -> Snapshot:
    return RandomSnapshot(seed).snapshot()
