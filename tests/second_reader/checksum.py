"""CRC32C, section 1."""

from typing import List

_POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 reflected


def _byte_table() -> List[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _byte_table()


def crc32c(data: bytes, crc: int = 0) -> int:
    """The CRC32C of `data`, or of what `crc` covers followed by `data`."""
    table, register = _TABLE, crc ^ 0xFFFFFFFF
    for byte in data:
        register = table[(register ^ byte) & 0xFF] ^ register >> 8
    return register ^ 0xFFFFFFFF
