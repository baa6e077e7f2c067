#include "format.h"

static const struct section_info sections[] = {
    [SECTION_PROCESS] = {"process", sizeof(struct process_record), 1},
    [SECTION_STRINGS] = {"strings", 0, 1},
    [SECTION_MODULES] = {"modules", sizeof(struct module_record), 1},
    [SECTION_HEAPS] = {"heaps", sizeof(struct heap_record), 1},
    [SECTION_GENERATIONS] = {"generations", sizeof(struct generation_record), 1},
    [SECTION_TYPES] = {"types", sizeof(struct type_record), 1},
    [SECTION_FIELDS] = {"fields", sizeof(struct field_record), 1},
    [SECTION_OBJECTS] = {"objects", 0, 1},
    [SECTION_EDGES] = {"edges", 0, 1},
    [SECTION_VALUES] = {"values", 0, 0},
    [SECTION_ROOTS] = {"roots", sizeof(struct root_record), 1},
    [SECTION_THREADS] = {"threads", sizeof(struct thread_record), 1},
    [SECTION_FRAMES] = {"frames", sizeof(struct frame_record), 1},
    [SECTION_SITES] = {"sites", sizeof(struct site_record), 1},
    [SECTION_DIAGNOSTICS] = {"diagnostics", sizeof(struct diagnostic_record), 0},
    [SECTION_TRAILER] = {"trailer", sizeof(struct trailer_record), 1},
};

const struct section_info *section_info(unsigned id)
{
    if (id >= sizeof sections / sizeof *sections || !sections[id].name)
        return NULL;
    return &sections[id];
}
