/* Vertices of the dominator tree as keepers: objects, and source cycles as such. All need session_dominators(). */
#ifndef ANALYZER_KEEPERS_H
#define ANALYZER_KEEPERS_H

#include "../session/names.h"
#include "../render/output.h"

/* The cycle a vertex stands for or is a member of, ORDINAL_NONE for none. */
ordinal keeper_cycle(const struct session *s, ordinal vertex);

/* Its own bytes: of a cycle, those of its members. */
uint64_t keeper_shallow(const struct session *s, ordinal vertex);

/* `dict "config"`, "cycle 3: 2 connection", "all objects" for the super-root. */
const char *keeper_name(const struct session *s, ordinal vertex, char to[NAME_SIZE]);

/* Of those of one type below one keeper, so many stand by themselves when they are folded. */
enum { KEEPERS_ALIKE = 3 };

/* Children of one keeper by type, while they are folded. */
struct keeper_pile {
    ordinal count;
    uint64_t retained;
    ordinal first[KEEPERS_ALIKE]; /* those that retain most, in order */
};

/* What stands below a keeper: a vertex, or `more` of one type. */
struct keeper_entry {
    ordinal vertex; /* the first of those that are folded */
    ordinal more;   /* 0: the vertex alone */
    uint32_t pile;
    uint64_t retained;
    uint64_t together; /* what all of its type retain; types stand in this order */
};

/* Folds some children of a keeper: the largest of each type by themselves, the others of the type as one. `piles` are
 * classes.count + 1 (the last for cycles), zero before and after. Returns 0 or -1 without memory; the entries are for
 * free(). */
int keepers_fold(const struct session *s, struct keeper_pile *piles, const ordinal *children, ordinal count,
                 struct keeper_entry **entries, size_t *entry_count);

/* As a row of a table; `name` is room for the last column. */
enum {
    KEEPER_ADDRESS,
    KEEPER_TYPE,
    KEEPER_GENERATION,
    KEEPER_SHALLOW,
    KEEPER_RETAINED,
    KEEPER_SHARE,
    KEEPER_CHILDREN,
    KEEPER_CYCLE,
    KEEPER_LABEL,
    KEEPER_COLUMNS
};
extern const struct column keeper_columns[KEEPER_COLUMNS];
void keeper_cells(const struct session *s, ordinal v, uint64_t children, char name[NAME_SIZE],
                  struct cell cells[KEEPER_COLUMNS]);

#endif
