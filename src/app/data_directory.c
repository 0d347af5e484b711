/* Makes and locks the data directory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/data_directory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Another `data` would do; only a disk that is full or fails has nothing to do with the configuration. */
static enum err class_as_configuration(enum err err)
{
    return err_class(err) == ERR_CLASS_RETRY_LATER || err == ERR_IO ? err : ERR_CONFIG;
}

static enum err make_directory(const char *path, struct why *why)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return ERR_NONE;
    int number = errno;
    enum err err = err_from_errno(number);
    return why_set(why, class_as_configuration(err), "data directory %s cannot be made: %s", path,
                   err == ERR_SYSTEM ? strerror(number) : err_text(err));
}

enum err data_directory_open(struct data_directory *directory, const char *path, struct why *why)
{
    char journal[PATH_MAX];
    *directory = (struct data_directory){0};
    if (snprintf(journal, sizeof journal, "%s/journal", path) >= (int)sizeof journal ||
        snprintf(directory->socket_path, PATH_MAX, "%s/waybill.sock", path) >= PATH_MAX)
        return why_set(why, ERR_CONFIG, "`data` is too long a path");
    if (strlen(directory->socket_path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return why_set(why, ERR_CONFIG, "%s: too long a path for a unix socket: choose a shorter `data`",
                       directory->socket_path);
    enum err err = make_directory(path, why);
    if (err == ERR_NONE)
        err = make_directory(journal, why);
    if (err != ERR_NONE)
        return err;
    err = fs_linux_new(journal, &directory->journal);
    if (err != ERR_NONE)
        return why_set(why, class_as_configuration(err), "%s cannot be opened: %s", journal, err_text(err));
    err = fs_linux_lock(directory->journal, "lock");
    if (err == ERR_NONE)
        return ERR_NONE;
    data_directory_close(directory);
    if (err == ERR_IN_USE)
        return why_set(why, err,
                       "data directory %s is in use by another process: stop it, or choose another `data`",
                       path);
    return why_set(why, class_as_configuration(err), "%s/lock cannot be taken: %s", journal, err_text(err));
}

void data_directory_close(struct data_directory *directory)
{
    directory->journal = fs_linux_free(directory->journal);
}
