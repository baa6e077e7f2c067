"""The files on this machine that are mapped into the target elsewhere, for their symbols.

GDB has found most of them already: through its sysroot, by build-id, or from the target itself. A file is taken only when
its build-id is the one that GDB read; the refheap program compares it with the one in memory once more.
"""

import os
import re
import struct

import gdb

from . import temporary


def build_id(path):
    """The build-id of an ELF file, "" where there is none."""
    try:
        with open(path, "rb") as f:
            return _build_id(f)
    except (OSError, struct.error, ValueError):
        return ""


def _build_id(f):
    header = f.read(64)
    if header[:5] != b"\x7fELF\x02":
        return ""
    table, = struct.unpack_from("<Q", header, 32)
    size, count = struct.unpack_from("<HH", header, 54)
    for i in range(min(count, 256)):
        f.seek(table + i * size)
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", f.read(56))
        if kind != 4:  # PT_NOTE
            continue
        f.seek(offset)
        notes, at = f.read(min(length, 1 << 16)), 0
        while at + 12 <= len(notes):
            name, body, note = struct.unpack_from("<III", notes, at)
            begin = at + 12 + (name + 3 & -4)
            if note == 3 and notes[at + 12:at + 16] == b"GNU\0":
                return notes[begin:begin + body].hex()
            at = begin + (body + 3 & -4)
    return ""


def _objfile_named(name):
    return next((o for o in gdb.objfiles() if o.filename == name and o.owner is None), None)


def _entry_point():
    found = re.search(r"^\s*Entry point: 0x([0-9a-f]+)$", gdb.execute("info files", to_string=True), re.M)
    return int(found.group(1), 16) if found else None


def _quoted(word):
    return re.sub(r"([\\\\\"' \t])", r"\\\1", word)


def _fetched(name, identity):
    """A copy of a file of the target, made once in a session. GDB has read all of it already, if only piece by piece."""
    copy = os.path.join(temporary.folder(), "file-" + (identity or re.sub(r"\W", "_", name)))
    if not os.path.exists(copy):
        try:
            gdb.execute("remote get %s %s.part" % (_quoted(name[len("target:"):]), _quoted(copy)), to_string=True)
            os.rename(copy + ".part", copy)
        except (gdb.error, OSError):
            return None
    return copy


class Files:
    """Where files are, of what is mapped."""

    def __init__(self, mappings):
        self._mappings, self._entry, self._found = mappings, _entry_point(), {}

    def here(self, path):
        """A file on this machine that is the one the target has at `path`; None for none."""
        if path not in self._found:
            self._found[path] = self._search(path)
        return self._found[path]

    def _objfile(self, path):
        """What GDB has read for a file of the target: by the addresses where it stands, since names may lead through links."""
        space = gdb.current_progspace()
        for region in self._mappings.regions:
            if region.path != path or "x" not in region.access:
                continue
            if self._entry is not None and region.start <= self._entry < region.end:
                return _objfile_named(space.filename)
            for address in range(region.start, min(region.end, region.start + (1 << 16)), 256):
                name = space.solib_name(address)
                if name:
                    return _objfile_named(name)
        return None

    def _search(self, path):
        objfile = self._objfile(path)
        name = objfile.filename if objfile else ""
        identity = (objfile.build_id or "") if objfile else ""
        sysroot = gdb.parameter("sysroot") or ""
        places = [name] if name.startswith("/") else []
        if sysroot.startswith("/"):
            places.append(os.path.join(sysroot, path.lstrip("/")))
        places.append(path)
        for place in places:
            found = build_id(place)
            if found and found == (identity or found):
                return place
        if name.startswith("target:") and identity:
            copy = _fetched(name, identity)
            if copy and build_id(copy) == identity:
                return copy
        return None
