/* What a session takes from a kept index and puts into it. */
#ifndef ANALYZER_SESSION_KEPT_H
#define ANALYZER_SESSION_KEPT_H

#include "session_state.h"

/* Opens the index that lies with a snapshot; the snapshot is opened after it and says whether it is of this file. */
void kept_begin(struct session *s);

/* Whether the index has a group. */
int kept_has(const struct session *s, enum kept_group group);

/* Takes a group from the index, if it is there and right: then it returns 1. With `unchecked`, what is right is found
 * out when it is read. */
int kept_take(struct session *s, enum kept_group group, int unchecked);

/* Compares with their checksums the groups that were taken unchecked; what is wrong is computed anew. */
int kept_settle(struct session *s, struct rh_error *err);

/* Forgets an index that turned out to be damaged, and checks of the snapshot what was taken on trust because of it. */
int kept_forget(struct session *s, struct rh_error *err);

/* The same, and everything of the graph that was taken from it. */
int kept_forget_graph(struct session *s, struct rh_error *err);

/* Puts groups that belong to the index out of the way of those who free them, and closes it. */
void kept_end(struct session *s);

/* Has the graph's functions check what they read from now on: of the groups that were taken unchecked. */
void kept_watch(struct session *s);

/* Which groups the session has, however it came by them. */
unsigned kept_there(const struct session *s);

/* Writes an index of these groups. */
void kept_store(struct session *s, unsigned groups, const struct snapshot_identity *identity);

#endif
