/* A document being edited: a tree whose parts know their parent, an undo history, and a selection that is pinned. */
#include "clean.h"

struct part {
    RH_OBJECT_HEAD;
    struct part *parent; /* borrowed */
    struct part *first;  /* children, linked by `next` */
    struct part *next;
    struct rh_object *text;
};

static const struct rh_field part_fields[] = {
    RH_BORROWED(struct part, parent), RH_CHILDREN(struct part, first, struct part, next), RH_STRONG(struct part, text)};
static const struct rh_type_spec part_spec = RH_TYPE_SPEC("part", struct part, part_fields);

static struct rh_heap *heap;
static struct rh_type *part_type;
static struct part *document;
static struct rh_object *history; /* tuples of a part and the text it had */

static struct part *add_child(struct part *parent)
{
    struct part *child = need(rh_object_new(part_type));
    child->parent = parent;
    child->next = parent->first;
    parent->first = child; /* with the reference */
    return child;
}

static void edit(struct part *part, const char *text)
{
    struct rh_object *before = need(rh_tuple_new(heap, 2)), *after;
    rh_tuple_set(before, 0, part);
    rh_tuple_set(before, 1, part->text ? part->text : rh_none(heap));
    clean_point();
    after = need(rh_str(heap, text));
    rh_assign(&part->text, after);
    rh_decref(after);
    if (rh_list_put(history, before))
        exit(2);
}

static void undo(void)
{
    size_t last = rh_list_length(history);
    if (!last)
        return;
    struct rh_object *entry = rh_list_get(history, last - 1);
    struct part *part = rh_tuple_get(entry, 0);
    rh_assign(&part->text, rh_tuple_get(entry, 1));
    clean_point();
    rh_list_remove(history, last - 1);
}

static struct part *any_part(unsigned *random)
{
    struct part *at = document;
    while (at->first && next_random(random) % 4) {
        at = at->first;
        while (at->next && next_random(random) % 3)
            at = at->next;
    }
    return at;
}

static void remove_part(struct part *part)
{
    struct part **link = &part->parent->first;
    while (*link != part)
        link = &(*link)->next;
    *link = part->next;
    part->next = NULL;
    part->parent = NULL;
    clean_point();
    rh_decref(part);
}

int main(int argc, char **argv)
{
    unsigned random = 11;
    clean_begin(argc, argv);
    heap = clean_heap("document");
    part_type = clean_type(heap, &part_spec);
    document = need(rh_object_new(part_type));
    history = need(rh_list_new(heap));
    rh_root_add(heap, "document", &document);
    rh_root_add(heap, "history", &history);
    for (int i = 0; i < 600; i++) {
        struct part *part = any_part(&random);
        char text[32];
        snprintf(text, sizeof text, "paragraph %d", i);
        if (rh_pin(part, "selection"))
            exit(2);
        if (i % 3 == 0)
            edit(add_child(part), text);
        else if (i % 7 == 0)
            undo();
        else if (i % 11 == 0 && part != document && !part->first)
            remove_part(part);
        else
            edit(part, text);
        clean_point();
        rh_unpin(part, "selection");
    }
    while (rh_list_length(history) > 300)
        undo();
    rh_root_remove(heap, &history);
    rh_root_remove(heap, &document);
    rh_decref(history);
    rh_decref(document);
    return clean_end(heap);
}
