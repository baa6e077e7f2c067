/* Things by the names they have on the command line. */
#include <stdlib.h>
#include <string.h>

#include "../line/options.h"
#include "view.h"

static int is_name(struct text text, const char *name)
{
    return text.length == strlen(name) && !memcmp(text.bytes, name, text.length);
}

struct thing thing_named(const struct atlas *a, const char *text)
{
    const struct session *s = a->s;
    const struct thing none = {THING_NONE, 0};
    uint64_t number;
    char *end;
    if (!strncmp(text, "0x", 2)) {
        ordinal o = address_index_find(&s->graph.index, strtoull(text, &end, 16));
        return *end || o == ORDINAL_NONE ? none : (struct thing){THING_OBJECT, o};
    }
    if (*text == '@')
        return parse_number(text + 1, &number) || number >= s->graph.objects ? none
                                                                             : (struct thing){THING_OBJECT, number};
    if (!strncmp(text, "cycle:", 6))
        return parse_number(text + 6, &number) || !number || number > s->cycles.count
                   ? none
                   : (struct thing){THING_CYCLE, number - 1};
    for (size_t i = 0; !strncmp(text, "root:", 5) && i < s->roots.count; i++)
        if (is_name(snapshot_string(s->snapshot, s->roots.items[i].record->name), text + 5))
            return (struct thing){THING_OBJECT, s->roots.items[i].object};
    for (uint32_t c = 0; !strncmp(text, "type:", 5) && c < s->classes.count; c++)
        if (s->sums[c].count && is_name(class_name(s, c), text + 5))
            return (struct thing){THING_TYPE, c};
    return none;
}

enum { WORD_SIZE = 256 };

struct thing thing_in_line(const struct atlas *a, const char *line)
{
    static const char *const beginnings[] = {"0x", "cycle:", "type:", "root:"};
    static const char around[] = " \"'()[]";
    struct thing found = {THING_NONE, 0};
    char word[WORD_SIZE];
    for (const char *p = line; *p;) {
        p += strspn(p, around);
        size_t n = strcspn(p, around), kept = n;
        while (kept && strchr(",.;:", p[kept - 1]))
            kept--;
        for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
            if (kept < WORD_SIZE && !strncmp(p, beginnings[i], strlen(beginnings[i]))) {
                memcpy(word, p, kept);
                word[kept] = 0;
                struct thing thing = thing_named(a, word);
                found = thing.kind == THING_NONE ? found : thing;
            }
        p += n;
    }
    return found;
}
