/* What is done with the thing that is chosen. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../line/commands.h"
#include "browser.h"
#include "page.h"
#include "views.h"

/* ---- naming things to commands ---- */

/* A thing as an argument of the commands, whole; of types of one name it means all. Returns NULL without memory, or
 * when there is no such argument. */
static char *argument_of(const struct atlas *a, struct thing thing)
{
    char *text = NULL;
    int n = -1;
    if (thing.kind == THING_OBJECT)
        n = asprintf(&text, "0x%" PRIx64, graph_address(&a->s->graph, (ordinal)thing.number));
    if (thing.kind == THING_CYCLE)
        n = asprintf(&text, "cycle:%" PRIu64, thing.number + 1);
    if (thing.kind == THING_TYPE) {
        struct text name = class_name(a->s, (uint32_t)thing.number);
        n = asprintf(&text, "type:%.*s", (int)name.length, name.bytes);
    }
    return n < 0 ? NULL : text;
}

static void push_page(struct browser *b, const struct command *command, struct thing thing, const char *about)
{
    char *argument = argument_of(&b->atlas, thing), title[NAME_SIZE], name[NAME_SIZE];
    struct question q = {command, {argument}, 1};
    if (command->takes & OPT_LIMIT) { /* a path of a million steps is not read */
        q.words[q.count++] = "--limit";
        q.words[q.count++] = "1000";
    }
    snprintf(title, sizeof title, "%s%.200s", about, thing_name(&b->atlas, thing, name));
    struct view *page = argument ? view_page(&b->atlas, b->inv, &q, thing, title) : NULL;
    if (page)
        page->about = command->name;
    browse_push(b, page);
    free(argument);
}

/* ---- opening ---- */

void browse_open_thing(struct browser *b, struct thing thing)
{
    if (thing.kind == THING_OBJECT)
        push_page(b, &cmd_object, thing, "");
    else if (thing.kind != THING_NONE)
        browse_push(b, view_objects(&b->atlas, thing));
    else
        browse_say(b, "there is nothing behind this line");
}

static void push_tree(struct browser *b, struct thing thing)
{
    ordinal vertex =
        thing.kind == THING_OBJECT || thing.kind == THING_CYCLE ? keepers_vertex(&b->atlas, thing) : ORDINAL_NONE;
    if (vertex != ORDINAL_NONE)
        browse_push(b, view_keepers(&b->atlas, vertex));
    else if (thing.kind == THING_CYCLE)
        browse_say(b, "this cycle is held by another and keeps nothing by itself; choose one of its objects");
    else
        browse_say(b, "choose an object or a cycle");
}

static void push_references(struct browser *b, struct thing thing, int referrers)
{
    if (thing.kind == THING_OBJECT || thing.kind == THING_CYCLE || thing.kind == THING_TYPE)
        browse_push(b, view_references(&b->atlas, thing, referrers));
    else
        browse_say(b, "choose an object, a cycle or a type");
}

/* ---- drawing ---- */

enum { PATH_SIZE = 512 };

/* A name for a picture that nothing has: in the folder one is in, or where temporary files go. */
static int find_path(const char *what, const char *of, char path[PATH_SIZE])
{
    char text[PATH_SIZE];
    const char *temporary = getenv("TMPDIR"), *folder = "";
    if (access(".", W_OK))
        folder = temporary && *temporary ? temporary : "/tmp";
    for (int turn = 1; turn < 1000; turn++) {
        char number[16] = "";
        if (turn > 1)
            snprintf(number, sizeof number, "-%d", turn);
        int n = snprintf(path, PATH_SIZE, "%s%srefheap-%s-%s%s.svg", folder, *folder ? "/" : "", what, of, number);
        snprintf(text, sizeof text, "%.*sdot", n - 3, path);
        if (n >= PATH_SIZE)
            return -1;
        if (access(path, F_OK) && access(text, F_OK))
            return 0;
    }
    return -1;
}

static void draw(struct browser *b, struct thing thing)
{
    const struct view *v = browse_frame(b)->view;
    const char *what = "referrers";
    char path[PATH_SIZE];
    /* A view of references, or of a path, is drawn as the whole that it is. */
    if (v->about && v->subject.kind == THING_OBJECT && strcmp(v->about, "object")) {
        thing = v->subject;
        what = v->about;
    }
    if (thing.kind != THING_OBJECT && thing.kind != THING_CYCLE) {
        browse_say(b, "choose an object or a cycle to draw");
        return;
    }
    if (b->drawing.pid) {
        browse_say(b, "still drawing; Esc stops it");
        return;
    }
    char *argument = argument_of(&b->atlas, thing);
    struct question q = {&cmd_render, {what, argument, "-o", path}, 4};
    if (thing.kind == THING_CYCLE)
        q = (struct question){&cmd_render, {argument, "-o", path}, 3};
    const char *name = argument && thing.kind == THING_CYCLE ? argument + strlen("cycle:") : argument;
    if (!argument || find_path(thing.kind == THING_CYCLE ? "cycle" : what, name, path))
        browse_say(b, "there is no place to draw to");
    else if (answer_begin(&b->drawing, b->inv, &q))
        browse_say(b, "cannot draw now: no process can be made");
    else
        browse_say(b, "drawing %s ... (Esc stops it)", path);
    free(argument);
}

/* ---- keys ---- */

void browse_act(struct browser *b, int key)
{
    struct thing thing;
    if (!strchr("orewtd", key) || !key) {
        browse_say(b, "? shows what the keys do");
        return;
    }
    thing = browse_chosen(b);
    if (thing.kind == THING_NONE && key != 'd') {
        browse_say(b, "choose a line that stands for something");
    } else if (key == 'o' || key == 'w') {
        if (key == 'o' && thing.kind != THING_OBJECT)
            browse_say(b, "choose an object; Enter opens what is chosen");
        else if (thing.kind == THING_GENERATION)
            browse_say(b, "choose an object, a cycle or a type");
        else
            push_page(b, key == 'o' ? &cmd_object : &cmd_why, thing, key == 'o' ? "" : "why ");
    } else if (key == 'r' || key == 'e') {
        push_references(b, thing, key == 'r');
    } else if (key == 't') {
        push_tree(b, thing);
    } else {
        draw(b, thing);
    }
}

/* ---- going to what is named ---- */

void browse_go(struct browser *b, const char *text)
{
    struct thing thing = thing_named(&b->atlas, text);
    if (thing.kind == THING_NONE)
        browse_say(b, "\"%s\" names nothing here; write 0xADDRESS, @RANK, root:NAME, type:NAME or cycle:ID", text);
    else
        browse_open_thing(b, thing);
}
