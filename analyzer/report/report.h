/* The report: one page of HTML about a snapshot, for people, from the facts the commands show.
 *
 * facts.c gathers them; page.c has the table of sections, each written by a file of its own; phrases.c has what they share. Markup is
 * written as literals; everything a snapshot says passes through render/html.h. Page.css and page.js stand beside them,
 * and become assets.h when the program is built.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "../answers/baseline.h"
#include "../answers/generations.h"
#include "../parts/inquiry.h"
#include "../answers/suspects.h"
#include "../answers/type_paths.h"
#include "../answers/waste.h"

enum {
    REPORT_COLOURS = 7, /* classes of types that have a colour of their own, the same wherever they are shown */
    PROBLEMS_SHOWN = 8,
    KEEPERS_DEPTH = 14, /* of the tree of keepers */
};

struct referrers;

struct report {
    struct invocation *inv;
    struct session *s;
    const struct baseline *baseline; /* an earlier snapshot, or NULL */
    FILE *f;

    /* facts.c */
    struct suspects suspects;
    struct inquiry inquiry;             /* the audit */
    uint32_t *by_size;                  /* classes of types that have objects, most bytes first; */
    uint32_t types;                     /* so many */
    uint8_t *colour;                    /* by class: 1 to REPORT_COLOURS, 0 for the others */
    struct referrers *referrers;        /* of suspects; may be NULL */
    struct generation_row *generations; /* as generations_count() gives them */
    struct type_paths paths;
    struct waste waste;
};

/* Finds out what the page says. The session must have its dominators and sums. Returns 0 or -1 without memory; release
 * it also then. */
int report_gather(struct report *r);
void report_release(struct report *r);

/* Writes the whole page, of less than 2 MiB: whatever there can be many of has a limit in its section, by number where
 * a row is small and by bytes where it is not. Returns 0 or -1 without memory. */
int report_write(struct report *r);

/* The sentence that stands on top. */
enum { HEADLINE_SIZE = 4096 };
void report_headline(const struct report *r, char to[HEADLINE_SIZE]);

/* ---- sections: each returns 0 or -1 without memory ---- */

int report_lead(struct report *r); /* what stands above the sections */
int report_problems(struct report *r);
int report_changes(struct report *r);
int report_generations(struct report *r);
int report_cycles(struct report *r);
int report_keepers(struct report *r);
int report_types(struct report *r);
int report_audit(struct report *r);
int report_waste(struct report *r);
int report_limits(struct report *r);

/* ---- shared by sections ---- */

/* Who refers to the objects of some classes: as a table for each, most references first. */
int referrers_find(const struct session *s, const uint32_t *classes, size_t count, struct referrers **result);
void referrers_show(struct report *r, const struct referrers *found, uint32_t klass);
void referrers_release(struct referrers *found);

/* How an object is held: from a root step by step. Returns 0 or -1 without memory. */
int report_path(struct report *r, ordinal o);

/* What the audit has to say in one sentence: 1, or 0 when nothing is wrong. */
int report_audit_sentence(const struct report *r, char to[HEADLINE_SIZE]);

/* text_share_of(), and never nothing of something. */
uint64_t report_share(uint64_t part, uint64_t whole);

/* What a table leaves out: "and 12 more types, 3 KiB". Nothing when there is nothing. */
void report_more(const struct report *r, uint64_t count, const char *noun, uint64_t bytes);

#endif
