"""Pretty-printers for librefheap's objects, on live, core and remote targets: no code of the program runs.

    struct rh_object *   0x5555557012a0 "text"
    struct rh_object     list of 2 = {0x... 1, 0x... 2}; of a struct of the program's own, its head:
                         connection "client", refcount 1, generation 2
    struct rh_weak       weak reference to 0x...; or cleared

They stand on librefheap's own objfile, and know its types by name and by layout. What cannot be read prints as GDB prints it.
"""

import functools
import os

import gdb
import gdb.printing

from . import objects
from .objects import Unreadable
from .oneline import Line, quoted

_CHILDREN_MAX = 100000  # even with "set print elements unlimited"
_TEXT_MAX = 1 << 20
_GENERATIONS = {0: "generation 0", 1: "generation 1", 2: "generation 2", 3: "permanent", 4: "untracked"}


def _limit(most):
    """How much GDB is to print, at most `most`."""
    elements = gdb.parameter("print elements")
    return min(elements, most) if elements else most


def _line(heap, address):
    return Line(heap, _limit(1000)).of(address)


def _address(value):
    return int(value.address) if value.address is not None else None


def _interruptible(method):
    """Ctrl-C ends what is being printed. (GDB shows an error of this kind in the place of the value, others as a complaint
    about Python.)"""
    @functools.wraps(method)
    def wrapper(*arguments):
        try:
            return method(*arguments)
        except KeyboardInterrupt:
            raise gdb.MemoryError("interrupted")
    return wrapper


def _interruptible_steps(method):
    @functools.wraps(method)
    def wrapper(*arguments):
        try:
            yield from method(*arguments)
        except KeyboardInterrupt:
            raise gdb.MemoryError("interrupted")
    return wrapper


class _Pointer:
    """A pointer to what may be any object."""

    def __init__(self, heap, address):
        self._heap, self._address = heap, address

    @_interruptible
    def to_string(self):
        if not self._address:
            return "0x0"
        return "0x%x %s" % (self._address, _line(self._heap, self._address))


class _Weak:
    def __init__(self, heap, target):
        self._heap, self._target = heap, target

    @_interruptible
    def to_string(self):
        if not self._target:
            return "weak reference, cleared"
        return "weak reference to 0x%x %s" % (self._target, _line(self._heap, self._target))


class _Whole:
    """An object, as what its type's field table says it is."""

    def __init__(self, heap, o, pointer):
        self._heap, self._object, self._pointer = heap, o, pointer

    def _to(self, address):
        return gdb.Value(address).cast(self._pointer)


    def _plain(self, o, f):
        """A value that is no reference, as GDB has such values; None where it has not."""
        if f.kind in (objects.INT, objects.UINT, objects.FLOAT):
            return gdb.Value(self._heap.value(o, f, 0))
        if f.kind == objects.CSTRING:
            return gdb.Value(self._heap.reference(o, f)).cast(gdb.lookup_type("char").pointer())
        return None

    def _key(self, address):
        """A key that is a value, without its address: so it is shown by itself, at the prompt and by front ends."""
        try:
            if self._heap.object_at(address).type.is_value():
                return self._to(address).dereference()
        except Unreadable:
            pass
        return self._to(address)


class _Value(_Whole):
    @_interruptible
    def to_string(self):
        f = self._object.type.fields[0]
        try:
            return Line(self._heap, _limit(_TEXT_MAX)).value(self._object, f)
        except Unreadable:
            return "<%s at 0x%x, damaged>" % (self._object.type.name, self._object.address)


class _Sequence(_Whole):
    @_interruptible
    def to_string(self):
        try:
            return "%s of %d" % (self._object.type.name, self._heap.count(self._object, self._object.type.items()))
        except Unreadable:
            return "%s, damaged" % self._object.type.name

    @_interruptible_steps
    def children(self):
        try:
            for n, address in enumerate(self._heap.elements(self._object, self._object.type.items())):
                if n == _CHILDREN_MAX:
                    return
                yield "[%d]" % n, self._to(address)
        except Unreadable:
            yield "...", "<unreadable>"

    def display_hint(self):
        return "array"


class _Table(_Whole):
    """A dict, or a set, whose keys alone are shown."""

    def _table(self):
        return self._object.type.table(False)

    @_interruptible
    def to_string(self):
        try:
            count = sum(1 for _, _ in zip(self._heap.entries(self._object, self._table()), range(_CHILDREN_MAX)))
            return "%s of %s" % (self._object.type.name, count if count < _CHILDREN_MAX else "%d and more" % count)
        except Unreadable:
            return "%s, damaged" % self._object.type.name

    @_interruptible_steps
    def children(self):
        flags = self._table().flags
        try:
            for n, (key, value) in enumerate(self._heap.entries(self._object, self._table())):
                if n == _CHILDREN_MAX:
                    return
                if not flags & objects.VALUES:
                    yield "[%d]" % n, self._to(key)
                    continue
                yield "[%d]" % (2 * n), self._key(key) if flags & objects.KEYS else gdb.Value(key)
                yield "[%d]" % (2 * n + 1), self._to(value)
        except Unreadable:
            yield "...", "<unreadable>"
            if flags & objects.VALUES:
                yield "...", ""

    def display_hint(self):
        return "map" if self._table().flags & objects.VALUES else "array"


