/* The refcount audit: what it rests on, which counts are not what the references say, and cycles that hang by those. */
#include <inttypes.h>
#include <stdlib.h>

#include "../answers/fold.h"
#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

enum { TYPES_SHOWN = 20, PINNED_SHOWN = 5, MEMBERS_SHOWN = 6 };

/* ---- coverage ---- */

static void meter(FILE *f, const char *id, const char *what, uint64_t part, uint64_t whole, int is_size)
{
    char n[2][TEXT_NUMBER_SIZE], percent[TEXT_NUMBER_SIZE];
    uint64_t share = text_share_of(part, whole);
    if (!whole)
        return;
    if (part < whole && share > TEXT_SHARE_WHOLE - 10) /* what is not whole never reads 100 % */
        share = TEXT_SHARE_WHOLE - 10;
    snprintf(percent, sizeof percent, "%" PRIu64 ".%" PRIu64 " %%", share / 100, share / 10 % 10);
    fputs("<div class=\"meter\" id=\"", f);
    html_text(f, id);
    fprintf(f, "\" data-part=\"%" PRIu64 "\" data-whole=\"%" PRIu64 "\"><b>", part, whole);
    html_text(f, percent);
    fputs("</b> ", f);
    if (is_size)
        html_say(f, "%s: %s of %s", what, text_size(part, n[0]), text_size(whole, n[1]));
    else
        html_say(f, "%s: %s of %s", what, text_count(part, n[0]), text_count(whole, n[1]));
    html_bar(f, share, "");
    fputs("</div>\n", f);
}

static void coverage(const struct report *r)
{
    const struct inquiry *q = &r->inquiry;
    const struct process_record *p = snapshot_process(r->s->snapshot);
    fputs("<h3>What the answer rests on</h3>\n<div class=\"meters\">\n", r->f);
    meter(r->f, "refcounts-explained", "refcounts explained by references and roots", q->audit.count[AUDIT_CLEAN],
          inquiry_auditable(q), 0);
    meter(r->f, "bytes-known", "the runtime's memory in known objects", p->known_bytes, p->runtime_bytes, 1);
    meter(r->f, "core-present", "memory the core should hold", p->memory_present, p->memory_expected, 1);
    fputs("</div>\n", r->f);
}

/* ---- classes ---- */

static int show_class(struct report *r, int c)
{
    const struct column columns[] = {
        {"type", "type", CELL_TEXT},
        {"objects", "objects", CELL_COUNT},
        {"size", "size", CELL_SIZE},
        {"references", inquiry_classes[c].references, CELL_COUNT},
        {"example", "for example", CELL_ADDRESS},
        {"refcount", "refcount", CELL_TEXT},
        {"possible", inquiry_classes[c].klass == AUDIT_POSSIBLY_OVER ? "possible holders" : NULL, CELL_TEXT},
    };
    const struct inquiry *q = &r->inquiry;
    const struct session *s = r->s;
    char id[40], title[NAME_SIZE], n[TEXT_NUMBER_SIZE], refcount[NAME_SIZE], possible[NAME_SIZE];
    uint64_t bytes = 0;
    size_t count;
    struct inquiry_group *groups = inquiry_groups(q, c, &count);
    if (!groups)
        return -1;
    snprintf(id, sizeof id, "audit-%s", inquiry_classes[c].key);
    snprintf(title, sizeof title, "%s %s %s", text_count(q->count[c], n),
             q->count[c] == 1 ? inquiry_classes[c].title_one : inquiry_classes[c].title, inquiry_classes[c].means);
    fputs("<h3>", r->f);
    html_text(r->f, title);
    fputs("</h3>\n", r->f);
    const struct html_table table = {
        .id = id, .caption = title, .class = "sortable", .columns = columns, .count = sizeof columns / sizeof *columns};
    html_table_begin(r->f, &table);
    for (size_t i = 0; i < count; i++) {
        const struct inquiry_group *g = &groups[i];
        if (i >= TYPES_SHOWN) {
            bytes += g->bytes;
            continue;
        }
        inquiry_describe(q, g->example, refcount);
        inquiry_list_possible(s, g->example, possible);
        struct text name = class_name(s, g->klass);
        struct cell cells[] = {cell_bytes(name.bytes, name.length),
                               cell_number(g->objects),
                               cell_number(g->bytes),
                               cell_number(g->references),
                               cell_number(graph_address(&s->graph, g->example)),
                               cell_text(refcount),
                               cell_text(possible)};
        html_table_row(r->f, &table, cells);
    }
    html_table_end(r->f, &table);
    report_more(r, count > TYPES_SHOWN ? count - TYPES_SHOWN : 0, "type", bytes);
    free(groups);
    return 0;
}

