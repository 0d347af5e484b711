/* Walks a tree along the tables: defaults first, then what the file says, then what the whole can tell. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_section.h"

#include <limits.h>

#include "config/config_nearest.h"
#include "config/config_value.h"

enum { ITEMS_MAX = 10000 };

/*
 * One section that is being read. Those inside it lie above it on the stack, so they are complete before
 * it is.
 */
struct task {
    struct task *below;
    const struct config_section *section;
    const struct config_node *node; /* NULL: defaults only */
    const struct config_node *next; /* the member that comes next */
    void *values;
    const void *source; /* of a named section: the values that it begins with; NULL: the table's defaults */
    unsigned problems;  /* that were there before it */
    bool is_begun;
};

struct section_reader {
    struct arena *arena;
    struct config_problems *problems;
    struct task *top;
};

static void *take(struct section_reader *reader, const struct config_node *node, size_t size)
{
    struct config_place place = node == NULL ? (struct config_place){0} : node->place;
    void *taken = arena_take(reader->arena, size);
    if (taken == NULL)
        config_problem(reader->problems, place, "the configuration holds too much");
    return taken;
}

static struct task *push(struct section_reader *reader,
                         const struct config_section *section,
                         const struct config_node *node,
                         void *values)
{
    struct task *task = take(reader, node, sizeof *task);
    if (task == NULL)
        return NULL;
    *task = (struct task){.below = reader->top, .section = section, .node = node, .values = values};
    reader->top = task;
    return task;
}

static const struct config_field *find_field(const struct config_section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++)
        if (strcmp(section->fields[i].name, name) == 0)
            return &section->fields[i];
    return NULL;
}

static void refuse_unknown(struct section_reader *reader,
                           const struct config_section *section,
                           const struct config_node *node)
{
    const char *nearest = NULL;
    unsigned best = UINT_MAX;
    for (size_t i = 0; i < section->count; i++) {
        unsigned distance = config_distance(node->key, section->fields[i].name);
        if (distance < best) {
            best = distance;
            nearest = section->fields[i].name;
        }
    }
    if (nearest != NULL && config_is_near(node->key, best))
        config_problem(reader->problems, node->key_place, "`%.100s` is no key here: did you mean `%s`?",
                       node->key, nearest);
    else
        config_problem(reader->problems, node->key_place,
                       "`%.100s` is no key here: `waybill check --explain` lists those that are", node->key);
}

static bool expect_kind(struct section_reader *reader,
                        const char *name,
                        const struct config_node *node,
                        enum config_node_kind kind)
{
    static const char *const nouns[] = {"one value", "a list (`- ...` or `[ ... ]`)",
                                        "a section (`key: value`)"};
    if (node->kind == kind)
        return true;
    config_problem(reader->problems, node->place, "`%s` takes %s", name, nouns[kind]);
    return false;
}

static uint32_t count_members(const struct config_node *node)
{
    uint32_t count = 0;
    for (const struct config_node *member = node->first; member != NULL; member = member->next)
        count++;
    return count;
}

/* Room for `count` sections, and a task for each that will be read: first things come first. */
static uint8_t *
take_items(struct section_reader *reader, const struct config_node *node, uint32_t count, size_t size)
{
    if (count <= ITEMS_MAX)
        return take(reader, node, count * size);
    config_problem(reader->problems, node->place, "the list holds too much");
    return NULL;
}

/* What lies highest on the stack is read first, and the places of the file are told in their order. */
static void reverse_down_to(struct section_reader *reader, struct task *bottom)
{
    struct task *reversed = bottom;
    while (reader->top != bottom) {
        struct task *task = reader->top;
        reader->top = task->below;
        task->below = reversed;
        reversed = task;
    }
    reader->top = reversed;
}

static void push_item(struct section_reader *reader,
                      const struct config_field *field,
                      const struct config_node *node,
                      void *item)
{
    bool is_short = node->kind == CONFIG_SCALAR && field->section->shorthand != NULL;
    if (is_short || expect_kind(reader, field->name, node, CONFIG_MAP))
        (void)push(reader, field->section, node, item);
}

