/* render: pictures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../dumpfmt/error.h"
#include "commands.h"
#include "image.h"
#include "render/text.h"
#include "select.h"
#include "sketch.h"

enum { PATH_SIZE = 4096 };

/* ---- what to draw ---- */

static int draw_object(struct invocation *inv, struct sketch *sk, const char *what)
{
    char title[2 * NAME_SIZE], name[NAME_SIZE];
    ordinal o;
    int status;
    if (inv->argc < 2)
        return fail_usage(inv->command, "%s of what? refheap render SNAPSHOT %s OBJ -o FILE", what, what);
    if ((status = select_object(inv, inv->argv[1], &o)))
        return status;
    name_full(&inv->session, o, name);
    if (!strcmp(what, "why"))
        snprintf(title, sizeof title, "what keeps %s alive", name);
    else
        snprintf(title, sizeof title, "%s of %s", what, name);
    picture_set_title(&sk->picture, title);
    if (!strcmp(what, "why"))
        return sketch_path(sk, o);
    return sketch_neighbours(sk, o, !strcmp(what, "referrers"), inv->options.depth);
}

static int draw_cycle(struct invocation *inv, struct sketch *sk, const char *id)
{
    struct session *s = &inv->session;
    char *end, title[64];
    uint64_t number = strtoull(id, &end, 10);
    if (*end || !number || number > s->cycles.count)
        return fail_usage(inv->command, "there is no cycle \"%s\"; refheap cycles lists them", id);
    snprintf(title, sizeof title, "garbage cycle %llu", (unsigned long long)number);
    picture_set_title(&sk->picture, title);
    return sketch_cycle(sk, (ordinal)number - 1);
}

static int draw(struct invocation *inv, struct sketch *sk)
{
    const char *what = inv->argc ? inv->argv[0] : "cycles";
    int generation = inv->options.generation == GENERATION_ANY ? 2 : inv->options.generation;
    struct rh_error err;
    if (!strcmp(what, "referrers") || !strcmp(what, "referents") || !strcmp(what, "why"))
        return draw_object(inv, sk, what);
    if (inv->argc > 1)
        return fail_usage(inv->command, "too many arguments behind %s", what);
    if (!strncmp(what, "cycle:", 6))
        return draw_cycle(inv, sk, what + 6);
    if (strcmp(what, "cycles"))
        return fail_usage(inv->command, "cannot draw \"%s\"; it is cycles, cycle:ID, referrers, referents or why",
                          what);
    if (generation > 2)
        return fail_usage(inv->command, "--generation must be 0, 1 or 2: no other is collected");
    if (session_garbage(&inv->session, generation, &err))
        return fail(inv->session.path, &err);
    return sketch_cycles(sk, generation, inv->options.given & OPT_LIMIT ? inv->options.limit : 0);
}

/* ---- where to ---- */

static enum image_format format_of(const struct options *o)
{
    const char *dot = strrchr(o->output, '.');
    return image_format_named(o->format ? o->format : dot ? dot + 1 : "");
}

/* NAME.svg -> NAME.dot */
static void dot_path_for(const char *image, char to[PATH_SIZE])
{
    const char *dot = strrchr(image, '.'), *slash = strrchr(image, '/');
    int stem = dot && (!slash || dot > slash) ? (int)(dot - image) : (int)strlen(image);
    snprintf(to, PATH_SIZE, "%.*s.dot", stem, image);
}

/* Whether a file is one that may be replaced by the DOT text of a picture: none, or an earlier picture. */
static int may_replace(const char *path)
{
    char first[sizeof DOT_FIRST_LINE] = "";
    struct stat st;
    if (stat(path, &st))
        return 1;
    FILE *f = S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
    if (!f)
        return 0;
    size_t n = fread(first, 1, sizeof first - 1, f);
    fclose(f);
    return !n || !strcmp(first, DOT_FIRST_LINE);
}

static int write_file(struct invocation *inv, const char *bytes, size_t size, const char *path)
{
    struct target to;
    struct rh_error err;
    if (target_open(&to, path, inv->session.path, 0, &err))
        return fail(path, &err);
    fwrite(bytes, 1, size, to.stream);
    return target_close(&to, 0, &err) ? fail(path, &err) : 0;
}

