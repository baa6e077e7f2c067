/* What the collector says of its work: RH_DEBUG_STATS and its kin. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

enum { LINE_SIZE = 512 };

void rh_set_report(struct rh_heap *heap, rh_report function, void *context)
{
    heap->report = function;
    heap->report_context = context;
}

void report(struct rh_heap *heap, const char *format, ...)
{
    char line[LINE_SIZE + 1];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, LINE_SIZE, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if (length >= LINE_SIZE)
        length = LINE_SIZE - 1;
    if (heap->report) {
        heap->report(heap->report_context, line);
        return;
    }
    line[length] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length + 1) < 0)
        return; /* there is nobody to tell */
}

void report_collection_start(struct rh_heap *heap, int generation)
{
    report(heap, "refheap: heap %s: collecting generation %d", heap->name ? heap->name : "", generation);
    report(heap, "refheap: objects in each generation: %zu %zu %zu, permanent %zu", list_length(&heap->lists[RH_YOUNG]),
           list_length(&heap->lists[RH_MIDDLE]), list_length(&heap->lists[RH_OLD]),
           list_length(&heap->lists[RH_PERMANENT]));
}

void report_collection_stop(struct rh_heap *heap, size_t collected, size_t uncollectable, double seconds)
{
    report(heap, "refheap: done, %zu unreachable, %zu uncollectable, %.4f s elapsed", collected + uncollectable,
           uncollectable, seconds);
}

/* ---- what leaked ---- */

struct leak {
    const struct rh_type *type;
    size_t objects;
};

static int compare_leaks(const void *pa, const void *pb)
{
    const struct leak *a = pa, *b = pb;
    if (a->objects != b->objects)
        return a->objects < b->objects ? 1 : -1;
    return strcmp(a->type->name, b->type->name);
}

static size_t count_leaks(struct rh_heap *heap, struct leak *leaks, size_t room)
{
    size_t used = 0;
    for (int i = 0; i < RH_LIST_LIMIT; i++)
        for (struct rh_links *l = next_of(&heap->lists[i]); l != &heap->lists[i]; l = next_of(l)) {
            const struct rh_object *object = object_of(l);
            size_t at = 0;
            if (object->refcount >= RH_IMMORTAL)
                continue;
            while (at < used && leaks[at].type != object->type)
                at++;
            if (at == used && used < room)
                leaks[used++] = (struct leak){object->type, 0};
            if (at < used)
                leaks[at].objects++;
        }
    return used;
}

void report_leaks(struct rh_heap *heap)
{
    enum { ROOM = 256, SHOWN = 20 };
    struct leak leaks[ROOM];
    size_t types = count_leaks(heap, leaks, ROOM), all = 0;
    qsort(leaks, types, sizeof *leaks, compare_leaks);
    for (size_t i = 0; i < types; i++)
        all += leaks[i].objects;
    if (!all)
        return;
    report(heap, "refheap: heap %s: %zu object%s leaked", heap->name ? heap->name : "", all, all == 1 ? "" : "s");
    for (size_t i = 0; i < types && i < SHOWN; i++)
        report(heap, "refheap:   %zu %s", leaks[i].objects, leaks[i].type->name);
    if (types > SHOWN)
        report(heap, "refheap:   and %zu more types", types - SHOWN);
}

/* ---- the environment ---- */

unsigned report_flags_of(const char *text)
{
    static const struct {
        const char *word;
        unsigned flags;
    } words[] = {{"stats", RH_DEBUG_STATS},
                 {"collectable", RH_DEBUG_COLLECTABLE},
                 {"uncollectable", RH_DEBUG_UNCOLLECTABLE},
                 {"saveall", RH_DEBUG_SAVEALL},
                 {"leak", RH_DEBUG_LEAK}};
    unsigned flags = 0;
    if (!text)
        return 0;
    while (*text) {
        size_t length = strcspn(text, ",");
        if (*text >= '0' && *text <= '9')
            flags |= (unsigned)strtoul(text, NULL, 0);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strlen(words[i].word) == length && !memcmp(words[i].word, text, length))
                flags |= words[i].flags;
        text += length + (text[length] == ',');
    }
    return flags & (RH_DEBUG_STATS | RH_DEBUG_LEAK);
}
