"""Reading the file header and the blocks, each checked on its own and against its place: section 2."""

import struct
from typing import Dict, Iterator, NamedTuple

from . import zstd
from .checksum import crc32c
from .errors import FormatError
from .layout import (
    BLOCK, BLOCK_CRC_AT, BLOCK_FLAGS, BLOCK_MAGIC, CODEC_MASK, CODEC_SHIFT, CRITICAL, FILE_MAGIC, FLAGS_AT,
    HEADER, HEADER_CRC_AT, LENGTH_AT, MAJOR, MAX_PAYLOAD, NOT_CRITICAL, RESERVED_AT, SECTION_NAMES,
    STORED, TRAILER_SECTION, VERSION, VERSION_AT, ZSTD, pad8, section_name)
from .model import VALUES_LEFT_OUT, Header


def read_header(data: bytes) -> Header:
    """The file header, section 2.1: the magic first, then the version, then the CRC."""
    magic = data[:len(FILE_MAGIC)]
    if magic != FILE_MAGIC[:len(magic)]:
        raise FormatError("not a refheap snapshot: bad magic", None, 0)
    if len(data) >= VERSION_AT + VERSION.size:
        version = VERSION.unpack_from(data, VERSION_AT)
        if version[0] != MAJOR:
            raise FormatError("version %d.%d; this reader knows %d.x only" % (*version, MAJOR), None, VERSION_AT)
    if len(data) < HEADER.size:
        raise FormatError("truncated in the file header", None, len(data))
    _, major, minor, length, uuid, time, flags, reserved, crc = HEADER.unpack_from(data)
    if crc != crc32c(data[:HEADER_CRC_AT]):
        raise FormatError("bad CRC of the file header", None, HEADER_CRC_AT)
    if length != HEADER.size:
        raise FormatError("header length %d, not %d" % (length, HEADER.size), None, LENGTH_AT)
    if flags & ~VALUES_LEFT_OUT:
        raise FormatError("reserved file flags 0x%x" % flags, None, FLAGS_AT)
    if any(reserved):
        raise FormatError("reserved bytes of the file header are not zero", None, RESERVED_AT)
    return Header(major, minor, uuid, time, flags)


class BlockHeader(NamedTuple):
    """The fields of section 2.2, and where the header lies in the file."""

    magic: bytes
    sequence: int
    section: int
    flags: int
    raw_length: int
    stored_length: int
    count: int
    first: int
    crc: int
    reserved: int
    offset: int

    @property
    def codec(self) -> int:
        return self.flags >> CODEC_SHIFT & CODEC_MASK

    @property
    def payload_offset(self) -> int:
        return self.offset + BLOCK.size

    @property
    def end(self) -> int:
        return self.payload_offset + pad8(self.stored_length)

    def error(self, message: str) -> FormatError:
        return FormatError(message, section_name(self.section), self.offset)


class Block(NamedTuple):
    """A block of a section this format defines."""

    section: int
    codec: int
    count: int
    first: int
    payload: bytes  # decoded
    offset: int

    def error(self, message: str) -> FormatError:
        return FormatError(message, section_name(self.section), self.offset)


class BlockReader:
    """The blocks of a file, and what the trailer says of the blocks before it."""

    def __init__(self, data: bytes, uuid: bytes):
        self.data, self.uuid = data, uuid
        self.sequence = 0
        self.raw_bytes = 0
        self.crcs = bytearray(data[HEADER_CRC_AT:HEADER.size])
        self.totals: Dict[int, int] = {}  # elements so far, by section

    def __iter__(self) -> Iterator[Block]:
        """The blocks of the sections this format defines; the trailer comes last and ends the file."""
        offset = HEADER.size
        while True:
            header = self._header(offset)
            self._check(header)
            if header.section in SECTION_NAMES:
                yield self._block(header)
            elif header.flags & CRITICAL:
                raise header.error("critical block of an unknown section")
            if header.section == TRAILER_SECTION:
                break
            self.sequence += 1
            self.raw_bytes += header.raw_length
            self.crcs += struct.pack("<I", header.crc)
            offset = header.end
        if header.end != len(self.data):
            raise FormatError("bytes after the trailer", None, header.end)

    def _header(self, offset: int) -> BlockHeader:
        """The header of a block that is whole and whose CRC is right."""
        if offset == len(self.data):
            raise FormatError("truncated: no trailer", None, offset)
        if offset + BLOCK.size > len(self.data):
            raise FormatError("truncated in a block header", None, offset)
        header = BlockHeader(*BLOCK.unpack_from(self.data, offset), offset)
        if header.magic != BLOCK_MAGIC:
            raise FormatError("bad block magic", None, offset)
        if not 1 <= header.stored_length <= MAX_PAYLOAD:
            raise header.error("stored length %d" % header.stored_length)
        if header.end > len(self.data):
            raise header.error("truncated in a block")
        if header.crc != self._crc(header):
            raise header.error("bad CRC of a block")
        return header

    def _crc(self, header: BlockHeader) -> int:
        crc_offset = header.offset + BLOCK_CRC_AT
        crc = crc32c(self.uuid)
        crc = crc32c(self.data[header.offset:crc_offset], crc)
        crc = crc32c(bytes(4), crc)
        return crc32c(self.data[crc_offset + 4:header.end], crc)

    def _check(self, header: BlockHeader) -> None:
        """What holds of the blocks of unknown sections too: all but `first` and the codec."""
        if header.sequence != self.sequence:
            raise header.error("block sequence %d, not %d" % (header.sequence, self.sequence))
        if header.reserved:
            raise header.error("the reserved field of a block header is not zero")
        if header.flags & ~BLOCK_FLAGS:
            raise header.error("reserved block flags 0x%x" % header.flags)
        if not 1 <= header.raw_length <= MAX_PAYLOAD:
            raise header.error("raw length %d" % header.raw_length)
        if header.codec == STORED and header.raw_length != header.stored_length:
            raise header.error("raw length %d of a block stored in %d bytes"
                               % (header.raw_length, header.stored_length))
        if header.count < 1:
            raise header.error("a block without elements")
        if any(self.data[header.payload_offset + header.stored_length:header.end]):
            raise header.error("the padding of a block is not zero")

    def _block(self, header: BlockHeader) -> Block:
        section = header.section
        critical = bool(header.flags & CRITICAL)
        if critical == (section in NOT_CRITICAL):
            raise header.error("the critical bit is %d" % critical)
        expected = self.totals.get(section, 0)
        if header.first != expected:
            raise header.error("first element %d, not %d" % (header.first, expected))
        self.totals[section] = expected + header.count
        return Block(section, header.codec, header.count, header.first, self._payload(header), header.offset)

    def _payload(self, header: BlockHeader) -> bytes:
        start = header.payload_offset
        stored = self.data[start:start + header.stored_length]
        if header.codec == STORED:
            return stored
        if header.codec != ZSTD:
            raise header.error("unknown codec %d" % header.codec)
        if not zstd.within_ratio(header.raw_length, header.stored_length):
            raise header.error("raw length %d is too much for %d stored bytes"
                               % (header.raw_length, header.stored_length))
        try:
            return zstd.decompress(stored, header.raw_length)
        except zstd.ZstdError as problem:
            raise header.error(str(problem)) from None
