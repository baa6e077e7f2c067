"""What is being debugged."""

import re

import gdb


def kind():
    """What is being debugged: "live", "core", "remote" or None."""
    inferior = gdb.selected_inferior()
    connection = inferior.connection
    if connection is None or not inferior.pid:
        return None
    if connection.type == "native":
        return "live"
    return "core" if connection.type == "core" else "remote"


def require_stopped(to_run=False):
    """The inferior, when it stands still; with `to_run`, also able to go on."""
    what = kind()
    if what is None:
        raise gdb.GdbError("refheap: no program is being debugged; run one, or use \"refheap load FILE\".")
    if what == "core" and to_run:
        raise gdb.GdbError("refheap: this is a core; nothing can be run in it.")
    inferior = gdb.selected_inferior()
    if what != "core" and is_running(inferior):
        raise gdb.GdbError("refheap: the program is running; interrupt it first.")
    return inferior


def number(inferior):
    """The process's id where it runs; None where the target does not tell it and GDB made one up."""
    shown = gdb.execute("info inferiors %d" % inferior.num, to_string=True)
    return inferior.pid if re.search(r"\bprocess %d\b" % inferior.pid, shown) else None


def is_judging():
    """Whether the condition of a breakpoint is being judged, or something like it done in passing.

    GDB still calls threads running then, and tells nobody when the program goes on; but the selected one, which has come to
    the breakpoint, has a frame, as a running one has not. Others may really run: a heap is used by one thread at a time, the
    one that is here.
    """
    thread = gdb.selected_thread()
    if thread is None or not thread.is_running():
        return False
    try:
        gdb.newest_frame()
        return True
    except gdb.error:
        return False


def is_running(inferior):
    """Whether any thread runs, so that memory may change while it is read."""
    return any(thread.is_running() for thread in inferior.threads()) and not is_judging()


_ENTERS_THE_KERNEL = {"x86-64": b"\x0f\x05", "aarch64": b"\x01\x00\x00\xd4"}


def in_system_call():
    """Whether the selected thread stopped right behind the instruction that enters the kernel."""
    frame = gdb.newest_frame()
    for machine, code in _ENTERS_THE_KERNEL.items():
        if machine in frame.architecture().name():
            try:
                return bytes(gdb.selected_inferior().read_memory(int(frame.pc()) - len(code), len(code))) == code
            except gdb.MemoryError:
                return False
    return False


def at_entry_of_system_call():
    """Whether the selected thread stopped where a system call begins ("catch syscall"): the kernel will go on with it whatever
    the registers say then, and what is called from there ends it. (Told by what the kernel has put there on x86-64: ENOSYS.)"""
    frame = gdb.newest_frame()
    if "x86-64" not in frame.architecture().name() or not in_system_call():
        return False
    return int(frame.read_register("rax")) == -38 and int(frame.read_register("orig_rax")) >= 0
