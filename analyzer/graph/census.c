#include "census.h"

void census_take(const struct snapshot *s, const struct census_filter *filter, const uint32_t *class_of,
                 struct census *sums)
{
    uint32_t types = snapshot_type_limit(s);
    for (size_t b = 0; b < snapshot_block_count(s, SECTION_OBJECTS); b++) {
        struct objects_view view;
        snapshot_objects(s, b, &view);
        if (filter->heap >= 0 && view.heap != (uint64_t)filter->heap)
            continue;
        for (uint32_t i = 0; i < view.count; i++) {
            uint64_t type = column_get(&view.column[OBJECT_TYPE], i);
            unsigned state = (unsigned)column_get(&view.column[OBJECT_STATE], i);
            if (filter->generation >= 0 && (state & STATE_GENERATION_MASK) != (unsigned)filter->generation)
                continue;
            struct census *c = &sums[class_of[type < types ? type : types]];
            c->objects++;
            c->bytes += column_get(&view.column[OBJECT_SIZE], i);
        }
    }
}

int census_rises(const uint64_t *values, int count)
{
    for (int i = 1; i < count; i++)
        if (values[i] <= values[i - 1])
            return 0;
    return count > 1;
}
