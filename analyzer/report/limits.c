/* What the evidence cannot show: everything in this snapshot that an answer of the page may be wrong for. */
#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

static void point(FILE *f, const char *text)
{
    fputs("<li>", f);
    html_text(f, text);
    fputs("</li>\n", f);
}

static void counted(FILE *f, uint64_t count, const char *noun, const char *what)
{
    char n[TEXT_NUMBER_SIZE], text[400];
    if (!count)
        return;
    snprintf(text, sizeof text, "%s %s", text_plural(count, noun, n), what);
    point(f, text);
}

/* What the file says of itself. */
static void of_the_file(const struct report *r)
{
    const struct snapshot *snap = r->s->snapshot;
    const struct process_record *p = snapshot_process(snap);
    char text[600], n[2][TEXT_NUMBER_SIZE];
    if (!snapshot_complete(snap)) {
        snprintf(text, sizeof text, "The file is damaged: %.400s. What is said here rests on the rest.",
                 snapshot_damage(snap));
        point(r->f, text);
    }
    if (p->memory_present < p->memory_expected) {
        snprintf(text, sizeof text,
                 "Of the memory the core should hold, %s of %s is there. Objects in the rest are not seen, and what "
                 "they hold looks unheld.",
                 text_size(p->memory_present, n[0]), text_size(p->memory_expected, n[1]));
        point(r->f, text);
    }
    if (p->known_bytes < p->runtime_bytes) {
        snprintf(text, sizeof text,
                 "%s of the %s the runtime has from the system is in objects that are known; the rest may be free, or "
                 "belong to something that is no object.",
                 text_size(p->known_bytes, n[0]), text_size(p->runtime_bytes, n[1]));
        point(r->f, text);
    }
    counted(r->f, p->objects_damaged, "object", "could not be read; what those hold is unexplained.");
}

static void of_the_graph(const struct report *r)
{
    const struct session *s = r->s;
    uint64_t possible = 0;
    struct record_cursor cursor = {0, 0};
    const struct root_record *root;
    while ((root = snapshot_next_record(s->snapshot, SECTION_ROOTS, &cursor)))
        possible += !(root->flags & ROOT_EXACT);
    counted(r->f, s->graph.dangling, "reference", "lead to no object of the snapshot.");
    counted(r->f, s->graph.incomplete, "object", "have references that could not all be read.");
    counted(r->f, r->inquiry.audit.inferred, "reference", "were found by scanning memory and may be none.");
    counted(r->f, possible, "holder",
            "outside the heap were found by scanning memory: they may hold what they point at, or be left over.");
    counted(r->f, r->inquiry.audit.count[AUDIT_NOT_AUDITABLE], "object",
            "cannot be audited: immortal, or the owners are not known.");
    if (r->inquiry.audit.count[AUDIT_OVER])
        point(r->f, "A reference that nothing explains may be a missing release, or be held by something the snapshot "
                    "does not show: a register, a stack, a library's memory.");
}

/* How heaps stood when they were looked at. */
static void of_the_heaps(const struct report *r)
{
    struct record_cursor cursor = {0, 0};
    const struct heap_record *h;
    char text[200];
    while ((h = snapshot_next_record(r->s->snapshot, SECTION_HEAPS, &cursor))) {
        if (h->flags & HEAP_COLLECTING) {
            snprintf(text, sizeof text, "Heap %u was in the middle of a collection of generation %d.", h->id,
                     h->collecting);
            point(r->f, text);
        }
        if (h->flags & HEAP_PARTIAL) {
            snprintf(text, sizeof text, "Heap %u could be read in part only: numbers may be too low.", h->id);
            point(r->f, text);
        }
    }
}

int report_limits(struct report *r)
{
    FILE *f = r->f;
    const struct session *s = r->s;
    fputs("<ul class=\"limits\">\n", f);
    of_the_file(r);
    of_the_heaps(r);
    of_the_graph(r);
    if (r->baseline && r->baseline->identity == IDENTITY_INFERRED)
        point(f, "Objects of the two snapshots are told apart by address and type: memory that was used again for the "
                 "same type looks as if it had stayed.");
    if (r->baseline && r->baseline->identity == IDENTITY_NONE)
        point(f, "The snapshots are of different processes: types are compared, not objects.");
    if (!r->baseline)
        point(f,
              "One snapshot shows what is there, not what grows. With an earlier one as BASELINE this page also says "
              "what came and what stayed.");
    if (snapshot_header(s->snapshot)->flags & FILE_NO_VALUES || !s->values.has)
        point(f, "Values of strings and numbers were left out: equal strings are not found, and objects go by their "
                 "types.");
    if (!snapshot_count(s->snapshot, SECTION_SITES))
        point(f, "Where objects were made was not recorded.");
    point(f, "Sizes are those of objects with the buffers they declare: memory an object does not declare, what the "
             "allocator adds to each, and memory that is no object's are not in them.");
    point(f, "All of it is one moment. What the program was about to release looks like what it forgot.");
    fputs("</ul>\n", f);
    return 0;
}
