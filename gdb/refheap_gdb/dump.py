"""Asking the program to dump itself: at its next safe point, or with -now by a call into it.

The control block of librefheap (control.h) is written to directly; no code of the program runs until it reaches a
safe point by itself. A call is made only on request, and guarded: a string argument would make GDB call malloc in the
program, so the path goes through the control block, and nothing but an integer comes back.
"""

import os

import gdb

from . import calls, process
from .control import (DONE, FLAGS, OS_ERROR, PATH, PATH_SIZE, REQUEST, STATUS, by_symbol, find as find_control,
                      number as _number, read as _read)


def _explain(inferior, control):
    """The outcome of the last dump, in words; None when it went well."""
    status = _number(inferior, control + STATUS, 4, True)
    error = _number(inferior, control + OS_ERROR, 4, True)
    if status == 0:
        return None
    reasons = {
        -1: "not enough memory for its buffers",
        -5: "the heap is being changed at this moment; leave out -now and continue to its next safe point",
        -7: "no heap belongs to this thread; select the thread that uses it",
    }
    reason = reasons.get(status, "error %d" % status)
    if error:
        reason = os.strerror(error)
    return reason


def _write_request(inferior, control, path):
    if process.kind() == "remote":
        if not path.startswith("/"):
            raise gdb.GdbError("refheap: the program writes the file where it runs: name it from / on.")
    else:
        path = os.path.abspath(os.path.expanduser(path))
    raw = os.fsencode(path)
    if len(raw) >= PATH_SIZE:
        raise gdb.GdbError("refheap: the name of the file is too long.")
    inferior.write_memory(control + PATH, raw + b"\0")
    inferior.write_memory(control + FLAGS, (0).to_bytes(4, "little"))
    return os.fsdecode(raw)


class _Done(gdb.Breakpoint):
    """Stands at rh_dump_done() until the request is served; says so, and stops there only for -wait."""

    def __init__(self, control, request, path, wait):
        super().__init__("rh_dump_done", internal=True)
        self.silent = True
        self._control, self._request, self._path, self._wait = control, request, path, wait
        self.served = False

    def stop(self):
        inferior = gdb.selected_inferior()
        if _number(inferior, self._control + DONE) != self._request:
            return False
        self.served = True
        reason = _explain(inferior, self._control)
        if reason:
            gdb.write("refheap: the program could not dump to %s: %s.\n" % (self._path, reason))
        else:
            gdb.write("refheap: the program wrote %s.\n" % self._path)
        if not self._wait:
            gdb.post_event(self._remove)
        return self._wait

    def _remove(self):
        if self.is_valid():
            self.delete()


def _select_caller():
    """Out of the library, to the program's own frame that reached the safe point, and shows it."""
    frame = gdb.newest_frame().older()
    while frame is not None and not (frame.name() or "").startswith("rh_"):
        frame = frame.older()
    if frame is not None and frame.older() is not None:
        frame.older().select()
        gdb.execute("frame")


def pending():
    """Where the dump goes that was asked for and is not served yet; None when there is none, or no way to tell."""
    inferior = gdb.selected_inferior()
    control = None if process.is_running(inferior) else by_symbol(inferior)
    try:
        if control is None or _number(inferior, control + REQUEST) == _number(inferior, control + DONE):
            return None
        return os.fsdecode(_read(inferior, control + PATH, PATH_SIZE).split(b"\0")[0])
    except gdb.MemoryError:
        return None


def at_safe_point(path, wait):
    inferior = process.require_stopped(to_run=True)
    control = find_control(inferior)
    done = _number(inferior, control + DONE)
    if _number(inferior, control + REQUEST) != done:
        raise gdb.GdbError("refheap: an earlier request is still open; it is served when the program reaches a safe "
                           "point.")
    path = _write_request(inferior, control, path)
    request = (done + 1) & 0xffffffff
    breakpoint = None
    if calls.address_of("rh_dump_done") is not None:
        breakpoint = _Done(control, request, path, wait)
    elif wait:
        raise gdb.GdbError("refheap: -wait needs the symbol rh_dump_done, which this program does not have.")
    inferior.write_memory(control + REQUEST, request.to_bytes(4, "little"))
    if not wait:
        gdb.write("refheap: %s will be written at the program's next safe point; continue.\n" % path)
        if process.in_system_call():
            gdb.write("This thread is inside a system call: if it sleeps there, it reaches none; \"refheap capture\" reads "
                      "it from outside.\n")
        return
    try:
        gdb.execute("continue")
    finally:
        served = breakpoint.served
        breakpoint._remove()
    if served:
        _select_caller()
    else:
        gdb.write("refheap: the program stopped before it reached a safe point; the request stays open.\n")


def now(path):
    inferior = process.require_stopped(to_run=True)
    if gdb.parameter("may-call-functions") is False:
        raise gdb.GdbError("refheap: may-call-functions is off; leave out -now, and the program dumps at its next safe "
                           "point.")
    control = find_control(inferior)
    function = calls.address_of("rh_dump_now")
    if function is None:
        raise gdb.GdbError("refheap: -now needs the symbol rh_dump_now, which this program does not have; leave it out.")
    # A request that waits for a safe point keeps its own path and flags.
    waiting = _read(inferior, control + FLAGS, 4), _read(inferior, control + PATH, PATH_SIZE)
    path = _write_request(inferior, control, path)
    try:
        with calls.guarded(locking=True):
            calls.call(function, result="int")
    finally:
        inferior.write_memory(control + FLAGS, waiting[0])
        inferior.write_memory(control + PATH, waiting[1])
    reason = _explain(inferior, control)
    if reason:
        raise gdb.GdbError("refheap: the program could not dump to %s: %s." % (path, reason))
    gdb.write("refheap: the program wrote %s.\n" % path)
