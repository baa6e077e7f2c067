/* The snapshot format's numbers, one to one from FORMAT.md, which is the law.
 *
 * The structs below are the records as they lie in the file. They hold no padding of the compiler's (asserted at the
 * end), and a little-endian machine reads and writes them in place.
 */
#ifndef DUMPFMT_FORMAT_H
#define DUMPFMT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "refheap reads and writes its records in place, which takes a little-endian machine"
#endif

enum {
    FORMAT_MAJOR = 1, /* readers take any minor version of it */
    FORMAT_MINOR = 0,
    BLOCK_RAW_MAX = 1 << 20,
    BLOCK_MAGIC = 0x4b424852, /* "RHBK" */
    ZSTD_RATIO_MAX = 256,     /* raw length <= 4096 + 256 * stored length */
    ZSTD_RATIO_FREE = 4096,
    SECTION_TOTALS = 16,
    TYPE_FIELDS_MAX = 65535,
    BUILD_ID_MAX = 32,
};
#define FORMAT_MAGIC "\x89RHEAP\r\n"
#define FORMAT_NONE UINT32_MAX

enum section {
    SECTION_PROCESS = 1,
    SECTION_STRINGS = 2,
    SECTION_MODULES = 3,
    SECTION_HEAPS = 4,
    SECTION_GENERATIONS = 5,
    SECTION_TYPES = 6,
    SECTION_FIELDS = 7,
    SECTION_OBJECTS = 8,
    SECTION_EDGES = 9,
    SECTION_VALUES = 10,
    SECTION_ROOTS = 11,
    SECTION_THREADS = 12,
    SECTION_FRAMES = 13,
    SECTION_SITES = 14,
    SECTION_DIAGNOSTICS = 15,
    SECTION_TRAILER = 127,
};

struct file_header {
    char magic[8];
    uint16_t major, minor;
    uint32_t header_length;
    uint8_t uuid[16];
    int64_t time;
    uint32_t flags; /* enum file_flags */
    uint32_t reserved[4];
    uint32_t crc;
};
enum file_flags { FILE_NO_VALUES = 1 };

struct block_header {
    uint32_t magic;
    uint32_t sequence;
    uint16_t section;
    uint16_t flags; /* enum block_flags */
    uint32_t raw_length;
    uint32_t stored_length;
    uint32_t count;
    uint64_t first;
    uint32_t crc;
    uint32_t reserved;
};
enum block_flags {
    BLOCK_CRITICAL = 1,
    BLOCK_CODEC_MASK = 6,
    BLOCK_CODEC_STORED = 0,
    BLOCK_CODEC_ZSTD = 2,
    BLOCK_FLAGS_KNOWN = BLOCK_CRITICAL | BLOCK_CODEC_ZSTD,
};

struct trailer_record {
    uint64_t blocks;
    uint64_t offset;
    uint64_t object_bytes;
    uint32_t string_limit;
    uint32_t type_limit;
    uint32_t crc_of_crcs;
    uint32_t reserved;
    uint64_t totals[SECTION_TOTALS]; /* entry 0: raw bytes of all payloads */
};

struct process_record {
    uint64_t pid;
    uint32_t command_line, executable;
    uint16_t captured; /* enum captured */
    uint16_t reserved0;
    uint32_t writer, host;
    uint32_t machine; /* ELF's e_machine */
    uint64_t runtime_bytes, known_bytes;
    uint64_t memory_expected, memory_present;
    uint64_t objects_damaged;
    uint64_t reserved2;
};
enum captured {
    CAPTURED_UNKNOWN,
    CAPTURED_REQUEST,
    CAPTURED_SIGNAL,
    CAPTURED_EXIT,
    CAPTURED_NO_MEMORY,
    CAPTURED_SAFE_POINT,
    CAPTURED_LIVE,
    CAPTURED_CORE,
    CAPTURED_DEBUGGER,
    CAPTURED_FORK,
    CAPTURED_LIMIT,
};

struct string_record { /* then `kept` bytes, padded to 8 */
    uint32_t id;
    uint32_t kept;
    uint64_t length;
};

struct module_record {
    uint64_t base, end;
    uint32_t path;
    uint32_t build_id_length;
    uint8_t build_id[BUILD_ID_MAX];
    uint64_t reserved;
};

