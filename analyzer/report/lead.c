/* The top of the page: the likely problem in one sentence, and the heap in a few figures. */
#include <string.h>

#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

enum { TYPES_NAMED = 3 };

/* ---- the headline ---- */

/* "; the biggest types are buffer (844 KiB), connection (4.59 KiB) and list (424 B)" */
static void name_types(const struct report *r, char *to, size_t size)
{
    uint32_t named = r->types < TYPES_NAMED ? r->types : TYPES_NAMED;
    char name[NAME_SIZE], n[TEXT_NUMBER_SIZE];
    size_t used =
        (size_t)snprintf(to, size, "; the biggest type%s %s", named == 1 ? "" : "s", named == 1 ? "is" : "are");
    for (uint32_t i = 0; i < named && used < size; i++)
        used +=
            (size_t)snprintf(to + used, size - used, "%s %s (%s)",
                             !i               ? ""
                             : i + 1 == named ? " and"
                                              : ",",
                             name_class(r->s, r->by_size[i], name), text_size(r->s->sums[r->by_size[i]].shallow, n));
}

void report_headline(const struct report *r, char to[HEADLINE_SIZE])
{
    if (!r->types) {
        snprintf(to, HEADLINE_SIZE, "The heap is empty");
        return;
    }
    if (r->suspects.count)
        snprintf(to, HEADLINE_SIZE, "%s", r->suspects.items[0].sentence);
    else if (!report_audit_sentence(r, to))
        snprintf(to, HEADLINE_SIZE,
                 "Nothing suspicious: no holder keeps an unusual part of the heap, and no garbage "
                 "is worth a word");
    size_t used = strlen(to);
    name_types(r, to + used, HEADLINE_SIZE - used);
}

/* ---- figures ---- */

static void figure(FILE *f, const char *id, const char *name, uint64_t exact, const char *shown, const char *more)
{
    fputs("<div><dt>", f);
    html_text(f, name);
    fputs("</dt><dd><b id=\"", f);
    html_text(f, id);
    fprintf(f, "\" data-v=\"%llu\">", (unsigned long long)exact);
    html_text(f, shown);
    fputs("</b> <span>", f);
    html_text(f, more);
    fputs("</span></dd></div>\n", f);
}

static void figures(const struct report *r)
{
    const struct session *s = r->s;
    const struct garbage *g = &s->garbage[2];
    uint64_t unreachable = g->garbage.objects + g->dependent.objects + g->invisible.objects;
    uint64_t bytes = g->garbage.bytes + g->dependent.bytes + g->invisible.bytes;
    char n[2][TEXT_NUMBER_SIZE], more[128];
    fputs("<dl class=\"figures\">\n", r->f);
    figure(r->f, "objects", "objects", s->graph.objects, text_count(s->graph.objects, n[0]), "");
    figure(r->f, "bytes", "size", s->graph.bytes, text_size(s->graph.bytes, n[0]), "");
    snprintf(more, sizeof more, "%s of the heap", text_share(text_share_of(bytes, s->graph.bytes), n[1]));
    figure(r->f, "unreachable", "unreachable", bytes, text_size(bytes, n[0]), unreachable ? more : "nothing to free");
    figure(r->f, "cycle-count", s->cycles.count == 1 ? "garbage cycle" : "garbage cycles", s->cycles.count,
           text_count(s->cycles.count, n[0]), "");
    figure(r->f, "references", "references", s->graph.edges, text_count(s->graph.edges, n[0]), "");
    figure(r->f, "type-count", r->types == 1 ? "type" : "types", r->types, text_count(r->types, n[0]), "");
    fputs("</dl>\n", r->f);
}

/* ---- proportions ---- */

/* A part of a whole: its bytes, its name, its class in the style sheet. */
struct part {
    uint64_t bytes;
    const char *name, *class;
};

