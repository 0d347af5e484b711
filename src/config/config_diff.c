/* Walks two configurations side by side along the tables that read them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_diff.h"

#include <stdio.h>

enum { PATH_SIZE = 512, DEPTH_MAX = 8 };

/* A section of both on the way down. */
struct level {
    const struct config_section *section;
    const uint8_t *before;
    const uint8_t *after;
    size_t field;    /* the one to compare next */
    uint32_t item;   /* of it */
    size_t path_len; /* of the walk's path, which leads here */
};

struct walk {
    struct level levels[DEPTH_MAX];
    size_t depth;
    char path[PATH_SIZE];
    void (*on_change)(void *owner, const struct config_change *change);
    void *owner;
};

static bool is_same_text(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool is_same_address(const struct config_address *one, const struct config_address *other)
{
    return one->port == other->port && strcmp(one->host, other->host) == 0;
}

static bool is_same_words(const struct config_words *one, const struct config_words *other)
{
    bool is_same = one->count == other->count;
    for (uint32_t i = 0; i < one->count && is_same; i++)
        is_same = strcmp(one->items[i], other->items[i]) == 0;
    return is_same;
}

static bool is_same_value(enum config_kind kind, const void *one, const void *other)
{
    switch (kind) {
    case CONFIG_TEXT:
    case CONFIG_SECRET: return is_same_text(*(const char *const *)one, *(const char *const *)other);
    case CONFIG_BOOL: return *(const bool *)one == *(const bool *)other;
    case CONFIG_COUNT:
    case CONFIG_SIZE: return *(const uint64_t *)one == *(const uint64_t *)other;
    case CONFIG_DURATION: return *(const int64_t *)one == *(const int64_t *)other;
    case CONFIG_SHARE: return memcmp(one, other, sizeof(double)) == 0;
    case CONFIG_ENUM: return *(const unsigned *)one == *(const unsigned *)other;
    case CONFIG_ADDRESS: return is_same_address(one, other);
    case CONFIG_WORDS: return is_same_words(one, other);
    case CONFIG_SECTION:
    case CONFIG_SECTIONS:
    case CONFIG_NAMED:
    case CONFIG_LATER: break;
    }
    return true;
}

static const struct config_node *node_of(const struct config_section *section, const uint8_t *values)
{
    return *(const struct config_node *const *)(const void *)(values + section->node_offset);
}

/* Puts the field's name behind the level's path, and `more` behind that: "", ".orders". Returns how long it has become. */
static size_t
extend_path(struct walk *walk, const struct level *level, const struct config_field *field, const char *more)
{
    char *to = walk->path + level->path_len;
    int len = snprintf(to, PATH_SIZE - level->path_len, "%s%s", field->name, more);
    size_t end = level->path_len + (len > 0 ? (size_t)len : 0);
    return end < PATH_SIZE ? end : PATH_SIZE - 1;
}

static void
tell(struct walk *walk, const struct level *level, const struct config_field *field, const char *more)
{
    (void)extend_path(walk, level, field, more);
    struct config_change change = {
        .path = walk->path,
        .reload = field->reload,
        .place = config_place_of(node_of(level->section, level->after), field->name),
    };
    walk->on_change(walk->owner, &change);
}

/* What lies deeper is looked at first; then the walk goes on in this level. */
static void descend(struct walk *walk,
                    const struct config_field *field,
                    const char *more,
                    const uint8_t *before,
                    const uint8_t *after)
{
    check(walk->depth < DEPTH_MAX);
    size_t len = extend_path(walk, &walk->levels[walk->depth - 1], field, more);
    (void)snprintf(walk->path + len, PATH_SIZE - len, ".");
    walk->levels[walk->depth++] = (struct level){
        .section = field->section, .before = before, .after = after, .path_len = len + (len < PATH_SIZE - 1)};
}

static bool has_required_fields(const struct config_section *section)
{
    for (size_t i = 0; i < section->count; i++)
        if (section->fields[i].is_required)
            return true;
    return false;
}

/* A section that cannot be all defaults means something by being there. */
static void compare_section(struct walk *walk, struct level *level, const struct config_field *field)
{
    const uint8_t *before = level->before + field->offset;
    const uint8_t *after = level->after + field->offset;
    bool was_there = node_of(field->section, before) != NULL;
    bool is_there = node_of(field->section, after) != NULL;
    level->field++;
    if (was_there != is_there && has_required_fields(field->section))
        tell(walk, level, field, "");
    else
        descend(walk, field, "", before, after);
}

static void compare_sections(struct walk *walk, struct level *level, const struct config_field *field)
{
    const struct config_sections *before = (const void *)(level->before + field->offset);
    const struct config_sections *after = (const void *)(level->after + field->offset);
    uint32_t item = level->item++;
    if (item < before->count && item < after->count) {
        char more[16];
        size_t at = item * field->section->size;
        (void)snprintf(more, sizeof more, "[%u]", item);
        descend(walk, field, more, (const uint8_t *)before->items + at, (const uint8_t *)after->items + at);
        return;
    }
    if (before->count != after->count)
        tell(walk, level, field, "");
    level->field++;
    level->item = 0;
}

static const uint8_t *item_of(const struct config_named *named, uint32_t item, size_t size)
{
    return (const uint8_t *)named->items + item * size;
}

static const char *name_of(const uint8_t *item)
{
    return *(const char *const *)(const void *)item;
}

static const uint8_t *find_item(const struct config_named *named, size_t size, const char *name)
{
    for (uint32_t i = 0; i < named->count; i++)
        if (strcmp(name_of(item_of(named, i, size)), name) == 0)
            return item_of(named, i, size);
    return NULL;
}

/* One of the second, held against its namesake in the first; or the other way round, to see whether it has gone. */
static void compare_item(struct walk *walk,
                         const struct level *level,
                         const struct config_field *field,
                         const uint8_t *item,
                         bool is_after)
{
    char more[PATH_SIZE / 2];
    const void *other_side = (is_after ? level->before : level->after) + field->offset;
    const uint8_t *other = find_item(other_side, field->section->size, name_of(item));
    (void)snprintf(more, sizeof more, ".%s", name_of(item));
    if (other == NULL)
        tell(walk, level, field, more);
    else if (is_after)
        descend(walk, field, more, other, item);
}

/* First the defaults, then what is there now, then what was there. */
static void compare_named(struct walk *walk, struct level *level, const struct config_field *field)
{
    const struct config_named *before = (const void *)(level->before + field->offset);
    const struct config_named *after = (const void *)(level->after + field->offset);
    size_t size = field->section->size;
    uint32_t item = level->item++;
    if (item == 0) {
        descend(walk, field, ".defaults", before->defaults, after->defaults);
    } else if (item <= after->count) {
        compare_item(walk, level, field, item_of(after, item - 1, size), true);
    } else if (item - after->count <= before->count) {
        compare_item(walk, level, field, item_of(before, item - after->count - 1, size), false);
    } else {
        level->field++;
        level->item = 0;
    }
}

static void compare_value(struct walk *walk, struct level *level, const struct config_field *field)
{
    level->field++;
    if (!is_same_value(field->kind, level->before + field->offset, level->after + field->offset))
        tell(walk, level, field, "");
}

static void step(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    const struct config_field *field = &level->section->fields[level->field];
    if (level->field == level->section->count)
        walk->depth--;
    else if (field->kind == CONFIG_SECTION)
        compare_section(walk, level, field);
    else if (field->kind == CONFIG_SECTIONS)
        compare_sections(walk, level, field);
    else if (field->kind == CONFIG_NAMED)
        compare_named(walk, level, field);
    else
        compare_value(walk, level, field);
}

void config_diff(const struct config *before,
                 const struct config *after,
                 void (*on_change)(void *owner, const struct config_change *change),
                 void *owner)
{
    struct walk walk = {.depth = 1, .on_change = on_change, .owner = owner};
    walk.levels[0] = (struct level){
        .section = config_root(), .before = (const void *)before, .after = (const void *)after};
    while (walk.depth > 0)
        step(&walk);
}
