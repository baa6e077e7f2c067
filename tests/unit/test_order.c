#include "unit.h"

#include <stdlib.h>

#include "../../analyzer/graph/order.h"

enum { ROWS_MAX = 3000, ROUNDS = 300 };

static int compare_items(const void *pa, const void *pb)
{
    const struct order_item *a = pa, *b = pb;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Few keys or many, in order already, turned round, or all the same. */
static uint64_t make_key(int kind, size_t row, size_t count)
{
    switch (kind) {
    case 0:
        return (uint64_t)rand() << 32 ^ (uint64_t)rand();
    case 1:
        return (uint64_t)rand() % 7;
    case 2:
        return row;
    case 3:
        return count - row;
    case 4:
        return UINT64_MAX;
    default:
        return row % 2 ? row : UINT64_MAX - row;
    }
}

static void order__is_that_of_a_sort_wherever_one_looks(void **state)
{
    static struct order_item expected[ROWS_MAX];
    (void)state;
    srand(1);
    struct order order = {0};
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = 1 + (size_t)rand() % (round % 3 ? 100 : ROWS_MAX);
        if (round % 4 == 3)
            count = order.count; /* where it is */
        else
            order_release(&order);
        assert_int_equal(order_begin(&order, count), 0);
        for (size_t i = 0; i < count; i++) {
            order.items[i].key = make_key(round % 6, i, count);
            expected[i] = order.items[i];
            assert_int_equal(expected[i].row, i);
        }
        qsort(expected, count, sizeof *expected, compare_items);
        for (int look = 0; look < 50; look++) { /* pages here and there, both ends among them */
            size_t place = look == 0 ? 0 : look == 1 ? count - 1 : (size_t)rand() % count;
            for (size_t i = place; i < count && i < place + 20; i++)
                assert_int_equal(order_at(&order, i), expected[i].row);
        }
        for (size_t i = count; i-- > 0;)
            assert_int_equal(order_at(&order, i), expected[i].row);
    }
    order_release(&order);
}

static void order__of_nothing_is_nothing(void **state)
{
    struct order order = {0};
    (void)state;
    assert_int_equal(order_begin(&order, 0), 0);
    order_release(&order);
    order_release(&order);
}

/* The first page of a million rows costs about as much as looking at each a few times, not a sort. */
static void order__sorts_no_more_than_is_looked_at(void **state)
{
    enum { MANY = 1000000, PAGE = 50 };
    struct order order = {0};
    size_t ends = 0;
    (void)state;
    assert_int_equal(order_begin(&order, MANY), 0);
    for (size_t i = 0; i < MANY; i++)
        order.items[i].key = i * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < PAGE; i++)
        order_at(&order, i);
    for (size_t i = 0; i < MANY / 64 + 1; i++)
        ends += (size_t)__builtin_popcountll(order.ends[i]);
    assert_true(ends < PAGE + 200);
    order_release(&order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order__is_that_of_a_sort_wherever_one_looks),
        cmocka_unit_test(order__of_nothing_is_nothing),
        cmocka_unit_test(order__sorts_no_more_than_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
