"""The program being debugged: its state, and the snapshot of this stop."""

import atexit
import json
import os
import re
import shutil
import tempfile

import gdb

from . import program


class Snapshot:
    """A snapshot file and where it came from."""

    def __init__(self, path, description, loaded, inferior=None):
        self.path = path
        self.inferior = inferior  # its number and process
        self.description = description
        self.loaded = loaded  # by the user, from a file: it is not of this stop


_current = None  # captured at this stop
_loaded = None
_folder = None


def _drop(event=None):
    """Forgets the snapshot of the last stop: whatever it showed may have changed."""
    global _current
    if _current:
        for path in (_current.path, _current.path + ".index"):
            try:
                os.unlink(path)
            except OSError:
                pass
    _current = None


def watch():
    """Drops the snapshot as soon as the target moves, or is not the same any more."""
    for name in ("cont", "exited", "inferior_call", "memory_changed", "new_objfile", "free_objfile",
                 "connection_removed", "inferior_deleted"):
        registry = getattr(gdb.events, name, None)
        if registry is not None:
            registry.connect(_drop)


def _temporary_folder():
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="refheap-")
        atexit.register(shutil.rmtree, _folder, True)
    return _folder


def kind():
    """What is being debugged: "live", "core", "remote" or None."""
    inferior = gdb.selected_inferior()
    connection = inferior.connection
    if connection is None or not inferior.pid:
        return None
    if connection.type == "native":
        return "live"
    return "core" if connection.type == "core" else "remote"


def require_stopped_process(also_core=False):
    """The inferior, when it is a live process on this machine that stands still; or a core, where one will do."""
    what = kind()
    if what is None:
        raise gdb.GdbError("refheap: no program is being debugged; run one, or use \"refheap load FILE\".")
    if what == "core" and also_core:
        return gdb.selected_inferior()
    if what == "core":
        raise gdb.GdbError("refheap: this is a core; nothing can be run in it.")
    if what != "live":
        raise gdb.GdbError("refheap: this is a %s target; only live processes on this machine, and cores, can be read so far."
                           % what)
    inferior = gdb.selected_inferior()
    if any(thread.is_running() for thread in inferior.threads()):
        raise gdb.GdbError("refheap: the program is running; interrupt it first.")
    return inferior


def _core_file():
    """Where GDB has its core from: it tells people alone."""
    found = re.search(r"^Local core dump file:\n\t`(.*)', file type ", gdb.execute("info files", to_string=True), re.M)
    if not found:
        raise gdb.GdbError("refheap: GDB does not say where this core is; use \"refheap load\" on a snapshot of it.")
    return found.group(1)


def _core_words():
    words = ["--core", _core_file()]
    sysroot = gdb.parameter("sysroot") or ""
    if gdb.current_progspace().filename:
        words += ["--exe", gdb.current_progspace().filename]
    if sysroot.startswith("/") and sysroot != "/":
        words += ["--sysroot", sysroot]
    return words


def _facts(output, complaint):
    try:
        answer = json.loads(output)
        if answer["complete"]:
            return answer["snapshot"]
    except (ValueError, KeyError):
        pass
    raise gdb.GdbError(complaint or "refheap: the capture failed without saying why.")


def capture(path):
    """Writes a snapshot of the stopped process to `path`, reading its memory from outside; returns what is in it."""
    inferior = require_stopped_process(also_core=True)
    if kind() == "core":
        return _facts(*program.run(["capture", "--json", "--quiet", *_core_words(), "-o", path]))
    descriptors = []
    try:
        # Opened here, where GDB is allowed to: the program that reads may not be.
        for name in ("mem", "maps"):
            descriptors.append(os.open("/proc/%d/%s" % (inferior.pid, name), os.O_RDONLY))
    except OSError as e:
        for descriptor in descriptors:
            os.close(descriptor)
        raise gdb.GdbError("refheap: cannot open the memory of process %d: %s." % (inferior.pid, e.strerror))
    try:
        output, complaint = program.run(
            ["capture", "--json", "--quiet", "--memory-fd", str(descriptors[0]), "--maps-fd", str(descriptors[1]),
             "--process", str(inferior.pid), "-o", path], descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return _facts(output, complaint)


def snapshot():
    """The snapshot that questions are about: a loaded file, or this stop, captured when first asked for."""
    global _current
    if _loaded:
        return _loaded
    inferior = require_stopped_process(also_core=True)
    if _current and _current.inferior != (inferior.num, inferior.pid):
        _drop()
    if _current is None:
        path = os.path.join(_temporary_folder(), "stop.refheap")
        facts = capture(path)
        _current = Snapshot(path, "process %d, %d objects" % (inferior.pid, facts["objects"]), False,
                            (inferior.num, inferior.pid))
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
