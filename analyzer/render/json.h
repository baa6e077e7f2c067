/* Writing JSON: one object, keys in the order of the calls, strings always valid UTF-8. */
#ifndef RENDER_JSON_H
#define RENDER_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH_MAX = 255 };

struct json {
    FILE *file;
    int depth;                          /* at most JSON_DEPTH_MAX */
    uint8_t filled[JSON_DEPTH_MAX + 1]; /* by depth: something was written there */
};

void json_begin(struct json *j, FILE *file);      /* opens the outermost object */
void json_begin_line(struct json *j, FILE *file); /* the same, for one that stands on a line by itself */
void json_end(struct json *j);                    /* closes it and ends the line */

/* `key` is NULL inside arrays. */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_number(struct json *j, const char *key, double value);
/* part of whole, with four digits behind the point: 0.5812. */
void json_share(struct json *j, const char *key, uint64_t part, uint64_t whole);
void json_real(struct json *j, const char *key, double value); /* as many digits as it takes; null when not finite */
void json_bool(struct json *j, const char *key, int value);
void json_null(struct json *j, const char *key);
void json_address(struct json *j, const char *key, uint64_t value); /* "0x..." */
void json_text(struct json *j, const char *key, const char *text, size_t length);
void json_string(struct json *j, const char *key, const char *text);

#endif
