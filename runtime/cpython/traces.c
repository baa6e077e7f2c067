#include "traces.h"

#include "internal.h"

enum {
    BUCKETS_LEAST = 16,
    BUCKETS_AT_ONCE = PY_VIEW_MAX / 8,
    SAMPLE = 64,         /* entries that are looked at before a table is believed */
    CHAIN_MOST = 1 << 16,
    CREDIT = 1 << 20,    /* steps along chains, and more with each search: chains are short */
    CREDIT_PER_SEARCH = 64,
    ENTRY_MOST = 64,
    FRAMES_MOST = 1 << 16,
    WORDS_OF_ENTRY = 4,
};
#define BUCKETS_MOST (UINT64_C(1) << 40)
#define ADDRESS_LEAST UINT64_C(0x10000)

/* ---- entries ---- */

struct entry {
    uint64_t next, hash, key, traceback; /* traceback: or, from 3.9 on, where size and traceback stand */
    uint32_t domain;
};

static uint64_t hash_of(uint64_t block)
{
    return block >> 4 | block << 60;
}

/* To 3.8 an entry holds key and value; the key has a domain beside the address once there is more than one. From 3.9 on
 * each domain has a table of its own, and the value is pointed to. */
static int read_entry(struct py_traces *t, uint64_t address, struct entry *out)
{
    struct py_memory *m = t->world->memory;
    int inlined = t->world->layout->table_key_size != -1;
    uint64_t size = PY_ENTRY_KEY + (inlined ? t->key_size + PY_TRACE_LENGTH : 16);
    const uint8_t *p = address % 8 ? NULL : py_view(m, address, size);
    *out = (struct entry){0};
    if (!p)
        return -1;
    memcpy(&out->next, p + PY_ENTRY_NEXT, 8);
    memcpy(&out->hash, p + PY_ENTRY_HASH, 8);
    memcpy(&out->key, p + PY_ENTRY_KEY, 8);
    if (inlined && t->key_size > 8)
        memcpy(&out->domain, p + PY_ENTRY_KEY + 8, 4);
    memcpy(&out->traceback, p + size - 8, 8);
    return 0;
}

/* An entry whose key does not hash to where it stands is none. */
static int read_entry_of(struct py_traces *t, uint64_t address, uint64_t bucket, struct entry *out)
{
    if (read_entry(t, address, out) || out->hash != (hash_of(out->key) ^ out->domain) ||
        (out->hash & (t->bucket_count - 1)) != bucket)
        return -1;
    return 0;
}

static uint64_t traceback_of(struct py_traces *t, const struct entry *e, int *ok)
{
    if (t->world->layout->table_key_size != -1)
        return e->traceback;
    return py_u64(t->world->memory, e->traceback + PY_TRACE_TRACEBACK, ok);
}

/* ---- tracebacks ---- */

static int is_str(struct py_traces *t, uint64_t object)
{
    struct py_type type;
    int ok = 1;
    uint64_t address = object % 8 ? 0 : py_u64(t->world->memory, object + PY_TYPE, &ok);
    if (!ok || !address)
        return 0;
    if (address != t->str_type && (py_type_read(t->world, address, &type) || type.kind != PY_KIND_STR))
        return 0;
    t->str_type = address;
    return 1;
}

static int may_read(struct py_traces *t, uint64_t words)
{
    return !t->world->spend || t->world->spend(t->world, words);
}

static uint32_t frames_of(struct py_traces *t, uint64_t traceback)
{
    struct py_memory *m = t->world->memory;
    int ok = traceback % 8 == 0 && traceback >= ADDRESS_LEAST;
    uint32_t count = ok ? py_u32(m, traceback + PY_TRACEBACK_COUNT, &ok) : 0;
    if (t->world->layout->traceback_count_size == 2)
        count &= 0xffff; /* beside it stands how many there were */
    if (!ok || count > t->most_frames || !may_read(t, (uint64_t)count * PY_TRACEBACK_FRAME_SIZE / 8 + 1))
        return 0;
    for (uint32_t i = 0; i < count; i++)
        if (!is_str(t, py_u64(m, traceback + PY_TRACEBACK_FRAMES + (uint64_t)i * PY_TRACEBACK_FRAME_SIZE, &ok)) || !ok)
            return 0;
    return count;
}

uint32_t py_traceback_frames(struct py_traces *t, uint64_t traceback)
{
    uint32_t count = frames_of(t, traceback);
    t->broken += !count;
    return count;
}

void py_traceback_frame(struct py_traces *t, uint64_t traceback, uint32_t frame, uint64_t *file, uint32_t *line)
{
    uint64_t at = traceback + PY_TRACEBACK_FRAMES + (uint64_t)frame * PY_TRACEBACK_FRAME_SIZE;
    int ok = 1;
    *file = py_u64(t->world->memory, at, &ok);
    *line = py_u32(t->world->memory, at + PY_TRACEBACK_FRAME_LINE, &ok);
}

/* ---- the table ---- */

int py_traces_are_on(struct py_world *w, uint64_t state, uint32_t *most_frames)
{
    int ok = state != 0;
    uint32_t begun = ok ? py_u32(w->memory, state + PY_TRACES_INITIALIZED, &ok) : 0;
    uint32_t tracing = ok ? py_u32(w->memory, state + PY_TRACES_TRACING, &ok) : 0;
    *most_frames = ok ? py_u32(w->memory, state + PY_TRACES_MOST_FRAMES, &ok) : 0;
    if (*most_frames > FRAMES_MOST)
        *most_frames = FRAMES_MOST;
    return ok && begun == 1 && tracing == 1 && *most_frames;
}