class _Head(_Whole):
    """The head of a struct of the program's own, whose fields GDB shows by itself; of others, also the fields."""

    @_interruptible
    def to_string(self):
        o = self._object
        try:
            label = Line(self._heap, _limit(200)).label(o)
        except Unreadable:
            label = "damaged"
        count = "immortal" if o.refcount >= self._heap.immortal else "refcount %d" % o.refcount
        return "%s%s, %s, %s" % (o.type.name, " " + label if label else "", count, _GENERATIONS[o.generation])


class _Fields(_Head):
    @_interruptible_steps
    def children(self):
        for f in self._object.type.fields:
            try:
                yield from self._field(f)
            except (Unreadable, gdb.error):
                yield f.name, "<unreadable>"

    def _field(self, f):
        heap, o = self._heap, self._object
        if f.kind in (objects.STRONG, objects.TAGGED, objects.BORROWED, objects.WEAK):
            yield f.name, self._to(heap.reference(o, f))
        elif f.kind in (objects.ARRAY, objects.INLINE_ARRAY, objects.CHILDREN):
            elements = heap.children(o, f) if f.kind == objects.CHILDREN else heap.elements(o, f)
            for n, address in zip(range(_limit(200)), elements):
                yield "%s[%d]" % (f.name, n), self._to(address)
        elif f.kind == objects.TABLE:
            for _, (key, value) in zip(range(_limit(200)), heap.entries(o, f)):
                name = Line(heap, 100).word(key, f.flags & objects.KEYS)
                yield (name.strip('"') if f.flags & objects.ATTRIBUTES else "[%s]" % name), self._to(value)
        elif f.kind >= objects.INT:
            plain = self._plain(o, f)
            yield f.name, Line(heap, _limit(1000)).value(o, f) if plain is None else plain


def _own_struct(type_, o):
    """Whether the program's debug information has a struct of this object's own, which begins with the head."""
    for name in ("struct " + o.type.name, o.type.name):
        try:
            own = gdb.lookup_type(name).strip_typedefs()
        except gdb.error:
            continue
        fields = own.fields() if own.code == gdb.TYPE_CODE_STRUCT else []
        if fields and own.sizeof == o.type.size and fields[0].type.strip_typedefs().tag == type_.tag:
            return True
    return False


def _whole(heap, value, type_):
    address = _address(value)
    if not address:
        return None
    try:
        o = heap.object_at(address)
    except Unreadable:
        return None
    pointer = type_.pointer()
    if o.type.is_value():
        return _Value(heap, o, pointer)
    if o.type.items():
        return _Sequence(heap, o, pointer)
    if o.type.table(False):
        return _Table(heap, o, pointer)
    return (_Head if _own_struct(type_, o) else _Fields)(heap, o, pointer)


def _tag(type_):
    """The name of one of librefheap's structs; None for any other type, and for one that only has its name."""
    if type_.code != gdb.TYPE_CODE_STRUCT or type_.tag not in ("rh_object", "rh_weak"):
        return None
    wanted = {"rh_object": ["refcount", "type", "links"], "rh_weak": ["target", "next", "prev", "owner"]}[type_.tag]
    return type_.tag if [f.name for f in type_.fields()] == wanted else None


class Printer(gdb.printing.PrettyPrinter):
    def __init__(self):
        super().__init__("librefheap")

    @_interruptible
    def __call__(self, value):
        type_ = value.type.strip_typedefs()
        is_pointer = type_.code == gdb.TYPE_CODE_PTR
        struct = type_.target().strip_typedefs().unqualified() if is_pointer else type_.unqualified()
        tag = _tag(struct)
        if tag is None or (is_pointer and tag != "rh_object"):
            return None
        heap = objects.heap()
        if heap is None:
            return None
        try:
            if is_pointer:
                return _Pointer(heap, int(value) & (1 << 64) - 1)
            if tag == "rh_weak":
                return _Weak(heap, int(value["target"]) & (1 << 64) - 1)
            return _whole(heap, value, struct)
        except gdb.error:
            return None  # this value itself cannot be read, as GDB will say


def _is_library(objfile):
    """Whether librefheap is in this file: by itself, or linked into a program."""
    try:
        if objfile.owner is None and os.path.basename(objfile.filename or "").startswith("librefheap"):
            return True
        return objfile.lookup_global_symbol("rh_control") is not None or _is_program_with_it(objfile)
    except RuntimeError:  # it is gone already
        return False


def _is_program_with_it(objfile):
    """The same for a program that has symbols, but no debug information of the library."""
    space = objfile.progspace
    if objfile.filename != space.filename or space != gdb.current_progspace():
        return False
    try:
        return space.solib_name(int(gdb.parse_and_eval("(unsigned long) &rh_control"))) is None
    except gdb.error:
        return False


def attach(objfile):
    """Puts the printers on an objfile, once."""
    if not any(isinstance(p, Printer) for p in objfile.pretty_printers):
        gdb.printing.register_pretty_printer(objfile, Printer())


def _on_new_objfile(event):
    if event.new_objfile is not None and _is_library(event.new_objfile):
        attach(event.new_objfile)


def register():
    gdb.events.new_objfile.connect(_on_new_objfile)
    for objfile in gdb.objfiles():
        if _is_library(objfile):
            attach(objfile)
