"""GDB's option syntax: -flag VALUE, abbreviated as long as it is unique, -- before a raw expression.

Options are taken from the left; what follows is handed on untouched, since splitting it into words would destroy a C
expression.
"""

import os
import re

import gdb


class Option:
    """One option: `flag` without its dash, what its value is called (None for none), and the program's option for it.

    `choices`: what its value may be completed to: a list, or a function that returns one for what has been typed of it.
    """

    def __init__(self, flag, value, help, program=None, choices=()):
        self.flag = flag
        self.value = value
        self.help = help
        self.program = program if program is not None else "--" + flag
        self._choices = choices

    def choices(self, typed):
        return self._choices(typed) if callable(self._choices) else self._choices


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


def parse_words(options, words):
    """The same for words that are apart already, as MI has them; what follows the options is joined again."""
    given, words = [], list(words)
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        option = _find(options, word.lstrip("-"))
        if option.value is not None and not words:
            raise gdb.GdbError("-%s requires an argument" % option.flag)
        given.append((option, words.pop(0) if option.value is not None else None))
    return given, " ".join(words) or None


# An option, or the value of one, at the end of a line of which everything before is whole.
_WHOLE = r"""(?:"[^"]*"|'[^']*'|\S+)"""


def complete(options, text, word):
    """What is being typed at the end of `text`, and its completions, as (completions, None); or (None, rest) when the
    options are over, and `rest` is what follows them.

    GDB asks twice, first with a `word` of None to learn where words begin, and then wants completions of `word` alone,
    which may begin behind a dash, a colon or whatever else ends words.
    """
    rest = text.lstrip()
    while True:
        if re.match(r"--(?=\s|$)", rest):
            return None, rest[2:].lstrip()
        flag = re.match(r"-([\w-]*)$", rest)
        if flag:
            return cut([o.flag for o in options if o.flag.startswith(flag.group(1))], flag.group(1), word), None
        flag = re.match(r"-([A-Za-z][\w-]*)\s+", rest)
        if not flag:
            return None, rest
        try:
            option = _find(options, flag.group(1))
        except gdb.GdbError:
            return [], None
        rest = rest[flag.end():]
        if option.value is None:
            continue
        value = re.match(_WHOLE + r"\s+", rest)
        if not value:
            return cut(option.choices(rest), rest, word), None
        rest = rest[value.end():]


def cut(candidates, typed, word):
    """Those that begin as typed, without what stands before the word that GDB completes."""
    skip = len(typed) - len(word or "")
    return [c[max(skip, 0):] for c in candidates if c.startswith(typed)]


def files(typed):
    """Names of files that begin as typed. (GDB completes them itself only where they are all that stands on the line.)"""
    folder, name = os.path.split(typed)
    try:
        found = sorted(n for n in os.listdir(os.path.expanduser(folder) or ".") if n.startswith(name))
    except OSError:
        return []
    whole = [os.path.join(folder, n) for n in found if name or not n.startswith(".")]
    return [n + "/" if os.path.isdir(os.path.expanduser(n)) else n for n in whole]
