/* Parses JSON into lists, dicts and strings, renames keys, and writes it again: much recursion, all of it on the stack.
 */
#include "clean.h"

static const char source[] =
    "{\"users\": [{\"name\": \"Ada\", \"langs\": [\"C\", \"Lisp\", \"Analytical\"], \"age\": 36},"
    " {\"name\": \"Grace\", \"langs\": [\"COBOL\", [\"Flow\", [\"Matic\", []]]], \"age\": 85, \"admin\": true}],"
    " \"limits\": {\"deep\": {\"deeper\": {\"deepest\": [1, 2, 3, {\"x\": null}]}}}, \"ratio\": 250}";

static struct rh_heap *heap;

static void skip(const char **at)
{
    while (**at == ' ' || **at == ',' || **at == ':')
        ++*at;
}

static struct rh_object *parse_string(const char **at)
{
    const char *end = strchr(*at + 1, '"');
    struct rh_object *str = need(rh_str_new(heap, *at + 1, (size_t)(end - *at - 1)));
    *at = end + 1;
    return str;
}

static struct rh_object *constant(const char **at)
{
    struct rh_object *value = **at == 't' ? rh_bool(heap, 1) : **at == 'f' ? rh_bool(heap, 0) : rh_none(heap);
    *at += **at == 'f' ? 5 : 4;
    rh_incref(value);
    return value;
}

/* A new reference. */
static struct rh_object *parse(const char **at)
{
    skip(at);
    clean_point();
    if (**at == '"')
        return parse_string(at);
    if (**at != '[' && **at != '{')
        return (**at >= '0' && **at <= '9') ? need(rh_int_new(heap, strtol(*at, (char **)(uintptr_t)at, 10)))
                                            : constant(at);
    int is_list = *(*at)++ == '[';
    struct rh_object *whole = need(is_list ? rh_list_new(heap) : rh_dict_new(heap));
    for (skip(at); **at != ']' && **at != '}'; skip(at)) {
        struct rh_object *key = is_list ? NULL : parse_string(at), *value = parse(at);
        if (is_list ? rh_list_append(whole, value) : rh_dict_set(whole, key, value))
            exit(2);
        rh_xdecref(key);
        rh_decref(value);
    }
    ++*at;
    return whole;
}

/* The same with every key longer by one character. */
static struct rh_object *rename_keys(struct rh_object *value)
{
    size_t position = 0;
    void *key, *item;
    clean_point();
    if (rh_is_a(value, rh_builtin_type(heap, RH_TYPE_LIST))) {
        struct rh_object *list = need(rh_list_new(heap));
        for (size_t i = 0; i < rh_list_length(value); i++)
            if (rh_list_put(list, rename_keys(rh_list_get(value, i))))
                exit(2);
        return list;
    }
    if (rh_is_a(value, rh_builtin_type(heap, RH_TYPE_DICT))) {
        struct rh_object *dict = need(rh_dict_new(heap));
        while (rh_dict_next(value, &position, &key, &item)) {
            char name[64];
            snprintf(name, sizeof name, "%s_", rh_str_text(key));
            if (rh_dict_put(dict, name, rename_keys(item)))
                exit(2);
        }
        return dict;
    }
    rh_incref(value);
    return value;
}

static size_t depth_of(const struct rh_object *value)
{
    size_t most = 0, position = 0;
    void *key, *item;
    if (rh_is_a(value, rh_builtin_type(heap, RH_TYPE_LIST)))
        for (size_t i = 0; i < rh_list_length(value); i++) {
            size_t depth = depth_of(rh_list_get(value, i));
            most = depth > most ? depth : most;
        }
    else if (rh_is_a(value, rh_builtin_type(heap, RH_TYPE_DICT)))
        while (rh_dict_next(value, &position, &key, &item)) {
            size_t depth = depth_of(item);
            most = depth > most ? depth : most;
        }
    return most + 1;
}

int main(int argc, char **argv)
{
    clean_begin(argc, argv);
    heap = clean_heap("json");
    size_t depth = 0;
    for (int i = 0; i < 20; i++) {
        const char *at = source;
        struct rh_object *value = parse(&at);
        for (int turn = 0; turn < 3; turn++) {
            struct rh_object *renamed = rename_keys(value);
            clean_point();
            rh_decref(value);
            value = renamed;
        }
        depth += depth_of(value);
        clean_point();
        rh_decref(value);
    }
    printf("depth %zu\n", depth);
    return clean_end(heap);
}
