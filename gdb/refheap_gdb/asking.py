"""Asking the refheap program about a snapshot, and what an expression of GDB means to it."""

import json
import re

import gdb

from . import program, target

SELECTOR = re.compile(r"(0x[0-9a-fA-F]+|@\d+|root:.+|type:.+|sql:.+|cycle:\d+|garbage)$")


# A cast to one of CPython's types, as its programmers write it. Most interpreters have no debug information to know it by.
CPYTHON_CAST = re.compile(r"\(\s*(?:struct\s+)?(?:_object|Py\w*Object)\s*\*\s*\)")


def resolve(expression):
    """What an expression means to the refheap program: the address of an object, or a name of refheap's own."""
    if SELECTOR.match(expression):
        return expression
    try:
        return address_of(gdb.parse_and_eval(expression), expression)
    except gdb.error as e:
        if re.match(r'No (symbol|struct type)', str(e)) and CPYTHON_CAST.search(expression):
            return resolve(CPYTHON_CAST.sub("(void *)", expression))
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


_OPTIONS = "by|generation|heap|type|depth|limit|sort|kind|waste|paths|objects|attributed|no-fold|cut|format|timeout"


def _as_gdb_says(text, snapshot):
    """The program's words in GDB's spelling: -limit rather than --limit, help COMMAND rather than --help."""
    text = re.sub(r"see refheap ([a-z-]+) --help", r'see "help refheap \1"', text)
    text = re.sub(r"\b(refheap [a-z-]+) %s(?=\s|$)" % re.escape(snapshot.path), r"\1", text, flags=re.M)
    return re.sub(r"(?<![\w-])--(?=(?:%s)\b)" % _OPTIONS, "-", text)


def _complaint(complaint, snapshot):
    return _as_gdb_says(complaint.replace(snapshot.path + ": ", ""), snapshot)


def said(arguments, snapshot, before=()):
    """Runs the program on the snapshot, behind others that it is compared with; returns what it says and what it warns of."""
    output, complaint = program.run([arguments[0], *before, snapshot.path] + arguments[1:])
    if complaint and not output:
        raise gdb.GdbError(_complaint(complaint, snapshot))
    return output, _complaint(complaint, snapshot)


def ask(arguments, snapshot, before=()):
    """Shows what the program says of the snapshot."""
    output, complaint = said(arguments, snapshot, before)
    if snapshot.loaded:
        gdb.write("[%s]\n" % snapshot.description)
    if complaint:
        gdb.write(complaint + "\n")
    output = _as_gdb_says(output, snapshot)
    gdb.write(output if snapshot.loaded else output.replace(snapshot.path, "this stop"))


def answer(arguments, snapshot, before=()):
    """What the program says of the snapshot as JSON."""
    at = arguments.index("--") if "--" in arguments else len(arguments)  # behind it, a query stands as it is
    output, complaint = said(arguments[:at] + ["--json"] + arguments[at:], snapshot, before)
    try:
        return json.loads(output)
    except ValueError:
        raise gdb.GdbError(complaint or "refheap: no answer")


def names_of(query):
    """A column of an answer in SQL, for completion: of a snapshot that is there already, since nobody waits for one."""
    snapshot = target.loaded() or target.current()
    if snapshot is None:
        return []
    try:
        return [row[0] for row in answer(["sql", query], snapshot)["rows"] if row[0]]
    except (gdb.GdbError, KeyError, IndexError):
        return []
