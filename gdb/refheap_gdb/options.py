"""GDB's option syntax: -flag VALUE, abbreviated as long as it is unique, -- before a raw expression.

Options are taken from the left; what follows is handed on untouched, since splitting it into words would destroy a C
expression.
"""

import re

import gdb


class Option:
    """One option: `flag` without its dash, what its value is called (None for none), and the program's option for it."""

    def __init__(self, flag, value, help, program=None):
        self.flag = flag
        self.value = value
        self.help = help
        self.program = program if program is not None else "--" + flag


def _find(options, word):
    found = [o for o in options if o.flag.lower() == word.lower()]
    found = found or [o for o in options if o.flag.lower().startswith(word.lower())]
    if not found:
        raise gdb.GdbError("Unrecognized option at: -%s" % word)
    if len(found) > 1:
        raise gdb.GdbError("-%s: Ambiguous option; it could be %s." % (word, ", ".join("-" + o.flag for o in found)))
    return found[0]


def parse(options, text):
    """Splits a command's text into ([(option, value)], rest). `rest` is None when there is none."""
    given = []
    while True:
        text = text.lstrip()
        if not text:
            return given, None
        word = re.match(r"-([A-Za-z][\w-]*)(?=\s|$)", text)
        if re.match(r"--(?=\s|$)", text):
            return given, text[2:].strip() or None
        if not word:
            return given, text.strip()
        option = _find(options, word.group(1))
        text = text[word.end():].lstrip()
        value = None
        if option.value is not None:
            match = re.match(r'"([^"]*)"|\'([^\']*)\'|(\S+)', text)
            if not match or text.startswith("-- "):
                raise gdb.GdbError("-%s requires an argument" % option.flag)
            value = next(g for g in match.groups() if g is not None)
            text = text[match.end():]
        given.append((option, value))


def complete(options, text, word):
    """Completions of an option at the end of `text`; None when something else is being typed there."""
    last = re.search(r"(?:^|\s)-([\w-]*)$", text)
    if not last or re.search(r"(?:^|\s)--(\s|$)", text):
        return None
    # `word` leaves the dash out, and so must the answer.
    skip = len(last.group(1)) - len(word)
    return [o.flag[skip:] for o in options if o.flag.startswith(last.group(1))]
