"""The commands: `refheap` and what stands under it."""

import gdb

from . import capture, dump, interpreter, options, process, target
from .asking import ask, names_of, resolve
from .command import (DEPTH, GENERATION, HEAP, LIMIT, NO_FOLD, OUTPUT, SORT, TYPE, Command, Query, complete_expression,
                      file_named, program_options, standing_late)
from .options import Option
from .status import Status

BY = Option("by", "KEY", "group by type, heap, generation, module, size or site",
            choices=["type", "heap", "generation", "module", "size", "site"])
DIFF_BY = Option("by", "KEY", "group by type, generation or module", choices=["type", "generation", "module"])
KIND = Option("kind", "KIND", "only references of this kind", choices=["strong", "owned", "inferred", "weak", "borrowed"])
OBJECTS = Option("objects", None, "list every garbage object rather than the cycles")
DIFF_OBJECTS = Option("objects", "WHICH", "list the objects that are new, gone, moved or stayed",
                      choices=["new", "gone", "moved", "stayed"])
ATTRIBUTED = Option("attributed", None, "say who holds what is new")
WASTE = Option("waste", None, "what could be saved: equal strings, room that is not used")
PATHS = Option("paths", "N", "up to N paths that share no reference, shortest first")
FORMAT = Option("format", "FORMAT", "svg, png, pdf or dot", choices=["svg", "png", "pdf", "dot"])
CUT = Option("cut", "WHAT", "what goes; may be repeated", choices=lambda typed: names_of(
    "select distinct h.type || e.label from edges e join objects h on h.ordinal = e.source where e.label like '.%'"))
NO_VALUES = Option("no-values", None, "leave out values, keep names")
NOW = Option("now", None, "call into the program at once")
SECONDS = Option("timeout", "SECONDS", "end a query that takes longer")
WAIT = Option("wait", None, "continue until the program has written it")
RUN = Option("run", None, "CPython: let the program run until its interpreter has loaded refheap's module and written it")

_SQL_TABLES = ["objects", "edges", "types", "roots", "cycles", "heaps", "generations", "modules", "info"]


class Summary(Query):
    """Show what is in the heap, by type.
Usage: refheap summary [OPTION]..."""

    name = "summary"
    takes = [BY, GENERATION, HEAP, TYPE, LIMIT, SORT, WASTE]


class Generations(Query):
    """Show what each generation holds, and what collecting it now would find.
Usage: refheap generations [OPTION]...

Nothing is collected: the program is only read."""

    name = "generations"
    takes = [GENERATION, HEAP]


class Cycles(Query):
    """Show the garbage cycles, what they keep, and which reference to make weak.
Usage: refheap cycles [OPTION]..."""

    name = "cycles"
    takes = [GENERATION, HEAP, TYPE, LIMIT, SORT, OBJECTS, NO_FOLD]


class Audit(Query):
    """Show objects whose refcount is not what their holders say.
Usage: refheap audit [OPTION]...

What a variable of the program holds is unexplained too, but has a possible holder, which is named: a global, a stack or a
register.  Over are those that nothing holds."""

    name = "audit"
    takes = [GENERATION, HEAP, TYPE, LIMIT, NO_FOLD]


class Diff(Query):
    """Show what came, went and stayed between a snapshot file and this stop.
Usage: refheap diff [OPTION]... FILE

FILE is the earlier one: "refheap capture FILE" writes one at a stop.  Objects are told apart for certain where the heap
numbers them; otherwise what is new and gone is inferred, and the answer says so."""

    name = "diff"
    wants = "file"
    takes = [DIFF_BY, GENERATION, HEAP, TYPE, LIMIT, SORT, ATTRIBUTED, DIFF_OBJECTS]

    def question(self, given, rest, table=True):
        return [self.name] + program_options(given, table), [file_named(rest)]


class Object(Query):
    """Show everything known of one object.
Usage: refheap object [--] EXPRESSION

EXPRESSION is a pointer to an object, or root:NAME."""

    name = "object"
    wants = "expression"


