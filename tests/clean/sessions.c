/* Sessions in one heap and the log of another; sessions are found by weak fields and say so when they end. */
#include "clean.h"

struct session {
    RH_OBJECT_HEAD;
    struct rh_object *user;
    struct session *companion; /* often each other's */
    long number;
};
struct door {
    RH_OBJECT_HEAD;
    struct rh_weak last; /* who went through */
};

static const struct rh_field session_fields[] = {RH_STRONG(struct session, user), RH_STRONG(struct session, companion),
                                                 RH_VALUE_INT(struct session, number)};
static const struct rh_field door_fields[] = {RH_WEAK(struct door, last)};
static const struct rh_type_spec session_spec = RH_TYPE_SPEC("session", struct session, session_fields);
static const struct rh_type_spec door_spec = RH_TYPE_SPEC("door", struct door, door_fields);

static struct rh_heap *heap, *log_heap;
static struct rh_type *session_type;
static struct rh_object *open_sessions, *lines;
static struct door *doors[8]; /* in plain variables: nobody declares them */

static void log_end(void *context)
{
    char text[48];
    snprintf(text, sizeof text, "session %ld ended", (long)(intptr_t)context);
    if (rh_list_put(lines, rh_str(log_heap, text)))
        exit(2);
    clean_point();
}

static struct session *open_session(long number)
{
    char name[32];
    struct session *s = need(rh_object_new(session_type));
    snprintf(name, sizeof name, "user %ld", number % 10);
    s->user = need(rh_str(heap, name));
    s->number = number;
    if (rh_at_death(s, log_end, (void *)(intptr_t)number) || rh_list_append(open_sessions, s))
        exit(2);
    return s;
}

static void pass(struct door *door, struct session *s)
{
    struct session *before = rh_weak_get(&door->last);
    clean_point();
    if (before && before != s) {
        rh_assign(&s->companion, before);
        rh_assign(&before->companion, s);
    }
    rh_xdecref(before);
    if (rh_weak_set(&door->last, s))
        exit(2);
}

int main(int argc, char **argv)
{
    unsigned random = 23;
    clean_begin(argc, argv);
    heap = clean_heap("sessions");
    log_heap = clean_heap("log");
    session_type = clean_type(heap, &session_spec);
    struct rh_type *door_type = clean_type(heap, &door_spec);
    open_sessions = need(rh_list_new(heap));
    lines = need(rh_list_new(log_heap));
    rh_root_add(heap, "open sessions", &open_sessions);
    rh_root_add(log_heap, "lines", &lines);
    for (int i = 0; i < 8; i++)
        doors[i] = need(rh_object_new(door_type));
    for (long i = 0; i < 300; i++) {
        struct session *s = open_session(i);
        pass(doors[next_random(&random) % 8], s);
        clean_point();
        rh_decref(s);
        if (rh_list_length(open_sessions) > 15)
            rh_list_remove(open_sessions, next_random(&random) % 15);
        if (i % 50 == 49)
            rh_collect(heap, RH_OLD);
    }
    for (int i = 0; i < 8; i++)
        rh_decref(doors[i]);
    rh_root_remove(heap, &open_sessions);
    rh_assign(&open_sessions, NULL);
    int status = clean_end(heap);
    printf("%zu lines\n", rh_list_length(lines));
    rh_root_remove(log_heap, &lines);
    rh_decref(lines);
    return status | clean_end(log_heap);
}
