/* read_dot FILE: what Graphviz's own reader finds in a DOT text, as JSON: the graph's attributes, its clusters, nodes
 * and edges with theirs. */
#include <graphviz/cgraph.h>
#include <stdio.h>
#include <string.h>

#include "../../analyzer/render/json.h"

static void put_attributes(struct json *j, Agraph_t *g, int kind, void *object)
{
    json_object(j, "attributes");
    for (Agsym_t *a = agnxtattr(g, kind, NULL); a; a = agnxtattr(g, kind, a)) {
        const char *value = agxget(object, a);
        if (*value)
            json_text(j, a->name, value, strlen(value));
    }
    json_object_end(j);
}

static const char *cluster_of(Agraph_t *g, Agnode_t *n)
{
    for (Agraph_t *s = agfstsubg(g); s; s = agnxtsubg(s))
        if (agsubnode(s, n, 0) && !strncmp(agnameof(s), "cluster", 7))
            return agnameof(s);
    return "";
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    Agraph_t *g = file ? agread(file, NULL) : NULL;
    struct json j;
    if (!g || agerrors())
        return 2;
    json_begin(&j, stdout);
    put_attributes(&j, g, AGRAPH, g);
    json_array(&j, "clusters");
    for (Agraph_t *s = agfstsubg(g); s; s = agnxtsubg(s)) {
        json_object(&j, NULL);
        json_string(&j, "name", agnameof(s));
        put_attributes(&j, g, AGRAPH, s);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_array(&j, "nodes");
    for (Agnode_t *n = agfstnode(g); n; n = agnxtnode(g, n)) {
        json_object(&j, NULL);
        json_string(&j, "name", agnameof(n));
        json_string(&j, "cluster", cluster_of(g, n));
        put_attributes(&j, g, AGNODE, n);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_array(&j, "edges");
    for (Agnode_t *n = agfstnode(g); n; n = agnxtnode(g, n))
        for (Agedge_t *e = agfstout(g, n); e; e = agnxtout(g, e)) {
            json_object(&j, NULL);
            json_string(&j, "from", agnameof(agtail(e)));
            json_string(&j, "to", agnameof(aghead(e)));
            put_attributes(&j, g, AGEDGE, e);
            json_object_end(&j);
        }
    json_array_end(&j);
    json_end(&j);
    agclose(g);
    fclose(file);
    return 0;
}
