/* What a person would call things: types, objects, edges, roots. Results are clean to show (text_clean). */
#ifndef ANALYZER_NAMES_H
#define ANALYZER_NAMES_H

#include "session.h"

enum { NAME_SIZE = 256 };

/* Where an object was made, a line a frame, innermost first: "parse at parser.c:12", "0x55d0 in app + 0x1220"; NULL at
 * the end. `site` is its site id + 1 at first and moves outwards. */
const char *name_site(const struct session *s, uint64_t *site, char to[NAME_SIZE]);

/* The type of an object: "dict", "Session". */
const char *name_type(const struct session *s, ordinal o, char to[NAME_SIZE]);
/* The same, whole and as it is: for scripts and for comparing. */
struct text class_name(const struct session *s, uint32_t klass);
struct text type_name(const struct session *s, ordinal o);
const char *name_class(const struct session *s, uint32_t klass, char to[NAME_SIZE]);

/* What tells an object from others of its type: a value ("hello", 42, True), or the name of a named thing. "" when
 * there is nothing. Needs session_values(). */
const char *name_object(const struct session *s, ordinal o, char to[NAME_SIZE]);

/* The name of the Python module whose variables a dict holds, NULL for none: a module's dict begins with `__name__` and
 * `__doc__`. */
const struct value_record *name_module_of_dict(const struct session *s, ordinal o);

/* Type and label together: `str "hello"`. */
const char *name_full(const struct session *s, ordinal o, char to[NAME_SIZE]);

/* What a cycle is made of: "2 connection", "dict, exception, frame, traceback". Needs session_cycles(). */
const char *name_cycle(const struct session *s, ordinal cycle, char to[NAME_SIZE]);

/* An edge's label as it would be written behind its source: ".next", "[3]", "['key']", "key", "". */
const char *name_edge(const struct session *s, const struct edge *edge, char to[NAME_SIZE]);

/* The same of an edge from a `__dict__` that is shown as one with its owner: ".key". */
const char *name_attribute(const struct session *s, const struct edge *edge, char to[NAME_SIZE]);

/* The first without what differs from item to item: ".next", "[...]", "['...']". For grouping. */
const char *name_edge_group(const struct session *s, const struct edge *edge, char to[NAME_SIZE]);

/* "strong", "owned", "inferred", "weak", "borrowed". */
const char *name_edge_kind(unsigned bits);

/* "global sessions", "declared root cache". */
const char *name_root(const struct session *s, const struct root_record *root, char to[NAME_SIZE]);
const char *name_root_kind(unsigned kind);

/* The snapshot's identity: 8-4-4-4-12 hexadecimal digits. */
enum { UUID_SIZE = 40 };
const char *name_uuid(const struct session *s, char to[UUID_SIZE]);

/* "by the program itself", "live, from outside" ... */
const char *name_captured(unsigned captured);

#endif
