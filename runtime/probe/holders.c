#include "holders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/hash.h"
#include "frames.h"
#include "modules.h"
#include "registers.h"

enum { PAGE = 4096, PIECE = 1 << 20, RED_ZONE = 128, NAME_SIZE_MAX = 300 };

/* Bytes of data, of one stack and of all of them that are looked through, and words that are kept: what a hostile
 * process can make this work for. */
#define DATA_MAX (UINT64_C(1) << 30)
#define STACK_MAX (UINT64_C(64) << 20)
#define STACKS_MAX (UINT64_C(1) << 30)
#define WORDS_MAX ((size_t)1 << 24)

struct word {
    uint64_t value, where; /* `where` 0: in a register */
    uint32_t thread;       /* FORMAT_NONE: in data, or in a range */
    uint32_t number;       /* of the register; of the range, from 1 on, or 0 */
};

/* A value that some words have, and what the walk found it to be. */
struct value {
    uint64_t value;
    size_t first, count; /* of its words */
    int64_t unexplained;
    uint32_t heap;
    int is_object;
};

struct holders {
    const struct holders_range *ranges;
    uint64_t key;
    struct word *words; /* by value, then place */
    size_t count, capacity;
    struct value *values;
    uint32_t *slots; /* number of a value + 1 */
    size_t value_count, mask;
    uint64_t *filter; /* 8 bits a slot, one set for each value: most objects are in no word, and need no more than this */
    uint64_t *exact; /* places of exact roots */
    size_t exact_count;
    int cut; /* there were more words than are kept */
};

/* ---- words ---- */

static int add_word(struct holders *h, const struct word *word)
{
    if (h->count == h->capacity) {
        size_t capacity = h->capacity ? 2 * h->capacity : 4096;
        struct word *more = capacity > WORDS_MAX ? NULL : realloc(h->words, capacity * sizeof *more);
        if (!more) {
            h->cut = 1;
            return -1;
        }
        h->words = more;
        h->capacity = capacity;
    }
    h->words[h->count++] = *word;
    return 0;
}

/* Whether a value could be an object's address: it is aligned, and leads to memory that can be written. */
static int could_point(const struct probe *probe, uint64_t value)
{
    const struct region *r = value && value % 8 == 0 ? probe_region(probe, value) : NULL;
    return r && r->readable && r->writable;
}

/* Looks through at most *allowed bytes from `from` on, and takes what it looked through off it. */
static void gather_range(struct holders *h, struct probe *probe, uint64_t from, uint64_t to, struct word place,
                         uint64_t *allowed, uint8_t *piece)
{
    struct memory_source *source = probe->options->source;
    uint64_t left = to - from < *allowed ? to - from : *allowed;
    h->cut |= left < to - from;
    *allowed -= left;
    while (left) {
        size_t want = left < PIECE ? (size_t)left : PIECE;
        size_t n = source->read(source, from, piece, want);
        for (size_t i = 0; i + 8 <= n; i += 8) {
            struct word word = place;
            word.where = from + i;
            memcpy(&word.value, piece + i, 8);
            if (could_point(probe, word.value) && add_word(h, &word))
                return;
        }
        /* On behind what was read, or to the page after the one that is not there. */
        uint64_t step = n == want ? n : n + PAGE - (from + n) % PAGE;
        if (step >= left)
            return;
        from += step;
        left -= step;
    }
}

static void gather_data(struct holders *h, struct probe *probe, uint8_t *piece)
{
    uint64_t allowed = DATA_MAX;
    for (size_t i = 0; i < probe->region_count; i++) {
        const struct region *r = &probe->regions[i];
        if (!r->readable || !r->writable || r->kind == REGION_ELSEWHERE)
            continue;
        uint64_t end = r->end;
        if (r->kind == REGION_BSS) { /* what follows a module's own is a mapping by itself */
            uint32_t module = modules_find(probe, r->start);
            uint64_t own = module == FORMAT_NONE ? r->start : probe->modules[module].data_end;
            end = own < end ? own : end;
        }
        gather_range(h, probe, r->start, end, (struct word){.thread = FORMAT_NONE}, &allowed, piece);
    }
}

