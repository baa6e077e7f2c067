/* How the states of objects look in DOT, for the nodes and the legend. */
#include <string.h>

#include "dot.h"

/* Each state has an outline of its own, for a printer without colours. */
const struct dot_look dot_looks[PICTURE_STATES] = {
    [PICTURE_LIVE] = {"alive", "alive", COLOR_LIVE, COLOR_LIVE_FILL, "solid", 1.2},
    [PICTURE_GARBAGE] = {"garbage", "garbage", COLOR_GARBAGE, COLOR_GARBAGE_FILL, "bold", 2.4},
    [PICTURE_DEPENDENT] = {"dependent", "freed with the garbage", COLOR_DEPENDENT, COLOR_DEPENDENT_FILL, "dashed", 1.4},
    [PICTURE_INVISIBLE] = {"invisible", "garbage the collector cannot see", COLOR_INVISIBLE, COLOR_INVISIBLE_FILL,
                           "dotted", 2.4},
    [PICTURE_ROOT] = {"root", "root", COLOR_ROOT, COLOR_ROOT_FILL, "solid", 1.6},
    [PICTURE_NEW] = {"new", "new", COLOR_NEW, COLOR_NEW_FILL, "bold", 2.4},
    [PICTURE_GONE] = {"gone", "gone", COLOR_GONE, COLOR_GONE_FILL, "dotted", 1.4},
};

const char *picture_state_name(unsigned state)
{
    return dot_looks[state].name;
}

void dot_put_html(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        case '\\': /* with some letters behind it in one piece of text, Graphviz puts the node's name there */
            fputs(text[1] && strchr("NGETHL", text[1]) ? "<font>&#92;</font>" : "&#92;", f);
            break;
        case '\n':
            fputs("<br align=\"left\"/>", f);
            break;
        default:
            fputc(*text, f);
        }
}
