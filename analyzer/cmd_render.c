/* render: pictures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "answers/generations.h"
#include "pictures/image.h"
#include "answers/keepers.h"
#include "line/options.h"
#include "render/text.h"
#include "line/select.h"
#include "pictures/sketch_tree.h"

enum { PATH_SIZE = 4096 };

static const struct own_option own[] = {
    {"nodes", "N", "draw at most N nodes (60 unless told); what does not fit is folded, and said"},
    {NULL, NULL, NULL},
};
enum { OWN_NODES };

/* ---- what to draw ---- */

static uint64_t depth_or(const struct invocation *inv, uint64_t usual)
{
    return inv->options.given & OPT_DEPTH ? inv->options.depth : usual;
}

static int draw_cycles(struct invocation *inv, struct sketch *sk, const char *what)
{
    int generation = inv->options.generation == GENERATION_ANY ? 2 : inv->options.generation;
    struct rh_error err;
    (void)what;
    if (generation > 2)
        return fail_usage(inv->command, "--generation must be 0, 1 or 2: no other is collected");
    if (session_garbage(&inv->session, generation, &err))
        return fail(inv->session.path, &err);
    return sketch_cycles(sk, generation, inv->options.given & OPT_LIMIT ? inv->options.limit : 0);
}

static int draw_cycle(struct invocation *inv, struct sketch *sk, const char *id)
{
    char title[64];
    uint64_t number;
    if (parse_number(id, &number) || !number || number > inv->session.cycles.count)
        return fail_usage(inv->command, "there is no cycle \"%s\"; refheap cycles lists them", id);
    snprintf(title, sizeof title, "garbage cycle %llu", (unsigned long long)number);
    picture_set_title(&sk->picture, title);
    return sketch_cycle(sk, (ordinal)number - 1);
}

static int draw_neighbours(struct invocation *inv, struct sketch *sk, const char *what)
{
    char title[2 * NAME_SIZE], name[NAME_SIZE];
    ordinal o;
    int status = select_object(inv, inv->argv[1], &o);
    if (status)
        return status;
    snprintf(title, sizeof title, "%s of %s", what, name_full(&inv->session, o, name));
    picture_set_title(&sk->picture, title);
    return sketch_neighbours(sk, o, !strcmp(what, "referrers"), depth_or(inv, 2));
}

/* The path to one object, or the paths to several as one tree. */
static int draw_why(struct invocation *inv, struct sketch *sk, const char *what)
{
    char title[2 * NAME_SIZE], name[NAME_SIZE], n[2][TEXT_NUMBER_SIZE];
    struct session *s = &inv->session;
    struct selection set;
    uint64_t bytes = 0;
    (void)what;
    int status = select_objects(inv, inv->argv[1], &set);
    if (status)
        return status;
    for (size_t i = 0; i < set.count; i++)
        bytes += graph_size(&s->graph, set.objects[i]);
    if (!set.count) {
        status =
            fail_usage(inv->command, "\"%s\" names no object; \"refheap summary\" lists what there is", inv->argv[1]);
    } else if (set.count == 1) {
        int alive = s->garbage[2].fate[set.objects[0]] == FATE_LIVE;
        snprintf(title, sizeof title, alive ? "what keeps %s alive" : "what holds %s, which is not alive",
                 name_full(s, set.objects[0], name));
        picture_set_title(&sk->picture, title);
        status = sketch_path(sk, set.objects[0]);
    } else {
        text_clean(inv->argv[1], strlen(inv->argv[1]), 80, name, sizeof name);
        snprintf(title, sizeof title, "what holds %s: %s, %s", name, text_plural(set.count, "object", n[0]),
                 text_size(bytes, n[1]));
        picture_set_title(&sk->picture, title);
        status = sketch_merged(sk, set.objects, set.count, depth_or(inv, 12), PICTURE_STATES);
    }
    select_release(&set);
    return status;
}

static int draw_dominators(struct invocation *inv, struct sketch *sk, const char *what)
{
    char title[2 * NAME_SIZE], name[NAME_SIZE];
    ordinal start = dominators_root(&inv->session.dominators);
    int status = inv->argc > 1 ? select_keeper(inv, inv->argv[1], &start) : 0;
    (void)what;
    if (status)
        return status;
    snprintf(title, sizeof title, "what is kept by %s", keeper_name(&inv->session, start, name));
    picture_set_title(&sk->picture, inv->argc > 1 ? title : "what keeps what");
    return sketch_dominators(sk, start, depth_or(inv, 6));
}

static int draw_generations(struct invocation *inv, struct sketch *sk, const char *what)
{
    struct session *s = &inv->session;
    struct rh_error err;
    struct generation_row *rows = generations_count(s, &err);
    char title[160], n[2][TEXT_NUMBER_SIZE];
    (void)what;
    if (!rows)
        return fail(s->path, &err);
    snprintf(title, sizeof title, "generations: %s, %s", text_plural(s->graph.objects, "object", n[0]),
             text_size(s->graph.bytes, n[1]));
    picture_set_title(&sk->picture, title);
    int status = sketch_generations(sk, rows);
    free(rows);
    return status;
}

static int draw_diff(struct invocation *inv, struct sketch *sk, const char *what)
{
    struct rh_error err;
    (void)what;
    int status = open_another(inv, inv->argv[1]);
    if (status)
        return status;
    if (session_graph(&inv->more[0], &err))
        return fail(inv->more[0].path, &err);
    return sketch_difference(sk, &inv->more[0], depth_or(inv, 12));
}

