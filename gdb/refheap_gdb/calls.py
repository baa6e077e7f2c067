"""Calls into the program: guarded, so that it goes on afterwards as if there had been none.

A breakpoint, catchpoint or watchpoint that is hit during a call abandons it, and so does a signal that stops; what stands on
the stack then must be taken off before anybody detaches. No text is ever passed: GDB would call malloc in the program for it.
"""

import contextlib
import os
import re
import threading

import gdb

from . import process, settings


def surely(action):
    """Does what must be done, even when Ctrl-C comes in between: it is done again then. Ctrl-C is heard afterwards."""
    interrupted = False
    while True:
        try:
            action()
            break
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt


@contextlib.contextmanager
def setting(name, value):
    """A setting of GDB's own, and afterwards what it was before."""
    before = gdb.parameter(name)
    before = {True: "on", False: "off"}.get(before, before)
    try:
        gdb.execute("set %s %s" % (name, value), to_string=True)
        yield
    finally:
        surely(lambda: gdb.execute("set %s %s" % (name, before), to_string=True))


@contextlib.contextmanager
def breakpoints_off():
    """The user's breakpoints, catchpoints and watchpoints stop nothing meanwhile."""
    enabled = [b for b in gdb.breakpoints() if b.enabled]

    def enable(whether):
        for breakpoint in enabled:
            if breakpoint.is_valid():
                breakpoint.enabled = whether
    try:
        enable(False)
        yield
    finally:
        surely(lambda: enable(True))


def _handling():
    """{signal: (stop, print, pass)} as "info signals" has it."""
    rows = re.findall(r"^(SIG\w+)\s+(Yes|No)\s+(Yes|No)\s+(Yes|No)", gdb.execute("info signals", to_string=True), re.M)
    return {name: tuple(answer == "Yes" for answer in answers) for name, *answers in rows}


def _handle(name, stop, shown, passed):
    gdb.execute("handle %s %sstop %sprint %spass" % (name, *("" if yes else "no" for yes in (stop, shown, passed))),
                to_string=True)


@contextlib.contextmanager
def signals(wanted):
    """Handles signals as `wanted` says: a function from (name, stop, print, pass) to what they shall be, or None to leave it."""
    changed = {}  # to what it was, and is to be
    for name, before in _handling().items():
        now = wanted(name, *before)
        if now is not None and now != before:
            changed[name] = before, now

    def handle(which):
        for name, pair in changed.items():
            _handle(name, *pair[which])
    try:
        handle(1)
        yield
    finally:
        surely(lambda: handle(0))


# Signals by which a call itself fails, or that are the debugger's.
_KEPT = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP", "SIGINT", "SIGSTOP"}


def signals_off(deaf):
    """Signals that come for the program stop nothing meanwhile: it gets them as it would without GDB. `deaf`: Ctrl-C does
    nothing either, for a call that must not be abandoned."""
    def wanted(name, stop, shown, passed):
        if deaf and name == "SIGINT":
            return False, False, False
        return (False, False, passed) if stop and name not in _KEPT else None
    return signals(wanted)


def _interrupt_gdb():
    gdb.interrupt() if hasattr(gdb, "interrupt") else os.kill(os.getpid(), 2)


def _interrupt_after_all():
    """Of the program, where SIGINT does not stop it."""
    _handle("SIGINT", True, True, False)
    gdb.execute("interrupt", to_string=True)


def call(function, *arguments, seconds=None, result="long", deaf=False):
    """Calls the function at an address with integers, giving up after a time by interrupting GDB itself. The settings of
    `guarded` are to be in force. `deaf`: those of `signals_off(True)` are, too."""
    timer = None
    seconds = settings.get("timeout") if seconds is None else seconds
    if seconds is not None:
        timer = threading.Timer(seconds, (lambda: gdb.post_event(_interrupt_after_all)) if deaf else _interrupt_gdb)
        timer.daemon = True
        timer.start()
    try:
        kinds = ", ".join(["long"] * len(arguments)) or "void"
        return int(gdb.parse_and_eval("((%s (*)(%s)) %d)(%s)" % (result, kinds, function, ", ".join(map(str, arguments)))))
    finally:
        if timer:
            timer.cancel()


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
        with setting("confirm", "off"):
            gdb.execute("return", to_string=True)
        frame = gdb.newest_frame()
    return False


@contextlib.contextmanager
def guarded(locking):
    """Around calls by the selected thread. `locking`: whether the other threads stand still, as they may where what is called
    waits for nobody. A call that fails raises a GdbError, and leaves nothing of itself."""
    if process.at_entry_of_system_call():
        raise gdb.GdbError("refheap: nothing can be called from the beginning of a system call, where this thread stands; \"stepi\" "
                           "first.")
    frame = gdb.newest_frame()
    pc, sp = int(frame.pc()), int(frame.read_register("sp"))
    failure = None
    try:
        with breakpoints_off(), setting("unwindonsignal", "on"), setting("language", "c"), \
                setting("scheduler-locking", "on" if locking else "off"):
            yield
    except (gdb.error, KeyboardInterrupt) as e:
        failure = str(e).splitlines()[0] if str(e) else "interrupted"
        if isinstance(e, gdb.MemoryError):
            failure = "there is no stack for it; \"refheap capture\" needs none"
    if failure is not None:
        whole = _leave_abandoned_call(pc, sp)
        raise gdb.GdbError("refheap: the call into the program was abandoned: %s.%s" % (
            failure, "" if whole else "  Its frame is still on the stack: do not detach; \"frame 0\" and \"return\"."))


def address_of(symbol):
    """Of a function or a variable that the program exports; None when there is none."""
    try:
        with setting("language", "c"):
            return int(gdb.parse_and_eval("(unsigned long) &%s" % symbol))
    except gdb.error:
        return None
