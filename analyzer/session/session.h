/* One opened snapshot and what was computed of it so far. Everything is made when first needed. */
#ifndef ANALYZER_SESSION_H
#define ANALYZER_SESSION_H

#include "session_state.h"

int session_open(struct session *s, const char *path, int salvage, struct rh_error *err);
void session_close(struct session *s);

/* Each makes sure that part is there; returns 0 or a negative code. */
int session_classes(struct session *s, struct rh_error *err);                 /* classes */
int session_graph(struct session *s, struct rh_error *err);                   /* graph, classes, roots */
int session_back(struct session *s, struct rh_error *err);                    /* graph, with its edges the other way */
int session_garbage(struct session *s, int generation, struct rh_error *err); /* garbage[generation] */
int session_owners(struct session *s, struct rh_error *err);                  /* owners */
int session_cycles(struct session *s, struct rh_error *err);                  /* components, cycles; owners */
int session_dominators(struct session *s, struct rh_error *err);              /* dominators; garbage[2] and cycles */
int session_values(struct session *s, struct rh_error *err);                  /* values */
int session_roots(struct session *s, struct rh_error *err);                   /* roots; wants the address index */
int session_sums(struct session *s, struct rh_error *err);                    /* sums; dominators */

/* Makes a graph for questions about single objects: read with the functions of graph.h alone, where an index was kept
 * that has these groups (bits of enum kept_group) and the graph; everything is checked when it is read. Returns 1, or 0
 * when there is no such index, and the functions above have to be asked. */
int session_rows(struct session *s, unsigned groups, struct rh_error *err);

/* What a vertex retains, of dominators taken by session_rows() too. */
int session_retained(struct session *s, ordinal vertex, uint64_t *retained, struct rh_error *err);

/* The value of an object, or NULL; NULL too before session_values(). */
const struct value_record *session_value(const struct session *s, ordinal o);

/* Keeps what was computed for the next command, unless the snapshot is small or nothing is new. */
void session_keep(struct session *s);

/* A column of the objects that the graph does not keep, by ordinal: for free(); NULL without memory. */
uint64_t *session_column(const struct session *s, enum object_column column);

/* Texts of snapshots beside each other: whether they are equal, and a hash that goes on from `h`. */
int session_same_text(struct text a, struct text b);
uint64_t session_hash_text(struct text text, uint64_t h);

/* The sizes of all objects together, as the file has them: no graph is needed. */
uint64_t session_bytes(const struct session *s);

/* Says on stderr what is being done, once a second has passed and somebody is looking. */
void session_progress(struct session *s, const char *what);
void session_progress_end(struct session *s);

#endif
