/* The way to an object as the program's own language writes it: `app.cache.CACHE['a'][3]`. */
#ifndef ANALYZER_EXPRESSION_H
#define ANALYZER_EXPRESSION_H

#include "../session/session.h"

enum { EXPRESSION_SIZE = 1024 };

/* What Python would evaluate to reach the last object of a path from the last module on it. Returns 1, or 0 (and "")
 * when no module is on the way, a step has no name in Python, or it is longer than anyone would type. Wants
 * session_values(). */
int expression_of(const struct session *s, const struct path *path, char to[EXPRESSION_SIZE]);

#endif