/* A stack in use, with what a leaf function may have below its pointer. */
static void gather_stack(struct holders *h, struct probe *probe, uint32_t number, uint64_t sp, uint64_t *allowed,
                         uint8_t *piece)
{
    const struct region *stack = probe_stack(probe, sp);
    if (!stack)
        return;
    uint64_t from = sp > stack->start && sp - stack->start > RED_ZONE ? sp - RED_ZONE : stack->start;
    from = (from + 7) & ~UINT64_C(7);
    uint64_t own = STACK_MAX < *allowed ? STACK_MAX : *allowed, before = own;
    if (from < stack->end)
        gather_range(h, probe, from, stack->end, (struct word){.thread = number}, &own, piece);
    *allowed -= before - own;
}

static void gather_thread(struct holders *h, struct probe *probe, uint32_t number, uint64_t *allowed, uint8_t *piece)
{
    const struct probe_thread *t = &probe->options->threads[number];
    uint64_t other = frames_other_stack(probe->frames, probe, number);
    gather_stack(h, probe, number, t->sp, allowed, piece);
    if (other)
        gather_stack(h, probe, number, other, allowed, piece);
    for (unsigned i = 0; i < t->register_count; i++) {
        struct word word = {.value = t->registers[i], .thread = number, .number = (uint32_t)register_number(i)};
        if (register_number(i) >= 0 && could_point(probe, word.value))
            add_word(h, &word);
    }
}

/* Ranges that are data are looked through already. */
static void gather_more(struct holders *h, struct probe *probe, size_t count, uint8_t *piece)
{
    uint64_t allowed = DATA_MAX;
    for (size_t i = 0; i < count; i++)
        if (modules_find(probe, h->ranges[i].start) == FORMAT_NONE)
            gather_range(h, probe, h->ranges[i].start, h->ranges[i].end,
                         (struct word){.thread = FORMAT_NONE, .number = (uint32_t)i + 1}, &allowed, piece);
}

/* ---- values ---- */

static int compare_words(const void *pa, const void *pb)
{
    const struct word *a = pa, *b = pb;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return a->where < b->where ? -1 : a->where > b->where;
}

static uint32_t *slot_of(const struct holders *h, uint64_t value)
{
    size_t i = (size_t)hash_word(h->key, value) & h->mask;
    while (h->slots[i] && h->values[h->slots[i] - 1].value != value)
        i = (i + 1) & h->mask;
    return &h->slots[i];
}

/* The word and the bit of the filter. */
static uint64_t *filter_of(const struct holders *h, uint64_t value, uint64_t *bit)
{
    uint64_t hash = hash_word(h->key, value) >> 8;
    *bit = UINT64_C(1) << hash % 64;
    return &h->filter[hash / 64 & h->mask / 8];
}

static struct value *find(const struct holders *h, uint64_t address)
{
    uint64_t bit;
    if (!h->slots || !(*filter_of(h, address, &bit) & bit))
        return NULL;
    uint32_t number = *slot_of(h, address);
    return number ? &h->values[number - 1] : NULL;
}

static int number_values(struct holders *h)
{
    size_t distinct = 0, capacity = 64;
    if (h->count)
        qsort(h->words, h->count, sizeof *h->words, compare_words);
    for (size_t i = 0; i < h->count; i++)
        distinct += !i || h->words[i].value != h->words[i - 1].value;
    while (capacity < 2 * distinct + 2)
        capacity *= 2;
    h->values = calloc(distinct + 1, sizeof *h->values);
    h->slots = calloc(capacity, sizeof *h->slots);
    h->filter = calloc(capacity / 8, sizeof *h->filter);
    h->mask = capacity - 1;
    if (!h->values || !h->slots || !h->filter) {
        free(h->slots);
        h->slots = NULL;
        return -1;
    }
    for (size_t i = 0; i < h->count; i++) {
        if (!i || h->words[i].value != h->words[i - 1].value) {
            h->values[h->value_count] = (struct value){.value = h->words[i].value, .first = i};
            *slot_of(h, h->words[i].value) = (uint32_t)++h->value_count;
            uint64_t bit;
            *filter_of(h, h->words[i].value, &bit) |= bit;
        }
        h->values[h->value_count - 1].count++;
    }
    return 0;
}