struct heap_record {
    uint32_t id, runtime, version, name;
    uint16_t flags; /* enum heap_flags */
    int16_t collecting;
    uint32_t debug;
    uint64_t address;
    uint64_t long_lived_total, long_lived_pending;
    uint64_t owner;
    uint64_t next_serial;
    uint64_t reserved;
};
enum heap_flags { HEAP_COLLECTING = 1, HEAP_ENABLED = 2, HEAP_PARTIAL = 4, HEAP_FLAGS_KNOWN = 7 };

struct generation_record {
    uint32_t heap, generation;
    uint64_t threshold, count;
    uint64_t collections, collected, uncollectable;
    uint64_t objects;
    uint64_t reserved;
};

struct type_record {
    uint32_t id, name, module;
    uint32_t flags; /* enum type_flags */
    uint64_t address;
    uint64_t basic_size, item_size;
    uint32_t heap;
    uint32_t fields;
};
enum type_flags {
    TYPE_CONTAINER = 1,
    TYPE_FINALIZER = 2,
    TYPE_LEGACY_FINALIZER = 4,
    TYPE_HAND_TRAVERSED = 8,
    TYPE_ATTRIBUTES = 16,
    TYPE_FLAGS_KNOWN = 31,
};

struct field_record {
    uint32_t type, number, name;
    uint16_t kind; /* enum field_kind */
    uint16_t reserved;
    uint64_t offset;
};
enum field_kind {
    FIELD_OTHER,
    FIELD_STRONG,
    FIELD_WEAK,
    FIELD_BORROWED,
    FIELD_TAGGED,
    FIELD_ARRAY,
    FIELD_INLINE_ARRAY,
    FIELD_BYTES,
    FIELD_CHILDREN,
    FIELD_TABLE,
    FIELD_VALUE,
    FIELD_KIND_LIMIT,
};

struct objects_head {
    uint32_t heap;
    uint16_t columns;
    uint16_t reserved;
    uint64_t first_edge;
};
struct edges_head {
    uint16_t columns;
    uint16_t reserved0;
    uint32_t reserved1;
};
struct column_entry {
    uint16_t id;
    uint16_t width;
};
enum { COLUMN_OPTIONAL = 0x8000 };
enum object_column {
    OBJECT_ADDRESS = 1,
    OBJECT_TYPE,
    OBJECT_SIZE,
    OBJECT_REFCOUNT,
    OBJECT_DEGREE,
    OBJECT_STATE,
    OBJECT_SERIAL,
    OBJECT_SITE,
    OBJECT_USED,
    OBJECT_CAPACITY,
    OBJECT_HASH,
    OBJECT_COLUMN_LIMIT,
};
enum edge_column { EDGE_TARGET = 1, EDGE_INFO, EDGE_LABEL, EDGE_COLUMN_LIMIT };

enum generation {
    GENERATION_PERMANENT = 3,
    GENERATION_UNTRACKED = 4,
    GENERATION_LIMIT = 5,
};
enum object_state {
    STATE_GENERATION_MASK = 7,
    STATE_CONTAINER = 8,
    STATE_IMMORTAL = 16,
    STATE_FINALIZED = 32,
    STATE_DYING = 64,
    STATE_SIZE_ESTIMATED = 128,
    STATE_EDGES_INCOMPLETE = 256,
    STATE_DAMAGED = 512,
    STATE_KNOWN = 1023,
};
enum edge_bits {
    EDGE_COUNTED = 1,
    EDGE_TRAVERSED = 2,
    EDGE_INFERRED = 4,
    EDGE_WEAK = 8,
    EDGE_BITS_MASK = 15,
    EDGE_STRONG = EDGE_COUNTED | EDGE_TRAVERSED,
};
enum label_kind { /* in the upper four bits of the info column */
                  LABEL_NONE,
                  LABEL_FIELD,
                  LABEL_INDEX,
                  LABEL_KEY,
                  LABEL_STRING,
                  LABEL_ELEMENT,
                  LABEL_IS_KEY,
                  LABEL_LIMIT,
};
enum { LABEL_KIND_SHIFT = 4, LABEL_ELEMENT_SHIFT = 48 };

