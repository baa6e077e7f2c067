"""What a snapshot says, whatever file says it: texts in place of string ids, lists in place of blocks."""

import time
import uuid as uuid_module
from dataclasses import dataclass, field
from typing import List, Optional, Tuple, Union

NONE = 0xFFFFFFFF  # an id that is absent
UNKNOWN_COUNT = 2**64 - 1  # of a generation's objects
UNTRACKED = 4  # the generation bits of an object's state
VALUES_LEFT_OUT = 1  # file flag

# Edge info bits and label kinds, section 3.7; those that need a name.
COUNTED, TRAVERSED, WEAK = 1, 2, 8
LABEL_NONE, LABEL_STRING, LABEL_IS_KEY = 0, 4, 6


@dataclass(frozen=True)
class Text:
    """A string of `length` bytes of which the first are kept."""

    kept: bytes
    length: int


AnyText = Union[bytes, Text]


def text_parts(text: AnyText) -> Tuple[bytes, int]:
    """What is kept of a text, and its length."""
    if isinstance(text, Text):
        return text.kept, text.length
    return bytes(text), len(text)


@dataclass
class Header:
    major: int = 1
    minor: int = 0
    uuid: bytes = field(default_factory=lambda: uuid_module.uuid4().bytes)
    time: int = field(default_factory=time.time_ns)
    flags: int = 0


@dataclass
class Process:
    pid: int = 0
    command_line: AnyText = b""
    executable: AnyText = b""
    captured: int = 0
    writer: AnyText = b""
    host: AnyText = b""
    machine: int = 0
    runtime_bytes: int = 0
    known_bytes: int = 0
    memory_expected: int = 0
    memory_present: int = 0
    objects_damaged: int = 0


@dataclass
class Module:
    """A module's number is its place in the snapshot."""

    base: int = 0
    end: int = 0
    path: AnyText = b""
    build_id: bytes = b""


@dataclass
class Heap:
    """A heap's id is its place in the snapshot."""

    runtime: AnyText = b""
    version: AnyText = b""
    name: AnyText = b""
    flags: int = 0
    collecting: int = -1
    debug: int = 0
    address: int = 0
    long_lived_total: int = 0
    long_lived_pending: int = 0
    owner: int = 0
    next_serial: int = 0


@dataclass
class Generation:
    heap: int = 0
    generation: int = 0
    threshold: int = 0
    count: int = 0
    collections: int = 0
    collected: int = 0
    uncollectable: int = 0
    objects: int = UNKNOWN_COUNT


@dataclass
class Field:
    """A field's number is its place in the table of its type."""

    name: AnyText = b""
    kind: int = 0
    offset: int = 0


@dataclass
class Type:
    """A type's id is its place in the snapshot."""

    name: AnyText = b""
    module: AnyText = b""
    flags: int = 0
    address: int = 0
    basic_size: int = 0
    item_size: int = 0
    heap: int = NONE
    fields: List[Field] = field(default_factory=list)


@dataclass
class Edge:
    """`label` is a text when the label kind is 4, else a number; 0 for the kinds that ignore it."""

    target: int
    info: int = COUNTED | TRAVERSED
    label: Union[int, AnyText] = 0


@dataclass
class Object:
    heap: int
    address: int
    type: int = 0
    size: int = 0
    refcount: int = 0
    state: int = UNTRACKED
    serial: int = 0
    site: int = 0  # site id + 1
    used: int = 0
    capacity: int = 0
    hash: int = 0
    edges: List[Edge] = field(default_factory=list)


@dataclass
class Value:
    """`length` is the whole value's; that of what is kept unless told."""

    object: int
    kind: int = 1
    kept: bytes = b""
    length: Optional[int] = None

    def __post_init__(self):
        if self.length is None:
            self.length = len(self.kept)


@dataclass
class Root:
    object: int
    where: int = 0
    name: AnyText = b""
    module: int = NONE
    thread: int = NONE
    frame: int = NONE
    kind: int = 1
    flags: int = 0
    heap: int = 0
    offset: int = 0


@dataclass
class Thread:
    """A thread's number is its place in the snapshot."""

    tid: int = 0
    name: AnyText = b""
    stack_low: int = 0
    stack_high: int = 0


@dataclass
class Frame:
    """A frame's number is its place in the snapshot."""

    thread: int = 0
    depth: int = 0
    function: AnyText = b""
    file: AnyText = b""
    line: int = 0
    pc: int = 0
    sp: int = 0
    object: int = 0


@dataclass
class Site:
    """A site's id is its place in the snapshot."""

    caller: int = NONE
    function: AnyText = b""
    file: AnyText = b""
    line: int = 0
    module: int = NONE
    address: int = 0


@dataclass
class Diagnostic:
    severity: int = 1
    text: AnyText = b""
    address: int = 0
    heap: int = NONE


@dataclass
class Snapshot:
    header: Header = field(default_factory=Header)
    process: Process = field(default_factory=Process)
    modules: List[Module] = field(default_factory=list)
    heaps: List[Heap] = field(default_factory=list)
    generations: List[Generation] = field(default_factory=list)
    types: List[Type] = field(default_factory=list)
    objects: List[Object] = field(default_factory=list)
    values: List[Value] = field(default_factory=list)
    roots: List[Root] = field(default_factory=list)
    threads: List[Thread] = field(default_factory=list)
    frames: List[Frame] = field(default_factory=list)
    sites: List[Site] = field(default_factory=list)
    diagnostics: List[Diagnostic] = field(default_factory=list)

    def object_bytes(self) -> int:
        return sum(o.size for o in self.objects)

    def edge_count(self) -> int:
        return sum(len(o.edges) for o in self.objects)

    def dangling(self) -> Tuple[int, int]:
        """How many edges and how many roots lead to no object."""
        addresses = {o.address for o in self.objects}
        edges = sum(e.target not in addresses for o in self.objects for e in o.edges)
        roots = sum(r.object not in addresses for r in self.roots)
        return edges, roots
