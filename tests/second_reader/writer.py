"""Writing a file: headers, blocks and trailer around encoded payloads, section 2."""

import random
import struct
from typing import Dict, Iterator, List, Optional, Tuple

from .checksum import crc32c
from .choices import PlainChoices, RandomChoices, UnknownBlock
from .encode import BlockSizes, Encoder, Payload
from .layout import (
    BLOCK, BLOCK_MAGIC, CODEC_SHIFT, COUNTED_SECTIONS, CRITICAL, FILE_MAGIC, HEADER, NOT_CRITICAL, STORED,
    TRAILER, TRAILER_SECTION, ZSTD)
from .model import Header, Snapshot


def pack_header(header: Header) -> bytes:
    without_crc = HEADER.pack(FILE_MAGIC, header.major, header.minor, HEADER.size, header.uuid, header.time,
                              header.flags, bytes(16), 0)[:-4]
    return without_crc + struct.pack("<I", crc32c(without_crc))


class FileBuilder:
    """Puts blocks one after the other, and the trailer at the end."""

    def __init__(self, header: Header):
        self.uuid = header.uuid
        self.parts = [pack_header(header)]
        self.size = HEADER.size
        self.sequence = 0
        self.raw_bytes = 0
        self.crcs = bytearray(self.parts[0][-4:])
        self.totals: Dict[int, int] = {}

    def add(self, section: int, count: int, payload: bytes, packed: Optional[bytes] = None) -> None:
        """Appends a block of a section this format defines; `packed` is the payload as zstd, if it is."""
        first = self.totals.get(section, 0)
        self.totals[section] = first + count
        codec, stored = (STORED, payload) if packed is None else (ZSTD, packed)
        flags = codec << CODEC_SHIFT | (0 if section in NOT_CRITICAL else CRITICAL)
        self._append(section, flags, len(payload), stored, count, first)

    def add_unknown(self, block: UnknownBlock) -> None:
        self._append(block.section, block.codec << CODEC_SHIFT, block.raw_length, block.stored, block.count,
                     block.first)

    def _append(self, section: int, flags: int, raw_length: int, stored: bytes, count: int,
                first: int) -> None:
        stored_and_padding = stored + bytes(-len(stored) % 8)
        fields = (BLOCK_MAGIC, self.sequence, section, flags, raw_length, len(stored), count, first)
        crc = crc32c(self.uuid + BLOCK.pack(*fields, 0, 0) + stored_and_padding)
        block = BLOCK.pack(*fields, crc, 0) + stored_and_padding
        self.parts.append(block)
        self.size += len(block)
        self.sequence += 1
        self.raw_bytes += raw_length
        self.crcs += struct.pack("<I", crc)

    def finish(self, object_bytes: int, string_limit: int, type_limit: int) -> bytes:
        """The file, with the trailer."""
        totals = [self.totals.get(section, 0) for section in COUNTED_SECTIONS]
        self.add(TRAILER_SECTION, 1, TRAILER.pack(
            self.sequence, self.size, object_bytes, string_limit, type_limit, crc32c(self.crcs), 0,
            self.raw_bytes, *totals))
        return b"".join(self.parts)


def _in_turn(payloads: Dict[int, List[Payload]],
             rng: Optional[random.Random]) -> Iterator[Tuple[int, Payload]]:
    """All payloads with their sections, those of a section in their order; the sections one after the
    other, or interleaved at random."""
    turns = [section for section, of_section in payloads.items() for _ in of_section]
    if rng:
        rng.shuffle(turns)
    queues = {section: iter(of_section) for section, of_section in payloads.items()}
    for section in turns:
        yield section, next(queues[section])


def snapshot_bytes(snapshot: Snapshot, *, rows_per_block: int = 4096, edges_per_block: int = 16384,
                   elements_per_block: int = 4096, compress: bool = False, shuffle_blocks: bool = False,
                   vary: bool = False, seed: int = 0) -> bytes:
    """The snapshot as a file.

    The snapshot need not be valid: only what has no bytes raises ValueError or struct.error.
    `shuffle_blocks` interleaves the blocks of different sections; `vary` uses the other freedoms of
    the format, those of RandomChoices. Both follow from `seed`.
    """
    rng = random.Random(seed)
    choices = RandomChoices(rng) if vary else PlainChoices()
    encoder = Encoder(snapshot, BlockSizes(rows_per_block, edges_per_block, elements_per_block), choices)
    payloads = encoder.encode()
    builder = FileBuilder(snapshot.header)
    for section, payload in _in_turn(payloads, rng if shuffle_blocks else None):
        for block in choices.unknown_blocks():
            builder.add_unknown(block)
        packed = choices.packed(payload.payload) if compress else None
        builder.add(section, payload.count, payload.payload, packed)
    return builder.finish(snapshot.object_bytes(), 1 + len(encoder.strings.texts), len(snapshot.types))


def write_snapshot(snapshot: Snapshot, path, **options) -> None:
    """Writes the snapshot to a file; the options are those of snapshot_bytes."""
    data = snapshot_bytes(snapshot, **options)
    with open(path, "wb") as file:
        file.write(data)
