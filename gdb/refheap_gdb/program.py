"""Finding and running the refheap program."""

import os
import selectors
import shutil
import signal
import subprocess
import time

import gdb

from . import settings

_folder = None


def near(folder):
    global _folder
    _folder = folder


def path():
    """The program to run, or a GdbError that says where it was looked for."""
    chosen = settings.get("program")
    if chosen:
        if os.access(chosen, os.X_OK):
            return chosen
        raise gdb.GdbError("refheap: %s cannot be run; see \"set refheap program\"." % chosen)
    places = [
        os.path.join(os.path.dirname(_folder), "refheap"),  # build/refheap_gdb
        os.path.join(_folder, "../../build/refheap"),  # the source tree
        os.path.join(_folder, "../../../../bin/refheap"),  # share/refheap/gdb/refheap_gdb
    ]
    for place in places:
        if os.access(place, os.X_OK):
            return os.path.normpath(place)
    found = shutil.which("refheap")
    if found:
        return found
    raise gdb.GdbError("refheap: the refheap program is not beside this extension nor on PATH; "
                       "\"set refheap program FILE\" says where it is.")


def run(arguments, descriptors=(), server=None):
    """Runs the program and returns (output, complaint). Its exit status is not asked for: GDB may have reaped it.

    The child is in a session of its own, so that Ctrl-C is ours to handle: it is killed, and the command ends. A server
    answers what the program asks meanwhile.
    """
    command = [path()] + arguments
    environment = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1")
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 pass_fds=descriptors, start_new_session=True, env=environment)
    except OSError as e:
        raise gdb.GdbError("refheap: cannot run %s: %s" % (command[0], e.strerror))
    try:
        with child.stdout, child.stderr:
            output, complaint = _attend(child, server)
        child.wait()
    except KeyboardInterrupt:
        _kill(child)
        raise gdb.GdbError("refheap: interrupted.")
    except BaseException:
        _kill(child)
        raise
    return output.decode("utf-8", "replace"), complaint.decode("utf-8", "replace").strip()


def _attend(child, server):
    """Reads what the program says until it ends, and serves it."""
    said = {child.stdout: [], child.stderr: []}
    seconds = settings.get("timeout")
    deadline = None if seconds is None else time.monotonic() + seconds
    with selectors.DefaultSelector() as waiting:
        for stream in [*said, *(server.channels if server else [])]:
            waiting.register(stream, selectors.EVENT_READ)
        left = len(said)
        while left:
            ready = waiting.select(None if deadline is None else max(0, deadline - time.monotonic()))
            if deadline is not None and time.monotonic() > deadline:
                raise gdb.GdbError("refheap: gave up after %s seconds; see \"set refheap timeout\"." % seconds)
            for key, _ in ready:
                if key.fileobj not in said:
                    if not key.fileobj.answer():
                        waiting.unregister(key.fileobj)
                        key.fileobj.close()
                    continue
                piece = os.read(key.fileobj.fileno(), 1 << 16)
                said[key.fileobj].append(piece)
                if not piece:
                    waiting.unregister(key.fileobj)
                    left -= 1
    return b"".join(said[child.stdout]), b"".join(said[child.stderr])


def _kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
