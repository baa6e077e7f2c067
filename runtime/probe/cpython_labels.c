/* Names of references, roots and files, each written once. */
#include <stdio.h>
#include <string.h>

#include "cpython_write.h"

/* Keys of the map of texts: what a label is made of is never at two addresses at once, and small numbers are offsets.
 */
uint32_t reading_label(struct reading *r, enum py_label label, uint64_t number, const char *text)
{
    char buffer[NAME_BYTES];
    uint64_t key = label == PY_LABEL_TEXT ? (uint64_t)(uintptr_t)text ^ UINT64_C(1) << 63 : number;
    uint32_t id = number_map_get(&r->texts, key);
    if (id)
        return id - 1;
    uint64_t whole;
    long n = label == PY_LABEL_TEXT  ? (long)strlen(text)
             : label == PY_LABEL_STR ? py_str(&r->world, number, buffer, sizeof buffer, &whole)
             : label == PY_LABEL_C_STRING
                 ? py_c_string(r->world.memory, number, buffer, sizeof buffer)
                 : (long)snprintf(buffer, sizeof buffer, "+0x%llx", (unsigned long long)number);
    id = n > 0 ? writer_string(r->probe->writer, label == PY_LABEL_TEXT ? text : buffer, (size_t)n, NAME_BYTES) : 0;
    if (key)
        number_map_add(&r->texts, key, id + 1); /* in vain is no harm: it is written once more */
    return id;
}
