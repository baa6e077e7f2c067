"""The commands for front ends that speak MI: -refheap-summary and so on, answered with what the program says as JSON.

    -refheap-referrers -generation 0 -limit 5 -- conn->peer

Options and expressions are those of the command line's; there is no limit unless one is given. Numbers and addresses come
as strings, as all of MI does, a null is left out, and a truth is 0 or 1.
"""

import gdb

from . import commands, options, status, target
from .asking import answer, said
from .command import OUTPUT, file_named


def plain(value):
    """JSON as MI can carry it."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items() if v is not None}
    if isinstance(value, list):
        return ["" if v is None else plain(v) for v in value]
    return str(int(value)) if isinstance(value, bool) else str(value)


def _ask(command, given, rest):
    words, before = command.question(given, rest, table=False)
    return answer(words, target.snapshot(), before)


def _status(command, given, rest):
    return dict(status.facts())


def _capture(command, given, rest):
    return dict(command.capture(given, rest), path=file_named(rest))


def _load(command, given, rest):
    if rest is None:
        target.unload()
        return {}
    return {"answers": target.load(file_named(rest)).description}


def _render(command, given, rest):
    said(command.question(given, rest)[0], target.snapshot())
    return {"path": next(file_named(value) for option, value in given if option is OUTPUT)}


def _dump(command, given, rest):
    commands.have_dumped(given, rest)
    return {"path": rest}


_OTHERS = {"status": _status, "capture": _capture, "load": _load, "render": _render, "dump": _dump}


def register():
    if not hasattr(gdb, "MICommand"):
        return

    class Command(gdb.MICommand):
        def __init__(self, command):
            super().__init__("-refheap-" + command.name)
            self._command = command
            self._act = _OTHERS.get(command.name, _ask)

        def invoke(self, argv):
            given, rest = options.parse_words(self._command.takes, argv)
            self._command.check(rest)
            return plain(self._act(self._command, given, rest))

    for command in commands.registered:
        Command(command)
