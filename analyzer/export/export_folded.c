#include "export.h"
#include "../session/names.h"
#include "../answers/type_paths.h"

enum { FRAMES_MAX = 200 };

/* What separates frames and ends the line may not be in a name. */
static void put_name(const struct session *s, uint32_t class, FILE *file)
{
    char name[NAME_SIZE];
    for (const char *c = class == s->classes.count ? "(garbage cycle)" : name_class(s, class, name); *c; c++)
        fputc(*c == ';' ? ':' : *c, file);
}

static void put_lines(const struct session *s, const struct type_paths *t, FILE *file)
{
    for (uint32_t i = 1; i < t->count; i++) {
        uint32_t path[FRAMES_MAX], n = 0;
        if (!t->frames[i].bytes)
            continue;
        for (uint32_t f = i; f; f = t->frames[f].parent)
            path[n++] = t->frames[f].class;
        while (n) {
            put_name(s, path[--n], file);
            fputc(n ? ';' : ' ', file);
        }
        fprintf(file, "%llu\n", (unsigned long long)t->frames[i].bytes);
    }
}

int export_folded(const struct session *s, FILE *file)
{
    struct type_paths paths;
    int status = type_paths_find(s, FRAMES_MAX, &paths);
    if (!status)
        put_lines(s, &paths, file);
    type_paths_release(&paths);
    return status;
}
