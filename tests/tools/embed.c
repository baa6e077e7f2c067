/* embed SNAPSHOT: the first cycles of a heap as SVGs in one XML document, as a page embeds them. */
#include <stdio.h>

#include "../../analyzer/pictures/image.h"

enum { CYCLES = 3 };

int main(int argc, char **argv)
{
    struct session s = {.quiet = 1, .no_cache = 1};
    struct rh_error err;
    int status =
        argc != 2 || session_open(&s, argv[1], 0, &err) || session_dominators(&s, &err) || session_values(&s, &err);
    if (!status) {
        printf("<page><style>");
        svg_write_style(stdout);
        printf("</style>\n");
    }
    for (ordinal c = 0; !status && c < s.cycles.count && c < CYCLES; c++) {
        char ids[32];
        snprintf(ids, sizeof ids, "c%u-", (unsigned)c + 1);
        const struct svg_place place = {.fragment = 1, .ids = ids, .links = "#row-"};
        struct image image;
        status = image_of_cycle(&s, c, &place, &image, &err);
        if (!status)
            printf("<figure nodes=\"%zu\" edges=\"%zu\">%s</figure>\n", image.nodes, image.edges, image.bytes);
        image_release(&image);
    }
    if (!status)
        printf("</page>\n");
    else if (argc == 2)
        fprintf(stderr, "embed: %s\n", err.what);
    session_close(&s);
    return status ? 2 : 0;
}
