"""refheap in GDB: snapshots and analysis of reference-counted heaps, about this very stop.

The package knows nothing of snapshots itself. It hands the stopped process's memory to the `refheap` program, as
descriptors or over a socket, which writes a snapshot to a private file, and asks the same program every question about it.

    options.py   GDB's option syntax
    program.py   finding and running the refheap program
    process.py   what is being debugged
    capture.py   ways to a snapshot of it: by descriptors, by the core's file, or served:
    serve.py         memory over a socket pair
    mappings.py      what is mapped where
    files.py         the files that are mapped, on this machine
    registers.py     threads
    target.py    the snapshot that questions are about: of this stop, or a file
    control.py   the control block of librefheap in the target
    objects.py   its objects as memory shows them
    oneline.py       in one line
    printers.py      as GDB prints them
    dump.py      asking the program to dump itself
    interpreter.py   having CPython do so
    running.py       letting the program run to a point
    calls.py         calls into it
    asking.py    asking the program about a snapshot
    command.py   what every command is
    commands.py  the commands, status.py one of them
    mi.py        the same for front ends
    functions.py $refheap_count and its kin
    settings.py  set and show
"""


def register(folder):
    """Adds the commands and settings. `folder` is where the loader is: the refheap program is looked for near it."""
    from . import commands, functions, mi, printers, program, settings, target

    program.near(folder)
    settings.register()
    target.watch()
    commands.register()
    mi.register()
    printers.register()
    functions.register()
