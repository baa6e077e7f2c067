"""The commands: `refheap` and what stands under it."""

import os
import re

import gdb

from . import capture, dump, options, process, program, settings, target
from .options import Option

GENERATION = Option("generation", "N", "only this generation: 0, 1, 2, permanent, untracked")
TYPE = Option("type", "NAME", "only objects of this type; * matches anything")
HEAP = Option("heap", "ID", "only objects of this heap")
DEPTH = Option("depth", "N", "follow references this far")
LIMIT = Option("limit", "N", "show at most N rows; 0 for all")
SORT = Option("sort", "COLUMN", "order rows by a column")
BY = Option("by", "KEY", "group by type, heap, generation, module, size or site")
KIND = Option("kind", "KIND", "only references of this kind")
OBJECTS = Option("objects", None, "list every garbage object rather than the cycles")
DIFF_BY = Option("by", "KEY", "group by type, generation or module")
DIFF_OBJECTS = Option("objects", "WHICH", "list the objects that are new, gone, moved or stayed")
ATTRIBUTED = Option("attributed", None, "say who holds what is new")
NO_FOLD = Option("no-fold", None, "show each of those that look alike")
WASTE = Option("waste", None, "what could be saved: equal strings, room that is not used")
PATHS = Option("paths", "N", "up to N paths that share no reference, shortest first")
OUTPUT = Option("o", "FILE", "the file to write", "-o")
FORMAT = Option("format", "FORMAT", "svg, png, pdf or dot")
NOW = Option("now", None, "call into the program at once")
SECONDS = Option("timeout", "SECONDS", "end a query that takes longer")
WAIT = Option("wait", None, "continue until the program has written it")

_SQL_TABLES = ["objects", "edges", "types", "roots", "cycles", "heaps", "generations", "modules", "info"]
_SELECTOR = re.compile(r"(0x[0-9a-fA-F]+|@\d+|root:.+|type:.+|sql:.+|cycle:\d+|garbage)$")


def resolve(expression):
    """What an expression means to the refheap program: the address of an object, or a name of refheap's own."""
    if _SELECTOR.match(expression):
        return expression
    try:
        return address_of(gdb.parse_and_eval(expression), expression)
    except gdb.error as e:
        raise gdb.GdbError(str(e))


def address_of(value, expression):
    """The address, as the program takes it, of the object that a value is or points at."""
    try:
        if value.type.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            value = value.referenced_value()
        kind = value.type.strip_typedefs().code
        if kind in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            if value.address is None:
                raise gdb.GdbError("refheap: %s is not in memory." % expression)
            value = value.address
        elif kind not in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT):
            raise gdb.GdbError("refheap: %s is of type %s, which points at no object." % (expression, value.type))
        address = int(value) & 0xffffffffffffffff
    except gdb.error as e:
        raise gdb.GdbError(str(e))
    if not address:
        raise gdb.GdbError("refheap: %s is %s." % (expression, "NULL" if kind == gdb.TYPE_CODE_PTR else
                                                   "0, which is the address of no object"))
    return "0x%x" % address


def _as_gdb_says(text):
    """The program's advice in GDB's spelling: -limit rather than --limit, help COMMAND rather than --help."""
    text = re.sub(r"see refheap ([a-z-]+) --help", r'see "help refheap \1"', text)
    return re.sub(r"(?<![\w-])--(?=(?:by|generation|heap|type|depth|limit|sort|kind|waste|paths|objects|attributed|no-fold|"
                  r"format|timeout)\b)", "-", text)


def ask(arguments, snapshot, before=()):
    """Runs the program on the snapshot, behind others that it is compared with, and shows what it says."""
    output, complaint = program.run([arguments[0], *before, snapshot.path] + arguments[1:])
    if complaint and not output:
        raise gdb.GdbError(_as_gdb_says(complaint.replace(snapshot.path + ": ", "")))
    if snapshot.loaded:
        gdb.write("[%s]\n" % snapshot.description)
    if complaint:
        gdb.write(_as_gdb_says(complaint) + "\n")
    gdb.write(_as_gdb_says(output if snapshot.loaded else output.replace(snapshot.path, "this stop")))


class _Command(gdb.Command):
    """A command with options in GDB's style; subclasses have a name, a doc string, and what they take."""

    name = None
    takes = []
    wants = None  # what stands behind the options: None, "expression", "file" or "words"
    completes = gdb.COMPLETE_NONE

    def __init__(self):
        if self.takes:
            self.__doc__ += "\n\n  Options:\n" + "\n".join(
                "    -%s%s\n      %s" % (o.flag, " " + o.value if o.value else "", o.help) for o in self.takes)
        super().__init__("refheap " + self.name, gdb.COMMAND_DATA)

    def complete(self, text, word):
        found = options.complete(self.takes, text, word)
        if found is not None:
            return found
        if self.wants == "file" or re.search(r"(?:^|\s)-o\s+\S*$", text):
            return gdb.COMPLETE_FILENAME
        if self.wants in ("expression", "words"):
            return _complete_expression(text, word)
        return gdb.COMPLETE_NONE

    def invoke(self, argument, from_tty):
        given, rest = options.parse(self.takes, argument)
        if self.wants is None and rest is not None:
            raise gdb.GdbError("Junk after the options of refheap %s: %s" % (self.name, rest))
        if self.wants in ("expression", "file") and rest is None and not self.optional():
            raise gdb.GdbError("refheap %s: name %s." % (self.name, "a file" if self.wants == "file" else "an object"))
        self.run(given, rest)

    def optional(self):
        return False

    def run(self, given, rest):
        raise NotImplementedError


