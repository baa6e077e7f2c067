"""Having CPython dump itself (refheap dump -run), by the module refheap and a thread of its own.

Where GDB has stopped an interpreter nearly nothing can be called: one in twelve would not survive. What can is
Py_AddPendingCall(), which takes one short lock; the rest is called where the program comes to by itself when it goes on:

1. the interpreter is asked for a pending call of PyErr_CheckSignals(), which changes nothing;
2. the program runs until a thread enters that function, or malloc and its kin, or has been idle in a system call: there it
   holds no lock of the allocator or the loader;
3. there the module is loaded, if it is not yet, and starts its thread (asked.h); nothing else is called;
4. the program runs until that thread got the GIL and has written the dump. It stops there, with the heap that was dumped.
"""

import contextlib
import os

import gdb

from . import calls, process, program, running, settings

# struct refheap_asked of asked.h, version 1.
MAGIC, VERSION = b"refheap.asked\0\0\0", 1
STATE, STATUS, OS_ERROR, TEXT, PATH, TEXT_SIZE, PATH_SIZE = 20, 28, 32, 40, 400, 360, 4096
IDLE, WAITING, DUMPING, WITHDRAWN = range(4)

EBUSY, ESRCH = 16, 3
IDLE_SECONDS, ASK_AGAIN_SECONDS, NOTICE_SECONDS = 0.5, 0.1, 1.5
POINTS = ("malloc", "calloc", "realloc", "free", "PyErr_CheckSignals")
PENDING_LOCK = {"Py_AddPendingCall", "_PyEval_AddPendingCall", "Py_MakePendingCalls", "make_pending_calls", "_make_pending_calls",
                "_pop_pending_call", "_push_pending_call", "_next_pending_call", "_Py_FinishPendingCalls"}
MODULE = "refheap.abi3.so"


# ---- what is refused ----

def is_here():
    """Whether the program has an interpreter."""
    return calls.address_of("_PyRuntime") is not None


def _number(address, size, signed=False):
    return int.from_bytes(bytes(gdb.selected_inferior().read_memory(address, size)), "little", signed=signed)


def _unfit():
    """Why this interpreter cannot be asked; None when it can."""
    if gdb.lookup_type("char").pointer().sizeof != 8:
        return "it is not one of 64 bits"
    if calls.address_of("_Py_MergeZeroLocalRefcount") is not None:
        return "it has no global interpreter lock"
    known = calls.address_of("Py_InitializeFromConfig") is not None  # since 3.8
    version = calls.address_of("Py_Version")  # since 3.11
    minor = _number(version, 4) >> 16 & 0xff if version else 8
    if not known or minor > 13:
        return "it is %s, and the module knows 3.8 to 3.13" % ("3.%d" % minor if known else "older than 3.8")
    if not all(map(calls.address_of, ("dlopen", "dlsym", "dlerror", "mmap", "munmap", "__errno_location"))):
        return "it is linked statically, and can load no module"
    if not all(map(calls.address_of, ("Py_AddPendingCall", "PyErr_CheckSignals", "PyGILState_Ensure"))):
        return "it exports too little to be asked"
    return None


def _require():
    """The inferior, when it is an interpreter that can be asked."""
    if process.kind() == "remote":
        raise gdb.GdbError("refheap: -run loads a module from this machine, and works in no remote target: \"refheap capture "
                           "FILE\" reads it as it stands.")
    inferior = process.require_stopped(to_run=True)
    if not is_here():
        raise gdb.GdbError("refheap: -run is for CPython, and this program has no interpreter (_PyRuntime); leave it out.")
    reason = _unfit()
    if reason:
        raise gdb.GdbError("refheap: this interpreter cannot dump itself: %s; \"refheap capture FILE\" reads it as it stands." %
                           reason)
    for name, bad, why in (("may-call-functions", False, "and this calls into the program"),
                           ("scheduler-locking", "on", "and this needs other threads to run"),
                           ("non-stop", True, "and this needs all threads to stop together")):
        if gdb.parameter(name) == bad:
            raise gdb.GdbError("refheap: %s is %s, %s; \"refheap capture FILE\" does without." % (
                name, "off" if bad is False else "on", why))
    return inferior


