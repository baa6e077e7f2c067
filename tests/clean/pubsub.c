/* Topics that do not keep their subscribers alive: they hold weak references and tidy up by their callbacks. */
#include "clean.h"

static struct rh_heap *heap;
static struct rh_object *topics, *subscribers, *subscriber_class;
static unsigned delivered, gone;

static void forget(struct rh_object *weakref, struct rh_object *topic)
{
    clean_point();
    gone++;
    rh_set_remove(topic, weakref);
}

static struct rh_object *topic_of(const char *name)
{
    struct rh_object *topic = rh_dict_get_text(topics, name);
    if (topic)
        return topic;
    topic = need(rh_set_new(heap));
    if (rh_dict_put(topics, name, topic))
        exit(2);
    return topic;
}

static void subscribe(const char *name, struct rh_object *subscriber)
{
    struct rh_object *topic = topic_of(name);
    if (rh_set_put(topic, need(rh_weakref_new(subscriber, forget, topic))))
        exit(2);
}

static void publish(const char *name, const char *text)
{
    struct rh_object *message = need(rh_str(heap, text)), *topic = topic_of(name);
    size_t position = 0;
    for (void *item; rh_set_next(topic, &position, &item);) {
        struct rh_object *subscriber = rh_weakref_get(item);
        if (!subscriber)
            continue;
        if (rh_list_append(rh_attr_get(subscriber, "inbox"), message))
            exit(2);
        delivered++;
        clean_point();
        rh_decref(subscriber);
    }
    rh_decref(message);
}

static void join(unsigned number)
{
    static const char *const names[] = {"news", "sport", "weather"};
    struct rh_object *subscriber = need(rh_instance_new(subscriber_class));
    if (rh_attr_put(subscriber, "inbox", rh_list_new(heap)) ||
        rh_attr_put(subscriber, "number", rh_int_new(heap, number)) ||
        (number % 3 == 0 && rh_attr_set(subscriber, "self", subscriber))) /* some leave through the collector alone */
        exit(2);
    for (int i = 0; i < 3; i++)
        if (number >> i & 1)
            subscribe(names[i], subscriber);
    if (rh_list_put(subscribers, subscriber))
        exit(2);
}

int main(int argc, char **argv)
{
    unsigned random = 3;
    clean_begin(argc, argv);
    heap = clean_heap("messages");
    topics = need(rh_dict_new(heap));
    subscribers = need(rh_list_new(heap));
    subscriber_class = need(rh_class_new(heap, "subscriber", NULL));
    rh_root_add(heap, "topics", &topics);
    rh_root_add(heap, "subscribers", &subscribers);
    rh_root_add(heap, "subscriber class", &subscriber_class);
    for (unsigned turn = 0; turn < 300; turn++) {
        join(turn);
        publish(turn % 2 ? "news" : "weather", "something happened");
        if (rh_list_length(subscribers) > 20)
            rh_list_remove(subscribers, next_random(&random) % rh_list_length(subscribers));
        clean_point();
    }
    rh_collect(heap, RH_OLD);
    printf("%u delivered, %u gone\n", delivered, gone);
    struct rh_object **roots[] = {&topics, &subscribers, &subscriber_class};
    for (int i = 0; i < 3; i++) {
        rh_root_remove(heap, roots[i]);
        rh_assign(roots[i], NULL);
    }
    return clean_end(heap);
}
