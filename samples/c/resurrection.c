/* Resurrection: the finalizer of a connection puts it back into the pool of connections. The collector finds it, lets
 * it go, and never runs its finalizer again: the second time it dies for good. */
#include "sample.h"

struct connection {
    RH_OBJECT_HEAD;
    struct connection *session; /* itself, by way of its session: a cycle */
    const char *host;
    int lives;
};

static const struct rh_field connection_fields[] = {
    RH_STRONG(struct connection, session),
    RH_VALUE_CSTRING(struct connection, host),
};

static struct rh_object *pool;

static void connection_finalize(struct rh_object *object)
{
    struct connection *connection = (struct connection *)object;
    printf("The finalizer of %s puts it back into the pool.\n", connection->host);
    rh_list_append(pool, connection);
    connection->lives++;
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("resurrection");
    struct rh_type_spec spec = RH_TYPE_SPEC("connection", struct connection, connection_fields);
    spec.finalize = connection_finalize;
    struct connection *connection = sample_need(rh_object_new(sample_type(heap, &spec)));
    connection->host = "db.example.org";
    pool = sample_need(rh_list_new(heap));
    rh_root_add(heap, "pool", &pool);
    rh_assign(&connection->session, connection);
    rh_decref(connection);
    printf("Dropped the connection: it holds itself.\n");

    int status = sample_end(heap, argc, argv);
    printf("The pool has %zu connection, brought back %d time.\n", rh_list_length(pool),
           ((struct connection *)rh_list_get(pool, 0))->lives);
    rh_list_clear(pool);
    printf("Emptied the pool; the collector found %zu unreachable objects, and no finalizer ran.\n",
           rh_collect(heap, RH_OLD));
    rh_root_remove(heap, &pool);
    rh_decref(pool);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
