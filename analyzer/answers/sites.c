#include "sites.h"

#include <stdlib.h>
#include <string.h>

#include "../session/names.h"

int sites_find(const struct session *s, struct sites *r)
{
    uint64_t sites = snapshot_count(s->snapshot, SECTION_SITES);
    uint32_t *number = calloc((size_t)sites + 1, sizeof *number); /* by site: of its text, 0 while it is not known */
    uint64_t *column = session_column(s, OBJECT_SITE);
    char name[NAME_SIZE];
    *r = (struct sites){.of_object = calloc((size_t)s->graph.objects + 1, sizeof *r->of_object)};
    int status = number && column && r->of_object && intern_text(&r->names, "(not recorded)") == 0 ? 0 : -1;
    for (ordinal o = 0; !status && o < s->graph.objects; o++) {
        uint64_t site = column[o];
        if (!site || site > sites) /* a damaged file may have lost it */
            continue;
        uint32_t *known = &number[site - 1];
        if (!*known && name_site(s, &site, name))
            *known = intern_text(&r->names, name);
        if (*known == UINT32_MAX)
            status = -1;
        r->of_object[o] = *known;
    }
    free(number);
    free(column);
    if (status)
        sites_release(r);
    return status;
}

void sites_release(struct sites *sites)
{
    free(sites->of_object);
    intern_release(&sites->names);
    *sites = (struct sites){0};
}
