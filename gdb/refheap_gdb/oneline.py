"""An object in one line, as Python would write it: "text", 42, [1, 2, ...], {"key": ...}, <connection "client">.

Bounded in every direction: how deep, how many of each container, how many characters of a text and in all. What stands
inside itself is shown as [...].
"""

from . import objects
from .objects import Unreadable

DEPTH, ITEMS, CHARACTERS = 3, 10, 1000


def quoted(raw, more):
    """Bytes of a text as C would have them, with "..." where there are more, as GDB does it."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    text = raw.decode("utf-8", "surrogateescape")
    text = "".join(escapes.get(c, c) if c in escapes or c.isprintable() else
                   "".join("\\%03o" % byte for byte in c.encode("utf-8", "surrogateescape")) for c in text)
    return '"%s"%s' % (text, "..." if more else "")


class Line:
    def __init__(self, heap, characters):
        self._heap, self._left, self._inside, self._text_limit = heap, CHARACTERS, [], characters

    def of(self, address):
        """The object at an address; "NULL" for none."""
        if not address:
            return "NULL"
        try:
            o = self._heap.object_at(address)
        except Unreadable:
            return "<no object at 0x%x>" % address
        if address in self._inside:
            return "[...]"
        if self._left <= 0 or (len(self._inside) >= DEPTH and not o.type.is_value()):
            return "..."
        self._inside.append(address)
        try:
            return self._spent(self._object(o))
        except Unreadable:
            return "<%s at 0x%x, damaged>" % (o.type.name, address)
        finally:
            self._inside.pop()

    def _spent(self, text):
        self._left -= len(text)
        return text

    def value(self, o, f):
        """A value that is no reference; "" for none."""
        value = self._heap.value(o, f, self._text_limit)
        if f.kind == objects.NOTHING:
            return o.type.name
        if isinstance(value, tuple):
            return ("b" if f.kind == objects.DATA else "") + quoted(*value)
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else "%r" % value

    def _object(self, o):
        t = o.type
        if t.is_value():
            return self.value(o, t.fields[0])
        if t.items():
            inside = self._items(self._heap.elements(o, t.items()), self.of)
            return "(%s)" % inside if t.items().kind == objects.INLINE_ARRAY else "[%s]" % inside
        table = t.table(False)
        if table:
            return "{%s}" % self._items(self._heap.entries(o, table), lambda entry: self.entry(table, *entry))
        label = self.label(o)
        return "<%s%s>" % (t.name, " " + label if label else "")

    def entry(self, table, key, value):
        return ": ".join(self.word(word, table.flags & counted) for word, counted in (
            (key, objects.KEYS), (value, objects.VALUES)) if counted != objects.VALUES or table.flags & objects.VALUES)

    def word(self, word, counted):
        return self.of(word) if counted else "0x%x" % word

    def label(self, o):
        """What tells an object from others of its type: its value, or the text its field `name` refers to."""
        f = o.type.value()
        if f:
            return self.value(o, f)
        f = next((f for f in o.type.fields if f.name == "name" and f.kind == objects.STRONG), None)
        address = self._heap.reference(o, f) if f else 0
        name = self._heap.object_at(address) if address else None
        return self.value(name, name.type.fields[0]) if name and name.type.is_value() else ""

    def _items(self, items, show):
        shown = []
        try:
            for n, item in enumerate(items):
                if n == ITEMS or self._left <= 0:
                    shown.append("...")
                    break
                shown.append(show(item))
        except Unreadable:
            shown.append("<unreadable>")
        return ", ".join(shown)
