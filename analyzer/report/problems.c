/* What is likely wrong, each with how it is held, who refers to it, and the commands that show it. */
#include <inttypes.h>

#include "../render/html.h"
#include "../render/text.h"
#include "../parts/trace.h"
#include "report.h"

enum { STEPS_SHOWN = 10 };

static void show_step(const struct report *r, const struct path *path, size_t i)
{
    const struct session *s = r->s;
    FILE *f = r->f;
    char name[NAME_SIZE], label[NAME_SIZE];
    struct edge edge;
    fputs("<li>", f);
    if (i) {
        graph_edge(&s->graph, path->step[i - 1], path->edge[i], &edge);
        fputs("<i>", f);
        html_label(f, trace_folds(s, path, i - 1) ? name_attribute(s, &edge, label) : name_edge(s, &edge, label));
        fputs("</i> ", f);
    }
    html_label(f, name_full(s, path->step[i], name));
    fputs(" <code>", f);
    html_say(f, "0x%" PRIx64, graph_address(&s->graph, path->step[i]));
    fputs("</code></li>", f);
}

int report_path(struct report *r, ordinal o)
{
    const struct session *s = r->s;
    struct path path;
    char holder[TRACE_HOLDER_SIZE], n[TEXT_NUMBER_SIZE];
    size_t steps = 0, shown = 0;
    if (path_from_root(&s->graph, &s->roots, o, &path))
        return -1;
    for (size_t i = 0; i < path.length; i++)
        steps += !trace_folds(s, &path, i);
    size_t left = steps > STEPS_SHOWN + 1 ? steps - STEPS_SHOWN : 0; /* the two ends of a long path say most */
    if (path.length) {
        trace_holder(s, &path, holder);
        fputs("<ol class=\"path\" aria-label=\"how it is held\"><li class=\"root\">", r->f);
        html_label(r->f, holder);
        fputs("</li>", r->f);
    }
    for (size_t i = 0; i < path.length; i++) {
        if (trace_folds(s, &path, i))
            continue;
        if (left && shown == STEPS_SHOWN / 2) {
            fputs("<li class=\"more\">", r->f);
            html_say(r->f, "%s more steps", text_count(left, n));
            fputs("</li>", r->f);
        }
        if (!left || shown < STEPS_SHOWN / 2 || shown >= STEPS_SHOWN / 2 + left)
            show_step(r, &path, i);
        shown++;
    }
    if (path.length)
        fputs("</ol>\n", r->f);
    path_release(&path);
    return 0;
}

static int show_suspect(struct report *r, const struct suspect *p)
{
    const struct session *s = r->s;
    FILE *f = r->f;
    char n[TEXT_NUMBER_SIZE];
    uint64_t share = text_share_of(p->bytes, s->graph.bytes);
    fputs("<li class=\"suspect\" data-kind=\"", f);
    html_text(f, p->kind);
    fputs("\">\n<p class=\"sentence\">", f);
    html_text(f, p->sentence);
    fputs(".</p>\n<p class=\"share\">", f);
    html_bar(f, share, "");
    fputs("<span>", f);
    html_say(f, "%s of the heap", text_share(share, n));
    fputs("</span></p>\n", f);
    if (p->keeper != ORDINAL_NONE && report_path(r, p->keeper))
        return -1;
    if (p->klass != UINT32_MAX)
        referrers_show(r, r->referrers, p->klass);
    if (p->cycle != ORDINAL_NONE)
        fputs("<p><a href=\"#cycles\">The cycle as a picture, and where to cut it</a></p>\n", f);
    fputs("<details><summary>Commands that show it</summary><pre>", f);
    for (size_t e = 0; e < p->evidence_count; e++) {
        html_text(f, p->evidence[e]);
        fputc('\n', f);
    }
    fputs("</pre></details>\n</li>\n", f);
    return 0;
}

static int show_suspects(struct report *r)
{
    size_t shown = r->suspects.count < PROBLEMS_SHOWN ? r->suspects.count : PROBLEMS_SHOWN;
    int status = 0;
    fputs("<ol class=\"suspects\">\n", r->f);
    for (size_t i = 0; !status && i < shown; i++)
        status = show_suspect(r, &r->suspects.items[i]);
    fputs("</ol>\n", r->f);
    report_more(r, r->suspects.count - shown, "suspect", 0);
    return status;
}

/* What the audit found wrong, as one more thing that is likely wrong. */
static void show_audit(const struct report *r, size_t before)
{
    char sentence[HEADLINE_SIZE];
    if (!report_audit_sentence(r, sentence))
        return;
    fputs(before ? "<div class=\"suspect audit\">\n<p class=\"sentence plain\">Besides, "
                 : "<div class=\"suspect audit\">\n<p class=\"sentence plain\">",
          r->f);
    html_text(r->f, sentence);
    fputs(".</p>\n<p><a href=\"#audit\">The audit: which objects, and who may hold them</a></p>\n</div>\n", r->f);
}

int report_problems(struct report *r)
{
    char sentence[HEADLINE_SIZE];
    int status = 0;
    if (r->suspects.count)
        status = show_suspects(r);
    else if (!report_audit_sentence(r, sentence))
        fputs("<p>No holder keeps an unusual part of the heap, and no garbage is worth a word.</p>\n", r->f);
    show_audit(r, r->suspects.count);
    return status;
}