class Why(Query):
    """Show what keeps an object alive.
Usage: refheap why [OPTION]... [--] EXPRESSION

EXPRESSION is a pointer to an object; of a set (type:NAME, cycle:ID, sql:CONDITION, garbage) the paths to all are merged."""

    name = "why"
    wants = "expression"
    takes = [PATHS, DEPTH, LIMIT]


class Referrers(Query):
    """Show who refers to an object.
Usage: refheap referrers [OPTION]... [--] EXPRESSION

For example: refheap referrers -generation 2 -- conn->peer"""

    name = "referrers"
    wants = "expression"
    takes = [GENERATION, HEAP, TYPE, KIND, DEPTH, LIMIT, SORT]


class Referents(Query):
    """Show what an object refers to.
Usage: refheap referents [OPTION]... [--] EXPRESSION"""

    name = "referents"
    wants = "expression"
    takes = [GENERATION, HEAP, TYPE, KIND, DEPTH, LIMIT, SORT]


class Sql(Query):
    """Ask in SQL, over tables of objects, edges, types, roots, cycles and more.
Usage: refheap sql [OPTION]... [--] QUERY
       refheap sql [.schema [TABLE]]

Without QUERY, show the tables and their columns.  The rest of the line is one query as it stands, in SQLite's language.
For example: refheap sql select type, count(*) from objects where garbage group by type
The address of an object in the program is written as GDB prints it: ... where address = 0x5555557012a0"""

    name = "sql"
    takes = [LIMIT, SECONDS]

    def complete_rest(self, rest, word):
        last = (rest.split() or [""])[-1] if not rest.endswith(" ") else ""
        return options.cut(_SQL_TABLES + names_of("select name from types order by name"), last, word)

    def check(self, rest):
        pass

    def question(self, given, rest, table=True):
        return ["sql"] + program_options(given, table) + ["--", rest or ".schema"], []


class Retained(Query):
    """Show the objects and cycles that keep the most.
Usage: refheap retained [OPTION]...

What an object retains would be unreachable without it."""

    name = "retained"
    takes = [GENERATION, HEAP, TYPE, LIMIT, SORT]


class Dominators(Query):
    """Draw the tree of who keeps whom, below an object or a cycle, or all of it.
Usage: refheap dominators [OPTION]... [[--] EXPRESSION]

EXPRESSION is a pointer to an object, or cycle:ID."""

    name = "dominators"
    wants = "expression"
    takes = [DEPTH, GENERATION, HEAP, TYPE, LIMIT, NO_FOLD]

    def optional(self):
        return True


class WhatIf(Query):
    """Show what would be freed if references were cut.
Usage: refheap what-if [OPTION]... -cut WHAT

WHAT is a field of a type (connection.peer), a reference (0xFROM.label), or objects (type:NAME, cycle:ID, root:NAME)."""

    name = "what-if"
    takes = [CUT, GENERATION, HEAP, TYPE, LIMIT, SORT]


class Suspects(Query):
    """Say what is likely wrong, in words, with the commands that show it.
Usage: refheap suspects [-limit N]"""

    name = "suspects"
    takes = [LIMIT]


class Render(Query):
    """Draw the garbage cycles, what is around an object, what keeps what, the generations, or a difference.
Usage: refheap render -o FILE.svg [OPTION]... [cycles]
       refheap render -o FILE.svg [OPTION]... cycle:ID
       refheap render -o FILE.svg [OPTION]... referrers|referents|why EXPRESSION
       refheap render -o FILE.svg [OPTION]... dominators [EXPRESSION]
       refheap render -o FILE.svg [OPTION]... generations
       refheap render -o FILE.svg [OPTION]... diff SNAPSHOT

FILE may end in .svg, .png, .pdf or .dot. diff draws what is new since SNAPSHOT, an earlier one."""

    name = "render"
    wants = "words"
    takes = [OUTPUT, FORMAT, GENERATION, DEPTH, LIMIT, NO_FOLD]

    def complete_rest(self, rest, word):
        kind, _, expression = rest.partition(" ")
        if kind in ("referrers", "referents", "why", "dominators") and rest != kind:
            return complete_expression(expression.lstrip(), word)
        return options.cut(["cycles", "referrers", "referents", "why", "dominators", "generations", "diff"], rest, word)

    def run(self, given, rest):
        ask(self.question(given, rest)[0], target.snapshot())

    def question(self, given, rest, table=True):
        late = standing_late(self.takes, rest)
        if late:
            raise gdb.GdbError("refheap render: options stand before what is drawn: put -%s before %s." % (
                late, rest.split()[0]))
        if not any(option is OUTPUT for option, _ in given):
            raise gdb.GdbError("refheap render: name the file to draw: -o FILE.svg")
        given = [(o, file_named(v) if o is OUTPUT else v) for o, v in given]
        words = (rest or "cycles").split(None, 1)
        if len(words) > 1 and words[0] == "diff":
            words[1] = file_named(words[1])
        elif len(words) > 1:
            words[1] = resolve(words[1][3:].lstrip() if words[1].startswith("-- ") else words[1])
        return ["render"] + words + program_options(given, False), []


