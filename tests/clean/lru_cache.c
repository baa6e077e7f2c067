/* A cache of computed answers that forgets what was not asked for longest. */
#include "clean.h"

struct entry {
    RH_OBJECT_HEAD;
    struct rh_object *key, *answer;
    struct entry *older, *newer; /* the dict holds the entries; these only order them */
};

static const struct rh_field entry_fields[] = {RH_STRONG(struct entry, key), RH_STRONG(struct entry, answer),
                                               RH_BORROWED(struct entry, older), RH_BORROWED(struct entry, newer)};
static const struct rh_type_spec entry_spec = RH_TYPE_SPEC("entry", struct entry, entry_fields);

static struct rh_heap *heap;
static struct rh_type *entry_type;
static struct rh_object *known; /* key: entry */
static struct entry *oldest, *newest;
static unsigned hits, misses;

static void take_out(struct entry *e)
{
    *(e->older ? &e->older->newer : &oldest) = e->newer;
    *(e->newer ? &e->newer->older : &newest) = e->older;
    e->older = e->newer = NULL;
}

static void put_last(struct entry *e)
{
    e->older = newest;
    *(newest ? &newest->newer : &oldest) = e;
    newest = e;
}

static struct rh_object *compute(struct rh_object *key)
{
    char text[64];
    snprintf(text, sizeof text, "the answer to %s", rh_str_text(key));
    clean_point();
    return need(rh_str(heap, text));
}

/* A new reference. */
static struct rh_object *ask(struct rh_object *key)
{
    struct entry *e = rh_dict_get(known, key);
    if (e) {
        hits++;
        take_out(e);
    } else {
        misses++;
        if (rh_dict_length(known) == 40) {
            struct entry *last = oldest;
            rh_incref(last);
            take_out(last);
            rh_dict_remove(known, last->key);
            clean_point();
            rh_decref(last);
        }
        struct rh_object *answer = compute(key);
        e = need(rh_object_new(entry_type));
        rh_assign(&e->key, key);
        rh_assign(&e->answer, answer);
        rh_decref(answer);
        if (rh_dict_set(known, key, e))
            exit(2);
        rh_decref(e);
    }
    put_last(e);
    rh_incref(e->answer);
    return e->answer;
}

int main(int argc, char **argv)
{
    unsigned random = 7;
    size_t length = 0;
    clean_begin(argc, argv);
    heap = clean_heap("answers");
    entry_type = clean_type(heap, &entry_spec);
    known = need(rh_dict_new(heap));
    rh_root_add(heap, "known", &known);
    for (int i = 0; i < 2000; i++) {
        char question[32];
        snprintf(question, sizeof question, "question %u", next_random(&random) % (1 + next_random(&random) % 90));
        struct rh_object *key = need(rh_str(heap, question)), *answer = ask(key);
        length += rh_str_length(answer);
        clean_point();
        rh_decref(answer);
        rh_decref(key);
    }
    printf("%u hits, %u misses, %zu bytes\n", hits, misses, length);
    rh_root_remove(heap, &known);
    rh_decref(known);
    return clean_end(heap);
}
