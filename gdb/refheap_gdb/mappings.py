"""What is mapped into the target, as GDB can tell it, in the form of /proc/PID/maps.

Three ways, from the best to the last resort: the list that the system keeps, which GDB shows for processes here and, through
gdbserver, elsewhere (`info proc mappings`); what a core's headers say; and what GDB knows of the files that it has symbols
of, with everything between them taken for memory that may be there or not.
"""

import bisect
import re

import gdb

PAGE = 4096
TOP = 1 << 47  # of what a process may have
_STACK_MAX = 64 << 20


class Region:
    """A stretch of memory: `access` as "rw-p", `path` of the file that stands there or "" for none."""

    __slots__ = ("start", "end", "access", "offset", "path")

    def __init__(self, start, end, access, offset, path):
        self.start, self.end, self.access, self.offset, self.path = start, end, access, offset, path


class Mappings:
    """Regions in the order of their addresses. `complete`: outside of them, nothing is there."""

    def __init__(self, regions, complete):
        self.regions = sorted(regions, key=lambda r: r.start)
        self.complete = complete
        self._starts = [r.start for r in self.regions]

    def at(self, address):
        """The number of the region an address lies in; None for none."""
        i = bisect.bisect_right(self._starts, address) - 1
        return i if i >= 0 and address < self.regions[i].end else None

    def room(self, address):
        """How many bytes can be asked for from an address on."""
        i = self.at(address)
        if i is None or not self.regions[i].access.startswith("r"):
            return 0
        end = self.regions[i].end
        for region in self.regions[i + 1:]:
            if region.start != end or not region.access.startswith("r"):
                break
            end = region.end
        return end - address

    def text(self):
        return "".join("%x-%x %s %08x 00:00 0%s\n" % (r.start, r.end, r.access, r.offset, " " + r.path if r.path else "")
                       for r in self.regions)


_LINE = re.compile(r"0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)"  # start, end, size, offset
                   r"(?:\s+([-r][-w][-x][-ps])(?=\s|$))?(?:\s+(\S.*))?$")  # access, except in cores; file


def _listed():
    """What the system of the target says; [] where GDB cannot ask it. Columns are told apart by what stands in them."""
    try:
        lines = gdb.execute("info proc mappings", to_string=True).splitlines()
    except gdb.error:
        return []
    found = []
    for line in lines:
        match = _LINE.match(line.strip())
        if match:
            start, end, offset = (int(n, 16) for n in match.group(1, 2, 3))
            found.append(Region(start, end, match.group(4) or "", offset, match.group(5) or ""))
    return [r for r in found if r.start < r.end]


def _sections(text):
    """(file, start, end, offset, name, flags) of each section that is in memory, of what `maint info sections` shows."""
    path = None
    for line in text.splitlines():
        heading = re.match(r"(?:Exec|Object|Core) file: `(.*)', file type", line)
        if heading:
            path = heading.group(1)
            continue
        match = re.match(r"\s*\[\d+\]\s+0x([0-9a-f]+)->0x([0-9a-f]+) at 0x([0-9a-f]+): (\S+)((?: [A-Z_]+)*)", line)
        if match and " ALLOC" in match.group(5):
            start, end, offset = (int(n, 16) for n in match.group(1, 2, 3))
            if start < end:
                yield path, start, end, offset, match.group(4), match.group(5).split()


def _access(flags):
    return "r%s%sp" % ("-" if "READONLY" in flags else "w", "x" if "CODE" in flags else "-")