class Capture(Command):
    """Write a snapshot of this stop to a file, reading the program from outside.
Usage: refheap capture [-no-values] FILE

No code of the program runs."""

    name = "capture"
    wants = "file"
    takes = [NO_VALUES]

    def run(self, given, rest):
        self.dont_repeat()
        facts = self.capture(given, rest)
        gdb.write("%s: %d objects, %d edges\n" % (file_named(rest), facts["objects"], facts["edges"]))

    @staticmethod
    def capture(given, rest):
        return capture.to_file(file_named(rest), program_options(given, False))


def have_dumped(given, path):
    """Has the program dump as the options say."""
    flags = [option for option, _ in given]
    if len(flags) > 1:
        raise gdb.GdbError("refheap dump: %s exclude each other." % " and ".join("-" + o.flag for o in flags))
    if RUN in flags:
        interpreter.dump(path)
    elif NOW in flags:
        dump.now(path)
    else:
        dump.at_safe_point(path, WAIT in flags)


class Dump(Command):
    """Have the program write a snapshot of itself.
Usage: refheap dump [-now | -wait | -run] FILE

Without options the program is asked to dump at its next safe point (an allocation, a collection, rh_safepoint), which
it reaches when it is continued; no code runs out of order.  A program that sleeps reaches none: use "refheap capture".

CPython dumps only with -run, since that loads a module into it and starts a thread there, which changes no object.  The
program runs until a thread is where that is safe and the interpreter's lock is free: at once as a rule, after a long call into
C when that has returned, at most for "set refheap timeout".  It stops with the heap as it was dumped.  Breakpoints are off
meanwhile.  "refheap capture" needs no code run."""

    name = "dump"
    wants = "file"
    takes = [NOW, WAIT, RUN]

    def run(self, given, rest):
        self.dont_repeat()
        have_dumped(given, rest)


class Load(Command):
    """Answer from a snapshot file instead of the program being debugged.
Usage: refheap load [FILE]

Without FILE, go back to the program."""

    name = "load"
    wants = "file"

    def optional(self):
        return True

    def run(self, given, rest):
        if rest is None:
            target.unload()
            gdb.write("refheap: back to the program being debugged.\n" if process.kind() else
                      "refheap: no file is loaded now, and no program is being debugged.\n")
        else:
            snapshot = target.load(file_named(rest))
            gdb.write("refheap: answering from %s.\n" % snapshot.description)


class Prefix(gdb.Command):
    """Look into a reference-counted heap: what is in it, what is garbage, and who holds an object.

The commands read the stopped program from outside and run none of its code, but for "refheap dump"."""

    def __init__(self):
        super().__init__("refheap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        word = argument.split()[0] if argument.split() else ""
        if word:
            raise gdb.GdbError('Undefined refheap command: "%s".  Try "help refheap".' % word)
        gdb.execute("help refheap")


_COMMANDS = (Status, Summary, Object, Referrers, Referents, Why, Cycles, Generations, Audit, Retained, Dominators, WhatIf,
             Suspects, Diff, Sql, Render, Capture, Dump, Load)


registered = []


def register():
    Prefix()
    for command in _COMMANDS:
        registered.append(command())
    try:
        gdb.execute("alias rh = refheap", to_string=True)
    except gdb.error:
        pass  # it is there already
