#include "layout.h"

#include <stddef.h>

static const struct py_layout layouts[] = {
#include "layout_tables.h"
};

const struct py_layout *py_layouts(unsigned *count)
{
    *count = sizeof layouts / sizeof *layouts;
    return layouts;
}

const struct py_layout *py_layout_of(uint32_t version)
{
    unsigned count;
    const struct py_layout *all = py_layouts(&count);
    for (unsigned i = 0; i < count; i++)
        if (all[i].version == version)
            return &all[i];
    return NULL;
}