struct value_record { /* then `kept` bytes, padded to 8 */
    uint64_t object;
    uint64_t length;
    uint32_t kept;
    uint16_t kind; /* enum value_kind */
    uint16_t reserved;
};
enum value_kind {
    VALUE_NONE = 1,
    VALUE_BOOL,
    VALUE_INTEGER,
    VALUE_LARGE_INTEGER,
    VALUE_FLOAT,
    VALUE_TEXT,
    VALUE_BYTES,
    VALUE_NAME,
    VALUE_LIMIT,
};

struct root_record {
    uint64_t object;
    uint64_t where;
    uint32_t name, module, thread, frame;
    uint16_t kind;  /* enum root_kind */
    uint16_t flags; /* enum root_flags */
    uint32_t heap;
    uint64_t offset;
};
enum root_kind {
    ROOT_DECLARED = 1,
    ROOT_HANDLE,
    ROOT_PIN,
    ROOT_GLOBAL,
    ROOT_STACK,
    ROOT_REGISTER,
    ROOT_RUNTIME,
    ROOT_FRAME_LOCAL,
    ROOT_MODULE_VARIABLE,
    ROOT_THREAD_STATE,
    ROOT_KIND_LIMIT,
};
enum root_flags { ROOT_EXACT = 1, ROOT_COUNTED = 2, ROOT_FLAGS_KNOWN = 3 };

struct thread_record {
    uint64_t tid;
    uint32_t name, flags;
    uint64_t stack_low, stack_high;
    uint64_t reserved;
};
struct frame_record {
    uint32_t thread, depth, function, file, line, reserved;
    uint64_t pc, sp, object;
};
struct site_record {
    uint32_t caller, function, file, line, module, reserved;
    uint64_t address;
};
struct diagnostic_record {
    uint32_t severity; /* enum severity */
    uint32_t text;
    uint64_t address;
    uint32_t heap;
    uint32_t reserved;
};
enum severity { SEVERITY_NOTE = 1, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_LIMIT };

_Static_assert(sizeof(struct file_header) == 64, "FORMAT.md 2.1");
_Static_assert(sizeof(struct block_header) == 40, "FORMAT.md 2.2");
_Static_assert(sizeof(struct trailer_record) == 168, "FORMAT.md 2.3");
_Static_assert(sizeof(struct process_record) == 80, "FORMAT.md 3.1");
_Static_assert(sizeof(struct string_record) == 16, "FORMAT.md 3.2");
_Static_assert(sizeof(struct module_record) == 64, "FORMAT.md 3.3");
_Static_assert(sizeof(struct heap_record) == 72, "FORMAT.md 3.4");
_Static_assert(sizeof(struct generation_record) == 64, "FORMAT.md 3.4");
_Static_assert(sizeof(struct type_record) == 48, "FORMAT.md 3.5");
_Static_assert(sizeof(struct field_record) == 24, "FORMAT.md 3.5");
_Static_assert(sizeof(struct objects_head) == 16, "FORMAT.md 3.6");
_Static_assert(sizeof(struct edges_head) == 8, "FORMAT.md 3.7");
_Static_assert(sizeof(struct value_record) == 24, "FORMAT.md 3.8");
_Static_assert(sizeof(struct root_record) == 48, "FORMAT.md 3.9");
_Static_assert(sizeof(struct thread_record) == 40, "FORMAT.md 3.10");
_Static_assert(sizeof(struct frame_record) == 48, "FORMAT.md 3.10");
_Static_assert(sizeof(struct site_record) == 32, "FORMAT.md 3.10");
_Static_assert(sizeof(struct diagnostic_record) == 24, "FORMAT.md 3.11");

/* What the format says of a section, by id; NULL for an id it does not define. */
struct section_info {
    const char *name;
    uint32_t element_size; /* 0: variable or columns */
    int critical;
};
const struct section_info *section_info(unsigned id);

/* The machine this program was compiled for, for the process record. */
#if defined(__x86_64__)
enum { MACHINE_HERE = 62 };
#elif defined(__aarch64__)
enum { MACHINE_HERE = 183 };
#else
enum { MACHINE_HERE = 0 };
#endif

static inline uint64_t pad8(uint64_t n)
{
    return (n + 7) & ~(uint64_t)7;
}

#endif
