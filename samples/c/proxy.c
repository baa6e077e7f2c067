/* A proxy: every client connection has a peer, the connection to the server behind it, and the peer points back. While
 * a pair is in use that is fine; a pair that was closed without clearing `peer` stays for ever. The demo stops this
 * program under GDB.
 */
#include "sample.h"

struct buffer {
    RH_OBJECT_HEAD;
    unsigned char *bytes;
    size_t size;
};

struct connection {
    RH_OBJECT_HEAD;
    struct connection *peer;
    struct buffer *buffer;
    const char *name;
};

static const struct rh_field buffer_fields[] = {
    RH_BYTES(struct buffer, bytes, size),
    RH_VALUE_UINT(struct buffer, size),
};
static const struct rh_field connection_fields[] = {
    RH_STRONG(struct connection, peer),
    RH_STRONG(struct connection, buffer),
    RH_VALUE_CSTRING(struct connection, name),
};
static const struct rh_type_spec buffer_spec = RH_TYPE_SPEC("buffer", struct buffer, buffer_fields);
static const struct rh_type_spec connection_spec = RH_TYPE_SPEC("connection", struct connection, connection_fields);

static struct rh_heap *heap;
static struct rh_type *buffer_type, *connection_type;
static struct rh_object *active; /* list of client connections in use */

static struct connection *connection_new(const char *name, size_t buffer_size)
{
    struct connection *connection = sample_need(rh_object_new(connection_type));
    struct buffer *buffer = sample_need(rh_object_new(buffer_type));
    if (rh_buffer_resize(heap, &buffer->bytes, 0, buffer_size))
        sample_need(NULL);
    buffer->size = buffer_size;
    connection->buffer = buffer;
    connection->name = name;
    return connection;
}

/* Connects a client to the server behind the proxy. */
static struct connection *open_pair(void)
{
    struct connection *client = connection_new("client", 4096), *server = connection_new("server", 16384);
    rh_assign(&client->peer, server);
    rh_assign(&server->peer, client);
    rh_decref(server);
    rh_list_append(active, client);
    rh_decref(client);
    return client;
}

/* Forgets the pair, but not its references to each other. */
static void close_first_pair(void)
{
    rh_list_remove(active, 0);
}

int main(int argc, char **argv)
{
    struct connection *conn = NULL;
    heap = sample_heap("proxy");
    buffer_type = sample_type(heap, &buffer_spec);
    connection_type = sample_type(heap, &connection_spec);
    active = sample_need(rh_list_new(heap));
    rh_root_add(heap, "active", &active);

    for (int i = 0; i < 40; i++)
        open_pair();
    rh_collect(heap, RH_YOUNG); /* time passes: the pairs grow old */
    rh_collect(heap, RH_MIDDLE);
    for (int i = 0; i < 37; i++)
        close_first_pair();
    for (int i = 0; i < 2; i++)
        conn = open_pair();
    printf("Opened 42 pairs of connections and closed 37; %zu are in use.\n", rh_list_length(active));

    fflush(stdout);
    sample_pause(heap);
    printf("The client in hand has a %zu byte buffer.\n", conn->peer->buffer->size);
    int status = sample_end(heap, argc, argv);
    rh_root_remove(heap, &active);
    rh_decref(active);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
