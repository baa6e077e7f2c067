"""The zstd codec of section 2.2, by the system's libzstd."""

import ctypes
import struct

FRAME_MAGIC = 0xFD2FB528
SKIPPABLE_MAGIC = 0x184D2A50  # to 0x184D2A5F

_LIBRARY_NAMES = ("libzstd.so.1", "libzstd.1.dylib")
_library = None


class ZstdError(Exception):
    """The payload is not what section 2.2 asks of a zstd payload."""


class ZstdMissing(Exception):
    """libzstd cannot be loaded."""


def _zstd():
    global _library
    if _library is None:
        _library = _load()
    return _library


def _load():
    for name in _LIBRARY_NAMES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        size, text = ctypes.c_size_t, ctypes.c_char_p
        signatures = {
            "ZSTD_isError": (ctypes.c_uint, [size]),
            "ZSTD_compressBound": (size, [size]),
            "ZSTD_findFrameCompressedSize": (size, [text, size]),
            "ZSTD_getDictID_fromFrame": (ctypes.c_uint, [text, size]),
            "ZSTD_decompress": (size, [text, size, text, size]),
            "ZSTD_compress": (size, [text, size, text, size, ctypes.c_int]),
        }
        for function, (result, arguments) in signatures.items():
            getattr(library, function).restype = result
            getattr(library, function).argtypes = arguments
        return library
    raise ZstdMissing("libzstd cannot be loaded")


def available() -> bool:
    try:
        _zstd()
    except ZstdMissing:
        return False
    return True


def _check_frames(data: bytes) -> None:
    """One zstd frame that needs no dictionary, then nothing but skippable frames."""
    if data[:4] != struct.pack("<I", FRAME_MAGIC):
        raise ZstdError("the payload does not begin with a zstd frame")
    position = _zstd().ZSTD_findFrameCompressedSize(data, len(data))
    if _zstd().ZSTD_isError(position):
        raise ZstdError("the zstd frame is damaged")
    if _zstd().ZSTD_getDictID_fromFrame(data, len(data)):
        raise ZstdError("the zstd frame needs a dictionary")
    while position < len(data):
        if len(data) - position < 8:
            raise ZstdError("bytes after the zstd frame")
        magic, length = struct.unpack_from("<II", data, position)
        if magic & ~0xF != SKIPPABLE_MAGIC:
            raise ZstdError("only skippable frames may follow the zstd frame")
        position += 8 + length
    if position != len(data):
        raise ZstdError("a skippable frame passes the end of the payload")


def decompress(data: bytes, raw_length: int) -> bytes:
    """The `raw_length` bytes of the one zstd frame in `data`."""
    _check_frames(data)
    buffer = ctypes.create_string_buffer(raw_length)
    length = _zstd().ZSTD_decompress(buffer, raw_length, data, len(data))
    if _zstd().ZSTD_isError(length):
        raise ZstdError("the zstd payload does not decode to the raw length")
    if length != raw_length:
        raise ZstdError("the zstd payload decodes to %d bytes, not %d" % (length, raw_length))
    return buffer.raw


def compress(data: bytes, level: int = 3) -> bytes:
    bound = _zstd().ZSTD_compressBound(len(data))
    buffer = ctypes.create_string_buffer(bound)
    length = _zstd().ZSTD_compress(buffer, bound, data, len(data), level)
    if _zstd().ZSTD_isError(length):
        raise ZstdError("zstd cannot compress a block")
    return buffer.raw[:length]


def skippable_frame(content: bytes, variant: int = 0) -> bytes:
    return struct.pack("<II", SKIPPABLE_MAGIC + variant, len(content)) + content


def within_ratio(raw_length: int, stored_length: int) -> bool:
    """The bound on how well a payload may compress."""
    return raw_length <= 4096 + 256 * stored_length
