#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>

#include "../../dumpfmt/sink.h"

static char folder[] = "/tmp/refheap-sink-XXXXXX";
static char path[4096];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[4200];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static int files_in_folder(void)
{
    DIR *d = opendir(folder);
    int n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    fputs(text, f);
    fclose(f);
}

static void check_contents(const char *name, const char *text)
{
    char buffer[100] = "";
    FILE *f = fopen(name, "r");
    assert_non_null(f);
    fread(buffer, 1, sizeof buffer - 1, f);
    fclose(f);
    assert_string_equal(buffer, text);
}

static void sink__replaces_a_file_only_when_committed(void **state)
{
    struct sink_file file;
    struct rh_error err;
    struct stat st;
    (void)state;
    put(path, "earlier");
    assert_int_equal(sink_file_open(&file, path, &err), 0);
    assert_int_equal(file.sink.write(&file.sink, "new", 3), 0);
    check_contents(path, "earlier");
    assert_int_equal(sink_file_commit(&file, &err), 0);
    check_contents(path, "new");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(files_in_folder(), 1);
}

static void sink__leaves_nothing_when_aborted(void **state)
{
    struct sink_file file;
    struct rh_error err;
    (void)state;
    put(path, "earlier");
    assert_int_equal(sink_file_open(&file, path, &err), 0);
    assert_int_equal(file.sink.write(&file.sink, "new", 3), 0);
    sink_file_abort(&file);
    check_contents(path, "earlier");
    assert_int_equal(files_in_folder(), 1);
}

static void sink__takes_a_bare_name(void **state)
{
    struct sink_file file;
    struct rh_error err;
    (void)state;
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(sink_file_open(&file, "bare", &err), 0);
    assert_int_equal(file.sink.write(&file.sink, "x", 1), 0);
    assert_int_equal(sink_file_commit(&file, &err), 0);
    check_contents("bare", "x");
    unlink("bare");
}

static void sink__refuses_what_cannot_be_written(void **state)
{
    struct sink_file file;
    struct rh_error err;
    char fifo[4200], long_name[5000];
    (void)state;
    assert_int_equal(sink_file_open(&file, "", &err), RH_ERR_ARGUMENT);
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = 0;
    assert_int_equal(sink_file_open(&file, long_name, &err), RH_ERR_ARGUMENT);
    assert_int_equal(sink_file_open(&file, folder, &err), RH_ERR_IO);
    assert_int_equal(err.os_error, EISDIR);
    assert_int_equal(sink_file_open(&file, "/nowhere/at/all", &err), RH_ERR_IO);
    assert_int_equal(err.os_error, ENOENT);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(sink_file_open(&file, fifo, &err), RH_ERR_IO); /* and does not wait for a reader */
    assert_int_equal(err.os_error, ENXIO);
    unlink(fifo);
}

static void sink__says_that_the_disk_is_full(void **state)
{
    struct sink_file file;
    struct rh_error err;
    (void)state;
    assert_int_equal(sink_file_open(&file, "/dev/full", &err), 0);
    assert_int_equal(file.sink.write(&file.sink, "x", 1), -ENOSPC);
    sink_file_abort(&file);
    assert_int_equal(access("/dev/full", F_OK), 0);
}

static void sink__survives_a_closed_pipe_and_a_size_limit(void **state)
{
    struct sink_file file;
    struct rh_error err;
    sigset_t before, after, pending;
    int ends[2];
    char block[8192] = "";
    (void)state;
    sigprocmask(SIG_BLOCK, NULL, &before);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    sink_file_use(&file, ends[1]);
    assert_int_equal(file.sink.write(&file.sink, "x", 1), -EPIPE); /* SIGPIPE would have ended the test */
    sink_file_abort(&file);
    close(ends[1]);

    struct rlimit limit, none;
    getrlimit(RLIMIT_FSIZE, &none);
    limit = none;
    limit.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &limit);
    put(path, "earlier");
    assert_int_equal(sink_file_open(&file, path, &err), 0);
    assert_int_equal(file.sink.write(&file.sink, block, sizeof block), -EFBIG);
    sink_file_abort(&file);
    setrlimit(RLIMIT_FSIZE, &none);
    check_contents(path, "earlier");

    sigpending(&pending);
    sigprocmask(SIG_BLOCK, NULL, &after);
    assert_false(sigismember(&pending, SIGPIPE) || sigismember(&pending, SIGXFSZ));
    assert_memory_equal(&before, &after, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sink__replaces_a_file_only_when_committed),
        cmocka_unit_test(sink__leaves_nothing_when_aborted),
        cmocka_unit_test(sink__takes_a_bare_name),
        cmocka_unit_test(sink__refuses_what_cannot_be_written),
        cmocka_unit_test(sink__says_that_the_disk_is_full),
        cmocka_unit_test(sink__survives_a_closed_pipe_and_a_size_limit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
