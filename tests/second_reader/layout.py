"""Where everything lies in a file and which values it may have: the tables of FORMAT.md."""

import struct
from collections import namedtuple
from typing import NamedTuple, Tuple

U64_MAX = 2**64 - 1

# The file, section 2.

MAJOR, MINOR = 1, 0
FILE_MAGIC = b"\x89RHEAP\r\n"
HEADER = struct.Struct("<8sHHI16sqI16sI")
VERSION = struct.Struct("<HH")
VERSION_AT, LENGTH_AT, FLAGS_AT, RESERVED_AT, HEADER_CRC_AT = 8, 12, 40, 44, 60

BLOCK_MAGIC = b"RHBK"
BLOCK = struct.Struct("<4sIHHIIIQII")
BLOCK_CRC_AT = 32
MAX_PAYLOAD = 1 << 20

CRITICAL = 1  # block flags
CODEC_SHIFT, CODEC_MASK = 1, 3
BLOCK_FLAGS = CRITICAL | CODEC_MASK << CODEC_SHIFT
STORED, ZSTD = 0, 1

TRAILER = struct.Struct("<QQQIIIIQ15Q")
COUNTED_SECTIONS = range(1, 16)  # those with a total in the trailer

# Sections, section 3.

PROCESS, STRINGS, MODULES, HEAPS, GENERATIONS, TYPES, FIELDS, OBJECTS = range(1, 9)
EDGES, VALUES, ROOTS, THREADS, FRAMES, SITES, DIAGNOSTICS = range(9, 16)
TRAILER_SECTION = 127

SECTION_NAMES = {
    PROCESS: "process", STRINGS: "strings", MODULES: "modules", HEAPS: "heaps",
    GENERATIONS: "generations", TYPES: "types", FIELDS: "fields", OBJECTS: "objects",
    EDGES: "edges", VALUES: "values", ROOTS: "roots", THREADS: "threads", FRAMES: "frames",
    SITES: "sites", DIAGNOSTICS: "diagnostics", TRAILER_SECTION: "trailer",
}
NOT_CRITICAL = (VALUES, DIAGNOSTICS)


def section_name(section: int) -> str:
    return SECTION_NAMES.get(section, str(section))


def pad8(n: int) -> int:
    return (n + 7) & ~7


class Layout:
    """A fixed element: `name:code` for each field, in struct codes; T is a string id.

    Fields whose names begin with `reserved` are zero in every element.
    """

    def __init__(self, section: int, description: str):
        parts = [part.split(":") for part in description.split()]
        self.struct = struct.Struct("<" + "".join(code.replace("T", "I") for _, code in parts))
        self.row = namedtuple(section_name(section), [name for name, _ in parts])
        self.texts = [name for name, code in parts if code == "T"]
        self.reserved = [name for name, _ in parts if name.startswith("reserved")]
        self.names = [name for name, _ in parts if name not in self.reserved]

    def pack(self, values: dict) -> bytes:
        return self.struct.pack(*(values.get(name, 0) for name in self.row._fields))


_FIXED_ELEMENTS = {
    PROCESS: "pid:Q command_line:T executable:T captured:H reserved:H writer:T host:T machine:I "
             "runtime_bytes:Q known_bytes:Q memory_expected:Q memory_present:Q objects_damaged:Q reserved2:Q",
    MODULES: "base:Q end:Q path:T build_id_length:I build_id:32s reserved:Q",
    HEAPS: "id:I runtime:T version:T name:T flags:H collecting:h debug:I address:Q long_lived_total:Q "
           "long_lived_pending:Q owner:Q next_serial:Q reserved:Q",
    GENERATIONS: "heap:I generation:I threshold:Q count:Q collections:Q collected:Q uncollectable:Q "
                 "objects:Q reserved:Q",
    TYPES: "id:I name:T module:T flags:I address:Q basic_size:Q item_size:Q heap:I fields:I",
    FIELDS: "type:I number:I name:T kind:H reserved:H offset:Q",
    ROOTS: "object:Q where:Q name:T module:I thread:I frame:I kind:H flags:H heap:I offset:Q",
    THREADS: "tid:Q name:T reserved:I stack_low:Q stack_high:Q reserved2:Q",
    FRAMES: "thread:I depth:I function:T file:T line:I reserved:I pc:Q sp:Q object:Q",
    SITES: "caller:I function:T file:T line:I module:I reserved:I address:Q",
    DIAGNOSTICS: "severity:I text:T address:Q heap:I reserved:I",
}
LAYOUTS = {section: Layout(section, description) for section, description in _FIXED_ELEMENTS.items()}

# Fields of fixed elements that hold one of a few values.
ENUMERATED = {
    PROCESS: {"captured": range(0, 10)},
    HEAPS: {"collecting": range(-1, 3)},
    GENERATIONS: {"generation": range(0, 4)},
    FIELDS: {"kind": range(0, 11)},
    ROOTS: {"kind": range(1, 11)},
    DIAGNOSTICS: {"severity": range(1, 4)},
}

# The bits of flag words that are defined.
KNOWN_BITS = {HEAPS: {"flags": 0x7}, TYPES: {"flags": 0x1F}, ROOTS: {"flags": 0x3}}

MAX_FIELDS = 65535


class Reference(NamedTuple):
    """A field of a fixed element that holds an index in another section."""

    section: int
    name: str
    of: int
    optional: bool  # NONE is allowed


REFERENCES = [
    Reference(GENERATIONS, "heap", HEAPS, False),
    Reference(TYPES, "heap", HEAPS, True),
    Reference(ROOTS, "heap", HEAPS, False),
    Reference(ROOTS, "module", MODULES, True),
    Reference(ROOTS, "thread", THREADS, True),
    Reference(ROOTS, "frame", FRAMES, True),
    Reference(FRAMES, "thread", THREADS, False),
    Reference(SITES, "module", MODULES, True),
    Reference(DIAGNOSTICS, "heap", HEAPS, True),
]

# Elements of variable length: a head, then the bytes kept.

STRING_HEAD = struct.Struct("<IIQ")
VALUE_HEAD = struct.Struct("<QQIHH")

VALUE_KINDS = range(1, 9)
VALUE_BOOL, VALUE_LARGE_INTEGER, VALUE_NAME = 2, 4, 8
VALUE_LENGTHS = {1: 0, 2: 1, 3: 8, 5: 8}  # of the kinds with one length

# Columns, sections 3.6 and 3.7.

ANY_WIDTH = (1, 2, 4, 8)


class Column(NamedTuple):
    id: int
    name: str
    widths: Tuple[int, ...] = ANY_WIDTH
    signed: bool = False
    required: bool = False


OBJECT_COLUMNS = [
    Column(1, "address", widths=(8,), required=True), Column(2, "type"), Column(3, "size"),
    Column(4, "refcount", signed=True), Column(5, "out_degree"), Column(6, "state", widths=(1, 2)),
    Column(7, "serial"), Column(8, "site"), Column(9, "used"), Column(10, "capacity"), Column(11, "hash"),
]
EDGE_COLUMNS = [
    Column(1, "target", widths=(8,), required=True), Column(2, "info", widths=(1,)), Column(3, "label"),
]
SKIPPABLE_COLUMN = 0x8000

OBJECTS_HEAD = struct.Struct("<IHHQ")
EDGES_HEAD = struct.Struct("<HHI")
COLUMN_ENTRY = struct.Struct("<HH")

STATE_BITS = 0x3FF
GENERATION_BITS = 0x7
CONTAINER = 0x8

LABEL_KIND_SHIFT = 4
