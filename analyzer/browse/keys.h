/* What the keys do: shown by `?` and by `refheap browse --help`, and so on the manual page, which takes indented lines
 * as they are. */
#ifndef BROWSE_KEYS_H
#define BROWSE_KEYS_H

#define BROWSE_KEYS                                                                         \
    "    Up Down PgUp PgDn Home End   move (also k j, g G, Space)\n"                        \
    "    Enter, Right                 open what is chosen\n"                                \
    "    Backspace, Left, q           back; q ends from the first view, Q from any\n"       \
    "    Tab, Shift-Tab, 1 to 7       another view of the heap\n"                           \
    "    o                            everything known of the object\n"                     \
    "    r                            referrers: the references that lead to it\n"          \
    "    e                            referents: the references it holds\n"                 \
    "    w                            why it is alive: a path from a root, the verdict\n"   \
    "    t                            the dominator tree below it: what it keeps\n"         \
    "    d                            draw it to a file\n"                                  \
    "    :                            go to 0xADDRESS, @RANK, root:NAME, type:NAME ...\n"   \
    "    / n N                        search for text; the next, the one before\n"          \
    "    s S                          sort by the next column; turn the order round\n"      \
    "    f                            show each of those that look alike, or fold them\n"   \
    "    < >                          shift long texts sideways\n"                          \
    "    Esc, Ctrl-C                  stop what is going on; Ctrl-C ends when nothing is\n" \
    "    ?                            these keys"

/* Keys as the browser takes them: characters, and these. */
enum browse_key {
    BROWSE_ENTER = 0x110000,
    BROWSE_BACK,
    BROWSE_ESCAPE,
    BROWSE_INTERRUPT,
    BROWSE_UP,
    BROWSE_DOWN,
    BROWSE_LEFT,
    BROWSE_RIGHT,
    BROWSE_PAGE_UP,
    BROWSE_PAGE_DOWN,
    BROWSE_HOME,
    BROWSE_END,
    BROWSE_TAB,
    BROWSE_TAB_BACK,
};

#endif
