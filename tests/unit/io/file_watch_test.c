/* Tests that what happens to a file is told, with real files on the loop of the program. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file_watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/loop_uv.h"
#include "support/test.h"

enum { PATIENCE_MS = 10000 };

struct fixture {
    struct loop *loop;
    struct file_watch *watch;
    struct timer guard;
    unsigned changes;
    char directory[64];
    char path[96];
    char other[96];
};

static void on_change(void *owner)
{
    struct fixture *fixture = owner;
    fixture->changes++;
    loop_uv_stop(fixture->loop);
}

static void on_guard(struct timer *guard)
{
    struct fixture *fixture = LIST_OWNER(guard, struct fixture, guard);
    loop_uv_stop(fixture->loop);
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.directory = "/tmp/file_watch_test.XXXXXX"};
    expect_not_null(mkdtemp(fixture->directory));
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/log", fixture->directory);
    (void)snprintf(fixture->other, sizeof fixture->other, "%s/log.1", fixture->directory);
    expect_fine(loop_uv_new(&fixture->loop));
    timer_init(&fixture->guard, fixture->loop, on_guard);
    expect_fine(
        file_watch_new(fixture->loop, fixture->directory, "log", on_change, fixture, &fixture->watch));
}

static void end(struct fixture *fixture)
{
    expect_null(file_watch_close(fixture->watch));
    timer_stop(&fixture->guard);
    expect_null(loop_uv_free(fixture->loop));
    (void)unlink(fixture->path);
    (void)unlink(fixture->other);
    expect(rmdir(fixture->directory) == 0);
}

static void append(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    expect(fd >= 0 && write(fd, "x\n", 2) == 2);
    expect(close(fd) == 0);
}

/* Whether something is told within the time. */
static bool is_told(struct fixture *fixture, int64_t patience_ms)
{
    fixture->changes = 0;
    timer_start(&fixture->guard, patience_ms * CLOCK_NS_PER_MS);
    loop_uv_run(fixture->loop);
    timer_stop(&fixture->guard);
    return fixture->changes > 0;
}

/* Several events may come for one change. */
static void take_the_rest(struct fixture *fixture)
{
    while (is_told(fixture, 50))
        ;
}

TEST(making_writing_renaming_and_removing_are_told)
{
    struct fixture fixture;
    begin(&fixture);
    append(fixture.path);
    expect(is_told(&fixture, PATIENCE_MS));
    take_the_rest(&fixture);
    append(fixture.path);
    expect(is_told(&fixture, PATIENCE_MS));
    take_the_rest(&fixture);
    expect(rename(fixture.path, fixture.other) == 0);
    expect(is_told(&fixture, PATIENCE_MS));
    append(fixture.path);
    take_the_rest(&fixture);
    append(fixture.path); /* another file by now */
    expect(is_told(&fixture, PATIENCE_MS));
    take_the_rest(&fixture);
    expect(unlink(fixture.path) == 0);
    expect(is_told(&fixture, PATIENCE_MS));
    end(&fixture);
}

TEST(other_names_are_not_told)
{
    struct fixture fixture;
    begin(&fixture);
    append(fixture.other);
    expect(!is_told(&fixture, 100));
    end(&fixture);
}

TEST(watch_of_a_directory_that_is_not_there_is_refused)
{
    struct fixture fixture;
    struct file_watch *watch = NULL;
    begin(&fixture);
    expect_err(file_watch_new(fixture.loop, "/nowhere/at/all", "log", on_change, &fixture, &watch),
               ERR_NOT_FOUND);
    end(&fixture);
}

TEST_MAIN(making_writing_renaming_and_removing_are_told,
          other_names_are_not_told,
          watch_of_a_directory_that_is_not_there_is_refused)
