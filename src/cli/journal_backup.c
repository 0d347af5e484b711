/* Links sealed segments and indexes, copies the active segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/journal_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "journal/directory.h"
#include "journal/segment.h"
#include "journal/segment_header.h"

/*
 * A link to the active segment would be the same file: two programs would write it. So it is copied, last,
 * and holds
 * at least all that was stored when the backup began; what is torn at its end was not. Segments that have
 * not begun
 * are left out. A running program never reuses a file that has a second link.
 */
struct backup {
    struct directory directory;
    struct fs *fs;
    int source;
    int target;
    uint64_t active; /* 0: none */
    unsigned files;
};

static int failed(const char *name)
{
    if (errno == EXDEV)
        return command_failed(COMMAND_NOT_SO,
                              "the target is on another file system: no hard link reaches there");
    if (errno == EEXIST)
        return command_failed(COMMAND_NOT_SO, "%s exists: choose a directory that is not there yet", name);
    return command_failed(COMMAND_NOT_SO, "%s: %s", name, strerror(errno));
}

/* Whether the segment has begun, so far as its header can tell. */
static bool has_begun(struct backup *backup, uint64_t number)
{
    uint8_t page[SEGMENT_PAGE];
    char name[SEGMENT_NAME_SIZE];
    struct fs_file *file = NULL;
    struct segment_header header = {0};
    enum segment_header_state state = SEGMENT_HEADER_LOST;
    size_t len = 0;
    segment_name(name, number, ".segment");
    enum err err = fs_open(backup->fs, name, FS_OPEN_READ, &file);
    if (err == ERR_NONE)
        err = fs_pread(file, page, sizeof page, 0, &len);
    file = fs_close(file);
    if (err == ERR_NONE && len == sizeof page)
        err = segment_header_read(page, &header, &state, NULL);
    return err == ERR_NONE && header.number == number &&
           (state == SEGMENT_HEADER_WHOLE || state == SEGMENT_HEADER_DAMAGED);
}

static void find_active(struct backup *backup)
{
    const struct directory_numbers *segments = &backup->directory.segments;
    for (uint32_t i = segments->count; i > 0 && backup->active == 0; i--)
        if (has_begun(backup, segments->numbers[i - 1]))
            backup->active = segments->numbers[i - 1];
}

static int link_all(struct backup *backup, const struct directory_numbers *numbers, const char *suffix)
{
    for (uint32_t i = 0; i < numbers->count; i++) {
        char name[SEGMENT_NAME_SIZE];
        if (numbers->numbers[i] >= backup->active)
            continue;
        segment_name(name, numbers->numbers[i], suffix);
        if (linkat(backup->source, name, backup->target, name, 0) == 0)
            backup->files++;
        else if (errno != ENOENT) /* retired meanwhile */
            return failed(name);
    }
    return COMMAND_FINE;
}

static int copy_active(struct backup *backup)
{
    char name[SEGMENT_NAME_SIZE];
    if (backup->active == 0)
        return COMMAND_FINE;
    segment_name(name, backup->active, ".segment");
    int source = openat(backup->source, name, O_RDONLY | O_CLOEXEC);
    int target = openat(backup->target, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t copied = source < 0 || target < 0 ? -1 : 1;
    while (copied > 0)
        copied = copy_file_range(source, NULL, target, NULL, SIZE_MAX / 4, 0);
    int code = copied < 0 || fsync(target) != 0 ? failed(name) : COMMAND_FINE;
    if (source >= 0)
        (void)close(source);
    if (target >= 0)
        (void)close(target);
    backup->files += code == COMMAND_FINE;
    return code;
}

static int back_up(struct backup *backup, const char *journal)
{
    enum err err = fs_linux_new(journal, &backup->fs);
    if (err == ERR_NONE)
        err = directory_read(backup->fs, &backup->directory);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s: %s", journal, err_text(err));
    find_active(backup);
    int code = link_all(backup, &backup->directory.segments, ".segment");
    if (code == COMMAND_FINE)
        code = link_all(backup, &backup->directory.indexes, ".index");
    if (code == COMMAND_FINE)
        code = copy_active(backup);
    if (code == COMMAND_FINE && fsync(backup->target) != 0)
        code = failed("the target directory");
    if (code == COMMAND_FINE)
        (void)printf("%u files\n", backup->files);
    return code;
}

int journal_back_up(const char *journal, const char *target)
{
    char target_journal[PATH_MAX];
    if (snprintf(target_journal, sizeof target_journal, "%s/journal", target) >= (int)sizeof target_journal)
        return command_failed(COMMAND_WRONG, "the target's path is too long");
    int source = open(journal, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0)
        return failed(journal);
    struct backup backup = {.source = source, .target = -1};
    if (mkdir(target, 0700) == 0 && mkdir(target_journal, 0700) == 0)
        backup.target = open(target_journal, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = backup.target < 0 ? failed(target) : back_up(&backup, journal);
    directory_done(&backup.directory);
    backup.fs = fs_linux_free(backup.fs);
    (void)close(source);
    if (backup.target >= 0)
        (void)close(backup.target);
    return code;
}
