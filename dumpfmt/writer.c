#include "writer.h"

#include "crc32c.h"
#include "error.h"
#include "rawsys.h"

enum {
    ROWS_MAX = 8192,   /* 74 bytes a row at the most */
    EDGES_MAX = 49152, /* 17 bytes an edge at the most */
    STAGE_SMALL = 16 << 10,
    STAGE_LARGE = 256 << 10,
};

/* Elements of one section of records, waiting for their block to fill. */
struct stage {
    uint8_t *bytes;
    uint32_t capacity, used, count;
};

/* A column of the widest kind it may need; narrowed when the block is written. */
struct column {
    uint64_t *values;
    uint64_t widest; /* all values of the block, or-ed (signed ones folded first) */
};

struct writer {
    struct sink *sink;
    int status; /* 0 or minus errno */
    uint32_t sequence;
    uint32_t crc_of_uuid; /* what every block's checksum begins with */
    uint32_t crc_of_crcs;
    uint64_t offset;
    uint64_t raw_bytes;
    uint64_t totals[SECTION_TOTALS]; /* elements begun, written or staged */
    uint64_t written[SECTION_TOTALS];
    uint64_t object_bytes;
    uint32_t string_limit, type_limit;

    struct stage stages[SECTION_TOTALS]; /* of sections made of records */

    uint32_t rows, rows_heap;
    uint64_t rows_first_edge;
    struct column row[OBJECT_COLUMN_LIMIT];

    uint32_t edges;
    uint64_t label_widest;
    uint64_t *edge_target;
    uint64_t *edge_label;
    uint8_t *edge_info;

    uint8_t *out; /* one block with its header */
};

static uint32_t stage_capacity(unsigned section)
{
    switch (section) {
    case SECTION_OBJECTS:
    case SECTION_EDGES:
        return 0;
    case SECTION_STRINGS:
    case SECTION_VALUES:
        return STAGE_LARGE;
    default:
        return STAGE_SMALL;
    }
}

/* Hands out consecutive 16-aligned pieces; with a NULL base it only adds them up. */
static void *carve(uint8_t *base, size_t *used, size_t size)
{
    void *piece = base ? base + *used : NULL;
    *used += (size + 15) & ~(size_t)15;
    return piece;
}

static size_t lay_out(uint8_t *base, struct writer *w)
{
    size_t used = 0;
    carve(base, &used, sizeof *w);
    for (unsigned s = 1; s < SECTION_TOTALS; s++) {
        void *piece = carve(base, &used, stage_capacity(s));
        if (w)
            w->stages[s] = (struct stage){piece, stage_capacity(s), 0, 0};
    }
    for (unsigned c = 1; c < OBJECT_COLUMN_LIMIT; c++) {
        void *piece = carve(base, &used, ROWS_MAX * sizeof(uint64_t));
        if (w)
            w->row[c].values = piece;
    }
    void *target = carve(base, &used, EDGES_MAX * sizeof(uint64_t));
    void *label = carve(base, &used, EDGES_MAX * sizeof(uint64_t));
    void *info = carve(base, &used, EDGES_MAX);
    void *out = carve(base, &used, sizeof(struct block_header) + BLOCK_RAW_MAX);
    if (w) {
        w->edge_target = target;
        w->edge_label = label;
        w->edge_info = info;
        w->out = out;
    }
    return used;
}

size_t writer_memory_size(void)
{
    return lay_out(NULL, NULL);
}

