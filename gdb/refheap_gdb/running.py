"""Letting the program run for a while, to one of some points, and no longer than was asked for.

The points are the entries of functions. A thread that comes to one stops there if it is fit for a call: none of the functions
it is in may hold a lock of the allocator or the loader.
"""

import contextlib
import os
import re
import signal
import threading
import time

import gdb

from . import calls

# What may hold locks that starting a thread or loading a library needs, wherever it is interrupted; without the underscores and
# prefixes that libc has for its own names of them.
_LOCKING = set("""
    malloc calloc realloc free memalign posix_memalign aligned_alloc valloc pvalloc malloc_trim mallinfo mallinfo2 mallopt
    int_malloc int_free int_realloc int_memalign sysmalloc systrim malloc_consolidate arena_get2 tcache_init thread_freeres
    Fork fork vfork clone clone3 posix_spawn posix_spawnp pthread_create pthread_create_2_1 call_tls_dtors
    dlopen dlmopen dlclose dlsym dlvsym dladdr dl_iterate_phdr exit cxa_atexit cxa_finalize
""".split())
_FRAMES = 64


def _names(frame, most):
    """[(name, file of the code)] of the innermost frames, as far as they can be told."""
    found = []
    try:
        while frame is not None and len(found) < most:
            found.append((frame.name() or "", gdb.solib_name(int(frame.pc())) or ""))
            frame = frame.older()
    except gdb.error:
        pass  # what is further out cannot be told
    return found


def is_fit(at_entry=False):
    """Whether the selected thread holds none of those locks. `at_entry`: it has just come to the innermost function."""
    for n, (name, file) in enumerate(_names(gdb.newest_frame(), _FRAMES)):
        plain = re.sub(r"^_*(GI_+)?(libc_)?", "", name)
        if (plain in _LOCKING and not (at_entry and n == 0)) or re.search(r"/ld(64|-)[^/]*$", file):
            return False
    return True


def innermost(most):
    return [name for name, _ in _names(gdb.newest_frame(), most)]


class Point(gdb.Breakpoint):
    """The entry of a function; `fit`: a thread stops there only if it is."""

    def __init__(self, address, fit=False):
        self._inferior, self._fit = gdb.selected_inferior().num, fit
        self.reached = False
        super().__init__("*%d" % address, internal=True)
        self.silent = True

    def stop(self):
        if gdb.selected_inferior().num != self._inferior or (self._fit and not is_fit(at_entry=True)):
            return False
        self.reached = True
        return True


@contextlib.contextmanager
def points(addresses, fit=False):
    """Points that are gone afterwards, whatever happens."""
    made = []
    try:
        for address in addresses:
            made.append(Point.__new__(Point))  # known before GDB has it, or Ctrl-C in between would leave it there
            made[-1].__init__(address, fit)
        yield made
    finally:
        calls.surely(lambda: [point.delete() for point in made if point.is_valid()])


class Ended(Exception):
    """The program does not stand at a point: what happened, in words."""


def _speaks_to_a_front_end():
    with open("/proc/self/cmdline", "rb") as f:
        return re.search(rb"\0--?i(?:nterpreter)?[=\0](?:mi|dap)", f.read()) is not None


@contextlib.contextmanager
def _quietly():
    """GDB tells people of every signal that stops the program, also of ours that only make it pause, unless it tells its log.
    (A front end must know of each stop.)"""
    if gdb.parameter("logging enabled") or _speaks_to_a_front_end():
        yield
        return
    with calls.setting("logging file", "/dev/null"), calls.setting("logging redirect", "on"), \
            calls.setting("logging enabled", "on"):
        yield


def _tell(text):
    gdb.write(text)
    gdb.flush()


def _hears_no_interrupt(pid):
    """Whether all threads of a process block SIGINT."""
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/status" % (pid, thread)) as f:
                blocked = re.search(r"^SigBlk:\s*(\w+)", f.read(), re.M)
            if not blocked or not int(blocked.group(1), 16) >> (signal.SIGINT - 1) & 1:
                return False
        return True
    except OSError:
        return False


class Run:
    """Continues the program, again and again, until a deadline."""

    def __init__(self, seconds):
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._seconds = seconds
        self._going = None  # what stands for the time it runs
        self.owed = False  # it was interrupted by us, and the signal has not been seen

    def _interrupt(self, going):
        if self._going is not going:
            return
        self.owed = True
        if _hears_no_interrupt(gdb.selected_inferior().pid):
            os.kill(gdb.selected_inferior().pid, signal.SIGSTOP)  # which nobody can block, and only we see
        else:
            gdb.execute("interrupt", to_string=True)

    def left(self):
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _timers(self, seconds, notice):
        going = self._going = object()
        waits = [s for s in (seconds, self.left()) if s is not None]
        timers = [threading.Timer(min(waits), lambda: gdb.post_event(lambda: self._interrupt(going)))] if waits else []
        if notice:
            text = notice[1]
            timers.append(threading.Timer(notice[0], lambda: gdb.post_event(lambda: self._going is going and _tell(text))))
        for timer in timers:
            timer.daemon = True
            timer.start()
        return timers

    def go(self, points, seconds=None, notice=None):
        """Continues until one of the points is reached, and returns it; or until the time is over, and returns None. Raises Ended
        when something else stopped the program, GdbError at the deadline, KeyboardInterrupt by Ctrl-C. `notice`: after how many
        seconds to tell people what."""
        events, timers = [], []
        registries = gdb.events.stop, gdb.events.exited
        for registry in registries:
            registry.connect(events.append)
        try:
            timers = self._timers(seconds, notice)
            with contextlib.nullcontext() if notice else _quietly():
                said = gdb.execute("continue", to_string=not notice) or ""
        except gdb.error as e:
            raise Ended("it cannot go on: %s" % str(e).splitlines()[0])
        finally:
            self._going = None
            for timer in timers:
                timer.cancel()
            for registry in registries:
                calls.surely(lambda: registry.disconnect(events.append))
        return self._outcome(points, events, said)

    def _outcome(self, points, events, said):
        reached = next((p for p in points if p.is_valid() and p.reached), None)
        if reached:
            return reached
        event = events[-1] if events else None
        by_signal = getattr(event, "stop_signal", None)
        if isinstance(event, gdb.ExitedEvent):
            raise Ended("it ended with exit status %d" % event.exit_code if hasattr(event, "exit_code") else
                        "it was ended by a signal")
        if by_signal in ("SIGINT", "SIGSTOP") and self.owed:
            self.owed = False
            if self.left() == 0.0:
                raise gdb.GdbError("refheap: gave up after %s seconds; see \"set refheap timeout\"." % self._seconds)
            return None
        if by_signal == "SIGINT":
            raise KeyboardInterrupt
        raise Ended("it stopped: %s" % (by_signal or (said.strip().splitlines() or ["for another reason"])[0]))


def interrupts_are_ours():
    """SIGINT and SIGSTOP stop the program and do not reach it, whatever was set: to interrupt it is all that we do with them."""
    return calls.signals(lambda name, *before: (True, True, False) if name in ("SIGINT", "SIGSTOP") else None)
