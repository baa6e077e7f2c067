/* Reading somebody else's heap from outside, without running a line of its code.
 *
 * A probe is memory (memory.h), the list of what is mapped where, and models: one file for each kind of runtime, which
 * finds the runtime in the memory and writes its heaps into a snapshot. A new model is a new file that ends in
 * PROBE_MODEL; nothing else has to know of it.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include <refheap/error.h>

#include "../../dumpfmt/sink.h"
#include "../../dumpfmt/writer.h"
#include "memory.h"

struct probe;

/* A thread that stands still. Registers go by the number DWARF gives them, where there is one. */
struct probe_thread {
    uint64_t tid, sp;
    const uint64_t *registers;
    unsigned register_count;
};

struct probe_options {
    struct memory_source *source;
    int maps_fd;              /* open on /proc/PID/maps or a copy of it */
    uint64_t pid;             /* as shown in the snapshot; 0 unknown */
    const char *executable;   /* may be NULL */
    const char *command_line; /* may be NULL */
    const char *host;         /* may be NULL */
    unsigned captured;        /* enum captured */
    int no_values;
    const struct probe_thread *threads;
    size_t thread_count;

    /* The file on disk that a mapped one can be read from, in `to` or elsewhere; NULL when it is not known. May be NULL
     * itself: variables have no names then. Whether it is the same build is checked. */
    const char *(*file_of)(void *context, const char *path, char *to, size_t size);
    void *file_context;
    uint64_t memory_expected, memory_present; /* bytes, of a core; 0 unknown */
    uint64_t resident;                        /* bytes of memory the process really has, swap included; 0 unknown */

    /* Called now and then with the objects written so far; a result other than 0 stops the capture. May be NULL. */
    int (*progress)(void *context, uint64_t objects);
    void *progress_context;

    /* Called before a snapshot is finished: whether the source could be read all along. When it fails, so does the
     * capture. May be NULL. */
    int (*intact)(void *context, struct rh_error *err);
    void *intact_context;
};

/* Looks for heaps. Fails with RH_ERR_NOT_FOUND when there are none, saying what was looked at. The options must outlive
 * the probe; its source is read only while the calls below run. */
int probe_open(const struct probe_options *options, struct probe **out, struct rh_error *err);
void probe_close(struct probe *probe);

/* Writes the snapshot: the file header to the trailer. The sink stays the caller's to commit or abort. */
int probe_write(struct probe *probe, struct sink *sink, struct rh_error *err);

/* ---- for models ---- */

struct region {
    uint64_t start, end, offset;
    int readable, writable, executable;
    enum region_kind { REGION_ELSEWHERE, REGION_BSS, REGION_FILE } kind; /* BSS: continues a mapped file */
};

struct probe_module {
    uint64_t base, end, data_end; /* the latter of its data, with the memory that continues it */
    char *path;
    char *file; /* see modules.h */
    struct symbols *symbols;
    int file_tried, symbols_tried;
    uint8_t build_id[32];
    uint32_t build_id_length;
};

struct probe {
    const struct probe_options *options;
    struct memory *memory;
    struct region *regions;
    size_t region_count;
    struct writer *writer;
    struct holders *holders; /* the model's, while it writes; NULL: none are looked for */
    struct probe_module *modules;
    uint32_t module_count;
    struct frames *frames;        /* of the threads; NULL: not known */
    uint32_t heaps, types, sites; /* ids handed out */
    uint64_t damaged;             /* objects left out */
    uint64_t searched;            /* bytes looked through for runtimes */
    uint64_t budget;              /* words that may still be looked at; see probe_spend() */
    uint64_t spent;
    int stopped;
    int unsteady;       /* the collector, or who adds to its lists, is at work: a live process is better left be for a moment */
    char unusable[160]; /* a runtime that a model found and does not know; "" for none */
    void *found[16];    /* each model's state */
};

struct model {
    const char *name;
    /* Looks for the runtime and keeps in *state what write() needs. Returns the number of heaps, or a negative code. */
    int (*find)(struct probe *probe, void **state, struct rh_error *err);
    /* Writes heaps, types, objects, roots. Returns 0 or a negative code. */
    int (*write)(struct probe *probe, void *state, struct rh_error *err);
    void (*release)(void *state);
};
#define PROBE_MODEL(name) \
    __attribute__((section("probe_models"), used)) static const struct model *const name##_entry = &(name)

/* The string id of a text, 0 for NULL or an empty one. */
uint32_t probe_text(struct probe *probe, const char *text);

/* Adds to the snapshot's diagnostics and counts a damaged object when the severity is an error. */
void probe_note(struct probe *probe, enum severity severity, const char *text, uint64_t address);

/* Bytes mapped from `address` on without a gap; 0 when it is not mapped. Bounds what a length read from the target may
 * claim. */
uint64_t probe_room(const struct probe *probe, uint64_t address);

/* The mapping an address lies in; NULL for none. */
const struct region *probe_region(const struct probe *probe, uint64_t address);

/* The stack a stack pointer belongs to; NULL for none. After an overflow it points below it. */
const struct region *probe_stack(const struct probe *probe, uint64_t sp);

/* To be called before `words` words of the target are looked at because it says they are there. All the lengths of a
 * sound process together are bounded by the memory it has; a hostile or broken one can have a thousand objects share
 * one long array, or claim an array of a terabyte nobody ever touched. Returns 1, or 0 when they are not to be looked
 * at. */
int probe_spend(struct probe *probe, uint64_t words);

/* To be called once an object: reports progress. Returns 0, or a negative code when the capture is to stop. */
int probe_tick(struct probe *probe, struct rh_error *err);

/* Calls `found` for each place in writable memory where `pattern` (of `size` bytes, at least 8) stands 8-aligned: in
 * mapped files first, then in memory that continues them, then elsewhere; the latter two in part only, and only when
 * `found` accepted none before.
 * `found` returns 1 to accept. Returns how many were accepted. */
int probe_search(struct probe *probe, const void *pattern, size_t size,
                 int (*found)(struct probe *probe, void *context, uint64_t address), void *context);

/* Calls `found` for each module that defines a variable of this name, as far as symbols tell, with its address. Returns
 * how many were accepted. */
int probe_find_symbol(struct probe *probe, const char *name,
                      int (*found)(struct probe *probe, void *context, uint64_t address), void *context);

#endif
