"""The control block of librefheap in the target (refheap/control.h): where it is, and what it tells of the library's
structures."""

import re
import struct

import gdb

from . import calls, mappings, serve

# Offsets that control.h promises for ever.
VERSION, SELF, REQUEST, DONE, FLAGS, STATUS, OS_ERROR, PATH, LAYOUT = 16, 24, 40, 44, 48, 52, 56, 104, 4200
PATH_SIZE = 4096
MAGIC = b"librefheap.ctrl\0"
KNOWN_VERSION = 2

# struct rh_layout of that version, in its order; all are uint32.
_NAMES = """
    object_size object_refcount object_type object_links next_mask generation_mask prev_mask finalized_bit
    heap_next heap_name heap_hand heap_busy heap_lists heap_list_count heap_types heap_roots heap_root_count heap_garbage
    heap_generations generation_size
    generation_threshold generation_count generation_collections generation_collected generation_uncollectable
    heap_collecting heap_enabled heap_debug heap_long_lived_total heap_long_lived_pending heap_owner heap_next_serial
    heap_prefix heap_sites heap_site_count prefix_size prefix_serial prefix_site site_named site_depth site_address
    root_size root_name root_slot root_object root_kind
    type_next type_heap type_name type_module type_size type_item_size type_fields type_field_count
    type_traverse type_finalize type_legacy_finalize
    field_size field_name field_kind field_flags field_count_size field_offset field_count_offset
    field_capacity_offset field_stride field_key_offset field_value_offset field_mask field_other
""".split()


def read(inferior, address, size):
    return bytes(inferior.read_memory(address, size))


def number(inferior, address, size=4, signed=False):
    return int.from_bytes(read(inferior, address, size), "little", signed=signed)


def is_control(inferior, address):
    try:
        return read(inferior, address, len(MAGIC)) == MAGIC and number(inferior, address + SELF, 8) == address
    except gdb.MemoryError:
        return False


def _search(inferior):
    """Finds the control block of a program without symbols in the writable memory of its modules."""
    mapped = mappings.of_target(None, lambda address, size: serve.read(inferior, address, size), [])
    before = None
    for region in mapped.regions:
        continues = before is not None and before.end == region.start and not region.path
        before = region if region.path.startswith("/") or continues else None
        if before is None or not region.access.startswith("rw"):
            continue
        at = region.start
        while at < region.end:
            found = inferior.search_memory(at, region.end - at, MAGIC)
            if found is None:
                break
            if is_control(inferior, found):
                return found
            at = found + 8
    return None


def by_symbol(inferior):
    """Where the symbol rh_control says; None where there is none, or no library at work there yet."""
    try:
        address = int(gdb.parse_and_eval("(unsigned long) &rh_control"))
    except gdb.error:
        return None
    return address if is_control(inferior, address) else None


def find(inferior):
    address = by_symbol(inferior) or _search(inferior)
    if address is None and calls.address_of("_PyRuntime") is not None:
        raise gdb.GdbError("refheap: CPython dumps only when told to run for it: \"refheap dump -run FILE\" loads refheap's module "
                           "and starts a thread in it; \"refheap capture FILE\" reads it as it stands, and runs nothing.")
    if address is None:
        raise gdb.GdbError("refheap: this program uses no librefheap: it has no symbol rh_control, and none of its "
                           "modules' data holds a control block.")
    return address


class Layout:
    """Offsets in the library's structures, by the names that control.h has."""


def layout(inferior, control):
    """None for a library of a version that is not known, or one whose block is damaged."""
    try:
        if number(inferior, control + VERSION) != KNOWN_VERSION:
            return None
        values = struct.unpack("<%dI" % len(_NAMES), read(inferior, control + LAYOUT, 4 * len(_NAMES)))
    except gdb.MemoryError:
        return None
    found = Layout()
    found.__dict__.update(zip(_NAMES, values))
    sane = max(values) <= 1 << 20 and found.field_size >= 8 and found.object_size >= 16
    return found if sane else None


def names_promised(header):
    """The names of struct rh_layout in the text of control.h, for a test."""
    body = re.search(r"struct rh_layout \{(.*?)\};", header, re.S).group(1)
    return re.findall(r"\w+(?=[,;])", re.sub(r"/\*.*?\*/", "", body, flags=re.S))
