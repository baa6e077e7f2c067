/* What several sections say in the same words. */
#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

int report_audit_sentence(const struct report *r, char to[HEADLINE_SIZE])
{
    const struct inquiry *q = &r->inquiry;
    char n[TEXT_NUMBER_SIZE];
    for (int c = 0; c < INQUIRY_CLASSES; c++) {
        if (!q->count[c] || inquiry_classes[c].klass == AUDIT_POSSIBLY_OVER ||
            inquiry_classes[c].klass == AUDIT_POSSIBLY_UNDER)
            continue;
        snprintf(to, HEADLINE_SIZE, "%s %s %s", text_count(q->count[c], n),
                 q->count[c] == 1 ? inquiry_classes[c].title_one : inquiry_classes[c].title, inquiry_classes[c].means);
        return 1;
    }
    return 0;
}

uint64_t report_share(uint64_t part, uint64_t whole)
{
    uint64_t share = text_share_of(part, whole);
    return share || !part ? share : 1;
}

void report_more(const struct report *r, uint64_t count, const char *noun, uint64_t bytes)
{
    char n[2][TEXT_NUMBER_SIZE], word[32];
    if (!count)
        return;
    snprintf(word, sizeof word, "more %s", noun);
    fputs("<p class=\"more\">", r->f);
    html_say(r->f, "and %s", text_plural(count, word, n[0]));
    if (bytes)
        html_say(r->f, ", %s", text_size(bytes, n[1]));
    fputs("</p>\n", r->f);
}
