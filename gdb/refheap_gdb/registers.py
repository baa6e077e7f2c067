"""The threads' stack pointers and registers, as GDB has them, for the refheap program (runtime/probe/threads.h)."""

import gdb

# In the order of elf_gregset_t, up to the stack pointer.
_ORDER = {
    "x86-64": ["r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
               "orig_rax", "rip", "cs", "eflags", "rsp"],
    "aarch64": ["x%d" % n for n in range(31)] + ["sp"],
}
_MASK = (1 << 64) - 1


class Thread:
    __slots__ = ("id", "registers", "sp")

    def __init__(self, id, registers, sp):
        self.id, self.registers, self.sp = id, registers, sp

    def line(self):
        return " ".join([str(self.id)] + ["-" if r is None else "%x" % r for r in self.registers]) + "\n"


def _names(frame):
    machine = frame.architecture().name()
    return next((names for key, names in _ORDER.items() if key in machine), [])


def _register(frame, name):
    try:
        return int(frame.read_register(name)) & _MASK
    except (gdb.error, ValueError):
        return None  # this target does not have it, or not now


def _read(thread):
    thread.switch()
    try:
        frame = gdb.newest_frame()
    except gdb.error:
        return None
    registers = [_register(frame, name) for name in _names(frame)]
    pid, lwp, tid = thread.ptid
    id = next((n for n in (lwp, tid, pid) if n > 0), thread.num)
    return Thread(id, registers, registers[-1] if registers else None)


def threads(inferior):
    """All threads of the inferior; the selected thread and frame stay selected."""
    selected, frame = gdb.selected_thread(), None
    try:
        frame = gdb.selected_frame()
    except gdb.error:
        pass
    found = []
    try:
        for thread in inferior.threads():
            read = _read(thread)
            if read:
                found.append(read)
    finally:
        if selected is not None and selected.is_valid():
            selected.switch()
            if frame is not None and frame.is_valid():
                frame.select()
    return found
