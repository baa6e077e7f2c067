/* A lapsed listener: sessions subscribe to a board of news, and those that time out never unsubscribe. Every hour a few
 * more stay, busy or not: one snapshot shows nothing odd, two show who came and stayed.
 *
 * With several file names it leaves a snapshot there at the end of each hour:
 *
 *     build/samples/lapsed_listener /tmp/9.refheap /tmp/10.refheap && build/refheap diff /tmp/9.refheap /tmp/10.refheap
 */
#include "sample.h"

struct session {
    RH_OBJECT_HEAD;
    struct rh_object *user;
};

static const struct rh_field session_fields[] = {RH_STRONG(struct session, user)};
static const struct rh_type_spec session_spec = RH_TYPE_SPEC("session", struct session, session_fields);

static struct rh_object *board; /* who wants to hear the news */
static struct rh_object *open_sessions;

static void log_in(struct rh_heap *heap, struct rh_type *type, int number)
{
    char name[32];
    snprintf(name, sizeof name, "user %d", number);
    struct session *session = sample_need(rh_object_new(type));
    session->user = sample_need(rh_str(heap, name));
    rh_list_put(open_sessions, session);
    if (number % 8 == 0)
        rh_list_append(board, session);
}

int main(int argc, char **argv)
{
    enum { SESSIONS = 40 };
    struct rh_heap_options options = {.name = "lapsed listener", .flags = RH_HEAP_SERIALS};
    struct rh_error err;
    struct rh_heap *heap;
    int status = 0, hours = argc > 1 ? argc - 1 : 1;
    if (rh_heap_create(&options, &heap, &err))
        return 2;
    struct rh_type *type = sample_type(heap, &session_spec);
    board = sample_need(rh_list_new(heap));
    open_sessions = sample_need(rh_list_new(heap));
    rh_root_add(heap, "board", &board);
    rh_root_add(heap, "open sessions", &open_sessions);

    for (int hour = 0; hour < hours; hour++) {
        rh_list_clear(open_sessions); /* all time out */
        for (int i = 0; i < SESSIONS; i++)
            log_in(heap, type, hour * SESSIONS + i);
        if (hour + 1 < argc && rh_dump(argv[hour + 1], 0, &err)) {
            fprintf(stderr, "%s: %s\n", argv[hour + 1], err.what);
            status = 2;
        }
    }
    printf("%zu sessions are open, as at the end of every hour.\n", rh_list_length(open_sessions));
    sample_end(heap, 1, argv);
    rh_root_remove(heap, &board);
    rh_root_remove(heap, &open_sessions);
    rh_decref(board);
    rh_decref(open_sessions);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
