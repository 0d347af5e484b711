/* Tests of the data directory and of the words to the service manager. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/data_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/service_manager.h"
#include "support/test.h"

/* A place for `data` in a directory of its own. */
struct place {
    char parent[64];
    char data[96];
};

static void place_init(struct place *place)
{
    (void)snprintf(place->parent, sizeof place->parent, "/tmp/data_directory_test.XXXXXX");
    expect_not_null(mkdtemp(place->parent));
    (void)snprintf(place->data, sizeof place->data, "%s/data", place->parent);
}

static void remove_below(const struct place *place, const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s%s", place->parent, name);
    expect(remove(path) == 0);
}

static void place_done(const struct place *place)
{
    remove_below(place, "/data/journal/lock");
    remove_below(place, "/data/journal");
    remove_below(place, "/data");
    remove_below(place, "");
}

TEST(absent_directory_is_made_for_its_user_alone)
{
    struct place place;
    struct data_directory directory;
    struct why why;
    struct stat status;
    place_init(&place);
    expect_fine(data_directory_open(&directory, place.data, &why));
    expect(stat(place.data, &status) == 0 && (status.st_mode & 0777) == 0700);
    data_directory_close(&directory);
    expect_fine(data_directory_open(&directory, place.data, &why));
    data_directory_close(&directory);
    place_done(&place);
}

TEST(directory_in_use_is_refused_by_name)
{
    struct place place;
    struct data_directory first;
    struct data_directory second;
    struct why why;
    char expected[300];
    place_init(&place);
    expect_fine(data_directory_open(&first, place.data, &why));
    expect_err(data_directory_open(&second, place.data, &why), ERR_IN_USE);
    (void)snprintf(expected, sizeof expected,
                   "data directory %s is in use by another process: stop it, or choose another `data`",
                   place.data);
    expect_equal_text(why.text, expected);
    data_directory_close(&first);
    place_done(&place);
}

TEST(directory_that_cannot_be_made_is_named)
{
    struct data_directory directory;
    struct why why;
    expect_err(data_directory_open(&directory, "/nowhere/at/all", &why), ERR_CONFIG);
    expect_equal_text(why.text, "data directory /nowhere/at/all cannot be made: not found");
}

TEST(directory_too_deep_for_its_socket_is_refused_before_it_is_made)
{
    struct data_directory directory;
    struct why why;
    char deep[120] = "/tmp/";
    memset(deep + 5, 'd', sizeof deep - 6);
    expect_err(data_directory_open(&directory, deep, &why), ERR_CONFIG);
    expect(access(deep, F_OK) != 0);
}

TEST(service_manager_hears_what_is_said)
{
    struct place place;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char heard[32];
    place_init(&place);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", place.parent);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    expect(fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    expect(setenv("NOTIFY_SOCKET", address.sun_path, 1) == 0);
    service_manager_notify("READY=1");
    ssize_t len = recv(fd, heard, sizeof heard, MSG_DONTWAIT);
    expect(len == 7 && memcmp(heard, "READY=1", 7) == 0);
    expect(unsetenv("NOTIFY_SOCKET") == 0);
    service_manager_notify("STOPPING=1");
    expect(recv(fd, heard, sizeof heard, MSG_DONTWAIT) < 0);
    (void)close(fd);
    remove_below(&place, "/notify");
    remove_below(&place, "");
}

TEST_MAIN(absent_directory_is_made_for_its_user_alone,
          directory_in_use_is_refused_by_name,
          directory_that_cannot_be_made_is_named,
          directory_too_deep_for_its_socket_is_refused_before_it_is_made,
          service_manager_hears_what_is_said)
