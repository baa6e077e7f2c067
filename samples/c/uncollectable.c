/* What a legacy finalizer makes of a cycle: nobody can tell which of two transactions to finalize first, so the
 * collector frees neither, nor what they hold, and keeps them in its list of garbage, for the program to break the
 * cycle. */
#include "sample.h"

struct transaction {
    RH_OBJECT_HEAD;
    struct transaction *waits_for;
    struct rh_object *changes; /* a list */
    const char *name;
};

static const struct rh_field transaction_fields[] = {
    RH_STRONG(struct transaction, waits_for),
    RH_STRONG(struct transaction, changes),
    RH_VALUE_CSTRING(struct transaction, name),
};

static void roll_back(struct rh_object *object)
{
    printf("Rolled back %s.\n", ((struct transaction *)object)->name);
}

static struct transaction *begin(struct rh_heap *heap, struct rh_type *type, const char *name)
{
    struct transaction *transaction = sample_need(rh_object_new(type));
    transaction->name = name;
    transaction->changes = sample_need(rh_list_new(heap));
    return transaction;
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("uncollectable");
    struct rh_type_spec spec = RH_TYPE_SPEC("transaction", struct transaction, transaction_fields);
    spec.legacy_finalize = roll_back;
    struct rh_type *type = sample_type(heap, &spec);
    struct transaction *debit = begin(heap, type, "debit"), *credit = begin(heap, type, "credit");
    rh_assign(&debit->waits_for, credit);
    rh_assign(&credit->waits_for, debit);
    rh_decref(debit);
    rh_decref(credit);
    printf("Two transactions wait for each other, and were dropped.\n");

    int status = sample_end(heap, argc, argv);
    struct rh_stats stats[3];
    rh_get_stats(heap, stats);
    printf("It could not free %zu of them; its list of garbage holds %zu.\n", (size_t)stats[2].uncollectable,
           rh_list_length(rh_garbage(heap)));
    rh_attr_set(rh_list_get(rh_garbage(heap), 0), "waits_for", NULL);
    rh_list_clear(rh_garbage(heap));
    printf("Broke the cycle by hand and emptied the list.\n");
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
