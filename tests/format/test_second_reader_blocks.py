"""Tests of second_reader: a file for every rule of FORMAT.md's section 2, broken or just kept."""

import struct
import unittest
from unittest import mock

from second_reader import zstd
from second_reader.checksum import crc32c
from second_reader_examples import FULL, MIB, SECTION_NAMES, FileTest, RawBlock, needs_zstd, u8

UNKNOWN_SECTIONS = (0, 16, 126, 128, 32767, 32768, 65535)


class FileHeader(FileTest):
    def test_taken_apart_and_together(self):
        self.assertEqual(self.file.bytes(), FULL)

    def test_magic(self):
        self.file.header[0] = 0x88
        self.rejected("magic")
        self.rejected("magic", data=b"PK")
        self.rejected("truncated", data=b"")

    def test_versions(self):
        for version in ((0, 0), (0, 1), (2, 0), (2, 1)):
            struct.pack_into("<HH", self.file.header, 8, *version)
            self.rejected("version %d.%d; this reader knows 1.x" % version)

    def test_later_minor_versions_are_read(self):
        for minor in (1, 2, 65535):
            struct.pack_into("<HH", self.file.header, 8, 1, minor)
            self.assertEqual(self.accepted().header.minor, minor)

    def test_header_length(self):
        struct.pack_into("<I", self.file.header, 12, 72)
        self.rejected("header length 72")

    def test_any_uuid_and_time(self):
        self.file.header[16:40] = b"\xff" * 24
        self.assertEqual(self.accepted().header.time, -1)

    def test_file_flags(self):
        for bit in range(1, 32):
            struct.pack_into("<I", self.file.header, 40, 1 << bit)
            self.rejected("reserved file flags")

    def test_reserved(self):
        for at in range(44, 60):
            self.restart()
            self.file.header[at] = 1
            self.rejected("reserved bytes")

    def test_crc(self):
        self.file.fix_header_crc = False
        self.file.header[20] ^= 1
        self.rejected("CRC of the file header")

    def test_order_of_the_checks(self):
        self.file.fix_header_crc = False
        self.file.header[40] = 2
        self.rejected("CRC of the file header")
        self.file.header[8] = 2
        self.rejected("version 2.0")
        self.rejected("version 2.0", data=bytes(self.file.header[:12]))
        self.file.header[0] = 0
        self.rejected("magic")


class Blocks(FileTest):
    def test_after_the_trailer(self):
        self.file.after = bytes(8)
        self.rejected("after the trailer")
        self.file.after = self.block(1).pack(bytes(16), 0, 0)[0]
        self.rejected("after the trailer")

    def test_magic(self):
        self.block(2).magic = b"RHBL"
        self.rejected("block magic")

    def test_sequence(self):
        self.block(4).sequence = 99
        self.rejected("sequence 99", "heaps")

    def test_trailer_sequence(self):
        self.file.trailer.sequence = 0
        self.rejected("sequence 0", "trailer")

    def test_crc(self):
        self.block(10).crc = 5
        self.rejected("CRC of a block", "values")

    def test_crc_covers_the_uuid(self):
        data = bytearray(self.file.bytes())
        self.file.header[16] ^= 1
        other = self.file.bytes()
        data[:64] = other[:64]
        self.rejected("CRC of a block", "process", bytes(data))
        self.rejected("CRC of a block", "trailer", other[:-208] + FULL[-208:])

    def test_crc_covers_the_padding(self):
        self.add(40000, b"12345")
        data = bytearray(self.file.bytes())
        data[-209] ^= 1
        self.rejected("CRC of a block", "40000", bytes(data))

    def test_reserved_field(self):
        self.block(4).reserved = 1
        self.rejected("reserved field of a block header", "heaps")

    def test_reserved_flags(self):
        for bit in range(3, 16):
            self.block(4).flags = 1 | 1 << bit
            self.rejected("reserved block flags", "heaps")

    def test_unknown_codec(self):
        for codec in (2, 3):
            self.block(4).flags = 1 | codec << 1
            self.rejected("unknown codec", "heaps")

    def test_raw_length_of_a_stored_block(self):
        self.block(4).raw = 80
        self.rejected("raw length 80", "heaps")

    def test_lengths_of_zero(self):
        self.add(3, b"", raw=8)
        self.rejected("stored length 0", "modules")
        self.file.blocks[-1] = RawBlock(3, b"x", flags=3, raw=0)
        self.rejected("raw length 0", "modules")

    def test_lengths_past_a_mebibyte(self):
        self.add(3, bytes(MIB + 1))
        self.rejected("stored length", "modules")
        self.file.blocks[-1] = RawBlock(3, bytes(8000), flags=3, raw=MIB + 1)
        self.rejected("raw length", "modules")

    def test_stored_length_past_the_end(self):
        self.block(4).stored = MIB
        self.rejected("truncated", "heaps")

    def test_count_of_zero(self):
        self.block(4).count = 0
        self.rejected("without elements", "heaps")

    def test_first(self):
        self.block(8, 1).first = 1
        self.rejected("first element 1, not 2", "objects")
        self.block(8, 1).first = 2
        self.accepted()

    def test_padding(self):
        block = self.add(3, bytes(63))
        block.padding = u8(1)
        self.rejected("padding", "modules")

    def test_critical_bit(self):
        for section, name in enumerate(SECTION_NAMES, 1):
            self.restart()
            self.block(section).flags ^= 1
            self.rejected("critical bit", name)
        self.restart()
        self.file.trailer.flags = 0
        self.rejected("critical bit", "trailer")


