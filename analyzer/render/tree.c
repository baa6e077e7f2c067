#include "tree.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>

/* Whether the user's terminal takes UTF-8. The program's own locale stays "C", so that numbers are written alike. */
static int locale_is_unicode(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    int unicode = locale && !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");
    if (locale)
        freelocale(locale);
    return unicode;
}

void tree_begin(struct tree_lines *t, FILE *file)
{
    *t = (struct tree_lines){.file = file, .unicode = locale_is_unicode()};
}

void tree_line(struct tree_lines *t, size_t depth, int is_last)
{
    static const char *const ascii[] = {"|  ", "   ", "|- ", "`- "}, *const lines[] = {"│  ", "   ", "├─ ", "└─ "};
    const char *const *part = t->unicode ? lines : ascii;
    t->closed[depth] = (uint8_t)is_last;
    for (size_t d = 1; d < depth; d++)
        fputs(part[t->closed[d]], t->file);
    if (depth)
        fputs(part[2 + is_last], t->file);
}
