"""The canonical text of a snapshot, CANONICAL.md."""

from typing import Iterator

from .model import Object, Snapshot, Text, Type, text_parts


def _line(*values) -> str:
    """Numbers in decimal, strings as they are, texts in hex, with the whole length of capped ones."""
    words = []
    for value in values:
        if isinstance(value, (bytes, Text)):
            kept, length = text_parts(value)
            words.append((kept.hex() or "-") + ("+%d" % length if length > len(kept) else ""))
        else:
            words.append(str(value))
    return " ".join(words)


def canonical(snapshot: Snapshot) -> Iterator[str]:
    """The lines of CANONICAL.md, without line ends."""
    header, p = snapshot.header, snapshot.process
    yield _line("header", header.major, header.minor, header.uuid.hex(), header.time, header.flags)
    yield _line("process", p.pid, p.command_line, p.executable, p.captured, p.writer, p.host, p.machine,
                p.runtime_bytes, p.known_bytes, p.memory_expected, p.memory_present, p.objects_damaged)
    for m in snapshot.modules:
        yield _line("module", hex(m.base), hex(m.end), m.path, m.build_id)
    for number, h in enumerate(snapshot.heaps):
        yield _line("heap", number, h.runtime, h.version, h.name, h.flags, h.collecting, h.debug,
                    hex(h.address), h.long_lived_total, h.long_lived_pending, h.owner, h.next_serial)
    for g in snapshot.generations:
        yield _line("generation", g.heap, g.generation, g.threshold, g.count, g.collections, g.collected,
                    g.uncollectable, g.objects)
    for number, t in enumerate(snapshot.types):
        yield from _type_lines(number, t)
    for o in snapshot.objects:
        yield from _object_lines(o)
    for v in snapshot.values:
        yield _line("value", hex(v.object), v.kind, v.length, v.kept)
    for r in snapshot.roots:
        yield _line("root", hex(r.object), hex(r.where), r.name, r.module, r.thread, r.frame, r.kind,
                    r.flags, r.heap, r.offset)
    for t in snapshot.threads:
        yield _line("thread", t.tid, t.name, t.stack_low, t.stack_high)
    for f in snapshot.frames:
        yield _line("frame", f.thread, f.depth, f.function, f.file, f.line, f.pc, f.sp, hex(f.object))
    for s in snapshot.sites:
        yield _line("site", s.caller, s.function, s.file, s.line, s.module, hex(s.address))
    for d in snapshot.diagnostics:
        yield _line("diagnostic", d.severity, d.text, hex(d.address), d.heap)
    yield _line("trailer", snapshot.object_bytes(), len(snapshot.objects), snapshot.edge_count(),
                len(snapshot.values), len(snapshot.roots))


def _type_lines(number: int, t: Type) -> Iterator[str]:
    yield _line("type", number, t.name, t.module, t.flags, hex(t.address), t.basic_size, t.item_size, t.heap,
                len(t.fields))
    for field_number, field in enumerate(t.fields):
        yield _line("field", number, field_number, field.name, field.kind, field.offset)


def _object_lines(o: Object) -> Iterator[str]:
    yield _line("object", o.heap, hex(o.address), o.type, o.size, o.refcount, o.state, o.serial, o.site,
                o.used, o.capacity, o.hash)
    for e in o.edges:
        yield _line("edge", hex(e.target), e.info, 0 if e.info >> 4 in (0, 6) else e.label)