struct holders *holders_gather(struct probe *probe, const struct holders_range *more, size_t count)
{
    struct holders *h = calloc(1, sizeof *h);
    uint8_t *piece = malloc(PIECE);
    if (h && piece) {
        h->key = hash_key();
        h->ranges = more;
        uint64_t stacks = STACKS_MAX;
        gather_data(h, probe, piece);
        gather_more(h, probe, count, piece);
        for (uint32_t i = 0; i < probe->options->thread_count; i++)
            gather_thread(h, probe, i, &stacks, piece);
    }
    if (!h || !piece || number_values(h)) {
        holders_release(h);
        h = NULL;
    }
    free(piece);
    return h;
}

void holders_release(struct holders *h)
{
    if (!h)
        return;
    free(h->words);
    free(h->values);
    free(h->slots);
    free(h->filter);
    free(h->exact);
    free(h);
}

/* ---- what the walk finds ---- */

void holders_object(struct holders *h, uint64_t address, uint32_t heap, int64_t refcount)
{
    struct value *v = h ? find(h, address) : NULL;
    if (!v)
        return;
    v->is_object = 1;
    v->heap = heap;
    v->unexplained += refcount;
}

void holders_explain(struct holders *h, uint64_t object)
{
    struct value *v = h ? find(h, object) : NULL;
    if (v)
        v->unexplained--;
}

void holders_exact(struct holders *h, uint64_t where, uint64_t object)
{
    if (!h)
        return;
    holders_explain(h, object);
    if ((h->exact_count & (h->exact_count - 1)) == 0) { /* room for powers of two */
        uint64_t *more = realloc(h->exact, (h->exact_count ? 2 * h->exact_count : 1) * sizeof *more);
        if (!more)
            return;
        h->exact = more;
    }
    h->exact[h->exact_count++] = where;
}

/* ---- writing ---- */

static int compare_places(const void *pa, const void *pb)
{
    uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
    return a < b ? -1 : a > b;
}

/* The module a word of data lies in, and the variable, where symbols tell it. */
static void name_place(struct probe *probe, struct root_record *r)
{
    r->module = modules_find(probe, r->where);
    if (r->module == FORMAT_NONE)
        return;
    const struct symbols *symbols = modules_symbols(probe, r->module);
    uint64_t base = probe->modules[r->module].base;
    const char *symbol = symbols ? symbols_find(symbols, base, r->where, &r->offset) : NULL;
    r->name = probe_text(probe, symbol);
    if (!symbol)
        r->offset = r->where - base;
}

static void write_holder(const struct holders *h, struct probe *probe, const struct value *v, const struct word *word)
{
    struct root_record r = {.object = v->value,
                            .where = word->where,
                            .module = FORMAT_NONE,
                            .thread = word->thread,
                            .frame = FORMAT_NONE,
                            .kind = word->thread == FORMAT_NONE ? (word->number ? ROOT_RUNTIME : ROOT_GLOBAL)
                                    : word->where               ? ROOT_STACK
                                                                : ROOT_REGISTER,
                            .heap = v->heap};
    char name[NAME_SIZE_MAX];
    if (r.kind == ROOT_GLOBAL) {
        name_place(probe, &r);
    } else if (r.kind == ROOT_RUNTIME) {
        r.name = probe_text(probe, h->ranges[word->number - 1].name);
    } else {
        const struct frame *f = word->where ? frames_find(probe->frames, word->thread, word->where, &r.frame) : NULL;
        int named = f && *f->function;
        snprintf(name, sizeof name, "of thread %llu%s%s%s",
                 (unsigned long long)probe->options->threads[word->thread].tid, named ? " in " : "",
                 named ? f->function : "", named ? "()" : "");
        r.name = probe_text(probe, name);
        r.offset = r.kind == ROOT_REGISTER ? word->number : 0;
    }
    writer_record(probe->writer, SECTION_ROOTS, &r);
}

void holders_write(struct holders *h, struct probe *probe)
{
    if (!h)
        return;
    if (h->exact_count)
        qsort(h->exact, h->exact_count, sizeof *h->exact, compare_places);
    for (size_t i = 0; i < h->value_count; i++) {
        const struct value *v = &h->values[i];
        for (size_t w = v->first; v->is_object && v->unexplained > 0 && w < v->first + v->count; w++) {
            const struct word *word = &h->words[w];
            if (!h->exact_count || !word->where ||
                !bsearch(&word->where, h->exact, h->exact_count, sizeof *h->exact, compare_places))
                write_holder(h, probe, v, word);
        }
    }
    if (h->cut)
        probe_note(probe, SEVERITY_WARNING, "there is too much data to look through all of it for holders", 0);
}