static const struct kind {
    const char *name;
    const char *of; /* what its argument is, or NULL */
    int needs_one;
    int (*draw)(struct invocation *inv, struct sketch *sk, const char *what);
} kinds[] = {
    {"cycles", NULL, 0, draw_cycles},          {"referrers", "OBJ", 1, draw_neighbours},
    {"referents", "OBJ", 1, draw_neighbours},  {"why", "OBJ", 1, draw_why},
    {"dominators", "OBJ", 0, draw_dominators}, {"generations", NULL, 0, draw_generations},
    {"diff", "EARLIER", 1, draw_diff},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int draw(struct invocation *inv, struct sketch *sk)
{
    const char *what = inv->argc ? inv->argv[0] : "cycles";
    size_t k = 0;
    if (!strncmp(what, "cycle:", 6))
        return inv->argc > 1 ? fail_usage(inv->command, "too many arguments behind %s", what)
                             : draw_cycle(inv, sk, what + 6);
    while (k < KINDS && strcmp(what, kinds[k].name))
        k++;
    if (k == KINDS)
        return fail_usage(inv->command,
                          "cannot draw \"%s\"; it is cycles, cycle:ID, referrers, referents, why, dominators, "
                          "generations or diff",
                          what);
    if (kinds[k].needs_one && inv->argc < 2)
        return fail_usage(inv->command, "%s of what? refheap render SNAPSHOT %s %s -o FILE", what, what, kinds[k].of);
    if (!kinds[k].of && inv->argc > 1)
        return fail_usage(inv->command, "too many arguments behind %s", what);
    return kinds[k].draw(inv, sk, what);
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
    struct json *j = &inv->out.json;
    char nodes[TEXT_NUMBER_SIZE], edges[TEXT_NUMBER_SIZE];
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        json_string(j, "output", inv->options.output);
        json_uint(j, "nodes", picture->node_count);
        json_uint(j, "edges", picture->edge_count);
        if (picture->left_out)
            json_string(j, "left_out", picture->left_out);
        else
            json_null(j, "left_out");
        json_end(j);
        return;
    }
    fprintf(inv->out.file, "%s: %s, %s", inv->options.output, text_plural(picture->node_count, "node", nodes),
            text_plural(picture->edge_count, "edge", edges));
    if (!picture->node_count)
        fputs(": there is nothing to draw", inv->out.file);
    if (picture->left_out)
        fprintf(inv->out.file, "; not drawn: %s", picture->left_out);
    fputc('\n', inv->out.file);
}

static int make_sketch(struct invocation *inv, struct sketch *sk, size_t nodes)
{
    int status = sketch_init(sk, &inv->session, "", inv->options.no_fold, nodes);
    if (!status)
        status = draw(inv, sk);
    return status ? status : sketch_end(sk);
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct rh_error err;
    struct sketch sk;
    uint64_t nodes = 0;
    if (!inv->options.output)
        return fail_usage(inv->command, "name the file to draw: -o FILE.svg (or .png, .pdf, .dot)");
    enum image_format format = format_of(&inv->options);
    if (format == IMAGE_FORMATS)
        return fail_usage(inv->command, "cannot tell the format of %s; use .svg, .png, .pdf or .dot, or --format",
                          inv->options.output);
    if (inv->own[OWN_NODES] &&
        (parse_number(inv->own[OWN_NODES], &nodes) || nodes < SKETCH_NODES_MIN || nodes > SKETCH_NODES_MAX))
        return fail_usage(inv->command, "--nodes must be a number from %d to %d", SKETCH_NODES_MIN, SKETCH_NODES_MAX);
    if (session_dominators(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    int status = make_sketch(inv, &sk, (size_t)nodes);
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
    {"", "cycles cycle: referrers referents why dominators generations diff"},
    {"format", "svg png pdf dot"},
    {NULL, NULL},
};

const struct command cmd_render = {
    .name = "render",
    .summary = "draw cycles, referrers, referents, paths, dominators, generations, or a difference",
    .arguments = "SNAPSHOT [KIND [OBJ]] -o FILE",
    .help =
        "Draws to FILE.svg, .png, .pdf or .dot; the .dot is kept beside an image. KIND is cycles (unless told otherwise),\n"
        "the garbage cycles, one of each shape, with the reference to cut; cycle:ID, one of them; referrers OBJ or\n"
        "referents OBJ, what is around an object, --depth 2 unless told; why OBJ, the path that keeps it alive, or of a\n"
        "set the paths to all of it, merged; dominators [OBJ|cycle:ID], what keeps what; generations, how full each is,\n"
        "with what, and what refers from one to another; diff EARLIER, what is new since that snapshot and what holds\n"
        "it, and what is gone. Alike neighbours are folded into one node, and what finds no room is told, in the picture\n"
        "too; --no-fold draws each. If the layout fails, the .dot is there.",
    .takes = OPT_JSON | OPT_SALVAGE | OPT_NO_CACHE | OPT_QUIET | OPT_OUTPUT | OPT_GENERATION | OPT_DEPTH | OPT_LIMIT |
             OPT_NO_FOLD | OPT_FORMAT,
    .reads_snapshot = 1,
    .arguments_max = 2,
    .default_depth = 2,
    .writes_file = 1,
    .own = own,
    .words = words,
    .run = run,
};
