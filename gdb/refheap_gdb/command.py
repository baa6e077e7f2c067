"""What every command is: a word under `refheap`, its options, and what stands behind them."""

import os
import re

import gdb

from . import options, settings, target
from .asking import ask, names_of, resolve
from .options import Option

_GENERATIONS = ["0", "1", "2", "permanent", "untracked"]


def _types(typed=None):
    return names_of("select name from types where count > 0 order by name")


GENERATION = Option("generation", "N", "only this generation: 0, 1, 2, permanent, untracked", choices=_GENERATIONS)
TYPE = Option("type", "NAME", "only objects of this type; * matches anything", choices=_types)
HEAP = Option("heap", "ID", "only objects of this heap")
DEPTH = Option("depth", "N", "follow references this far")
LIMIT = Option("limit", "N", "show at most N rows; 0 for all")
SORT = Option("sort", "COLUMN", "order rows by a column: largest first, text from A; +COLUMN and -COLUMN say which way")
NO_FOLD = Option("no-fold", None, "show each of those that look alike")
OUTPUT = Option("o", "FILE", "the file to write", "-o", choices=options.files)


class Command(gdb.Command):
    """A command with options in GDB's style; subclasses have a name, a doc string, and what they take."""

    name = None
    takes = []
    wants = None  # what stands behind the options: None, "expression", "file" or "words"

    def __init__(self):
        if self.takes:
            self.__doc__ += "\n\n  Options:\n" + "\n".join(
                "    -%s%s\n      %s" % (o.flag, " " + o.value if o.value else "", o.help) for o in self.takes)
        super().__init__("refheap " + self.name, gdb.COMMAND_DATA)

    def complete(self, text, word):
        found, rest = options.complete(self.takes, text, word)
        if found is not None:
            return found
        if self.wants == "file" and rest == text:
            return gdb.COMPLETE_FILENAME
        return self.complete_rest(rest, word)

    def complete_rest(self, rest, word):
        if self.wants == "file":
            return options.cut(options.files(rest), rest, word)
        return complete_expression(rest, word) if self.wants == "expression" else []

    def invoke(self, argument, from_tty):
        self.check_and_run(*options.parse(self.takes, argument))

    def check_and_run(self, given, rest):
        self.check(rest)
        self.run(given, rest)

    def check(self, rest):
        if self.wants is None and rest is not None:
            raise gdb.GdbError("Junk after the options of refheap %s: %s" % (self.name, rest))
        if self.wants in ("expression", "file") and rest is None and not self.optional():
            raise gdb.GdbError("refheap %s: name %s." % (self.name, "a file" if self.wants == "file" else "an object"))

    def optional(self):
        return False

    def run(self, given, rest):
        raise NotImplementedError


class Query(Command):
    """A question that the refheap program answers as it is."""

    def question(self, given, rest, table=True):
        """The program's words, and the snapshots that stand before the one asked; `table`: a table for people, cut."""
        subject = [resolve(rest)] if rest is not None else []
        return [self.name] + subject + program_options(given, table and LIMIT in self.takes), []

    def run(self, given, rest):
        words, before = self.question(given, rest)
        ask(words, target.snapshot(), before)


def complete_expression(text, word):
    """What GDB itself would offer behind `print`, and the names of roots and types where one is being typed."""
    for prefix, query in (("type:", None), ("root:", "select distinct name from roots where exact order by name")):
        if text.startswith(prefix):
            return options.cut([prefix + name for name in (names_of(query) if query else _types())], text, word)
    try:
        lines = gdb.execute("complete print " + text, to_string=True).splitlines()
    except gdb.error:
        return []
    skip = len("print ") + len(text) - len(word or "")
    return [line[skip:] for line in lines if line.startswith("print " + text)]


def program_options(given, table):
    """The program's words for options, with the row limit of the settings where none was given."""
    words = []
    for option, value in given:
        words.append(option.program)
        if value is not None:
            words.append(value)
    if table and not any(option is LIMIT for option, _ in given):
        words += ["--limit", str(settings.get("row-limit") or 0)]
    return words


def file_named(path):
    return os.path.abspath(os.path.expanduser(path))


def standing_late(takes, rest):
    """The flag of an option that stands behind what it should stand before; None for none."""
    late = re.search(r"\s-(%s)(?=\s|$)" % "|".join(o.flag for o in takes), rest or "")
    return late.group(1) if late and " -- " not in rest[:late.start()] else None
