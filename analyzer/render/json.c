#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Elements of the outer levels stand on lines of their own; deeper ones are kept together. */
static void separate(struct json *j, const char *key)
{
    int first = !j->filled[j->depth];
    if (!first)
        fputc(',', j->file);
    j->filled[j->depth] = 1;
    if (j->depth <= 2) {
        fputc('\n', j->file);
        for (int i = 0; i < j->depth; i++)
            fputs("  ", j->file);
    } else if (!first) {
        fputc(' ', j->file);
    }
    if (key)
        fprintf(j->file, "\"%s\": ", key);
}

static void open_level(struct json *j, char bracket)
{
    fputc(bracket, j->file);
    j->depth++;
    j->filled[j->depth] = 0;
}

static void close_level(struct json *j, char bracket)
{
    int filled = j->filled[j->depth];
    j->depth--;
    if (filled && j->depth < 2) {
        fputc('\n', j->file);
        for (int i = 0; i < j->depth; i++)
            fputs("  ", j->file);
    }
    fputc(bracket, j->file);
}

void json_begin(struct json *j, FILE *file)
{
    *j = (struct json){.file = file};
    open_level(j, '{');
}

/* As if it stood in an object in an object: there everything is kept together. */
void json_begin_line(struct json *j, FILE *file)
{
    *j = (struct json){.file = file, .depth = 2};
    open_level(j, '{');
}

void json_end(struct json *j)
{
    close_level(j, '}');
    fputc('\n', j->file);
}

void json_object(struct json *j, const char *key)
{
    separate(j, key);
    open_level(j, '{');
}

void json_object_end(struct json *j)
{
    close_level(j, '}');
}

void json_array(struct json *j, const char *key)
{
    separate(j, key);
    open_level(j, '[');
}

void json_array_end(struct json *j)
{
    close_level(j, ']');
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
    separate(j, key);
    fprintf(j->file, "%" PRIu64, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
    separate(j, key);
    fprintf(j->file, "%" PRId64, value);
}

void json_number(struct json *j, const char *key, double value)
{
    separate(j, key);
    fprintf(j->file, "%.9g", value);
}

void json_share(struct json *j, const char *key, uint64_t part, uint64_t whole)
{
    uint64_t share = text_share_of(part, whole);
    separate(j, key);
    fprintf(j->file, "%" PRIu64 ".%04" PRIu64, share / TEXT_SHARE_WHOLE, share % TEXT_SHARE_WHOLE);
}

void json_real(struct json *j, const char *key, double value)
{
    char text[40];
    separate(j, key);
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    fputs(isfinite(value) ? text : "null", j->file);
}

void json_bool(struct json *j, const char *key, int value)
{
    separate(j, key);
    fputs(value ? "true" : "false", j->file);
}

void json_null(struct json *j, const char *key)
{
    separate(j, key);
    fputs("null", j->file);
}

void json_address(struct json *j, const char *key, uint64_t value)
{
    separate(j, key);
    fprintf(j->file, "\"0x%" PRIx64 "\"", value);
}

/* Bytes that are no UTF-8 become U+FFFD. */
void json_text(struct json *j, const char *key, const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    separate(j, key);
    fputc('"', j->file);
    while (p < end) {
        unsigned n = text_character(p, (size_t)(end - p));
        if (!n) {
            fputs("\xef\xbf\xbd", j->file);
            p++;
        } else if (n == 1 && (*p == '"' || *p == '\\')) {
            fprintf(j->file, "\\%c", *p++);
        } else if (n == 1 && (*p < 0x20 || *p == 0x7f)) {
            fprintf(j->file, "\\u%04x", *p++);
        } else {
            fwrite(p, 1, n, j->file);
            p += n;
        }
    }
    fputc('"', j->file);
}

void json_string(struct json *j, const char *key, const char *text)
{
    json_text(j, key, text, strlen(text));
}