static void push_sections(struct section_reader *reader,
                          const struct config_field *field,
                          const struct config_node *node,
                          struct config_sections *ret_sections)
{
    uint32_t count = count_members(node);
    uint8_t *items = take_items(reader, node, count, field->section->size);
    struct task *bottom = reader->top;
    if (items == NULL)
        return;
    *ret_sections = (struct config_sections){items, count};
    for (const struct config_node *member = node->first; member != NULL; member = member->next) {
        push_item(reader, field, member, items);
        items += field->section->size;
    }
    reverse_down_to(reader, bottom);
}

/* The items of a list of texts; one that is no text, or empty, is told. */
static void read_words(struct section_reader *reader,
                       const struct config_field *field,
                       const struct config_node *node,
                       struct config_words *ret_words)
{
    bool is_one = node->kind == CONFIG_SCALAR;
    if (!is_one && !expect_kind(reader, field->name, node, CONFIG_LIST))
        return;
    uint32_t count = is_one ? 1 : count_members(node);
    const char **items = (const char **)(void *)take_items(reader, node, count, sizeof *items);
    if (items == NULL)
        return;
    *ret_words = (struct config_words){items, count};
    for (const struct config_node *member = is_one ? node : node->first; count > 0; member = member->next) {
        *items = "";
        if (expect_kind(reader, field->name, member, CONFIG_SCALAR) && *member->text != '\0')
            *items = member->text;
        else if (member->kind == CONFIG_SCALAR)
            config_problem(reader->problems, member->place, "`%s` holds an empty name", field->name);
        items++;
        count--;
    }
}

static void push_named_item(struct section_reader *reader,
                            const struct config_section *section,
                            const struct config_node *node,
                            const void *source,
                            void *item)
{
    if (!expect_kind(reader, node->key, node, CONFIG_MAP))
        return;
    struct task *task = push(reader, section, node, item);
    if (task != NULL)
        task->source = source;
}

/* `node` is NULL when the file has none of them. The defaults are read first, wherever they stand. */
static void push_named(struct section_reader *reader,
                       const struct config_field *field,
                       const struct config_node *node,
                       struct config_named *named)
{
    const struct config_node *defaults = node == NULL ? NULL : config_node_member(node, "defaults");
    uint32_t count = node == NULL ? 0 : count_members(node) - (defaults != NULL);
    named->defaults = take(reader, node, field->section->size);
    uint8_t *item = node == NULL ? NULL : take_items(reader, node, count, field->section->size);
    if (named->defaults == NULL)
        return;
    named->items = item;
    named->count = item == NULL ? 0 : count;
    struct task *bottom = reader->top;
    bool is_section = defaults == NULL || expect_kind(reader, defaults->key, defaults, CONFIG_MAP);
    (void)push(reader, field->section, is_section ? defaults : NULL, named->defaults);
    for (const struct config_node *member = item == NULL ? NULL : node->first; member != NULL;
         member = member->next) {
        if (member == defaults)
            continue;
        push_named_item(reader, field->section, member, named->defaults, item);
        item += field->section->size;
    }
    reverse_down_to(reader, bottom);
}

static void set_default(const struct config_field *field, void *values)
{
    struct why why;
    if (field->fallback == NULL)
        return;
    enum err err = config_value_read(field, field->fallback, values, &why);
    check(err == ERR_NONE);
}

/*
 * What the table says without a file. Sections that the file does not have get theirs from tasks of their
 * own.
 */
static void set_defaults(struct section_reader *reader, const struct task *task)
{
    for (size_t i = 0; i < task->section->count; i++) {
        const struct config_field *field = &task->section->fields[i];
        void *target = (uint8_t *)task->values + field->offset;
        bool is_absent = task->node == NULL || config_node_member(task->node, field->name) == NULL;
        if (field->kind == CONFIG_SECTION && is_absent)
            (void)push(reader, field->section, NULL, target);
        else if (field->kind == CONFIG_NAMED && is_absent)
            push_named(reader, field, NULL, target);
        else if (field->section == NULL)
            set_default(field, task->values);
    }
}

static void set_node(const struct task *task)
{
    void *place = (uint8_t *)task->values + task->section->node_offset;
    *(const struct config_node **)place = task->node;
}

