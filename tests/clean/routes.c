/* Shortest ways through a network of places that all refer to each other: cycles everywhere, freed by the collector. */
#include "clean.h"

struct place {
    RH_OBJECT_HEAD;
    struct rh_object *name;
    struct rh_object *neighbours; /* a list */
    struct place *from;           /* of the search under way */
};

static const struct rh_field place_fields[] = {RH_STRONG(struct place, name), RH_STRONG(struct place, neighbours),
                                               RH_STRONG(struct place, from)};
static const struct rh_type_spec place_spec = RH_TYPE_SPEC("place", struct place, place_fields);

static struct rh_heap *heap;
static struct rh_type *place_type;

static struct rh_object *make_network(size_t count, unsigned *random)
{
    struct rh_object *network = need(rh_list_new(heap));
    for (size_t i = 0; i < count; i++) {
        char name[32];
        struct place *p = need(rh_object_new(place_type));
        snprintf(name, sizeof name, "place %zu", i);
        p->name = need(rh_str(heap, name));
        p->neighbours = need(rh_list_new(heap));
        if (rh_list_put(network, p))
            exit(2);
    }
    for (size_t i = 0; i < 3 * count; i++) {
        struct place *a = rh_list_get(network, next_random(random) % count);
        struct place *b = rh_list_get(network, next_random(random) % count);
        clean_point();
        if (rh_list_append(a->neighbours, b) || rh_list_append(b->neighbours, a))
            exit(2);
    }
    return network;
}

/* The places on the way as a list; empty when there is none. */
static struct rh_object *find_route(struct place *start, struct place *goal)
{
    struct rh_object *waiting = need(rh_list_new(heap)), *route = need(rh_list_new(heap));
    rh_assign(&start->from, start);
    if (rh_list_append(waiting, start))
        exit(2);
    for (size_t at = 0; at < rh_list_length(waiting) && !goal->from; at++) {
        struct place *p = rh_list_get(waiting, at);
        for (size_t i = 0; i < rh_list_length(p->neighbours); i++) {
            struct place *next = rh_list_get(p->neighbours, i);
            if (next->from)
                continue;
            rh_assign(&next->from, p);
            if (rh_list_append(waiting, next))
                exit(2);
        }
        clean_point();
    }
    for (struct place *p = goal; p && p->from; p = p == start ? NULL : p->from)
        if (rh_list_append(route, p))
            exit(2);
    clean_point();
    rh_decref(waiting);
    return route;
}

static void forget_search(struct rh_object *network)
{
    for (size_t i = 0; i < rh_list_length(network); i++)
        rh_assign(&((struct place *)rh_list_get(network, i))->from, NULL);
}

int main(int argc, char **argv)
{
    unsigned random = 17;
    size_t steps = 0;
    clean_begin(argc, argv);
    heap = clean_heap("routes");
    place_type = clean_type(heap, &place_spec);
    for (int round = 0; round < 8; round++) {
        struct rh_object *network = make_network(60, &random);
        for (int i = 0; i < 10; i++) {
            struct place *start = rh_list_get(network, next_random(&random) % 60);
            struct place *goal = rh_list_get(network, next_random(&random) % 60);
            struct rh_object *route = find_route(start, goal);
            steps += rh_list_length(route);
            clean_point();
            rh_decref(route);
            forget_search(network);
        }
        rh_decref(network);
        clean_point(); /* the network is garbage now, until the collector comes by */
    }
    printf("%zu steps\n", steps);
    return clean_end(heap);
}