def _module():
    """The module's file: beside the program refheap, built or installed."""
    folder = os.path.dirname(os.path.realpath(program.path()))
    places = [os.path.join(folder, MODULE), os.path.join(folder, "../lib/python3/dist-packages", MODULE),
              os.path.join("/usr/lib/python3/dist-packages", MODULE)]
    for place in places:
        if os.access(place, os.R_OK):
            return os.path.normpath(place)
    raise gdb.GdbError("refheap: the module %s is neither beside %s nor in ../lib/python3/dist-packages from there." % (
        MODULE, program.path()))


# ---- calls ----

@contextlib.contextmanager
def _calling(alone):
    """Around calls by the selected thread, whose errno they leave alone. `alone`: the other threads stand still, and Ctrl-C is
    heard; else they run, since what is called may wait for one, and Ctrl-C is not heard: the loader, left in the middle of
    its work, would hold its lock for ever."""
    with calls.signals_off(deaf=not alone), calls.guarded(locking=alone):
        place = calls.call(calls.address_of("__errno_location"), deaf=not alone)
        before = bytes(gdb.selected_inferior().read_memory(place, 4))
        try:
            yield
        finally:
            gdb.selected_inferior().write_memory(place, before)


def _a_thread_has_the_lock_of_pending_calls():
    selected = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            if PENDING_LOCK.intersection(running.innermost(4)):
                return True
        return False
    finally:
        selected.switch()


def _ask_for_a_pending_call():
    """Has the main thread come to PyErr_CheckSignals() as soon as it runs Python code: not before we go on, or nobody would be
    there to see it. Returns whether that could be done here."""
    if process.at_entry_of_system_call() or _a_thread_has_the_lock_of_pending_calls():
        return False
    with _calling(alone=True):
        if not calls.call(calls.address_of("Py_IsInitialized"), result="int"):
            raise gdb.GdbError("refheap: the interpreter is not initialized yet, or not any more.")
        return calls.call(calls.address_of("Py_AddPendingCall"), calls.address_of("PyErr_CheckSignals"), 0, result="int",
                          seconds=5) == 0


def _text(address, size=256):
    """A C string of the target."""
    return bytes(gdb.selected_inferior().read_memory(address, size)).split(b"\0")[0].decode("utf-8", "replace")


def _call(name, *arguments):
    return calls.call(calls.address_of(name), *arguments, deaf=True)


def _load(file, page):
    """Loads the module by the selected thread; `page` is memory of the target for texts. Returns where its request is, and what
    starts its thread."""
    inferior = gdb.selected_inferior()
    inferior.write_memory(page, os.fsencode(file) + b"\0")
    handle = _call("dlopen", page, 2)  # RTLD_NOW
    if not handle:
        raise gdb.GdbError("refheap: the program cannot load the module: %s." % _text(_call("dlerror")))
    found = []
    for name in (b"refheap_asked", b"refheap_asked_start", b"refheap_asked_done"):
        inferior.write_memory(page, name + b"\0")
        found.append(_call("dlsym", handle, page))
    if not all(found) or bytes(inferior.read_memory(found[0], len(MAGIC))) != MAGIC or _number(found[0] + 16, 4) != VERSION:
        raise gdb.GdbError("refheap: %s is of another version than this extension." % file)
    return found


def _start(file, path):
    """At a point: has the module's thread started. Returns where the request is, and what is called when it was served."""
    inferior, size = gdb.selected_inferior(), 8192
    with _calling(alone=False):
        page = _call("mmap", 0, size, 3, 0x22, -1, 0)  # private, of no file, to be read and written
        if page in (-1, 0):
            raise gdb.GdbError("refheap: the program gets no memory.")
        try:
            request, start, done = _load(file, page)
        finally:
            _call("munmap", page, size)
        if _number(request + STATE, 4) in (IDLE, WITHDRAWN):
            inferior.write_memory(request + PATH, path + b"\0")
        status = calls.call(start, result="int", deaf=True)
    if status:
        raise gdb.GdbError("refheap: " + {
            EBUSY: "an earlier dump still waits for the interpreter, or is being written; continue.",
            ESRCH: "the interpreter is not initialized yet, or not any more.",
        }.get(status, "the program cannot start a thread: %s." % os.strerror(status)))
    return request, done


