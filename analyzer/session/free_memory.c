#include "free_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 4400 };

/* The number behind `name` in a file of "NAME NUMBER" lines; the first number of the file where `name` is "". */
static int read_number(const char *path, const char *name, uint64_t *value)
{
    char line[256];
    int found = 0;
    FILE *f = fopen(path, "re");
    while (f && !found && fgets(line, sizeof line, f))
        found = !strncmp(line, name, strlen(name)) && sscanf(line + strlen(name), "%" SCNu64, value) == 1;
    if (f)
        fclose(f);
    return found;
}

/* The files of a control group, of both versions. */
struct group_files {
    const char *folder, *limit, *usage, *cache;
};
static const struct group_files version1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                            "total_inactive_file "};
static const struct group_files version2 = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "};

/* What a group leaves; what it has cached of files it can give back. */
static void limit_by_group(const struct group_files *files, const char *group, uint64_t *most)
{
    char path[PATH_SIZE + 64];
    uint64_t limit, usage, cache = 0;
    snprintf(path, sizeof path, "%s%s/%s", files->folder, group, files->limit);
    if (!read_number(path, "", &limit)) /* "max" */
        return;
    snprintf(path, sizeof path, "%s%s/%s", files->folder, group, files->usage);
    if (!read_number(path, "", &usage))
        return;
    snprintf(path, sizeof path, "%s%s/memory.stat", files->folder, group);
    read_number(path, files->cache, &cache);
    usage -= cache < usage ? cache : usage;
    uint64_t left = usage < limit ? limit - usage : 0;
    if (left < *most)
        *most = left;
}

/* A group, and those it is in; in a container the folder shown is the group itself. */
static void limit_by_groups(const struct group_files *files, char *group, uint64_t *most)
{
    for (;;) {
        limit_by_group(files, group, most);
        char *slash = strrchr(group, '/');
        if (!slash)
            return;
        *slash = 0;
    }
}

uint64_t free_memory(void)
{
    char line[PATH_SIZE];
    uint64_t kib, most;
    if (!read_number("/proc/meminfo", "MemAvailable:", &kib))
        return 0;
    most = kib << 10;
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *group = strchr(line, ':'), *path = group ? strchr(group + 1, ':') : NULL;
        if (path && (!strncmp(group, "::", 2) || !strncmp(group, ":memory:", 8)))
            limit_by_groups(group[1] == ':' ? &version2 : &version1, path + 1, &most);
    }
    if (f)
        fclose(f);
    return most;
}
