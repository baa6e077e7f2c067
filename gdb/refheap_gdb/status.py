"""`refheap status`: what the answers are about."""

import gdb

from . import capture, dump, process, program, target
from .command import Command


def _target():
    """What is being debugged, in words; None for nothing."""
    inferior, what = gdb.selected_inferior(), process.kind()
    if what is None:
        return None
    if what == "core":
        return "core %s" % (capture.core_file() or "that GDB does not name")
    number = process.number(inferior)
    of = "%s process%s" % (what, " %d" % number if number else "")
    if what == "remote" and inferior.connection.details:
        of += " at %s" % inferior.connection.details
    return "%s, %s" % (of, "running: interrupt it to ask" if process.is_running(inferior) else "stopped")


def _answers():
    if target.loaded():
        return "from %s" % target.loaded().description
    if process.kind() is None:
        return "from nothing yet: run a program, or \"refheap load FILE\""
    if target.current():
        return "from this stop: %s" % target.current().description
    return "from this stop, to be read when first asked for"


def facts():
    """[(what, how it is)], for people and for MI."""
    output, _ = program.run(["--version"])
    found = [("program", "%s (%s)" % (program.path(), output.strip())), ("target", _target() or "none"),
             ("answers", _answers())]
    if process.kind():
        found.append(("read", {"descriptors": "through descriptors of its memory", "file": "by refheap, from the file",
                               "served": "by GDB, which serves it"}[capture.method()]))
    pending = dump.pending() if process.kind() in ("live", "remote") else None
    if pending:
        found.append(("dump", "to %s, at the program's next safe point" % pending))
    return found


class Status(Command):
    """Show what refheap's answers are about.
Usage: refheap status"""

    name = "status"

    def run(self, given, rest):
        for what, how in facts():
            gdb.write("%-8s  %s\n" % (what, how))
