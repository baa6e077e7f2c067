"""The snapshot that questions are about: of this stop, or a file."""

import json
import os

import gdb

from . import capture, objects, process, program, temporary


class Snapshot:
    """A snapshot file and where it came from."""

    def __init__(self, path, description, loaded, inferior=None):
        self.path = path
        self.inferior = inferior  # its number and process
        self.description = description
        self.loaded = loaded  # by the user, from a file: it is not of this stop


_current = None  # captured at this stop
_loaded = None


def _drop(event=None):
    """Forgets the snapshot of the last stop: whatever it showed may have changed."""
    global _current
    objects.forget()
    if _current:
        for path in (_current.path, _current.path + ".index"):
            try:
                os.unlink(path)
            except OSError:
                pass
    _current = None


def watch():
    """Drops the snapshot as soon as the target moves, or is not the same any more."""
    for name in ("cont", "stop", "exited", "inferior_call", "memory_changed", "new_objfile", "free_objfile",
                 "connection_removed", "inferior_deleted"):
        registry = getattr(gdb.events, name, None)
        if registry is not None:
            registry.connect(_drop)


def snapshot():
    """The snapshot that questions are about: a loaded file, or this stop, captured when first asked for."""
    global _current
    if _loaded:
        return _loaded
    inferior = process.require_stopped()
    if process.is_judging():
        _drop()  # of the time before
    if _current and _current.inferior != (inferior.num, inferior.pid):
        _drop()
    if _current is None:
        path = os.path.join(temporary.folder(), "stop.refheap")
        facts = capture.to_file(path)
        number = process.number(inferior)
        _current = Snapshot(path, "%s, %d objects" % ("process %d" % number if number else "the program", facts["objects"]),
                            False, (inferior.num, inferior.pid))
    return _current


def load(path):
    global _loaded
    output, complaint = program.run(["verify", "--json", path])
    try:
        facts = json.loads(output)["snapshot"]
    except (ValueError, KeyError):
        raise gdb.GdbError(complaint or "refheap: cannot read %s." % path)
    _loaded = Snapshot(path, "file %s, %d objects" % (path, facts["objects"]), True)
    return _loaded


def unload():
    global _loaded
    _loaded = None


def loaded():
    return _loaded


def current():
    return _current