# ---- the way ----

def _select_fit_thread(threads):
    """A thread that waits in a system call and holds no lock, the first of those given; returns whether there is one."""
    for thread in threads:
        if thread.is_valid():
            thread.switch()
            if process.in_system_call() and running.is_fit():
                return True
    return False


def _come_to_a_point(run, first):
    """Runs the program until a thread is where a thread can be started; that one is selected then."""
    asks, told, seconds = 20, False, IDLE_SECONDS
    while True:
        asks = 0 if asks and not run.owed and _ask_for_a_pending_call() else max(asks - 1, 0)
        with running.points(filter(None, map(calls.address_of, POINTS)), fit=True) as points:
            if run.go(points, ASK_AGAIN_SECONDS if asks else seconds):
                return
        if asks:
            continue  # it has come out of where it was
        if _select_fit_thread([first, *gdb.selected_inferior().threads()]):
            return
        if not told:
            gdb.write("refheap: the interpreter is inside a long call; waiting for it to return (Ctrl-C gives up).\n")
            gdb.flush()
        told, seconds = True, min(seconds * 2, 12)


def _wait_for_it(run, request, done):
    """Runs the program until the dump is written, or has failed; it may have, by the time the thread was started."""
    if _number(request + STATE, 4) == IDLE:
        return
    notice = (NOTICE_SECONDS, "refheap: the interpreter's lock is held, by a long call into C or a collection, or the dump is "
                              "large; waiting (Ctrl-C gives up).\n")
    with running.points([done]) as points:
        while not run.go(points, notice=notice):
            pass


def _withdraw(request):
    """Takes a request back that was not served; returns what is left of it, in words."""
    try:
        state = _number(request + STATE, 4)
        if state == WAITING:
            gdb.selected_inferior().write_memory(request + STATE, WITHDRAWN.to_bytes(4, "little"))
    except (gdb.error, RuntimeError):
        return ""  # the program is gone
    return "  The dump is being written, and whole when the program has gone on." if state == DUMPING else ""


def _serve(inferior, path, file):
    """Has the dump written; returns where the request is, which tells how it went."""
    first, request = gdb.selected_thread(), None
    run, why = running.Run(settings.get("timeout")), None
    try:
        _come_to_a_point(run, first)
        request, done = _start(file, path)
        run.owed = False  # an interrupt that came late was lost on the calls
        _wait_for_it(run, request, done)
        return request
    except running.Ended as e:
        why = "refheap: the program did not come to dump: %s." % e
    except KeyboardInterrupt:
        why = "refheap: interrupted."
    except gdb.GdbError as e:
        why = str(e)
    finally:
        if first.is_valid() and not process.is_running(inferior):
            first.switch()
    raise gdb.GdbError(why + (_withdraw(request) if request else ""))


def dump(path):
    inferior, thread = _require(), gdb.selected_thread()
    path = os.path.abspath(os.path.expanduser(path))
    raw = os.fsencode(path)
    if len(raw) >= PATH_SIZE:
        raise gdb.GdbError("refheap: the name of the file is too long.")
    file = _module()
    with calls.breakpoints_off(), running.interrupts_are_ours():
        request = _serve(inferior, raw, file)
    status = _number(request + STATUS, 4, True)
    if status:
        error = _number(request + OS_ERROR, 4)
        raise gdb.GdbError("refheap: the program could not dump to %s: %s." % (
            path, os.strerror(error) if error else _text(request + TEXT, TEXT_SIZE)))
    gdb.write("refheap: the program wrote %s.\n" % path)
    gdb.execute("thread %d.%d" % (inferior.num, (thread if thread.is_valid() else gdb.selected_thread()).num))
