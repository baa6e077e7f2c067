"""What a writer may choose freely, and the two ways to choose it."""

import random
from typing import List, NamedTuple, Optional, Sequence

from . import zstd
from .columns import PackedColumn
from .layout import ANY_WIDTH, MAX_PAYLOAD, SKIPPABLE_COLUMN, STORED


class UnknownBlock(NamedTuple):
    """A block of a section this format does not define; not critical, so a reader skips it."""

    section: int
    codec: int
    raw_length: int
    stored: bytes
    count: int
    first: int


class PlainChoices:
    """Everything once, in order, and as narrow as can be."""

    def block_size(self, limit: int) -> int:
        """How many elements a block takes at the most."""
        return limit

    def new_string_id(self) -> bool:
        """Whether a text that has an id gets another one."""
        return False

    def definitions(self, elements: List[bytes]) -> List[bytes]:
        """The elements of a section in which a definition may be repeated."""
        return elements

    def keeps_zeros(self) -> bool:
        """Whether a column of zeros is written."""
        return False

    def width(self, widths: Sequence[int]) -> int:
        """One of the widths that hold a column, narrowest first."""
        return widths[0]

    def columns(self, columns: List[PackedColumn], count: int) -> List[PackedColumn]:
        """The columns of a block of `count` rows in the order written, with unknown ones."""
        return columns

    def packed(self, payload: bytes) -> Optional[bytes]:
        """The payload as zstd, or None where it must or had better be stored plain."""
        stored = zstd.compress(payload)
        if len(stored) < len(payload) and zstd.within_ratio(len(payload), len(stored)):
            return stored
        return None

    def unknown_blocks(self) -> List[UnknownBlock]:
        """Blocks to put before the next one."""
        return []


class RandomChoices(PlainChoices):
    """Anything the format allows."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def _perhaps(self) -> bool:
        return self.rng.random() < 0.3

    def _bytes(self, length: int) -> bytes:
        return bytes(self.rng.getrandbits(8) for _ in range(length))

    def block_size(self, limit: int) -> int:
        return self.rng.randint(1, limit)

    def new_string_id(self) -> bool:
        return self._perhaps()

    def definitions(self, elements: List[bytes]) -> List[bytes]:
        if elements:
            elements = elements + self.rng.choices(elements, k=self.rng.randint(0, 3))
            self.rng.shuffle(elements)
        return elements

    def keeps_zeros(self) -> bool:
        return self._perhaps()

    def width(self, widths: Sequence[int]) -> int:
        return self.rng.choice(widths)

    def columns(self, columns: List[PackedColumn], count: int) -> List[PackedColumn]:
        columns = list(columns)
        if self._perhaps():
            width = self.rng.choice(ANY_WIDTH)
            values = [self.rng.getrandbits(8 * width) for _ in range(count)]
            column_id = SKIPPABLE_COLUMN | self.rng.getrandbits(15)
            columns.append(PackedColumn(column_id, width, False, values))
        self.rng.shuffle(columns)
        return columns

    def packed(self, payload: bytes) -> Optional[bytes]:
        if self._perhaps():
            return None
        stored = zstd.compress(payload)
        while self._perhaps():
            stored += zstd.skippable_frame(self._bytes(self.rng.randint(0, 64)), self.rng.getrandbits(4))
        if len(stored) <= MAX_PAYLOAD and zstd.within_ratio(len(payload), len(stored)):
            return stored
        return None

    def unknown_blocks(self) -> List[UnknownBlock]:
        result = []
        while self._perhaps():
            section = self.rng.choice((0, 16, 126, 128, 32767, 32768, 65535))
            stored = self._bytes(self.rng.randint(1, 30))
            codec = self.rng.randint(0, 3)
            raw_length = len(stored) if codec == STORED else self.rng.randint(1, MAX_PAYLOAD)
            result.append(UnknownBlock(section, codec, raw_length, stored,
                                       1 + self.rng.getrandbits(31), self.rng.getrandbits(64)))
        return result
