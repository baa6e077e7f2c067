"""A second reader and writer of snapshots, written from FORMAT.md and not from the C.

`read_snapshot` takes a file, or its bytes, to a Snapshot, and raises FormatError unless it keeps
every "must" of FORMAT.md; it does not salvage. `snapshot_bytes` and `write_snapshot` make a file
of a Snapshot, `canonical` the text of CANONICAL.md. Python 3.9, standard library only; packed
files need the system's libzstd.
"""

from .canonical import canonical
from .errors import FormatError
from .model import (
    NONE, UNKNOWN_COUNT, UNTRACKED, VALUES_LEFT_OUT, AnyText, Diagnostic, Edge, Field, Frame, Generation,
    Header, Heap, Module, Object, Process, Root, Site, Snapshot, Text, Thread, Type, Value)
from .reader import read_snapshot
from .writer import snapshot_bytes, write_snapshot

__all__ = [
    "NONE", "UNKNOWN_COUNT", "UNTRACKED", "VALUES_LEFT_OUT", "AnyText", "Diagnostic", "Edge", "Field",
    "FormatError", "Frame", "Generation", "Header", "Heap", "Module", "Object", "Process", "Root", "Site",
    "Snapshot", "Text", "Thread", "Type", "Value", "canonical", "read_snapshot", "snapshot_bytes",
    "write_snapshot",
]
