/* The page around the sections. A content security policy lets nothing run but the script and the style that are built
 * in, known by their hashes, and nothing be fetched. */
#include <string.h>

#include "../render/html.h"
#include "../render/text.h"
#include "assets.h"
#include "report.h"

struct chapter {
    const char *id, *title, *short_title;
    int (*write)(struct report *r);
};

static const struct chapter chapters[] = {
    {"problems", "What is likely wrong", "Findings", report_problems},
    {"changes", "What changed", "Changes", report_changes},
    {"cycles", "Garbage cycles", "Cycles", report_cycles},
    {"keepers", "Biggest keepers", "Keepers", report_keepers},
    {"types", "Types", "Types", report_types},
    {"generations", "Generations", "Generations", report_generations},
    {"audit", "Refcount audit", "Audit", report_audit},
    {"waste", "Duplicates and waste", "Waste", report_waste},
    {"limits", "What the evidence cannot show", "Limits", report_limits},
};
enum { CHAPTERS = sizeof chapters / sizeof *chapters };

static int is_there(const struct report *r, const struct chapter *chapter)
{
    return chapter->write != report_changes || r->baseline;
}

static void begin_page(struct report *r)
{
    FILE *f = r->f;
    const char *slash = strrchr(r->s->path, '/');
    fputs(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; "
        "img-src data:; style-src '" PAGE_CSS_HASH "'; script-src '" PAGE_JS_HASH
        "'; require-trusted-types-for 'script'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<meta name=\"generator\" content=\"refheap " REFHEAP_VERSION "\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<title>",
        f);
    html_text(f, slash ? slash + 1 : r->s->path);
    fputs(" – refheap report</title>\n<style>", f);
    fwrite(page_css, 1, PAGE_CSS_SIZE, f);
    fputs("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#problems\">To the findings</a>\n", f);
}

static void navigation(struct report *r)
{
    fputs("<nav aria-label=\"Sections\"><ul>", r->f);
    for (size_t i = 0; i < CHAPTERS; i++) {
        if (!is_there(r, &chapters[i]))
            continue;
        fputs("<li><a href=\"#", r->f);
        html_text(r->f, chapters[i].id);
        fputs("\">", r->f);
        html_text(r->f, chapters[i].short_title);
        fputs("</a></li>", r->f);
    }
    fputs("</ul></nav>\n", r->f);
}

static int write_chapter(struct report *r, const struct chapter *chapter)
{
    FILE *f = r->f;
    fputs("<section id=\"", f);
    html_text(f, chapter->id);
    fputs("\" aria-labelledby=\"", f);
    html_text(f, chapter->id);
    fputs("-title\">\n<h2 id=\"", f);
    html_text(f, chapter->id);
    fputs("-title\">", f);
    html_text(f, chapter->title);
    fputs("</h2>\n", f);
    int status = chapter->write(r);
    fputs("</section>\n", f);
    return status;
}

static void end_page(struct report *r)
{
    char uuid[UUID_SIZE];
    fputs("<footer>", r->f);
    html_say(r->f, "Made by refheap " REFHEAP_VERSION " of snapshot %s. Nothing of it leaves this page.",
             name_uuid(r->s, uuid));
    fputs("</footer>\n<script>", r->f);
    fwrite(page_js, 1, PAGE_JS_SIZE, r->f);
    fputs("</script>\n</body>\n</html>\n", r->f);
}

int report_write(struct report *r)
{
    begin_page(r);
    fputs("<main>\n", r->f);
    int status = report_lead(r);
    navigation(r);
    for (size_t i = 0; !status && i < CHAPTERS; i++)
        if (is_there(r, &chapters[i]))
            status = write_chapter(r, &chapters[i]);
    fputs("</main>\n", r->f);
    end_page(r);
    return status;
}
