/* Timers in a binary heap: an array that the object owns and resizes, whose elements are moved about all the time. */
#include "clean.h"

struct timer {
    RH_OBJECT_HEAD;
    long due;
    struct rh_object *what;
    struct timer *again; /* the timer that follows, or none */
};
struct queue {
    RH_OBJECT_HEAD;
    struct timer **items;
    size_t count, capacity;
};

static const struct rh_field timer_fields[] = {RH_STRONG(struct timer, what), RH_STRONG(struct timer, again),
                                               RH_VALUE_INT(struct timer, due)};
static const struct rh_field queue_fields[] = {RH_ARRAY_CAPACITY(struct queue, items, count, capacity)};
static const struct rh_type_spec timer_spec = RH_TYPE_SPEC("timer", struct timer, timer_fields);
static const struct rh_type_spec queue_spec = RH_TYPE_SPEC("queue", struct queue, queue_fields);

static struct rh_heap *heap;
static struct rh_type *timer_type;
static struct queue *queue;
static struct rh_object *fired;

static void swap(size_t a, size_t b)
{
    struct timer *t = queue->items[a];
    queue->items[a] = queue->items[b];
    queue->items[b] = t;
}

/* Takes over the reference. */
static void add_timer(struct timer *timer)
{
    rh_busy_begin(heap);
    if (queue->count == queue->capacity) {
        size_t capacity = queue->capacity ? 2 * queue->capacity : 4, size = sizeof *queue->items;
        if (rh_buffer_resize(heap, &queue->items, queue->capacity * size, capacity * size))
            exit(2);
        queue->capacity = capacity;
    }
    queue->items[queue->count++] = timer;
    rh_busy_end(heap);
    for (size_t i = queue->count - 1; i && queue->items[i]->due < queue->items[(i - 1) / 2]->due; i = (i - 1) / 2)
        swap(i, (i - 1) / 2);
    clean_point();
}

/* The earliest, with its reference. */
static struct timer *take_timer(void)
{
    struct timer *first = queue->items[0];
    queue->items[0] = queue->items[--queue->count];
    for (size_t i = 0, child; (child = 2 * i + 1) < queue->count; i = child) {
        if (child + 1 < queue->count && queue->items[child + 1]->due < queue->items[child]->due)
            child++;
        if (queue->items[i]->due <= queue->items[child]->due)
            break;
        swap(i, child);
    }
    clean_point();
    return first;
}

static struct timer *make_timer(long due, struct timer *again)
{
    char text[32];
    struct timer *t = need(rh_object_new(timer_type));
    t->due = due;
    snprintf(text, sizeof text, "at %ld", due);
    t->what = need(rh_str(heap, text));
    rh_assign(&t->again, again);
    return t;
}

int main(int argc, char **argv)
{
    unsigned random = 5;
    long last = 0;
    clean_begin(argc, argv);
    heap = clean_heap("timers");
    timer_type = clean_type(heap, &timer_spec);
    queue = need(rh_object_new(clean_type(heap, &queue_spec)));
    fired = need(rh_list_new(heap));
    rh_root_add(heap, "queue", &queue);
    rh_root_add(heap, "fired", &fired);
    for (int i = 0; i < 200; i++) {
        struct timer *later = i % 4 ? NULL : make_timer(next_random(&random) % 1000 + 1000, NULL);
        add_timer(make_timer(next_random(&random) % 1000, later));
        rh_xdecref(later);
    }
    while (queue->count) {
        struct timer *t = take_timer();
        if (t->due < last)
            return 3;
        last = t->due;
        if (rh_list_append(fired, t->what))
            exit(2);
        if (t->again) {
            rh_incref(t->again);
            add_timer(t->again);
        }
        clean_point();
        rh_decref(t);
        if (rh_list_length(fired) > 50)
            rh_list_clear(fired);
    }
    rh_root_remove(heap, &queue);
    rh_root_remove(heap, &fired);
    rh_decref(queue);
    rh_decref(fired);
    return clean_end(heap);
}
