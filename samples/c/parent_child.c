/* Parent and child: the child's pointer back to its parent is counted, and so no tree is ever freed.
 * RH_STRONG(struct node, parent) is the line to change: RH_BORROWED, and no rh_assign for it, would do.
 */
#include "sample.h"

struct node {
    RH_OBJECT_HEAD;
    struct node *parent;
    struct node **children;
    size_t child_count;
    const char *tag;
};

static const struct rh_field node_fields[] = {
    RH_STRONG(struct node, parent),
    RH_ARRAY(struct node, children, child_count),
    RH_VALUE_CSTRING(struct node, tag),
};
static const struct rh_type_spec node_spec = RH_TYPE_SPEC("node", struct node, node_fields);

static struct node *node_new(struct rh_type *type, const char *tag)
{
    struct node *node = sample_need(rh_object_new(type));
    node->tag = tag;
    return node;
}

/* Takes over the caller's reference to the child. */
static void node_adopt(struct node *parent, struct node *child)
{
    struct rh_heap *heap = rh_heap_of(parent);
    size_t size = parent->child_count * sizeof(struct node *);
    if (rh_buffer_resize(heap, &parent->children, size, size + sizeof(struct node *)))
        sample_need(NULL);
    parent->children[parent->child_count] = child;
    parent->child_count++;
    rh_assign(&child->parent, parent);
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("parent and child");
    struct rh_type *type = sample_type(heap, &node_spec);
    struct node *page = node_new(type, "page");

    node_adopt(page, node_new(type, "header"));
    node_adopt(page, node_new(type, "body"));
    for (int i = 0; i < 3; i++)
        node_adopt(page->children[1], node_new(type, "paragraph"));
    printf("Built a page: header, body, three paragraphs; every child knows its parent.\n");
    rh_decref(page);
    printf("Dropped the page: its children keep it.\n");

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
