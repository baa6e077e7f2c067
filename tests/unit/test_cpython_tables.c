#include "unit.h"

#include <stdlib.h>

#include "../../runtime/probe/cpython.h"

/* Addresses at which tables go wrong: next to each other, at both ends of pages and of the space. */
static const uint64_t edges[] = {0x10,
                                 0x18,
                                 0xff0,
                                 0xff8,
                                 0x1000,
                                 0x1008,
                                 0x1010,
                                 0x7fff0,
                                 0x7fff8,
                                 0x80000,
                                 UINT64_C(0x7ffffffffff0),
                                 UINT64_C(0xfffffffffffffff0),
                                 UINT64_C(0xfffffffffffffff8)};
enum { EDGES = sizeof edges / sizeof *edges, MANY = 300000 };

static void objects__are_found_at_their_addresses_and_nowhere_else(void **state)
{
    struct object_table table = {0};
    (void)state;
    for (size_t i = 0; i < EDGES; i++) {
        assert_null(object_find(&table, edges[i]));
        struct known_object *o = object_add(&table, edges[i]);
        assert_non_null(o);
        o->unexplained = (int32_t)i;
    }
    for (size_t i = 0; i < EDGES; i++) {
        assert_int_equal(object_find(&table, edges[i])->unexplained, i);
        assert_null(object_find(&table, edges[i] + 1));
        assert_null(object_find(&table, edges[i] + 4));
    }
    assert_null(object_find(&table, 0));
    assert_null(object_find(&table, 0x20));
    assert_int_equal(table.used, EDGES);
    object_table_release(&table);
}

static void objects__are_listed_once_with_their_addresses(void **state)
{
    struct object_table table = {0};
    uint64_t sum = 0, listed = 0;
    (void)state;
    for (size_t i = 0; i < EDGES; i++) {
        sum += edges[i];
        object_add(&table, edges[i]);
    }
    struct object_cursor at = {0};
    for (; object_next(&table, &at); listed++)
        sum -= at.address;
    assert_int_equal(listed, EDGES);
    assert_int_equal(sum, 0);
    object_table_release(&table);
}

static void objects__stay_where_they_are(void **state)
{
    struct object_table table = {0};
    (void)state;
    struct known_object *first = object_add(&table, 0x5000);
    for (uint64_t i = 1; i < MANY; i++)
        assert_non_null(object_add(&table, 0x5000 + 1040 * i - 1040 * i % 8));
    assert_ptr_equal(object_find(&table, 0x5000), first);
    assert_int_equal(table.used, MANY);
    object_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects__are_found_at_their_addresses_and_nowhere_else),
        cmocka_unit_test(objects__are_listed_once_with_their_addresses),
        cmocka_unit_test(objects__stay_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