class SkippedBlocks(FileTest):
    """Blocks of unknown sections that are not critical."""

    def test_skipped(self):
        for section in UNKNOWN_SECTIONS:
            self.restart()
            block = self.add(section, bytes(8))
            self.accepted()
            block.flags = 1
            self.rejected("critical block", str(section))

    def test_payload_codec_and_first_are_not_looked_at(self):
        for flags in (2, 4, 6):
            self.restart()
            self.add(40000, b"not zstd", count=2**32 - 1, flags=flags, raw=MIB).first = 2**64 - 1
            self.add(40000, b"not zstd", flags=flags, raw=1).first = 7
            self.accepted()

    def test_longest(self):
        self.add(40000, bytes(MIB))
        self.accepted()

    def skipped_but(self, message, **changes):
        self.restart()
        block = self.add(40000, b"12345")
        for name, value in changes.items():
            setattr(block, name, value)
        self.rejected(message, None if "magic" in changes else "40000")

    def test_what_is_checked(self):
        self.skipped_but("block magic", magic=b"RHBL")
        self.skipped_but("sequence 99", sequence=99)
        self.skipped_but("reserved block flags", flags=8)
        self.skipped_but("reserved field", reserved=1)
        self.skipped_but("raw length 0", flags=2, raw=0)
        self.skipped_but("raw length", flags=2, raw=MIB + 1)
        self.skipped_but("raw length 8 of a block stored in 5", raw=8)
        self.skipped_but("stored length 0", payload=b"", raw=1)
        self.skipped_but("stored length", payload=bytes(MIB + 1))
        self.skipped_but("without elements", count=0)
        self.skipped_but("bad CRC", crc=1)
        self.skipped_but("padding", padding=b"\0\0\1")

    def test_counted_in_the_trailer(self):
        self.add(40000, b"12345", flags=2, raw=1000)
        data = self.file.bytes()
        raw_bytes = sum(block.raw_length() for block in self.file.blocks)
        self.assertEqual(struct.unpack_from("<Q", data, len(data) - 168 + 40)[0], raw_bytes)
        self.accepted()
        self.file.patch_trailer(40, "Q", raw_bytes - 1000)
        self.rejected("raw bytes", "trailer")