static int read_header(struct py_traces *t, uint64_t table)
{
    const struct py_layout *l = t->world->layout;
    const uint8_t *p = table % 8 || table < ADDRESS_LEAST ? NULL : py_view(t->world->memory, table, PY_TABLE_LENGTH);
    uint64_t key_size = 8, value_size = PY_TRACE_LENGTH;
    if (!p)
        return -1;
    memcpy(&t->entries, p + l->table_entries, 8);
    memcpy(&t->bucket_count, p + l->table_bucket_count, 8);
    memcpy(&t->buckets, p + PY_TABLE_BUCKETS, 8);
    if (l->table_key_size != -1) {
        memcpy(&key_size, p + l->table_key_size, 8);
        memcpy(&value_size, p + l->table_key_size + 8, 8);
    }
    t->key_size = (uint32_t)key_size;
    return t->bucket_count < BUCKETS_LEAST || t->bucket_count > BUCKETS_MOST ||
                   t->bucket_count & (t->bucket_count - 1) || t->entries > t->bucket_count || t->buckets % 8 ||
                   t->buckets < ADDRESS_LEAST || (key_size != 8 && key_size != 12) || value_size != PY_TRACE_LENGTH
               ? -1
               : 0;
}

/* Walks a chain. Returns the entries in it, -1 when it is none. With `whole`, tracebacks are looked at as well. */
static int64_t walk_chain(struct py_traces *t, uint64_t at, uint64_t bucket, int whole)
{
    struct entry e;
    int64_t n = 0;
    int ok = 1;
    for (; at; at = e.next) {
        if (n++ == CHAIN_MOST || read_entry_of(t, at, bucket, &e) || (whole && !frames_of(t, traceback_of(t, &e, &ok))))
            return -1;
    }
    return ok ? n : -1;
}

/* Walks chains until there were `most` entries. Returns how many there were, -1 when something is wrong. */
static int64_t walk_chains(struct py_traces *t, uint64_t most, int whole)
{
    uint64_t heads[BUCKETS_AT_ONCE], found = 0;
    for (uint64_t i = 0; i < t->bucket_count && found < most; i += BUCKETS_AT_ONCE) {
        uint64_t count = t->bucket_count - i < BUCKETS_AT_ONCE ? t->bucket_count - i : BUCKETS_AT_ONCE;
        const void *p = py_view(t->world->memory, t->buckets + 8 * i, 8 * count);
        if (!p || !may_read(t, count))
            return -1;
        memcpy(heads, p, 8 * count);
        for (uint64_t k = 0; k < count && found < most; k++) {
            int64_t n = heads[k] ? walk_chain(t, heads[k], i + k, whole) : 0;
            if (n < 0 || (n && !may_read(t, (uint64_t)n * WORDS_OF_ENTRY)))
                return -1;
            found += (uint64_t)n;
        }
    }
    return (int64_t)found;
}

int py_traces_open(struct py_traces *t, struct py_world *w, uint64_t table, uint32_t most_frames)
{
    *t = (struct py_traces){.world = w, .most_frames = most_frames, .credit = CREDIT};
    if (read_header(t, table))
        return -1;
    int64_t seen = t->entries ? walk_chains(t, SAMPLE, 1) : 0;
    if (seen < 0 || (seen == 0 && t->entries > 1))
        return -1;
    t->table = table;
    return 0;
}

int py_traces_moved(const struct py_traces *t)
{
    struct py_traces now = {.world = t->world};
    return t->table && (read_header(&now, t->table) || now.buckets != t->buckets || now.bucket_count != t->bucket_count);
}

int py_traces_check(struct py_traces *t)
{
    int64_t seen = walk_chains(t, t->entries + 2, 0);
    return seen < 0 || seen > (int64_t)t->entries + 1 || seen < (int64_t)t->entries - 1 ? -1 : 0;
}

uint64_t py_traces_search(struct py_world *w, uint64_t from, uint64_t size, uint64_t own, uint64_t own_end,
                          uint32_t most_frames)
{
    uint64_t words[BUCKETS_AT_ONCE], found = 0;
    struct py_traces t;
    for (uint64_t at = 0; at + 8 <= size; at += sizeof words) {
        uint64_t piece = size - at < sizeof words ? (size - at) & ~UINT64_C(7) : sizeof words;
        if (w->spend && !w->spend(w, piece / 8))
            return 0;
        const void *p = py_view(w->memory, from + at, piece);
        if (!p)
            continue;
        memcpy(words, p, piece);
        for (uint64_t i = 0; i < piece / 8; i++) {
            uint64_t word = words[i];
            if (word % 16 || word < ADDRESS_LEAST || word >> 47 || (word >= own && word < own_end) || word == found ||
                py_traces_open(&t, w, word, most_frames) || !t.entries)
                continue;
            if (found)
                return 0;
            found = word;
        }
    }
    return found;
}

uint64_t py_traces_find(struct py_traces *t, uint64_t object, const struct py_type *type)
{
    if (!t->table)
        return 0;
    uint64_t block = object - size_before(t->world, type), bucket = hash_of(block) & (t->bucket_count - 1);
    struct entry e = {0};
    int ok = 1;
    t->credit += t->credit < CREDIT ? CREDIT_PER_SEARCH : 0;
    for (uint64_t at = py_u64(t->world->memory, t->buckets + 8 * bucket, &ok); ok && at; at = e.next) {
        if (t->credit-- <= 0 || read_entry_of(t, at, bucket, &e)) {
            ok = 0;
        } else if (e.key == block && !e.domain) {
            uint64_t traceback = traceback_of(t, &e, &ok);
            t->broken += !ok;
            return ok ? traceback : 0;
        }
    }
    t->broken += !ok;
    return 0;
}