def _of_core(core_file):
    """Segments of the core, cut where files begin and end, and files the core leaves out."""
    files = _listed()
    cuts = sorted({f.start for f in files} | {f.end for f in files})
    regions = []

    def add(start, end, access, only_files):
        edges = [start] + cuts[bisect.bisect_right(cuts, start):bisect.bisect_left(cuts, end)] + [end]
        for low, high in zip(edges, edges[1:]):
            f = next((f for f in files if f.start <= low < f.end), None)
            if f:
                regions.append(Region(low, high, access, f.offset + low - f.start, f.path))
            elif not only_files:
                regions.append(Region(low, high, access, 0, ""))

    segments = []
    for path, start, end, _, name, flags in _sections(gdb.execute("maint info sections", to_string=True)):
        if path == core_file and name.startswith("load"):
            segments.append((start, end, _access(flags)))
    segments.sort()
    for start, end, access in segments:
        add(start, end, access, False)
    for f in files:
        at = f.start
        for start, end, _ in segments:
            if end > at and start < f.end:
                if start > at:
                    add(at, start, "r-xp", True)
                at = end
        if at < f.end:
            add(at, f.end, "r-xp", True)
    return regions


def _of_files():
    """What GDB has symbols of, as sections say where it stands."""
    by_file = {}
    for path, start, end, offset, name, flags in _sections(gdb.execute("maint info sections -all-objects", to_string=True)):
        if name != ".tbss":  # which only looks as if it stood behind .tdata
            by_file.setdefault(path, []).append((start, end, offset, "HAS_CONTENTS" in flags, _access(flags)))
    regions = []
    for path, sections in by_file.items():
        name = re.sub(r"^target:", "", path)
        if not name.startswith("/") or not any(has_contents and "x" in access for _, _, _, has_contents, access in sections):
            continue  # debug information of a file that stands elsewhere
        sections.sort()
        own = []
        for start, end, offset, has_contents, access in sections:
            low, high = start & -PAGE, (end + PAGE - 1) & -PAGE
            if own and low < own[-1].end:
                low = own[-1].end
                if high <= low:
                    continue
            if not has_contents:
                own.append(Region(low, high, access, 0, ""))
            elif own and own[-1].end == low and own[-1].access == access and own[-1].path:
                own[-1].end = high
            else:
                own.append(Region(low, high, access, offset - (start - low), name))
        regions += own
    regions.sort(key=lambda r: r.start)
    apart = []
    for region in regions:
        if not apart or region.start >= apart[-1].end:
            apart.append(region)
    return apart


def _stacks(read, stack_pointers, regions):
    """From each stack pointer up to where memory ends."""
    mappings = Mappings(regions, False)
    found = []
    for sp in sorted(set(stack_pointers)):
        start = sp & -PAGE
        if mappings.at(sp) is not None or (found and start < found[-1].end) or not 0 < sp < TOP:
            continue
        end, step = start, 64 << 10
        while step >= PAGE and end - start < _STACK_MAX:
            if read(end, 8) is not None and read(end + step - 8, 8) is not None and mappings.at(end + step - 1) is None:
                end += step
            else:
                step //= 2
        if end > start:
            found.append(Region(start, end, "rw-p", 0, "[stack]"))
    return found


def _with_gaps(regions):
    """The memory between regions has no name by which it could be taken for part of a file."""
    filled, at = [], 16 * PAGE
    for region in sorted(regions, key=lambda r: r.start):
        if region.start > at:
            filled.append(Region(at, region.start, "rw-p", 0, "[unknown]"))
        filled.append(region)
        at = max(at, region.end)
    if at < TOP:
        filled.append(Region(at, TOP, "rw-p", 0, "[unknown]"))
    return filled


def of_target(core_file, read, stack_pointers):
    """Of whatever GDB has. `core_file`: None for what is no core. `read(address, size)`: bytes, or None where they are not."""
    if core_file:
        regions = _of_core(core_file)
    else:
        regions = _listed()
    if regions and all(r.access for r in regions):
        return Mappings(regions, True)
    regions = _of_files()
    if not regions:
        raise gdb.GdbError("refheap: GDB can tell neither what is mapped here nor where the program is; give it the program "
                           "with the command \"file\".")
    return Mappings(_with_gaps(regions + _stacks(read, stack_pointers, regions)), False)
