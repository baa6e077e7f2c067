/* What `audit` found, and how it is told: as JSON and CSV in cmd_audit.c, as text in inquiry.c. */
#ifndef ANALYZER_INQUIRY_H
#define ANALYZER_INQUIRY_H

#include "../line/command.h"
#include "../graph/audit.h"
#include "../session/names.h"

/* A class whose objects are listed. */
struct inquiry_class {
    enum audit_class klass;
    const char *key; /* in JSON and CSV */
    const char *title, *title_one, *means;
    const char *references; /* what the references are that make the difference */
};
enum { INQUIRY_CLASSES = 4 };
extern const struct inquiry_class inquiry_classes[INQUIRY_CLASSES];

struct inquiry {
    struct invocation *inv;
    struct audit audit;
    ordinal *objects[INQUIRY_CLASSES]; /* those listed, worst first */
    size_t count[INQUIRY_CLASSES];
};

/* Audits the snapshot and lists what passes the filters of the command line. Needs session_garbage() of 2. Returns 0 or
 * -1 without memory; release it also then. */
int inquiry_make(struct invocation *inv, struct inquiry *q);
void inquiry_release(struct inquiry *q);

/* The objects listed of a class that are of one type. */
struct inquiry_group {
    uint64_t objects, bytes, references;
    ordinal example; /* the one with the widest gap */
    uint32_t klass;  /* of type */
};

/* Most objects first; those without any are left out. The caller frees them; NULL without memory. */
struct inquiry_group *inquiry_groups(const struct inquiry *q, int c, size_t *count);

/* "2 = 1 internal + 0 explained + 1 unexplained". */
void inquiry_describe(const struct inquiry *q, ordinal o, char to[NAME_SIZE]);

/* How many references an object has too many or too few. */
uint64_t inquiry_gap(const struct inquiry *q, ordinal o);

/* Objects whose refcount says something. */
uint64_t inquiry_auditable(const struct inquiry *q);

/* Equal for pinned cycles that look alike: of the same types, held at the same ones. */
uint64_t inquiry_pinned_signature(const struct inquiry *q, const struct pinned *p);

/* A pinned cycle is asked for when one of its members is. */
int inquiry_wants(const struct inquiry *q, const struct pinned *p);

/* The possible holders of an object, "global sessions, stack main": as many as there is room for, with the number of
 * the others. */
const char *inquiry_list_possible(const struct session *s, ordinal o, char to[NAME_SIZE]);

/* Shows it all as text. Returns 0 or -1 without memory. */
int inquiry_show(const struct inquiry *q);

#endif
