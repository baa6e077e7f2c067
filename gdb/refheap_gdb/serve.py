"""Serving memory to the refheap program over a socket pair (runtime/probe/served.h), and the files that are mapped.

What is asked is checked: the program reads memory that it does not trust, and so may ask for anything.
"""

import socket
import struct

import gdb

from . import files
from .mappings import PAGE

_READ, _FILE = 1, 2
_READ_MAX, _PATH_MAX = 1 << 20, 4095
_REQUEST, _REPLY = struct.Struct("<IIQ"), struct.Struct("<II")


def read(inferior, address, size):
    """The bytes there, or None where they are not all there."""
    try:
        return bytes(inferior.read_memory(address, size))
    except (gdb.MemoryError, gdb.error, OverflowError):
        return None


def read_prefix(inferior, address, size):
    """What is there from the address on without a gap; looked for by halves, since a failure tells nothing more."""
    found = read(inferior, address, size)
    if found is not None:
        return found
    found, step = b"", size // 2
    while step and len(found) < size:
        # Up to the end of a page, where what is mapped ends.
        end = min((address + len(found) + step) & -PAGE, address + size)
        n = end - address - len(found)
        more = read(inferior, address + len(found), n) if n > 0 else None
        if more is None:
            step //= 2
        else:
            found += more
    return found


class _Channel:
    """One socket, whose other end the program has."""

    def __init__(self, server):
        self._server = server
        self._ours, self.theirs = socket.socketpair()
        # A reader may be killed over a long answer that nobody takes any more.
        self._ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 10, 0))

    def fileno(self):
        return self._ours.fileno()

    def close(self):
        self._ours.close()
        self.theirs.close()

    def _receive(self, size):
        return self._ours.recv(size, socket.MSG_WAITALL) if size else b""

    def answer(self):
        """Serves one request. False when there will be no more."""
        try:
            return self._answer()
        except OSError:
            return False  # the program has gone

    def _answer(self):
        request = self._receive(_REQUEST.size)
        if len(request) < _REQUEST.size:
            return False
        kind, size, address = _REQUEST.unpack(request)
        if kind == _READ and size <= _READ_MAX:
            answer = self._server.memory(address, size)
        elif kind == _FILE and size <= _PATH_MAX:
            answer = self._server.file(self._receive(size))
        else:
            return False
        self._ours.sendall(_REPLY.pack(kind, len(answer)) + answer)
        return True


class Server:
    """Answers what comes over its channels, until they end or break the rules. The program has two, the second for a child."""

    def __init__(self, inferior, mappings):
        self._inferior, self._mappings = inferior, mappings
        self._files = files.Files(mappings)
        self.channels = [_Channel(self), _Channel(self)]

    def descriptors(self):
        return [channel.theirs.fileno() for channel in self.channels]

    def close(self):
        for channel in self.channels:
            channel.close()

    def memory(self, address, size):
        size = min(size, self._mappings.room(address))
        return read_prefix(self._inferior, address, size) if size else b""

    def file(self, path):
        found = self._files.here(path.decode("utf-8", "surrogateescape"))
        return found.encode("utf-8", "surrogateescape")[:_PATH_MAX] if found else b""