/* The DOT text goes beside the image, unless the image goes to no place that has a beside. */
static int keep_dot(struct invocation *inv, const struct image *image)
{
    const char *path = inv->options.output;
    char dot_path[PATH_SIZE];
    struct stat st;
    if (!strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode)))
        return 0;
    dot_path_for(path, dot_path);
    if (!may_replace(dot_path))
        return fail_usage(inv->command,
                          "%s is in the way: the picture's text is kept there; move it, or draw to another name",
                          dot_path);
    return write_file(inv, image->dot, image->dot_size, dot_path);
}

/* The DOT text is written first: it is there whatever becomes of the layout. */
static int make_image(struct invocation *inv, const struct picture *picture, enum image_format format)
{
    static const struct svg_place alone;
    const char *path = inv->options.output;
    struct image image;
    struct rh_error err;
    session_progress(&inv->session, "laying out the picture");
    int status = image_make(picture, format, &alone, &image, &err);
    if (!image.dot)
        status = fail(path, &err);
    else if (format == IMAGE_DOT)
        status = write_file(inv, image.dot, image.dot_size, path);
    else if (keep_dot(inv, &image))
        status = STATUS_ERROR;
    else
        status = status ? fail(path, &err) : write_file(inv, image.bytes, image.size, path);
    image_release(&image);
    return status;
}

static void report(struct invocation *inv, const struct picture *picture)
{
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        json_string(&inv->out.json, "output", inv->options.output);
        json_uint(&inv->out.json, "nodes", picture->node_count);
        json_uint(&inv->out.json, "edges", picture->edge_count);
        json_end(&inv->out.json);
    } else {
        char nodes[TEXT_NUMBER_SIZE], edges[TEXT_NUMBER_SIZE];
        fprintf(inv->out.file, "%s: %s, %s%s\n", inv->options.output, text_plural(picture->node_count, "node", nodes),
                text_plural(picture->edge_count, "edge", edges),
                picture->node_count ? "" : ": there is no garbage to draw");
    }
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct rh_error err;
    struct sketch sk;
    if (!inv->options.output)
        return fail_usage(inv->command, "name the file to draw: -o FILE.svg (or .png, .pdf, .dot)");
    enum image_format format = format_of(&inv->options);
    if (format == IMAGE_FORMATS)
        return fail_usage(inv->command, "cannot tell the format of %s; use .svg, .png, .pdf or .dot, or --format",
                          inv->options.output);
    if (session_dominators(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    int status = sketch_init(&sk, s, "", inv->options.no_fold);
    if (!status)
        status = draw(inv, &sk);
    if (!status && sk.picture.no_memory)
        status = -1;
    if (!status)
        status = make_image(inv, &sk.picture, format);
    if (!status)
        report(inv, &sk.picture);
    sketch_release(&sk);
    if (status < 0) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the picture", "");
        return fail(s->path, &err);
    }
    return status;
}

static const struct option_words words[] = {
    {"", "cycles cycle: referrers referents why"},
    {"format", "svg png pdf dot"},
    {NULL, NULL},
};

const struct command cmd_render = {
    .name = "render",
    .summary = "draw cycles, referrers, referents, or what keeps an object alive",
    .arguments = "SNAPSHOT [cycles | cycle:ID | referrers OBJ | referents OBJ | why OBJ] -o FILE",
    .help =
        "Draws the garbage cycles (unless told otherwise) to FILE.svg, .png, .pdf or .dot; the .dot is kept beside an\n"
        "image. Cycles of one shape are drawn once, and alike neighbours are folded into one node; --no-fold draws\n"
        "each. The reference worth making weak is marked.",
    .takes = OPT_JSON | OPT_SALVAGE | OPT_NO_CACHE | OPT_QUIET | OPT_OUTPUT | OPT_GENERATION | OPT_DEPTH | OPT_LIMIT |
             OPT_NO_FOLD | OPT_FORMAT,
    .reads_snapshot = 1,
    .arguments_max = 2,
    .default_depth = 2,
    .writes_file = 1,
    .words = words,
    .run = run,
};
