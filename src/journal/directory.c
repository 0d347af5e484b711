/* The journal's directory, listed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/directory.h"

#include <stdlib.h>

#include "journal/segment_name.h"

enum { NUMBERS_FIRST = 64, NUMBERS_MAX = 1 << 20 };

static enum err add(struct directory_numbers *numbers, uint64_t number)
{
    if (numbers->count >= NUMBERS_MAX)
        return ERR_TOO_MANY;
    if (numbers->count == numbers->size) {
        uint32_t size = numbers->size == 0 ? NUMBERS_FIRST : numbers->size * 2;
        uint64_t *grown = realloc(numbers->numbers, size * sizeof *grown);
        if (grown == NULL)
            return ERR_MEMORY;
        numbers->numbers = grown;
        numbers->size = size;
    }
    numbers->numbers[numbers->count++] = number;
    return ERR_NONE;
}

static void on_name(void *owner, const char *name)
{
    struct directory *directory = owner;
    const struct {
        const char *suffix;
        struct directory_numbers *numbers;
    } kinds[] = {
        {".segment", &directory->segments},
        {".index", &directory->indexes},
        {".aside", &directory->asides},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint64_t number = segment_number_of(name, kinds[i].suffix);
        if (number != 0 && directory->err == ERR_NONE)
            directory->err = add(kinds[i].numbers, number);
    }
    if (strcmp(name, DIRECTORY_TEMPORARY) == 0)
        directory->has_temporary = true;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void sort(struct directory_numbers *numbers)
{
    if (numbers->count > 0)
        qsort(numbers->numbers, numbers->count, sizeof *numbers->numbers, compare);
}

enum err directory_read(struct fs *fs, struct directory *ret_directory)
{
    *ret_directory = (struct directory){0};
    enum err err = fs->ops->list(fs, on_name, ret_directory);
    if (err == ERR_NONE)
        err = ret_directory->err;
    if (err != ERR_NONE) {
        directory_done(ret_directory);
        return err;
    }
    sort(&ret_directory->segments);
    sort(&ret_directory->indexes);
    sort(&ret_directory->asides);
    return ERR_NONE;
}

void directory_done(struct directory *directory)
{
    free(directory->segments.numbers);
    free(directory->indexes.numbers);
    free(directory->asides.numbers);
    *directory = (struct directory){0};
}

bool directory_has(const struct directory_numbers *numbers, uint64_t number)
{
    return numbers->count > 0 &&
           bsearch(&number, numbers->numbers, numbers->count, sizeof number, compare) != NULL;
}
