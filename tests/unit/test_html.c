/* Writing HTML: no byte of a text gets out as anything but text. */
#include <stdlib.h>
#include <string.h>

#include "../../analyzer/render/html.h"
#include "unit.h"

/* What a call writes; the caller frees it. */
static char *written;
static size_t written_size;

static FILE *begin(void)
{
    return open_memstream(&written, &written_size);
}

static void expect(FILE *f, const char *text)
{
    fclose(f);
    assert_string_equal(written, text);
    free(written);
}

static void html__escapes_what_markup_is_made_of(void **state)
{
    (void)state;
    FILE *f = begin();
    html_text(f, "<a href=\"x\" on='y'>&amp;</a>");
    expect(f, "&lt;a href=&quot;x&quot; on=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
}

static void html__lets_no_other_byte_through(void **state)
{
    (void)state;
    for (int first = 1; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            char text[3] = {(char)first, (char)second, 0};
            FILE *f = begin();
            html_text(f, text);
            fclose(f);
            for (size_t i = 0; i < written_size; i++) {
                unsigned char c = (unsigned char)written[i];
                assert_true(c >= 0x80 || (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t');
                assert_false(c == '<' || c == '>' || c == '"' || c == '\'');
                if (c == '&')
                    assert_true(strchr(written + i, ';') != NULL);
            }
            free(written);
        }
}

static void html__replaces_what_is_no_utf8(void **state)
{
    (void)state;
    FILE *f = begin();
    html_text(f, "a\xff\xc3"
                 "b\xc3\xa9\x01");
    expect(f, "a\xef\xbf\xbd\xef\xbf\xbd"
              "b\xc3\xa9\xef\xbf\xbd");
}

static void html__cuts_long_formatted_text(void **state)
{
    (void)state;
    char text[5001];
    memset(text, '<', 5000);
    text[5000] = 0;
    FILE *f = begin();
    html_say(f, "%s", text);
    fclose(f);
    assert_int_equal(written_size, 4095 * 4);
    free(written);
}

static void html__names_are_cleaned_capped_and_isolated(void **state)
{
    (void)state;
    FILE *f = begin();
    html_name(f, "a\0<\x1b]", 5, 4);
    expect(f, "<bdi>a\\x00&lt;\\x1b...</bdi>");
}

static void html__tables_keep_exact_numbers(void **state)
{
    (void)state;
    static const struct column columns[] = {
        {"type", "type", CELL_TEXT}, {"hidden", NULL, CELL_COUNT}, {"size", "size", CELL_SIZE}, {"n", "n", CELL_COUNT}};
    const struct html_table table = {.id = "t", .caption = "<c>", .columns = columns, .count = 4};
    const struct cell cells[] = {cell_text("<x>"), cell_number(1), cell_number(1536), cell_null()};
    FILE *f = begin();
    html_table_begin(f, &table);
    html_table_row(f, &table, cells);
    html_table_end(f, &table);
    fclose(f);
    assert_non_null(strstr(written, "<caption class=\"unseen\">&lt;c&gt;</caption>"));
    assert_non_null(strstr(written, "<tr><td><bdi>&lt;x&gt;</bdi></td><td class=\"n\" data-v=\"1536\">1.50 KiB</td>"
                                    "<td class=\"n\">-</td></tr>"));
    assert_null(strstr(written, "hidden"));
    free(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html__escapes_what_markup_is_made_of),
        cmocka_unit_test(html__lets_no_other_byte_through),
        cmocka_unit_test(html__replaces_what_is_no_utf8),
        cmocka_unit_test(html__cuts_long_formatted_text),
        cmocka_unit_test(html__names_are_cleaned_capped_and_isolated),
        cmocka_unit_test(html__tables_keep_exact_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
