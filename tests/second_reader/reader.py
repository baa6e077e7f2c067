"""Reading a whole file."""

from .blocks import Block, BlockReader, read_header
from .checksum import crc32c
from .elements import Contents, ElementReader
from .layout import COUNTED_SECTIONS, STORED, TRAILER, TRAILER_SECTION
from .model import Snapshot
from .resolve import resolve


def read_snapshot(path_or_bytes) -> Snapshot:
    """The snapshot in a file or in bytes; raises FormatError unless FORMAT.md allows every bit."""
    if isinstance(path_or_bytes, (bytes, bytearray, memoryview)):
        data = bytes(path_or_bytes)
    else:
        with open(path_or_bytes, "rb") as file:
            data = file.read()
    header = read_header(data)
    blocks, elements = BlockReader(data, header.uuid), ElementReader(header)
    for block in blocks:
        if block.section == TRAILER_SECTION:
            _check_trailer(block, blocks, elements.contents)
        else:
            elements.read(block)
    return resolve(elements.contents)


def _check_trailer(block: Block, blocks: BlockReader, contents: Contents) -> None:
    """Section 2.3."""
    if block.count != 1 or block.codec != STORED or len(block.payload) != TRAILER.size:
        raise block.error("the trailer is not one stored element of %d bytes" % TRAILER.size)
    (before, offset, object_bytes, string_limit, type_limit, crc, reserved, raw_bytes,
     *totals) = TRAILER.unpack(block.payload)
    expected = [
        ("number of blocks", before, blocks.sequence),
        ("offset", offset, block.offset),
        ("object bytes", object_bytes, contents.object_bytes),
        ("string limit", string_limit, 1 + max(contents.texts)),
        ("type limit", type_limit, 1 + max(contents.types, default=-1)),
        ("CRC of CRCs", crc, crc32c(blocks.crcs)),
        ("reserved field", reserved, 0),
        ("raw bytes", raw_bytes, blocks.raw_bytes),
    ]
    for section, total in zip(COUNTED_SECTIONS, totals):
        expected.append(("total of section %d" % section, total, blocks.totals.get(section, 0)))
    for name, value, right in expected:
        if value != right:
            raise block.error("the trailer's %s is %d, not %d" % (name, value, right))
    contents.trailer_offset = block.offset
