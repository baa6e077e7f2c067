/* The same objects as GObjects. */
#include <glib-object.h>
#include <stdlib.h>

#include "objects.h"

typedef struct {
    GObject object;
    void *a, *b;
} Node;
typedef struct {
    GObjectClass class;
} NodeClass;

GType node_get_type(void);
G_DEFINE_TYPE(Node, node, G_TYPE_OBJECT)

static void node_class_init(NodeClass *class)
{
    (void)class;
}

static void node_init(Node *node)
{
    (void)node;
}

int main(void)
{
    void **all = malloc(OBJECTS * sizeof *all);
    for (int round = 0; all && round < ROUNDS; round++) {
        double start = nanoseconds();
        for (int i = 0; i < OBJECTS; i++)
            all[i] = g_object_new(node_get_type(), NULL);
        double made = nanoseconds();
        for (int turn = 0; turn < TURNS; turn++)
            for (int i = 0; i < OBJECTS; i++) {
                g_object_ref(all[i]);
                g_object_unref(all[i]);
            }
        double referred = nanoseconds();
        for (int i = 0; i < OBJECTS; i++)
            g_object_unref(all[i]);
        double freed = nanoseconds();
        for (int i = 0; i < OBJECTS; i++)
            g_object_unref(g_object_new(node_get_type(), NULL));
        say(start, made, referred, freed, nanoseconds());
    }
    free(all);
    return 0;
}