static void proportions(const struct report *r, const char *title, const struct part *parts, size_t count)
{
    FILE *f = r->f;
    uint64_t before = 0, whole = r->s->graph.bytes;
    char n[2][TEXT_NUMBER_SIZE];
    fputs("<figure class=\"split\"><figcaption>", f);
    html_text(f, title);
    fputs("</figcaption><svg aria-hidden=\"true\">", f);
    for (size_t i = 0; i < count; i++) {
        uint64_t from = text_share_of(before, whole), to = text_share_of(before + parts[i].bytes, whole);
        before += parts[i].bytes;
        if (to == from)
            continue;
        fprintf(f, "<rect x=\"%llu.%02llu%%\" width=\"%llu.%02llu%%\" height=\"100%%\" class=\"",
                (unsigned long long)from / 100, (unsigned long long)from % 100, (unsigned long long)(to - from) / 100,
                (unsigned long long)(to - from) % 100);
        html_text(f, parts[i].class);
        fputs("\"/>", f);
    }
    fputs("</svg><ul>", f);
    for (size_t i = 0; i < count; i++) {
        if (!parts[i].bytes)
            continue;
        fputs("<li><svg class=\"key ", f);
        html_text(f, parts[i].class);
        fputs("\" aria-hidden=\"true\"><rect width=\"100%\" height=\"100%\"/></svg>", f);
        html_label(f, parts[i].name);
        fputs(" <span>", f);
        html_say(f, "%s, %s", text_size(parts[i].bytes, n[0]), text_share(report_share(parts[i].bytes, whole), n[1]));
        fputs("</span></li>", f);
    }
    fputs("</ul></figure>\n", f);
}

static void all_proportions(const struct report *r)
{
    static const char *const classes[] = {"c1", "c2", "c3", "c4", "c5", "c6", "c7"};
    const struct session *s = r->s;
    const struct garbage *g = &s->garbage[2];
    uint64_t alive = s->graph.bytes - g->garbage.bytes - g->dependent.bytes - g->invisible.bytes,
             others = s->graph.bytes;
    const struct part fates[] = {
        {g->garbage.bytes, "garbage", "s-garbage"},
        {g->dependent.bytes, "freed with the garbage", "s-dependent"},
        {g->invisible.bytes, "garbage the collector cannot see", "s-invisible"},
        {alive, "alive", "s-live"},
    };
    struct part types[REPORT_COLOURS + 1];
    char names[REPORT_COLOURS][NAME_SIZE];
    size_t count = 0;
    for (; count < r->types && count < REPORT_COLOURS; count++) {
        uint64_t bytes = s->sums[r->by_size[count]].shallow;
        types[count] = (struct part){bytes, name_class(s, r->by_size[count], names[count]), classes[count]};
        others -= bytes;
    }
    types[count++] = (struct part){others, "all other types", "c0"};
    proportions(r, "What of it is alive", fates, sizeof fates / sizeof *fates);
    proportions(r, "What it is made of", types, count);
}

/* ---- where it is from ---- */

static void string_item(FILE *f, const struct session *s, const char *name, uint32_t id)
{
    struct text text = snapshot_string(s->snapshot, id);
    if (!text.length)
        return;
    fputs(" · ", f);
    html_text(f, name);
    fputs(" <code>", f);
    html_name(f, text.bytes, text.length, 120);
    fputs("</code>", f);
}

static void origin(const struct report *r, const struct session *s, const char *what)
{
    FILE *f = r->f;
    const struct process_record *p = snapshot_process(s->snapshot);
    const struct heap_record *h = snapshot_record(s->snapshot, SECTION_HEAPS, 0);
    char when[TEXT_NUMBER_SIZE];
    fputs("<p class=\"origin\">", f);
    html_text(f, what);
    fputs(" <code>", f);
    html_name(f, s->path, strlen(s->path), 200);
    fputs("</code> · ", f);
    html_say(f, "taken %s %s", text_time(snapshot_header(s->snapshot)->time, when), name_captured(p->captured));
    if (p->pid)
        html_say(f, " · process %llu", (unsigned long long)p->pid);
    string_item(f, s, "running", p->executable);
    string_item(f, s, "on", p->host);
    if (h)
        string_item(f, s, "heap of", h->runtime);
    fputs("</p>\n", f);
}

int report_lead(struct report *r)
{
    FILE *f = r->f;
    char headline[HEADLINE_SIZE];
    report_headline(r, headline);
    fputs("<header>\n<p class=\"eyebrow\">The likely problem</p>\n<h1>", f);
    html_text(f, headline);
    fputs(".</h1>\n", f);
    origin(r, r->s, "Snapshot");
    if (r->baseline)
        origin(r, &r->baseline->session, "Compared with");
    fputs("</header>\n", f);
    figures(r);
    all_proportions(r);
    return 0;
}
