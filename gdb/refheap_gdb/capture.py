"""Ways to a snapshot of what GDB has stopped. None of them runs code of the program.

descriptors  a process of this machine: GDB opens its memory, where the refheap program itself may not be allowed to
file         a core: the program reads it without GDB
served       whatever GDB can read: it serves the memory over a socket pair
"""

import functools
import json
import os
import re
import tempfile

import gdb

from . import mappings, process, program, registers, serve, settings


def _facts(said):
    """What the program wrote, from what it said."""
    output, complaint = said
    try:
        answer = json.loads(output)
        if answer["complete"]:
            return answer["snapshot"]
    except (ValueError, KeyError):
        pass
    raise gdb.GdbError(complaint or "refheap: the capture failed without saying why.")


def _text_file(text):
    """An open file without a name that holds a text, to be read from its beginning."""
    f = tempfile.TemporaryFile()
    f.write(text.encode("utf-8", "surrogateescape"))
    f.flush()
    f.seek(0)
    return f


def _threads_file(threads):
    return _text_file("".join(thread.line() for thread in threads))


def core_file():
    """Where GDB has its core from: it tells people alone. None when it does not say."""
    found = re.search(r"^Local core dump file:\n\t`(.*)', file type ", gdb.execute("info files", to_string=True), re.M)
    return found.group(1) if found else None


def _by_file(path, options, otherwise):
    core = core_file()
    if core is None and otherwise:
        return otherwise()
    if core is None:
        raise gdb.GdbError("refheap: GDB does not say where this core is; \"set refheap capture-method served\" reads it "
                           "through GDB.")
    words = ["--core", core]
    sysroot = gdb.parameter("sysroot") or ""
    if gdb.current_progspace().filename:
        words += ["--exe", gdb.current_progspace().filename]
    if sysroot.startswith("/") and sysroot != "/":
        words += ["--sysroot", sysroot]
    said = program.run(["capture", "--json", "--quiet", *options, *words, "-o", path])
    if otherwise and said[1].startswith("refheap: %s: " % core) and not said[0]:
        return otherwise()  # there is something about this core that GDB knows better
    return _facts(said)


def _by_descriptors(inferior, path, options):
    with _threads_file(registers.threads(inferior)) as threads:
        descriptors = []
        try:
            # Opened here, where GDB is allowed to: the program that reads may not be.
            for name in ("mem", "maps"):
                descriptors.append(os.open("/proc/%d/%s" % (inferior.pid, name), os.O_RDONLY))
            words = ["--memory-fd", str(descriptors[0]), "--maps-fd", str(descriptors[1]), "--threads-fd",
                     str(threads.fileno()), "--process", str(inferior.pid)]
            said = program.run(["capture", "--json", "--quiet", *options, *words, "-o", path], [*descriptors, threads.fileno()])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
    return _facts(said)


def _executable():
    """The program's file as the target has it."""
    try:
        found = re.search(r"^exe = '(.*)'$", gdb.execute("info proc exe", to_string=True), re.M)
    except gdb.error:
        found = None
    return found.group(1) if found else gdb.current_progspace().filename


def _by_serving(inferior, path, options):
    threads = registers.threads(inferior)
    is_core = process.kind() == "core"
    core = core_file() if is_core else None
    mapped = mappings.of_target(core, lambda address, size: serve.read(inferior, address, size),
                                [t.sp for t in threads if t.sp])
    server = serve.Server(inferior, mapped)
    try:
        with _text_file(mapped.text()) as maps, _threads_file(threads) as list_of_threads:
            words = ["--memory-socket", ",".join(map(str, server.descriptors())), "--maps-fd", str(maps.fileno()), "--threads-fd",
                     str(list_of_threads.fileno())]
            if process.number(inferior):
                words += ["--process", str(process.number(inferior))]
            if _executable():
                words += ["--exe", _executable()]
            if is_core:
                words += ["--core", core or "unknown"]
            said = program.run(["capture", "--json", "--quiet", *options, *words, "-o", path],
                               [*server.descriptors(), maps.fileno(), list_of_threads.fileno()], server)
    finally:
        server.close()
    return _facts(said)


def method():
    """The way that is taken: "descriptors", "file" or "served"."""
    what, chosen = process.kind(), settings.get("capture-method")
    fit = {"live": ("descriptors", "served"), "core": ("file", "served")}.get(what, ("served",))
    return chosen if chosen in fit else fit[0]


def to_file(path, options=()):
    """Writes a snapshot of the stopped program to `path`; returns what is in it. `options`: the program's own."""
    inferior = process.require_stopped()
    chosen = settings.get("capture-method")
    if chosen not in ("auto", method()):
        raise gdb.GdbError("refheap: capture-method is %s, which does not fit a %s target; \"set refheap capture-method auto\"."
                           % (chosen, process.kind()))
    served = functools.partial(_by_serving, inferior, path, options)
    if method() == "served":
        return served()
    if method() == "file":
        return _by_file(path, options, served if chosen == "auto" else None)
    try:
        return _by_descriptors(inferior, path, options)
    except OSError as e:
        if chosen == "auto":
            return served()
        raise gdb.GdbError("refheap: cannot open the memory of process %d: %s." % (inferior.pid, e.strerror))
