"""Columns, read and written: the payloads of sections 3.6 and 3.7 after their heads."""

import itertools
import struct
from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

from .blocks import Block
from .layout import ANY_WIDTH, COLUMN_ENTRY, SKIPPABLE_COLUMN, Column, pad8

_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}  # of struct; upper case for unsigned


class PackedColumn(NamedTuple):
    id: int
    width: int
    signed: bool
    values: Sequence


def _array(count: int, width: int, signed: bool) -> struct.Struct:
    code = _CODES[width]
    return struct.Struct("<%d%s" % (count, code if signed else code.upper()))


def check_zero(block: Block, start: int, end: int) -> None:
    if any(block.payload[start:end]):
        raise block.error("padding in a block is not zero")


def parse_columns(block: Block, position: int, entries: int,
                  known: List[Column]) -> Dict[str, Iterable]:
    """The columns after the `entries` column entries at `position`, by name.

    A column that is not there is an endless run of zeros.
    """
    payload, count = block.payload, block.count
    entries_end = position + COLUMN_ENTRY.size * entries
    at = position + pad8(COLUMN_ENTRY.size * entries)
    if at > len(payload):
        raise block.error("the column entries pass the end of the block")
    listed = list(COLUMN_ENTRY.iter_unpack(payload[position:entries_end]))
    check_zero(block, entries_end, at)
    _check_entries(block, listed, known)
    if at + sum(pad8(width * count) for _, width in listed) != len(payload):
        raise block.error("raw length %d does not fit %d columns of %d values"
                          % (len(payload), entries, count))
    columns = {column.id: column for column in known}
    result: Dict[str, Iterable] = {column.name: itertools.repeat(0) for column in known}
    for column_id, width in listed:
        if column_id in columns:
            column = columns[column_id]
            result[column.name] = _array(count, width, column.signed).unpack_from(payload, at)
        end = at + pad8(width * count)
        check_zero(block, at + width * count, end)
        at = end
    return result


def _check_entries(block: Block, listed: List[Tuple[int, int]], known: List[Column]) -> None:
    """The column ids are known or skippable, differ, are all there, and have widths they may."""
    columns = {column.id: column for column in known}
    seen = set()
    for column_id, width in listed:
        if column_id in seen:
            raise block.error("column %d repeats" % column_id)
        seen.add(column_id)
        if column_id not in columns and not column_id & SKIPPABLE_COLUMN:
            raise block.error("unknown column %d" % column_id)
        widths = columns[column_id].widths if column_id in columns else ANY_WIDTH
        if width not in widths:
            raise block.error("width %d of column %d" % (width, column_id))
    for column in known:
        if column.required and column.id not in seen:
            raise block.error("no %s column" % column.name)


def pack_columns(columns: List[PackedColumn]) -> bytes:
    """Column entries and columns."""
    entries = b"".join(COLUMN_ENTRY.pack(column.id, column.width) for column in columns)
    parts = [entries, bytes(-len(entries) % 8)]
    for column in columns:
        packed = _array(len(column.values), column.width, column.signed).pack(*column.values)
        parts += [packed, bytes(-len(packed) % 8)]
    return b"".join(parts)


def narrowest(values: Sequence, signed: bool, widths: Sequence = ANY_WIDTH) -> int:
    """The least of `widths` that holds all the values."""
    low, high = min(values), max(values)
    for width in widths:
        least = -(1 << 8 * width - 1) if signed else 0
        if least <= low and high < least + (1 << 8 * width):
            return width
    raise ValueError("no column width holds %d to %d" % (low, high))
