#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../answers/generations.h"
#include "../graph/array.h"
#include "../answers/keepers.h"
#include "../render/text.h"

struct view *view_create(const struct view_kind *kind, const struct atlas *atlas, struct thing subject)
{
    struct view *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    *v = (struct view){.kind = kind, .atlas = atlas, .subject = subject, .sort = -1};
    return v;
}

void view_destroy(struct view *v)
{
    if (!v)
        return;
    if (v->kind->release)
        v->kind->release(v);
    order_release(&v->order);
    array_free(v->items);
    array_free(v->starts);
    free(v);
}

static int is_text(enum cell_kind kind)
{
    return kind == CELL_TEXT || kind == CELL_FIGURE;
}

int view_sort(struct view *v, int column, int turned)
{
    if (column < 0) {
        order_release(&v->order);
    } else if (v->rows >= ORDINAL_NONE || order_begin(&v->order, (size_t)v->rows)) {
        v->sort = -1;
        return -1;
    }
    /* Largest first, texts from A. */
    int largest_first = column >= 0 && is_text(v->kind->columns[column].kind) == turned;
    for (size_t i = 0; i < v->order.count; i++) {
        uint64_t key = v->kind->key(v, i, (size_t)column);
        v->order.items[i].key = largest_first ? ~key : key;
    }
    v->sort = column;
    v->turned = turned;
    return 0;
}

uint64_t view_row_number(struct view *v, uint64_t place)
{
    if (v->sort >= 0)
        return order_at(&v->order, (size_t)place);
    return v->turned ? v->rows - 1 - place : place;
}

void view_row_at(struct view *v, uint64_t place, struct view_row *to)
{
    to->thing = (struct thing){THING_NONE, 0};
    to->mark = MARK_NONE;
    v->kind->row(v, view_row_number(v, place), to);
}

const char *view_cell(const struct view_column *column, const struct cell *cell, char to[NAME_SIZE])
{
    _Static_assert((int)CELL_TEXT_MAX <= (int)NAME_SIZE, "a cell fits");
    if (is_text(column->kind))
        return cell->is_null ? "" : cell->text;
    const struct column shown = {column->key, column->title, column->kind};
    return cell_show(&shown, cell, to);
}

/* ---- things ---- */

static enum view_mark mark_of(const struct session *s, ordinal o)
{
    static const enum view_mark marks[] = {[FATE_LIVE] = MARK_NONE,
                                           [FATE_GARBAGE] = MARK_GARBAGE,
                                           [FATE_DEPENDENT] = MARK_DEPENDENT,
                                           [FATE_INVISIBLE] = MARK_INVISIBLE};
    return marks[s->garbage[2].fate[o]];
}

const char *row_object(const struct atlas *a, ordinal o, struct view_row *to)
{
    to->thing = (struct thing){THING_OBJECT, o};
    to->mark = mark_of(a->s, o);
    return name_full(a->s, o, to->text[0]);
}

const char *thing_name(const struct atlas *a, struct thing thing, char to[NAME_SIZE])
{
    const struct session *s = a->s;
    char name[NAME_SIZE];
    switch (thing.kind) {
    case THING_OBJECT:
        return name_full(s, (ordinal)thing.number, to);
    case THING_CYCLE:
        snprintf(to, NAME_SIZE, "cycle %" PRIu64, thing.number + 1);
        return to;
    case THING_TYPE:
        snprintf(to, NAME_SIZE, "type %.200s", name_class(s, (uint32_t)thing.number, name));
        return to;
    case THING_GENERATION:
        snprintf(to, NAME_SIZE, "generation %s", text_generation((unsigned)(thing.number % GENERATIONS)));
        if (snapshot_count(s->snapshot, SECTION_HEAPS) > 1)
            snprintf(to + strlen(to), NAME_SIZE - strlen(to), " of heap %" PRIu64, thing.number / GENERATIONS);
        return to;
    default:
        snprintf(to, NAME_SIZE, "all objects");
        return to;
    }
}

static void object_details(const struct session *s, ordinal o, char to[NOTE_SIZE])
{
    static const char *const fates[] = {"", "; garbage", "; goes with the garbage",
                                        "; garbage the collector cannot see"};
    const struct graph *g = &s->graph;
    char name[NAME_SIZE], count[48] = "immortal", size[2][TEXT_NUMBER_SIZE], cycle[40] = "";
    if (!graph_is_immortal(g, o))
        snprintf(count, sizeof count, "refcount %" PRId64, graph_refcount(g, o));
    if (keeper_cycle(s, o) != ORDINAL_NONE)
        snprintf(cycle, sizeof cycle, ", cycle %" PRI_ORDINAL, keeper_cycle(s, o) + 1);
    snprintf(to, NOTE_SIZE, "0x%" PRIx64 "  %s  generation %s, %s, %s, retains %s%s%s", graph_address(g, o),
             name_full(s, o, name), text_generation(graph_generation(g, o)), count,
             text_size(graph_size(g, o), size[0]), text_size(s->dominators.retained[o], size[1]),
             fates[s->garbage[2].fate[o]], cycle);
}

static void cycle_details(const struct session *s, ordinal cycle, char to[NOTE_SIZE])
{
    const struct cycle *c = &s->cycles.items[cycle];
    char name[NAME_SIZE], n[3][TEXT_NUMBER_SIZE];
    snprintf(to, NOTE_SIZE, "cycle %" PRI_ORDINAL ": %s  %s, %s, retains %s%s%s%s", cycle + 1,
             name_cycle(s, cycle, name), text_plural(c->objects, "object", n[0]), text_size(c->shallow, n[1]),
             text_size(c->retained, n[2]), c->source ? "" : "; held by another cycle",
             c->uncollectable ? "; uncollectable" : "", c->invisible ? "; the collector cannot see it" : "");
}

const char *thing_details(const struct atlas *a, struct thing thing, char to[NOTE_SIZE])
{
    const struct session *s = a->s;
    const struct class_sums *sums = thing.kind == THING_TYPE ? &s->sums[thing.number] : NULL;
    char name[NAME_SIZE], n[2][TEXT_NUMBER_SIZE];
    to[0] = 0;
    if (thing.kind == THING_OBJECT)
        object_details(s, (ordinal)thing.number, to);
    else if (thing.kind == THING_CYCLE)
        cycle_details(s, (ordinal)thing.number, to);
    else if (sums)
        snprintf(to, NOTE_SIZE, "%s  %s, largest %s at 0x%" PRIx64, thing_name(a, thing, name),
                 text_plural(sums->count, "object", n[0]), text_size(sums->largest, n[1]),
                 graph_address(&s->graph, sums->largest_object));
    else if (thing.kind == THING_GENERATION)
        snprintf(to, NOTE_SIZE, "%s", thing_name(a, thing, name));
    return to;
}
