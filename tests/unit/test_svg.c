/* What Graphviz writes is let through only as far as a picture needs it. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "../../analyzer/render/svg.h"

#define HEAD                                                                                                                \
    "<?xml version=\"1.0\"?>\n<!DOCTYPE svg>\n<!-- a comment -->\n<svg width=\"1pt\" xmlns=\"http://www.w3.org/2000/svg\">" \
    "<g id=\"graph0\"><title>refheap</title>"
#define TAIL "</g></svg>\n"
#define NODE "<g id=\"node1\" class=\"node\"><title>n0</title><g id=\"a_node1\">"

static struct picture one_node(void)
{
    struct picture p;
    picture_init(&p, "a <b> title");
    picture_add_node(&p, &(struct picture_node){.title = "n", .tooltip = "a & b\nline"});
    return p;
}

/* The SVG made of what stands between head and tail, or NULL when it is refused; to be freed. */
static char *finish(const char *inside, const struct svg_place *place)
{
    struct picture p = one_node();
    char raw[2048], *text = NULL;
    size_t size;
    struct rh_error err;
    snprintf(raw, sizeof raw, "%s%s%s", HEAD, inside, TAIL);
    FILE *to = open_memstream(&text, &size);
    int status = svg_finish(raw, strlen(raw), &p, place, to, &err);
    fclose(to);
    picture_release(&p);
    if (status) {
        assert_non_null(strstr(err.what, "Graphviz wrote an SVG with"));
        free(text);
        return NULL;
    }
    return text;
}

static void svg__refuses_what_no_picture_needs(void **state)
{
    (void)state;
    static const char *const hostile[] = {
        "<script>alert(1)</script>",
        "<foreignObject/>",
        "<image/>",
        "<style>*{}</style>",
        "<g onclick=\"x\"/>",
        "<g style=\"x\"/>",
        "<a xlink:href=\"javascript:x\"/>",
        "<a xlink:href=\"http://example.org\"/>",
        "<a href=\"#x\"/>",
        "<g id='x'/>",
        "<g id=x/>",
        "<g id=\"x/>",
        "<g id=\"&#1;\"/>",
        "<g id=\"&nbsp;\"/>",
        "<g id=\"&#xffff;\"/>",
        "<g id=\"&#65535;\"/>",
        "<g id=\"&#55296;\"/>",
        "<g id=\"a<b\"/>",
        "<text>\x01</text>",
        "<text>\xff</text>",
        "<text>\xef\xbf\xbf</text>",
        "<text>&</text>",
        "<text>&amp</text>",
        "<text>",
        "</g>",
        "<g></text></g>",
        "<g",
        "<svg/>",
        "<!DOCTYPE x>",
        "<?php x?>",
        "<!-- no end",
        "<",
        "<G/>",
        "<g id=\"1\" id=\"2\" id=\"3\" id=\"4\" id=\"5\" id=\"6\" id=\"7\" id=\"8\" id=\"9\" id=\"a\" id=\"b\" id=\"c\" id=\"d\" "
        "id=\"e\" id=\"f\" id=\"g\" id=\"h\" id=\"i\" id=\"j\" id=\"k\" id=\"l\" id=\"m\" id=\"n\" id=\"o\" id=\"p\"/>",
        "<g><g><g><g><g><g><g><g><g><g><g><g><g><g><g><g>",
    };
    const struct svg_place alone = {0};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        char *text = finish(hostile[i], &alone);
        if (text)
            fail_msg("let through: %s", hostile[i]);
    }
}

static void svg__refuses_any_cut_off_text(void **state)
{
    (void)state;
    static const char whole[] = HEAD NODE "<a xlink:href=\"#x\"><text x=\"1\">a&amp;b</text></a></g></g>" TAIL;
    const struct svg_place alone = {0};
    struct picture p = one_node();
    for (size_t n = strlen("<?xml version=\"1.0\"?>\n<!DOCTYPE svg>\n<!-- a comment -->\n<"); n <= strlen(whole); n++) {
        char *text = NULL, *exact = malloc(n); /* what lies behind the end is found by a sanitizer */
        size_t size;
        struct rh_error err;
        assert_non_null(exact);
        memcpy(exact, whole, n);
        FILE *to = open_memstream(&text, &size);
        int status = svg_finish(exact, n, &p, &alone, to, &err);
        fclose(to);
        free(text);
        free(exact);
        assert_int_equal(status == 0, n >= strlen(whole) - 1); /* the last is the end of the line */
    }
    picture_release(&p);
}

static void svg__says_titles_and_style(void **state)
{
    (void)state;
    const struct svg_place alone = {0};
    char *text = finish(NODE "<a xlink:href=\"#object-0x1\" xlink:title=\"x\"/></g></g>", &alone);
    assert_non_null(text);
    assert_non_null(strstr(text, "<?xml"));
    assert_non_null(strstr(text, "<title>a &lt;b&gt; title</title>"));
    assert_non_null(strstr(text, "<title>a &amp; b\nline</title>"));
    assert_non_null(strstr(text, "<a xlink:href=\"#object-0x1\"/>"));
    assert_non_null(strstr(text, "prefers-color-scheme:dark"));
    assert_null(strstr(text, "xlink:title"));
    assert_null(strstr(text, "a_node1"));
    assert_null(strstr(text, "comment"));
    assert_null(strstr(text, "refheap</title>"));
    free(text);
}

static void svg__stands_in_a_page(void **state)
{
    (void)state;
    const struct svg_place place = {.fragment = 1, .ids = "p7-", .links = "list.html?a&b#"};
    char *text = finish(NODE "<a xlink:href=\"#object-0x1\"/></g></g>", &place);
    assert_non_null(text);
    assert_int_equal(strncmp(text, "<svg ", 5), 0);
    assert_non_null(strstr(text, "id=\"p7-node1\""));
    assert_non_null(strstr(text, "<a xlink:href=\"list.html?a&amp;b#object-0x1\"/>"));
    assert_null(strstr(text, "<style>"));
    free(text);
    const struct svg_place plain = {.fragment = 1, .ids = "q-"};
    text = finish("<a xlink:href=\"#object-0x1\"/>", &plain);
    assert_non_null(text);
    assert_non_null(strstr(text, "<a xlink:href=\"#q-object-0x1\"/>"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(svg__refuses_what_no_picture_needs),
        cmocka_unit_test(svg__refuses_any_cut_off_text),
        cmocka_unit_test(svg__says_titles_and_style),
        cmocka_unit_test(svg__stands_in_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
