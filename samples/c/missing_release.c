/* A missing release: a request that fails is given up on a path that forgets its reference. Reference counting cannot
 * free it, and neither can the collector: from all it can see, somebody holds the request.
 *
 * rh_decref(request) before the return in handle() is what is missing.
 */
#include "sample.h"

struct reply;

struct request {
    RH_OBJECT_HEAD;
    struct reply *reply;
    const char *path;
};

struct reply {
    RH_OBJECT_HEAD;
    struct request *request; /* so that the log can tell what was answered: a cycle until it is sent */
};

static const struct rh_field request_fields[] = {
    RH_STRONG(struct request, reply),
    RH_VALUE_CSTRING(struct request, path),
};
static const struct rh_field reply_fields[] = {RH_STRONG(struct reply, request)};
static const struct rh_type_spec request_spec = RH_TYPE_SPEC("request", struct request, request_fields);
static const struct rh_type_spec reply_spec = RH_TYPE_SPEC("reply", struct reply, reply_fields);

/* Only so that the sample can clean up after itself. */
enum { REQUESTS = 60 };
static struct request *forgotten[REQUESTS];
static int forgotten_count;

static void handle(struct rh_type *request_type, struct rh_type *reply_type, const char *path)
{
    struct request *request = sample_need(rh_object_new(request_type));
    struct reply *reply = sample_need(rh_object_new(reply_type));
    request->path = path;
    rh_assign(&reply->request, request);
    rh_assign(&request->reply, reply);
    rh_decref(reply);
    if (path[0] != '/') {
        forgotten[forgotten_count++] = request;
        return;
    }
    rh_assign(&reply->request, NULL);
    rh_decref(request);
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("missing release");
    struct rh_type *request_type = sample_type(heap, &request_spec);
    struct rh_type *reply_type = sample_type(heap, &reply_spec);

    for (int i = 0; i < REQUESTS; i++)
        handle(request_type, reply_type, i % 5 ? "/index.html" : "favicon.ico");
    printf("Handled %d requests, %d of them bad.\n", REQUESTS, forgotten_count);

    int status = sample_end(heap, argc, argv);
    for (int i = 0; i < forgotten_count; i++)
        rh_decref(forgotten[i]);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
