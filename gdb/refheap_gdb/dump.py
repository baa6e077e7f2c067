"""Asking the program to dump itself: at its next safe point, or with -now by a call into it.

The control block of librefheap (control.h) is written to directly; no code of the program runs until it reaches a
safe point by itself. A call is made only on request, and guarded: a string argument would make GDB call malloc in the
program, so the path goes through the control block, and nothing but an integer comes back.
"""

import os
import threading

import gdb

from . import process, settings
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


def _in_system_call():
    """Whether the thread stopped right behind the instruction that enters the kernel."""
    inferior, pc = gdb.selected_inferior(), int(gdb.newest_frame().pc())
    enters = {"x86-64": (b"\x0f\x05",), "aarch64": (b"\x01\x00\x00\xd4",)}
    for machine, instructions in enters.items():
        if machine in gdb.newest_frame().architecture().name():
            for code in instructions:
                try:
                    return _read(inferior, pc - len(code), len(code)) == code
                except gdb.MemoryError:
                    return False
    return False


def _has_symbol(name):
    try:
        gdb.parse_and_eval("(unsigned long) &%s" % name)
        return True
    except gdb.error:
        return False


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
    if _has_symbol("rh_dump_done"):
        breakpoint = _Done(control, request, path, wait)
    elif wait:
        raise gdb.GdbError("refheap: -wait needs the symbol rh_dump_done, which this program does not have.")
    inferior.write_memory(control + REQUEST, request.to_bytes(4, "little"))
    if not wait:
        gdb.write("refheap: %s will be written at the program's next safe point; continue.\n" % path)
        if _in_system_call():
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


def _call(function):
    """Calls a function without arguments that returns an int, giving up after the timeout by interrupting GDB itself."""
    seconds = settings.get("timeout")
    timer = None
    if seconds is not None:
        timer = threading.Timer(seconds, lambda: gdb.interrupt() if hasattr(gdb, "interrupt") else
                                os.kill(os.getpid(), 2))
        timer.start()
    try:
        return int(gdb.parse_and_eval("((int (*)(void)) %d)()" % function))
    finally:
        if timer:
            timer.cancel()


def _with_setting(name, value, action):
    before = gdb.parameter(name)
    gdb.execute("set %s %s" % (name, value), to_string=True)
    try:
        return action()
    finally:
        before = {True: "on", False: "off"}.get(before, before)
        gdb.execute("set %s %s" % (name, before), to_string=True)


def _leave_abandoned_call(pc, sp):
    """An interrupted call can leave its frame behind; detaching or going on from there would kill the program."""
    frame = gdb.newest_frame()
    for _ in range(8):
        if int(frame.pc()) == pc and int(frame.read_register("sp")) == sp:
            return True
        dummy = frame
        while dummy is not None and dummy.type() != gdb.DUMMY_FRAME:
            dummy = dummy.older()
        if dummy is None:
            return False
        dummy.select()
        gdb.execute("set confirm off", to_string=True)
        gdb.execute("return", to_string=True)
        frame = gdb.newest_frame()
    return False


def now(path):
    inferior = process.require_stopped(to_run=True)
    if gdb.parameter("may-call-functions") is False:
        raise gdb.GdbError("refheap: may-call-functions is off; leave out -now, and the program dumps at its next safe "
                           "point.")
    control = find_control(inferior)
    try:
        function = int(gdb.parse_and_eval("(unsigned long) &rh_dump_now"))
    except gdb.error:
        raise gdb.GdbError("refheap: -now needs the symbol rh_dump_now, which this program does not have; leave it out.")
    # A request that waits for a safe point keeps its own path and flags.
    waiting = _read(inferior, control + FLAGS, 4), _read(inferior, control + PATH, PATH_SIZE)
    path = _write_request(inferior, control, path)
    frame = gdb.newest_frame()
    pc, sp = int(frame.pc()), int(frame.read_register("sp"))
    # A breakpoint hit during the call would abandon it.
    disabled = [b for b in gdb.breakpoints() if b.enabled]
    for breakpoint in disabled:
        breakpoint.enabled = False
    failure = None
    try:
        _with_setting("unwindonsignal", "on",
                      lambda: _with_setting("scheduler-locking", "on", lambda: _call(function)))
    except (gdb.error, KeyboardInterrupt) as e:
        failure = str(e).splitlines()[0] if str(e) else "interrupted"
        if isinstance(e, gdb.MemoryError):
            failure = "there is no stack for it; \"refheap capture\" needs none"
    finally:
        for breakpoint in disabled:
            breakpoint.enabled = True
        inferior.write_memory(control + FLAGS, waiting[0])
        inferior.write_memory(control + PATH, waiting[1])
    if failure is not None:
        whole = _leave_abandoned_call(pc, sp)
        raise gdb.GdbError("refheap: the call into the program was abandoned: %s.%s" % (
            failure, "" if whole else "  Its frame is still on the stack: do not detach; \"frame 0\" and \"return\"."))
    reason = _explain(inferior, control)
    if reason:
        raise gdb.GdbError("refheap: the program could not dump to %s: %s." % (path, reason))
    gdb.write("refheap: the program wrote %s.\n" % path)
