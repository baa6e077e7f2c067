/* What a dump carries along, shared by the file that writes the heap and the one that writes an object. */
#ifndef LIBREFHEAP_DUMP_INTERNAL_H
#define LIBREFHEAP_DUMP_INTERNAL_H

#include "../../dumpfmt/writer.h"
#include "../maps/self.h"
#include "internal.h"

enum { TEXT_CAP = 4096, COPY_SIZE = 64 << 10 };

/* Everything a dump needs, in one mapping, the writer's memory behind it. */
struct dump {
    struct writer *writer;
    const struct dump_request *request;
    uint64_t thread;
    uint32_t heap; /* id of the heap being written */
    uint32_t types, sites;
    int guarded;
    int incomplete; /* a reference of the object being written could not be read */
    struct sink_file file;
    struct self_scratch self;
    _Alignas(16) char copy[COPY_SIZE];
    _Alignas(16) char writer_memory[];
};

static inline size_t text_length(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

/* Memory of the program: where it is, or a copy of it when guarded; NULL when it cannot be read. `size` is at most
 * COPY_SIZE. */
const char *dump_view(struct dump *d, const void *at, size_t size);

/* Writes one object: its row, its edges and its value. `more_state` is added to the state its links tell. */
void dump_object(struct dump *d, struct rh_object *object, unsigned more_state);

#endif
