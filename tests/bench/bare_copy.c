/* bare_copy PID: copies the memory a process may write to with process_vm_readv alone, in pieces of 1 MiB, into memory
 * that was touched before, and says how long that took: "SECONDS BYTES". The process runs meanwhile.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

enum { PIECE = 1 << 20, MAPPINGS = 4096 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    static unsigned long start[MAPPINGS], end[MAPPINGS];
    char path[64], line[4096], permissions[8];
    size_t count = 0, size = 0, done = 0;
    if (argc != 2)
        return 2;
    pid_t pid = atoi(argv[1]);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && count < MAPPINGS && fgets(line, sizeof line, f))
        if (sscanf(line, "%lx-%lx %7s", &start[count], &end[count], permissions) == 3 &&
            !strncmp(permissions, "rw-p", 4)) {
            size += end[count] - start[count];
            count++;
        }
    char *to = malloc(size + PIECE);
    if (!f || !to)
        return 1;
    memset(to, 1, size + PIECE);
    double begin = now();
    for (size_t i = 0; i < count; i++)
        for (unsigned long at = start[i]; at < end[i];) {
            size_t want = end[i] - at < PIECE ? end[i] - at : PIECE;
            struct iovec local = {to + done, want}, remote = {(void *)at, want};
            ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
            if (n <= 0)
                break;
            at += (size_t)n;
            done += (size_t)n;
        }
    printf("%.6f %zu\n", now() - begin, done);
    return 0;
}
