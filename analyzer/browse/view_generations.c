/* Generations: what each holds, and what a collection of it would find now. */
#include <stdio.h>
#include <string.h>

#include "../answers/generations.h"
#include "views.h"

enum { HEAP, GENERATION, OBJECTS, BYTES, GARBAGE, GARBAGE_BYTES, DEPENDENT, UNCOLLECTABLE, SURVIVORS, THRESHOLD };

static const struct view_column columns[] = {
    [HEAP] = {"heap", "heap", CELL_NUMBER, .width = 4},
    [GENERATION] = {"generation", "generation", CELL_GENERATION, .width = 10},
    [OBJECTS] = {"objects", "objects", CELL_COUNT, .width = 10},
    [BYTES] = {"bytes", "size", CELL_SIZE, .width = 8},
    [GARBAGE] = {"garbage_objects", "garbage", CELL_COUNT, .width = 10},
    [GARBAGE_BYTES] = {"garbage_bytes", "its size", CELL_SIZE, .width = 8},
    [DEPENDENT] = {"dependent_objects", "dependent", CELL_COUNT, .width = 10, .leave = 70},
    [UNCOLLECTABLE] = {"uncollectable_objects", "uncollectable", CELL_COUNT, .width = 13, .leave = 92},
    [SURVIVORS] = {"survivors", "survivors", CELL_COUNT, .width = 10, .leave = 78},
    [THRESHOLD] = {"threshold", "threshold", CELL_COUNT, .width = 9, .leave = 102},
};

static void show_row(const struct view *v, uint64_t row, struct view_row *to)
{
    const struct generation_row *r = &v->atlas->generations[row];
    unsigned generation = (unsigned)(row % GENERATIONS);
    const struct cell none = cell_null();
    int collects = generation < 3;
    to->thing = (struct thing){THING_GENERATION, row};
    to->cells[HEAP] = cell_number(row / GENERATIONS);
    to->cells[GENERATION] = cell_number(generation);
    to->cells[OBJECTS] = cell_number(r->objects);
    to->cells[BYTES] = cell_number(r->bytes);
    to->cells[GARBAGE] = collects ? cell_number(r->garbage_objects) : none;
    to->cells[GARBAGE_BYTES] = collects ? cell_number(r->garbage_bytes) : none;
    to->cells[DEPENDENT] = collects ? cell_number(r->dependent_objects) : none;
    to->cells[UNCOLLECTABLE] = collects ? cell_number(r->uncollectable_objects) : none;
    to->cells[SURVIVORS] = collects ? cell_number(r->survivors) : none;
    to->cells[THRESHOLD] = collects && r->record ? cell_number(r->record->threshold) : none;
}

static const struct view_kind kind = {
    .columns = columns, .column_count = sizeof columns / sizeof *columns, .row = show_row};

struct view *view_generations(const struct atlas *a)
{
    struct view *v = view_create(&kind, a, (struct thing){THING_NONE, 0});
    if (!v)
        return NULL;
    v->rows = snapshot_count(a->s->snapshot, SECTION_HEAPS) * GENERATIONS;
    strcpy(v->title, "generations");
    snprintf(v->note[0], NOTE_SIZE, "garbage and what follows it: what a collection of the generation would find now");
    return v;
}