/* ---- pinned cycles ---- */

static void show_member(const struct report *r, ordinal o)
{
    char name[NAME_SIZE], count[NAME_SIZE];
    inquiry_describe(&r->inquiry, o, count);
    fputs("<li>", r->f);
    html_label(r->f, name_full(r->s, o, name));
    fputs(" <code>", r->f);
    html_say(r->f, "0x%" PRIx64, graph_address(&r->s->graph, o));
    fputs("</code> ", r->f);
    html_say(r->f, "refcount %s", count);
    inquiry_list_possible(r->s, o, name);
    if (*name) {
        fputs("; possibly held by ", r->f);
        html_label(r->f, name);
    }
    fputs("</li>\n", r->f);
}

static void show_pinned_cycle(const struct report *r, const struct pinned *p, uint64_t like)
{
    const struct audit *a = &r->inquiry.audit;
    const ordinal *members = a->components.member + a->components.member_start[p->component];
    char n[3][TEXT_NUMBER_SIZE];
    ordinal shown = 0;
    fputs("<li>", r->f);
    html_say(r->f, "%s, %s; %s", text_plural(p->objects, "object", n[0]), text_size(p->bytes, n[1]),
             text_plural(p->unexplained, "unexplained reference", n[2]));
    if (like)
        html_say(r->f, "; and %s more like it", text_count(like, n[0]));
    fputs("<ul>\n", r->f);
    for (ordinal m = 0; m < p->objects && shown < MEMBERS_SHOWN; m++)
        if (audit_unexplained(&r->s->graph, a, members[m]) > 0) {
            show_member(r, members[m]);
            shown++;
        }
    fputs("</ul></li>\n", r->f);
}

static int show_pinned(const struct report *r)
{
    const struct inquiry *q = &r->inquiry;
    size_t count = q->audit.pinned_count;
    uint64_t left = 0;
    char n[TEXT_NUMBER_SIZE];
    struct alike *alike = malloc((count + 1) * sizeof *alike);
    if (!alike)
        return -1;
    for (size_t i = 0; i < count; i++)
        alike[i] = (struct alike){inquiry_pinned_signature(q, &q->audit.pinned[i]), i, 1};
    fputs("<h3>", r->f);
    html_say(r->f, "Pinned: %s %s kept alive by unexplained references alone", text_plural(count, "cycle", n),
             count == 1 ? "is" : "are");
    fputs("</h3>\n<ul class=\"pinned\">\n", r->f);
    size_t shapes = fold_alike(alike, count, 0);
    for (size_t i = 0; i < shapes; i++)
        if (i < PINNED_SHOWN)
            show_pinned_cycle(r, &q->audit.pinned[alike[i].first], alike[i].count - 1);
        else
            left += alike[i].count;
    fputs("</ul>\n", r->f);
    report_more(r, left, "cycle", 0);
    free(alike);
    return 0;
}

int report_audit(struct report *r)
{
    const struct inquiry *q = &r->inquiry;
    int status = 0;
    size_t wrong = 0;
    fputs("<p>Each refcount beside the references there are: from objects, and from roots the runtime names. What has "
          "more of them than anybody holds was not released somewhere; what has fewer will be freed under its "
          "holders.</p>\n",
          r->f);
    coverage(r);
    for (int c = 0; c < INQUIRY_CLASSES && !status; c++) {
        wrong += q->count[c];
        status = q->count[c] ? show_class(r, c) : 0;
    }
    if (!wrong)
        fputs("<p class=\"good\">Every refcount that can be audited is what its holders say.</p>\n", r->f);
    if (!status && q->audit.pinned_count)
        status = show_pinned(r);
    return status;
}