def _complete_expression(text, word):
    """What GDB itself would offer behind `print`."""
    expression = re.split(r"(?:^|\s)--\s+", text)[-1] if "--" in text else text.split()[-1] if text.split() else ""
    try:
        lines = gdb.execute("complete print " + expression, to_string=True).splitlines()
    except gdb.error:
        return gdb.COMPLETE_NONE
    skip = len("print ") + len(expression) - len(word)
    return [line[skip:] for line in lines]


def _program_options(given, table):
    """The program's words for options, with the row limit of the settings where none was given."""
    words = []
    for option, value in given:
        words.append(option.program)
        if value is not None:
            words.append(value)
    if table and not any(option is LIMIT for option, _ in given):
        limit = settings.get("row-limit")
        words += ["--limit", str(limit or 0)]
    return words


class _Query(_Command):
    """A question the refheap program answers as it is."""

    def run(self, given, rest):
        subject = [resolve(rest)] if rest is not None else []
        ask([self.name] + subject + _program_options(given, LIMIT in self.takes), target.snapshot())


class Summary(_Query):
    """Show what is in the heap, by type.
Usage: refheap summary [OPTION]..."""

    name = "summary"
    takes = [BY, GENERATION, HEAP, TYPE, LIMIT, SORT, WASTE]


class Generations(_Query):
    """Show what each generation holds, and what collecting it now would find.
Usage: refheap generations [OPTION]...

Nothing is collected: the program is only read."""

    name = "generations"
    takes = [GENERATION, HEAP]


class Cycles(_Query):
    """Show the garbage cycles, what they keep, and which reference to make weak.
Usage: refheap cycles [OPTION]..."""

    name = "cycles"
    takes = [GENERATION, HEAP, TYPE, LIMIT, SORT, OBJECTS, NO_FOLD]


class Audit(_Query):
    """Show objects whose refcount is not what their holders say.
Usage: refheap audit [OPTION]...

What a local variable of the program holds is unexplained: look for what no variable should hold."""

    name = "audit"
    takes = [GENERATION, HEAP, TYPE, LIMIT, NO_FOLD]


class Diff(_Command):
    """Show what came, went and stayed between a snapshot file and this stop.
Usage: refheap diff [OPTION]... FILE

FILE is the earlier one: "refheap capture FILE" writes one at a stop.  Objects are told apart for certain where the heap
numbers them; otherwise what is new and gone is inferred, and the answer says so."""

    name = "diff"
    wants = "file"
    takes = [DIFF_BY, GENERATION, HEAP, TYPE, LIMIT, SORT, ATTRIBUTED, DIFF_OBJECTS]

    def run(self, given, rest):
        before = os.path.abspath(os.path.expanduser(rest))
        ask([self.name] + _program_options(given, True), target.snapshot(), [before])


class Object(_Query):
    """Show everything known of one object.
Usage: refheap object [--] EXPRESSION

EXPRESSION is a pointer to an object, or root:NAME."""

    name = "object"
    wants = "expression"


class Why(_Query):
    """Show what keeps an object alive.
Usage: refheap why [OPTION]... [--] EXPRESSION

EXPRESSION is a pointer to an object; of a set (type:NAME, cycle:ID, sql:CONDITION, garbage) the paths to all are merged."""

    name = "why"
    wants = "expression"
    takes = [PATHS, DEPTH, LIMIT]


class Referrers(_Query):
    """Show who refers to an object.
Usage: refheap referrers [OPTION]... [--] EXPRESSION

For example: refheap referrers -generation 2 -- conn->peer"""

    name = "referrers"
    wants = "expression"
    takes = [GENERATION, HEAP, TYPE, KIND, DEPTH, LIMIT, SORT]


class Referents(_Query):
    """Show what an object refers to.
Usage: refheap referents [OPTION]... [--] EXPRESSION"""

    name = "referents"
    wants = "expression"
    takes = [GENERATION, HEAP, TYPE, KIND, DEPTH, LIMIT, SORT]


