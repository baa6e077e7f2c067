"""refheap in GDB: snapshots and analysis of reference-counted heaps, about this very stop.

The package knows nothing of snapshots itself. It hands descriptors of the stopped process's memory to the `refheap`
program, which writes a snapshot to a private file, and asks the same program every question about it.

    options.py   GDB's option syntax
    program.py   finding and running the refheap program
    target.py    the program being debugged: its state, and the snapshot of this stop
    dump.py      asking the program to dump itself
    commands.py  the commands
    functions.py $refheap_count and its kin
    settings.py  set and show
"""


def register(folder):
    """Adds the commands and settings. `folder` is where the loader is: the refheap program is looked for near it."""
    from . import commands, functions, program, settings, target

    program.near(folder)
    settings.register()
    target.watch()
    commands.register()
    functions.register()
