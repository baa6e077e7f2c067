#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../render/layout.h"
#include "sketch.h"

enum { DOT_SECONDS = 15, LAYOUT_SECONDS = 60 };
static const size_t LAYOUT_BYTES = (size_t)4 << 30;

static const char *const format_names[IMAGE_FORMATS] = {"svg", "png", "pdf", "dot"};

enum image_format image_format_named(const char *name)
{
    enum image_format format = 0;
    while (format < IMAGE_FORMATS && strcmp(name, format_names[format]))
        format++;
    return format;
}

static int no_memory(struct rh_error *err)
{
    return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the picture", "");
}

/* A text in memory may be none without an error when memory ran out at its end. */
static int close_text(FILE *text, char **bytes)
{
    return fclose(text) || !*bytes ? -1 : 0;
}

static int make_dot(const struct picture *picture, struct image *image, struct rh_error *err)
{
    FILE *text = open_memstream(&image->dot, &image->dot_size);
    if (!text)
        return no_memory(err);
    int status = dot_write(picture, text);
    return close_text(text, &image->dot) || status ? no_memory(err) : 0;
}

/* What Graphviz makes of the DOT text: by dot if the picture is small, and else, or if dot fails, by sfdp. */
static int lay_out(const struct picture *picture, const struct image *image, const char *format, char **bytes,
                   size_t *size, struct rh_error *err)
{
    const struct layout_bounds first = {DOT_SECONDS, LAYOUT_BYTES}, bounds = {LAYOUT_SECONDS, LAYOUT_BYTES};
    int small = !picture_is_dense(picture), status = -1;
    struct rh_error other;
    FILE *to = open_memstream(bytes, size);
    if (!to)
        return no_memory(err);
    if (small)
        status = layout_render(image->dot, "dot", format, to, &first, err);
    if (status)
        status = layout_render(image->dot, "sfdp", format, to, &bounds, small ? &other : err);
    if (close_text(to, bytes) && !status)
        status = no_memory(err);
    return status;
}

static int finish_svg(const struct picture *picture, const struct svg_place *place, struct image *image,
                      struct rh_error *err)
{
    char *raw = image->bytes;
    size_t size = image->size;
    image->bytes = NULL;
    FILE *to = open_memstream(&image->bytes, &image->size);
    int status = to ? svg_finish(raw, size, picture, place, to, err) : no_memory(err);
    if (to && close_text(to, &image->bytes) && !status)
        status = no_memory(err);
    free(raw);
    return status;
}

int image_make(const struct picture *picture, enum image_format format, const struct svg_place *place,
               struct image *image, struct rh_error *err)
{
    memset(image, 0, sizeof *image);
    if (picture->no_memory)
        return no_memory(err);
    image->nodes = picture->node_count;
    image->edges = picture->edge_count;
    image->left_out = picture->left_out ? strdup(picture->left_out) : NULL;
    int status = make_dot(picture, image, err);
    if (!status && format != IMAGE_DOT)
        status = lay_out(picture, image, format_names[format], &image->bytes, &image->size, err);
    if (!status && format == IMAGE_SVG)
        status = finish_svg(picture, place, image, err);
    if (status) {
        free(image->bytes);
        image->bytes = NULL;
    }
    return status;
}

void image_release(struct image *image)
{
    free(image->bytes);
    free(image->dot);
    free(image->left_out);
    memset(image, 0, sizeof *image);
}

int image_of_cycle(struct session *s, ordinal cycle, const struct svg_place *place, struct image *image,
                   struct rh_error *err)
{
    static const struct svg_place alone;
    char title[64];
    struct sketch sk;
    memset(image, 0, sizeof *image);
    snprintf(title, sizeof title, "garbage cycle %" PRI_ORDINAL, cycle + 1);
    int status = sketch_init(&sk, s, title, 0, 0);
    if (!status)
        status = sketch_cycle(&sk, cycle);
    if (!status)
        status = sketch_end(&sk);
    sk.picture.bare = place && place->fragment;
    if (status)
        no_memory(err);
    else
        status = image_make(&sk.picture, IMAGE_SVG, place ? place : &alone, image, err);
    sketch_release(&sk);
    return status;
}