void writer_random_uuid(uint8_t uuid[16])
{
    if (raw_getrandom(uuid, 16) != 16) {
        uint64_t parts[2] = {(uint64_t)writer_now(), (uint64_t)raw_getpid()};
        __builtin_memcpy(uuid, parts, 16);
    }
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

int64_t writer_now(void)
{
    struct {
        int64_t sec, nsec;
    } t = {0, 0};
    raw_syscall(SYS_clock_gettime, 0 /* CLOCK_REALTIME */, (long)&t, 0, 0, 0, 0);
    return t.sec * 1000000000 + t.nsec;
}

static void emit(struct writer *w, const void *bytes, size_t size)
{
    if (w->status)
        return;
    w->status = w->sink->write(w->sink, bytes, size);
    w->offset += size;
}

struct writer *writer_open(void *memory, struct sink *sink, const struct writer_identity *identity)
{
    struct writer *w = memory;
    __builtin_memset(w, 0, sizeof *w);
    lay_out(memory, w);
    w->sink = sink;
    w->string_limit = 1;

    struct file_header header = {
        .magic = FORMAT_MAGIC,
        .major = FORMAT_MAJOR,
        .minor = FORMAT_MINOR,
        .header_length = sizeof header,
        .time = identity->time,
        .flags = identity->flags,
    };
    __builtin_memcpy(header.uuid, identity->uuid, 16);
    header.crc = crc32c(0, &header, offsetof(struct file_header, crc));
    w->crc_of_uuid = crc32c(0, identity->uuid, 16);
    w->crc_of_crcs = crc32c(0, &header.crc, sizeof header.crc);
    emit(w, &header, sizeof header);
    return w;
}

/* Where a block's payload is put together: right behind the room for its header. */
static uint8_t *payload(struct writer *w)
{
    return w->out + sizeof(struct block_header);
}

/* Writes the block whose payload stands at payload(w). */
static void write_block(struct writer *w, unsigned section, uint32_t length, uint32_t count)
{
    struct block_header *header = (struct block_header *)w->out;
    uint8_t *body = payload(w);
    *header = (struct block_header){
        .magic = BLOCK_MAGIC,
        .sequence = w->sequence++,
        .section = (uint16_t)section,
        .flags = section_info(section)->critical ? BLOCK_CRITICAL : 0,
        .raw_length = length,
        .stored_length = length,
        .count = count,
    };
    if (section < SECTION_TOTALS) {
        header->first = w->written[section];
        w->written[section] += count;
    }
    uint32_t padded = (uint32_t)pad8(length);
    __builtin_memset(body + length, 0, padded - length);
    header->crc = crc32c(crc32c(w->crc_of_uuid, header, sizeof *header), body, padded);
    w->crc_of_crcs = crc32c(w->crc_of_crcs, &header->crc, sizeof header->crc);
    w->raw_bytes += length;
    emit(w, w->out, sizeof *header + padded);
}

static void flush_stage(struct writer *w, unsigned section)
{
    struct stage *stage = &w->stages[section];
    if (!stage->count)
        return;
    __builtin_memcpy(payload(w), stage->bytes, stage->used);
    write_block(w, section, stage->used, stage->count);
    stage->used = stage->count = 0;
}

/* Room for one more record of `size` bytes (at most the stage's capacity), counted. */
static uint8_t *stage_record(struct writer *w, unsigned section, uint32_t size)
{
    struct stage *stage = &w->stages[section];
    if (stage->used + size > stage->capacity)
        flush_stage(w, section);
    uint8_t *record = stage->bytes + stage->used;
    stage->used += size;
    stage->count++;
    w->totals[section]++;
    return record;
}

/* The longest prefix of at most `cap` bytes that does not cut a UTF-8 character in two. */
static size_t text_prefix(const char *text, size_t length, size_t cap)
{
    if (length <= cap)
        return length;
    size_t n = cap;
    while (n && cap - n < 4 && ((uint8_t)text[n] & 0xc0) == 0x80)
        n--;
    return ((uint8_t)text[n] & 0xc0) == 0x80 ? cap : n;
}

uint32_t writer_reserve_string(struct writer *w)
{
    return w->string_limit++;
}

void writer_define_string(struct writer *w, uint32_t id, const char *text, size_t length, size_t cap)
{
    if (cap > STAGE_LARGE / 2)
        cap = STAGE_LARGE / 2;
    uint32_t kept = (uint32_t)text_prefix(text, length, cap);
    uint32_t size = sizeof(struct string_record) + (uint32_t)pad8(kept);
    uint8_t *to = stage_record(w, SECTION_STRINGS, size);
    *(struct string_record *)to = (struct string_record){id, kept, length};
    __builtin_memcpy(to + sizeof(struct string_record), text, kept);
    __builtin_memset(to + sizeof(struct string_record) + kept, 0, pad8(kept) - kept);
}

uint32_t writer_string(struct writer *w, const char *text, size_t length, size_t cap)
{
    if (!length)
        return 0;
    uint32_t id = writer_reserve_string(w);
    writer_define_string(w, id, text, length, cap);
    return id;
}

void writer_record(struct writer *w, enum section section, const void *record)
{
    uint32_t size = section_info(section)->element_size;
    __builtin_memcpy(stage_record(w, section, size), record, size);
    if (section == SECTION_TYPES) {
        const struct type_record *type = record;
        if (type->id >= w->type_limit)
            w->type_limit = type->id + 1;
    }
}

void writer_value(struct writer *w, uint64_t object, enum value_kind kind, const void *bytes, uint32_t kept,
                  uint64_t length)
{
    if (kept > STAGE_LARGE / 2)
        kept = STAGE_LARGE / 2;
    uint32_t size = sizeof(struct value_record) + (uint32_t)pad8(kept);
    uint8_t *to = stage_record(w, SECTION_VALUES, size);
    *(struct value_record *)to =
        (struct value_record){.object = object, .length = length, .kept = kept, .kind = (uint16_t)kind};
    __builtin_memcpy(to + sizeof(struct value_record), bytes, kept);
    __builtin_memset(to + sizeof(struct value_record) + kept, 0, pad8(kept) - kept);
}

/* The narrowest width that holds every bit of `widest`. */
static unsigned width_of(uint64_t widest)
{
    return widest >> 32 ? 8 : widest >> 16 ? 4 : widest >> 8 ? 2 : 1;
}

/* Packs `count` values into `width` bytes each and pads to 8; returns the end. */
static uint8_t *pack(uint8_t *to, const uint64_t *values, uint32_t count, unsigned width)
{
    switch (width) {
    case 8:
        __builtin_memcpy(to, values, count * sizeof(uint64_t));
        break;
    case 4:
        for (uint32_t i = 0; i < count; i++)
            ((uint32_t *)to)[i] = (uint32_t)values[i];
        break;
    case 2:
        for (uint32_t i = 0; i < count; i++)
            ((uint16_t *)to)[i] = (uint16_t)values[i];
        break;
    default:
        for (uint32_t i = 0; i < count; i++)
            to[i] = (uint8_t)values[i];
    }
    uint64_t size = (uint64_t)count * width;
    __builtin_memset(to + size, 0, pad8(size) - size);
    return to + pad8(size);
}

static void flush_objects(struct writer *w)
{
    if (!w->rows)
        return;
    uint8_t *body = payload(w);
    struct objects_head *head = (struct objects_head *)body;
    struct column_entry *entry = (struct column_entry *)(head + 1);
    *head = (struct objects_head){.heap = w->rows_heap, .first_edge = w->rows_first_edge};

    for (unsigned c = 1; c < OBJECT_COLUMN_LIMIT; c++)
        if (c == OBJECT_ADDRESS || c == OBJECT_STATE || w->row[c].widest)
            entry[head->columns++] =
                (struct column_entry){(uint16_t)c, (uint16_t)(c == OBJECT_ADDRESS ? 8 : width_of(w->row[c].widest))};
    uint8_t *to = (uint8_t *)(entry + head->columns);
    if (head->columns & 1) {
        __builtin_memset(to, 0, 4);
        to += 4;
    }
    for (unsigned i = 0; i < head->columns; i++)
        to = pack(to, w->row[entry[i].id].values, w->rows, entry[i].width);

    w->rows_first_edge = w->totals[SECTION_EDGES];
    write_block(w, SECTION_OBJECTS, (uint32_t)(to - body), w->rows);
    w->rows = 0;
    for (unsigned c = 1; c < OBJECT_COLUMN_LIMIT; c++)
        w->row[c].widest = 0;
}

static void flush_edges(struct writer *w)
{
    if (!w->edges)
        return;
    uint8_t *body = payload(w);
    struct edges_head *head = (struct edges_head *)body;
    struct column_entry *entry = (struct column_entry *)(head + 1);
    unsigned label_width = width_of(w->label_widest);
    *head = (struct edges_head){.columns = w->label_widest ? 3 : 2};
    entry[0] = (struct column_entry){EDGE_TARGET, 8};
    entry[1] = (struct column_entry){EDGE_INFO, 1};
    entry[2] = (struct column_entry){EDGE_LABEL, (uint16_t)label_width};
    entry[3] = (struct column_entry){0, 0};
    uint8_t *to = (uint8_t *)(entry + (w->label_widest ? 4 : 2));

    to = pack(to, w->edge_target, w->edges, 8);
    __builtin_memcpy(to, w->edge_info, w->edges);
    __builtin_memset(to + w->edges, 0, pad8(w->edges) - w->edges);
    to += pad8(w->edges);
    if (w->label_widest)
        to = pack(to, w->edge_label, w->edges, label_width);
    write_block(w, SECTION_EDGES, (uint32_t)(to - body), w->edges);
    w->edges = 0;
    w->label_widest = 0;
}

static void put_cell(struct writer *w, enum object_column column, uint64_t value)
{
    w->row[column].values[w->rows] = value;
    w->row[column].widest |= value;
}

void writer_object(struct writer *w, uint32_t heap, const struct writer_object *object)
{
    if (w->rows == ROWS_MAX || (w->rows && w->rows_heap != heap))
        flush_objects(w);
    w->rows_heap = heap;
    /* Sizes that do not sum up to 64 bits are wrong, and would make the file one that no reader takes. */
    uint64_t size = object->size, state = object->state;
    if (__builtin_add_overflow(w->object_bytes, size, &w->object_bytes)) {
        w->object_bytes -= size;
        size = 0;
        state |= STATE_SIZE_ESTIMATED;
    }
    put_cell(w, OBJECT_ADDRESS, object->address);
    put_cell(w, OBJECT_TYPE, object->type);
    put_cell(w, OBJECT_SIZE, size);
    put_cell(w, OBJECT_DEGREE, 0);
    put_cell(w, OBJECT_STATE, state);
    put_cell(w, OBJECT_SERIAL, object->serial);
    put_cell(w, OBJECT_SITE, object->site);
    put_cell(w, OBJECT_USED, object->used);
    put_cell(w, OBJECT_CAPACITY, object->capacity);
    put_cell(w, OBJECT_HASH, object->hash);
    /* A signed value needs one bit more than its magnitude. */
    uint64_t refcount = (uint64_t)object->refcount;
    w->row[OBJECT_REFCOUNT].values[w->rows] = refcount;
    w->row[OBJECT_REFCOUNT].widest |= (refcount ^ (uint64_t)(object->refcount >> 63)) << 1 | (refcount != 0);
    w->rows++;
    w->totals[SECTION_OBJECTS]++;
}

void writer_object_mark(struct writer *w, unsigned state)
{
    if (!w->rows)
        return;
    struct column *column = &w->row[OBJECT_STATE];
    column->values[w->rows - 1] |= state;
    column->widest |= state;
}

void writer_edge(struct writer *w, uint64_t target, unsigned bits, enum label_kind kind, uint64_t label)
{
    if (w->edges == EDGES_MAX)
        flush_edges(w);
    uint32_t e = w->edges++;
    w->edge_target[e] = target;
    w->edge_info[e] = (uint8_t)(bits | (unsigned)kind << LABEL_KIND_SHIFT);
    w->edge_label[e] = label;
    w->label_widest |= label;
    w->totals[SECTION_EDGES]++;

    struct column *degree = &w->row[OBJECT_DEGREE];
    degree->widest |= ++degree->values[w->rows - 1];
}

uint64_t writer_count(const struct writer *w, enum section section)
{
    return w->totals[section];
}

uint64_t writer_bytes(const struct writer *w)
{
    return w->offset;
}

int writer_status(const struct writer *w)
{
    return w->status;
}

int writer_finish(struct writer *w, struct rh_error *err)
{
    flush_objects(w);
    flush_edges(w);
    for (unsigned s = 1; s < SECTION_TOTALS; s++)
        flush_stage(w, s);

    struct trailer_record trailer = {
        .blocks = w->sequence,
        .offset = w->offset,
        .object_bytes = w->object_bytes,
        .string_limit = w->string_limit,
        .type_limit = w->type_limit,
        .crc_of_crcs = w->crc_of_crcs,
    };
    __builtin_memcpy(trailer.totals, w->totals, sizeof trailer.totals);
    trailer.totals[0] = w->raw_bytes;
    __builtin_memcpy(payload(w), &trailer, sizeof trailer);
    write_block(w, SECTION_TRAILER, sizeof trailer, 1);
    if (w->status)
        return error_set_os(err, -w->status, "cannot write the snapshot", "check the disk or the reader of the pipe");
    return 0;
}