class Sql(_Command):
    """Ask in SQL, over tables of objects, edges, types, roots, cycles and more.
Usage: refheap sql [OPTION]... [--] QUERY
       refheap sql [.schema [TABLE]]

Without QUERY, show the tables and their columns.  The rest of the line is one query as it stands, in SQLite's language.
For example: refheap sql select type, count(*) from objects where garbage group by type
The address of an object in the program is written as GDB prints it: ... where address = 0x5555557012a0"""

    name = "sql"
    takes = [LIMIT, SECONDS]

    def complete(self, text, word):
        found = options.complete(self.takes, text, word)
        return found if found is not None else [w for w in _SQL_TABLES if w.startswith(word)] if word else _SQL_TABLES

    def invoke(self, argument, from_tty):
        given, rest = options.parse(self.takes, argument)
        ask(["sql"] + _program_options(given, True) + ["--", rest or ".schema"], target.snapshot())


class Render(_Command):
    """Draw the garbage cycles, or what is around an object.
Usage: refheap render -o FILE.svg [OPTION]... [cycles]
       refheap render -o FILE.svg [OPTION]... cycle:ID
       refheap render -o FILE.svg [OPTION]... referrers|referents|why EXPRESSION

FILE may end in .svg, .png, .pdf or .dot."""

    name = "render"
    wants = "words"
    takes = [OUTPUT, FORMAT, GENERATION, DEPTH, LIMIT, NO_FOLD]

    def run(self, given, rest):
        late = re.search(r"\s-(%s)(?=\s|$)" % "|".join(o.flag for o in self.takes), rest or "")
        if late and " -- " not in rest[:late.start()]:
            raise gdb.GdbError("refheap render: options stand before what is drawn: put -%s before %s." % (
                late.group(1), rest.split()[0]))
        if not any(option is OUTPUT for option, _ in given):
            raise gdb.GdbError("refheap render: name the file to draw: -o FILE.svg")
        given = [(o, os.path.abspath(os.path.expanduser(v)) if o is OUTPUT else v) for o, v in given]
        words = (rest or "cycles").split(None, 1)
        if len(words) > 1:
            words[1] = resolve(re.sub(r"^--\s+", "", words[1]))
        ask(["render"] + words + _program_options(given, False), target.snapshot())


class Capture(_Command):
    """Write a snapshot of this stop to a file, reading the program from outside.
Usage: refheap capture FILE

No code of the program runs."""

    name = "capture"
    wants = "file"

    def run(self, given, rest):
        self.dont_repeat()
        path = os.path.abspath(os.path.expanduser(rest))
        facts = capture.to_file(path)
        gdb.write("%s: %d objects, %d edges\n" % (path, facts["objects"], facts["edges"]))


class Dump(_Command):
    """Have the program write a snapshot of itself.
Usage: refheap dump [-now | -wait] FILE

Without options the program is asked to dump at its next safe point (an allocation, a collection, rh_safepoint), which
it reaches when it is continued; no code runs out of order.  A program that sleeps reaches none: use "refheap capture"."""

    name = "dump"
    wants = "file"
    takes = [NOW, WAIT]

    def run(self, given, rest):
        self.dont_repeat()
        chosen = [option for option, _ in given]
        if NOW in chosen and WAIT in chosen:
            raise gdb.GdbError("refheap dump: -now and -wait exclude each other.")
        if NOW in chosen:
            dump.now(rest)
        else:
            dump.at_safe_point(rest, WAIT in chosen)


class Load(_Command):
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
            snapshot = target.load(os.path.abspath(os.path.expanduser(rest)))
            gdb.write("refheap: answering from %s.\n" % snapshot.description)


class Status(_Command):
    """Show what refheap's answers are about.
Usage: refheap status"""

    name = "status"

    def run(self, given, rest):
        output, complaint = program.run(["--version"])
        gdb.write("program   %s (%s)\n" % (program.path(), output.strip()))
        what = process.kind()
        if what == "live":
            threads = gdb.selected_inferior().threads()
            running = any(t.is_running() for t in threads)
            gdb.write("target    live process %d, %s\n" % (gdb.selected_inferior().pid,
                                                           "running: interrupt it to ask" if running else "stopped"))
        else:
            gdb.write("target    %s\n" % (what or "none"))
        if target.loaded():
            gdb.write("answers   from %s\n" % target.loaded().description)
        elif target.current():
            gdb.write("answers   from this stop: %s\n" % target.current().description)
        elif what == "live":
            gdb.write("answers   from this stop, to be read when first asked for\n")
        else:
            gdb.write("answers   from nothing yet: run a program, or \"refheap load FILE\"\n")
        pending = dump.pending() if what == "live" else None
        if pending:
            gdb.write("dump      to %s, at the program's next safe point\n" % pending)


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


def register():
    Prefix()
    for command in (Status, Summary, Object, Referrers, Referents, Why, Cycles, Generations, Audit, Diff, Sql, Render,
                    Capture, Dump, Load):
        command()
    try:
        gdb.execute("alias rh = refheap", to_string=True)
    except gdb.error:
        pass  # it is there already
