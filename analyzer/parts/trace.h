/* Showing what holds an object: a path from a root, step by step. */
#ifndef ANALYZER_TRACE_H
#define ANALYZER_TRACE_H

#include "../line/command.h"
#include "../session/names.h"

/* Where a path begins, in a few words: "root sessions", "2 unexplained references from outside the heap". */
enum { TRACE_HOLDER_SIZE = 2 * NAME_SIZE };
void trace_holder(const struct session *s, const struct path *path, char to[TRACE_HOLDER_SIZE]);

/* Whether a step is a `__dict__` that the path leads through: it is shown as one with its owner. */
int trace_folds(const struct session *s, const struct path *path, size_t i);

/* As text: the holder, then a line a step, `depth` levels indented; of a long path the two ends, as --limit says. The
 * path has a step at least. */
void trace_show(struct invocation *inv, const struct path *path, size_t depth);

/* As a list of steps: holder, label, address, type. */
void trace_json(struct invocation *inv, const struct path *path);

#endif
