/* several_dumps FLAGS FILE...: dumps a heap to each FILE, and between one dump and the next lets 30 of its sessions go,
 * makes 50 new ones, most of them where the old ones were, and has its log grow. FLAGS has letters: s numbers the
 * objects, c collects between dumps, p dumps from a forked copy.
 *
 * What is true of each step: 30 sessions and their names gone, 50 new; the list and the log stayed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

enum { AT_FIRST = 100, GO = 30, COME = 50, MOST = 4096 };

struct session {
    RH_OBJECT_HEAD;
    struct rh_object *name;
};

static const struct rh_field fields[] = {RH_STRONG(struct session, name)};
static const struct rh_type_spec spec = RH_TYPE_SPEC("session", struct session, fields);

static struct rh_heap *heap;
static struct rh_type *type;
static struct session *sessions[MOST];
static struct rh_object *log_list;
static size_t count, named;

static void need(int fine)
{
    if (!fine) {
        fprintf(stderr, "several_dumps: cannot go on\n");
        exit(2);
    }
}

static void open_session(void)
{
    char name[32];
    snprintf(name, sizeof name, "session %zu", named++);
    struct session *s = rh_object_new(type);
    need(s != NULL && count < MOST);
    s->name = rh_str(heap, name);
    sessions[count++] = s;
    rh_root_add(heap, "session", &sessions[count - 1]);
}

static void close_session(void)
{
    rh_root_remove(heap, &sessions[--count]);
    rh_decref(sessions[count]);
    sessions[count] = NULL;
}

static void begin(int numbered)
{
    struct rh_heap_options options = {.name = "several", .flags = numbered ? RH_HEAP_SERIALS : 0};
    need(!rh_heap_create(&options, &heap, NULL) && !rh_type_create(heap, &spec, &type, NULL));
    log_list = rh_list_new(heap);
    need(log_list != NULL);
    rh_root_add(heap, "log", &log_list);
    while (count < AT_FIRST)
        open_session();
}

static void end(void)
{
    while (count)
        close_session();
    rh_root_remove(heap, &log_list);
    rh_decref(log_list);
    need(!rh_heap_destroy(heap));
}

static void step(int collects)
{
    for (int i = 0; i < GO; i++)
        close_session();
    for (int i = 0; i < COME; i++)
        open_session();
    for (int i = 0; i < 200; i++)
        need(!rh_list_append(log_list, log_list)); /* nothing new but room in the list */
    if (collects)
        rh_collect(heap, RH_YOUNG);
}

int main(int argc, char **argv)
{
    struct rh_error err;
    need(argc > 2);
    begin(strchr(argv[1], 's') != NULL);
    for (int i = 2; i < argc; i++) {
        int job, status;
        if (i > 2)
            step(strchr(argv[1], 'c') != NULL);
        if (strchr(argv[1], 'p'))
            status = rh_dump_background(argv[i], 0, &job, &err) || rh_background_wait(job, &err);
        else
            status = rh_dump(argv[i], 0, &err);
        if (status) {
            fprintf(stderr, "%s: %s\n", argv[i], err.what);
            return 2;
        }
    }
    rh_list_clear(log_list);
    end();
    return 0;
}
