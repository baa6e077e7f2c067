#include "unit.h"

#include <stdlib.h>

#include "../../dumpfmt/crc32c.h"

static void crc32c__has_the_published_check_value(void **state)
{
    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c_by_table(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, "", 0), 0);
}

static void crc32c__by_instruction_equals_by_table(void **state)
{
    static uint8_t bytes[20000];
    (void)state;
    srand(1);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)rand();
    for (int round = 0; round < 500; round++) {
        size_t at = (size_t)rand() % 64, size = (size_t)rand() % (sizeof bytes - 64);
        uint32_t seed = (uint32_t)rand();
        assert_int_equal(crc32c(seed, bytes + at, size), crc32c_by_table(seed, bytes + at, size));
    }
}

static void crc32c__can_be_computed_in_parts(void **state)
{
    static const char text[] = "a text long enough to be cut into several parts of different sizes";
    (void)state;
    uint32_t whole = crc32c(0, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++)
        assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, sizeof text - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c__has_the_published_check_value),
        cmocka_unit_test(crc32c__by_instruction_equals_by_table),
        cmocka_unit_test(crc32c__can_be_computed_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