static void read_scalar(struct section_reader *reader,
                        const struct config_field *field,
                        const struct config_node *node,
                        void *values)
{
    struct why why;
    if (field->kind == CONFIG_WORDS) {
        read_words(reader, field, node, (struct config_words *)(void *)((uint8_t *)values + field->offset));
        return;
    }
    if (!expect_kind(reader, field->name, node, CONFIG_SCALAR))
        return;
    if (config_value_read(field, node->text, values, &why) != ERR_NONE)
        config_problem(reader->problems, node->place, "%s", why.text);
}

static void begin(struct section_reader *reader, struct task *task)
{
    task->is_begun = true;
    task->problems = reader->problems->count;
    if (task->source != NULL) {
        memcpy(task->values, task->source, task->section->size);
        memcpy(task->values, &task->node->key, sizeof task->node->key);
    }
    if (task->node != NULL) {
        set_node(task);
        task->next = task->node->first;
    }
    if (task->source == NULL)
        set_defaults(reader, task);
    if (task->node != NULL && task->node->kind == CONFIG_SCALAR)
        read_scalar(reader, find_field(task->section, task->section->shorthand), task->node, task->values);
}

/* A section of one that began with another's values keeps those that it does not name. */
static void push_section(struct section_reader *reader,
                         const struct config_field *field,
                         const struct config_node *node,
                         const struct task *parent)
{
    const void *source = parent->source;
    struct task *task = push(reader, field->section, node, (uint8_t *)parent->values + field->offset);
    if (task == NULL || source == NULL)
        return;
    /* Its values were copied with the parent's. */
    task->is_begun = true;
    task->problems = reader->problems->count;
    task->source = (const uint8_t *)source + field->offset;
    task->next = node->first;
    set_node(task);
}

static void read_member(struct section_reader *reader, struct task *task, const struct config_node *node)
{
    const struct config_field *field = find_field(task->section, node->key);
    if (field == NULL) {
        refuse_unknown(reader, task->section, node);
        return;
    }
    void *target = (uint8_t *)task->values + field->offset;
    if (field->kind == CONFIG_LATER)
        config_problem(reader->problems, node->key_place, "`%s` is not in this version yet", field->name);
    else if (field->section == NULL)
        read_scalar(reader, field, node, task->values);
    else if (!expect_kind(reader, field->name, node,
                          field->kind == CONFIG_SECTIONS ? CONFIG_LIST : CONFIG_MAP))
        return;
    else if (field->kind == CONFIG_SECTION)
        push_section(reader, field, node, task);
    else if (field->kind == CONFIG_SECTIONS)
        push_sections(reader, field, node, target);
    else
        push_named(reader, field, node, target);
}

static void require_members(struct section_reader *reader, const struct task *task)
{
    for (size_t i = 0; i < task->section->count; i++) {
        const struct config_field *field = &task->section->fields[i];
        if (field->is_required && config_node_member(task->node, field->name) == NULL)
            config_problem(reader->problems, task->node->place, "`%s` is missing here: %s", field->name,
                           field->sentence);
    }
}

/*
 * What is missing, and the section as a whole, count only when nothing in it is wrong: one mistake is told once. A key
 * that was mistyped is not missing too, and what this version has not built needs nothing more.
 */
static void finish(struct section_reader *reader, const struct task *task)
{
    if (task->node != NULL && task->node->kind == CONFIG_MAP && reader->problems->count == task->problems)
        require_members(reader, task);
    if (task->section->examine != NULL && reader->problems->count == task->problems)
        task->section->examine(reader->problems, task->node, task->values);
}

void config_section_read(const struct config_section *section,
                         const struct config_node *node,
                         struct arena *arena,
                         struct config_problems *problems,
                         void *values)
{
    struct section_reader reader = {.arena = arena, .problems = problems};
    if (node != NULL && !expect_kind(&reader, "the configuration", node, CONFIG_MAP))
        return;
    (void)push(&reader, section, node, values);
    while (reader.top != NULL) {
        struct task *task = reader.top;
        const struct config_node *member = task->next;
        if (!task->is_begun) {
            begin(&reader, task);
        } else if (member != NULL) {
            task->next = member->next;
            read_member(&reader, task, member);
        } else {
            finish(&reader, task);
            reader.top = task->below;
        }
    }
}