@needs_zstd
class Zstd(FileTest):
    def setUp(self):
        super().setUp()
        self.payload = self.block(4).payload

    def store(self, stored, section=4):
        """Makes the block a zstd block with this stored payload."""
        block = self.block(section)
        block.raw, block.payload = block.raw_length(), stored
        block.flags |= 2

    @staticmethod
    def frame(content, descriptor, fields=b""):
        """A zstd frame of one raw block; `fields` are those between the descriptor and the block."""
        start = struct.pack("<IB", zstd.FRAME_MAGIC, descriptor) + fields
        last_raw_block = len(content) << 3 | 1
        return start + last_raw_block.to_bytes(3, "little") + content

    def test_zstd(self):
        self.store(zstd.compress(self.payload))
        self.accepted()

    def test_frames_of_any_make(self):
        size = u8(len(self.payload))
        for frame in (self.frame(self.payload, 0x20, size),  # one segment, size given
                      self.frame(self.payload, 0x00, u8(0x50)),  # a window, size not given
                      self.frame(self.payload, 0x21, u8(0) + size)):  # dictionary id 0: none
            self.restart()
            self.store(frame)
            self.accepted()

    def test_dictionary(self):
        self.store(self.frame(self.payload, 0x21, u8(7, len(self.payload))))
        self.rejected("needs a dictionary", "heaps")

    def test_library_missing(self):
        """That is no error of the file."""
        self.store(zstd.compress(self.payload))
        with mock.patch.object(zstd, "_library", None), mock.patch.object(zstd, "_LIBRARY_NAMES", ("none",)):
            self.assertFalse(zstd.available())
            with self.assertRaises(zstd.ZstdMissing):
                self.accepted()

    def test_other_lengths(self):
        self.store(zstd.compress(self.payload[:-8]))
        self.rejected("decodes to", "heaps")
        self.store(zstd.compress(self.payload + bytes(8)))
        self.rejected("does not decode", "heaps")

    def test_damaged(self):
        stored = zstd.compress(self.payload)
        self.store(stored[:-1])
        self.rejected("damaged", "heaps")
        self.store(b"\0" + stored)
        self.rejected("does not begin with a zstd frame", "heaps")
        self.store(stored + b"\0")
        self.rejected("bytes after", "heaps")

    def test_two_frames(self):
        self.store(zstd.compress(self.payload[:72]) + zstd.compress(self.payload[72:]))
        self.rejected("only skippable frames", "heaps")
        self.store(zstd.compress(self.payload) + zstd.compress(b""))
        self.rejected("only skippable frames", "heaps")

    def test_skippable_frames(self):
        stored = zstd.compress(self.payload)
        self.store(stored + zstd.skippable_frame(b"abcd", 15) + zstd.skippable_frame(b""))
        self.accepted()
        self.store(stored + zstd.skippable_frame(b"a")[:-1])
        self.rejected("skippable frame passes", "heaps")
        self.store(zstd.skippable_frame(b"") + stored)
        self.rejected("does not begin with a zstd frame", "heaps")

    def test_ratio(self):
        payload = bytes(16_384 * 24)
        stored = zstd.compress(payload)
        self.assertLess(4096 + 256 * len(stored), len(payload))
        block = self.add(15, stored, 16_384, flags=2, raw=len(payload))
        self.rejected("too much for", "diagnostics")
        room = (len(payload) - 4096) // 256 - len(stored) - 8
        block.payload = stored + zstd.skippable_frame(bytes(room))
        self.rejected("unknown severity", "diagnostics")  # the block is decoded
        block.payload = stored + zstd.skippable_frame(bytes(room - 1))
        self.rejected("too much for", "diagnostics")


class Trailer(FileTest):
    def test_block(self):
        self.file.trailer.count = 2
        self.rejected("one stored element", "trailer")
        self.restart()
        self.file.trailer.first = 1
        self.rejected("first element", "trailer")
        self.restart()
        self.file.trailer.payload += bytes(8)
        self.rejected("one stored element", "trailer")

    @needs_zstd
    def test_packed(self):
        data = self.file.bytes()
        trailer = RawBlock(127, zstd.compress(data[-168:]), flags=3, raw=168)
        packed = trailer.pack(data[16:32], len(self.file.blocks), 0)[0]
        self.rejected("one stored element", "trailer", data[:-208] + packed)

    def test_values(self):
        for offset, code, name in ((0, "Q", "blocks"), (8, "Q", "offset"), (16, "Q", "object bytes"),
                                   (24, "I", "string limit"), (28, "I", "type limit"),
                                   (32, "I", "CRC of CRCs"), (36, "I", "reserved"), (40, "Q", "raw bytes")):
            self.restart()
            self.file.patch_trailer(offset, code, 12345)
            self.rejected(name, "trailer")

    def test_totals(self):
        for section in range(1, 16):
            self.restart()
            self.file.patch_trailer(40 + 8 * section, "Q", 99)
            self.rejected("total of section %d" % section, "trailer")

    def test_crc_of_crcs_covers_the_file_header(self):
        data = self.file.bytes()
        crcs, offset = b"", 64
        while offset < len(data) - 208:
            crcs += data[offset + 32:offset + 36]
            offset += 40 + (struct.unpack_from("<I", data, offset + 16)[0] + 7 & ~7)
        self.file.patch_trailer(32, "I", crc32c(crcs))
        self.rejected("CRC of CRCs", "trailer")
        self.file.patch_trailer(32, "I", crc32c(data[60:64] + crcs))
        self.accepted()


if __name__ == "__main__":
    unittest.main()
