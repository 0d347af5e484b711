/* Gives each file of a corpus to a fuzz target once, so that old findings are tested in every
 * build. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

/* The copy has exactly the file's length, so that a sanitizer sees a read behind its end. */
static int replay_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size);
    FILE *file = fopen(path, "rbe");
    if (file == NULL || (size > 0 && (data == NULL || fread(data, 1, size, file) != size))) {
        perror(path);
        exit(1);
    }
    (void)fclose(file);
    int result = LLVMFuzzerTestOneInput(data, size);
    free(data);
    return result;
}

static size_t replay_folder(const char *folder)
{
    struct dirent **entries = NULL;
    size_t replayed = 0;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) {
        perror(folder);
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        struct stat status;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
            continue;
        /* Said before, not after: when the target ends the process, this line names the file. */
        printf("%s\n", path);
        (void)fflush(stdout);
        if (replay_file(path, (size_t)status.st_size) != 0)
            exit(1);
        replayed++;
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    size_t replayed = 0;
    for (int i = 1; i < argc; i++)
        replayed += replay_folder(argv[i]);
    printf("%zu inputs replayed\n", replayed);
    /* A target without a corpus tests nothing: that is a mistake, not a success. */
    return replayed > 0 ? 0 : 1;
}
