/* Builds the tree from libyaml's events, one level of nesting after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_tree.h"

#include <yaml.h>

#include "config/config_expand.h"

struct tree_reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct config_problems *problems;
    struct config_node *open[CONFIG_DEPTH_MAX]; /* lists and maps around the present place */
    unsigned depth;
    const char *key; /* read, its value is next */
    struct config_place key_place;
    struct config_node *root;
    unsigned nodes;
    unsigned documents;
};

static struct config_place place_of(yaml_mark_t mark)
{
    return (struct config_place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static bool wrong(struct tree_reader *reader, yaml_mark_t mark, const char *text)
{
    config_problem(reader->problems, place_of(mark), "%s", text);
    return false;
}

static bool wrong_syntax(struct tree_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem == NULL ? "out of memory" : parser->problem;
    yaml_mark_t mark = parser->error == YAML_READER_ERROR ? parser->mark : parser->problem_mark;
    const char *context = parser->context == NULL ? "" : parser->context;
    config_problem(reader->problems, place_of(mark), "not YAML: %s%s%s", context,
                   *context == '\0' ? "" : ", ", problem);
    return false;
}

struct config_node *config_node_member(const struct config_node *map, const char *key)
{
    for (struct config_node *node = map->first; node != NULL; node = node->next)
        if (strcmp(node->key, key) == 0)
            return node;
    return NULL;
}

struct config_place config_place_of(const struct config_node *section, const char *key)
{
    if (section == NULL)
        return (struct config_place){0};
    const struct config_node *member = config_node_member(section, key);
    if (member != NULL)
        return member->key_place;
    return section->key == NULL ? section->place : section->key_place;
}

/* Puts a new node where it belongs: the root, a list's next item, or the value of the key before it. */
static struct config_node *add_node(struct tree_reader *reader, enum config_node_kind kind, yaml_mark_t mark)
{
    struct config_node *node = arena_take(reader->arena, sizeof *node);
    if (node == NULL || ++reader->nodes > CONFIG_NODES_MAX) {
        (void)wrong(reader, mark, "the file holds too much");
        return NULL;
    }
    *node = (struct config_node){
        .kind = kind, .place = place_of(mark), .key = reader->key, .key_place = reader->key_place};
    reader->key = NULL;
    if (reader->depth == 0) {
        reader->root = node;
        return node;
    }
    struct config_node *parent = reader->open[reader->depth - 1];
    if (parent->last == NULL)
        parent->first = node;
    else
        parent->last->next = node;
    parent->last = node;
    return node;
}

static bool key_is_due(const struct tree_reader *reader)
{
    return reader->depth > 0 && reader->open[reader->depth - 1]->kind == CONFIG_MAP && reader->key == NULL;
}

static bool open_node(struct tree_reader *reader, enum config_node_kind kind, yaml_mark_t mark)
{
    if (key_is_due(reader))
        return wrong(reader, mark, "a key must be a plain word");
    if (reader->depth == CONFIG_DEPTH_MAX)
        return wrong(reader, mark, "nested too deeply: at most 16 levels");
    struct config_node *node = add_node(reader, kind, mark);
    if (node == NULL)
        return false;
    reader->open[reader->depth++] = node;
    return true;
}

static bool take_key(struct tree_reader *reader, struct span text, yaml_mark_t mark)
{
    const char *key = arena_copy_text(reader->arena, text);
    if (key == NULL || text.len == 0 || strlen(key) != text.len)
        return wrong(reader, mark, "a key must be a plain word");
    const struct config_node *first = config_node_member(reader->open[reader->depth - 1], key);
    if (first != NULL) {
        config_problem(reader->problems, place_of(mark),
                       "`%.200s` stands here for the second time, first in line %u: "
                       "remove one",
                       key, first->key_place.line);
        return false;
    }
    reader->key = key;
    reader->key_place = place_of(mark);
    return true;
}

static bool take_scalar(struct tree_reader *reader, const yaml_event_t *event)
{
    struct span text = span_of(event->data.scalar.value, event->data.scalar.length);
    if (key_is_due(reader))
        return take_key(reader, text, event->start_mark);
    if (span_find(text, 0) < text.len)
        return wrong(reader, event->start_mark, "a zero byte is no text");
    struct config_node *node = add_node(reader, CONFIG_SCALAR, event->start_mark);
    if (node == NULL)
        return false;
    struct why why = {0};
    if (config_expand(text, reader->arena, &node->text, &why) != ERR_NONE)
        return wrong(reader, event->start_mark, why.text);
    return true;
}

/* Whether something stands at the node that this reader refuses. */
static bool is_decorated(const yaml_char_t *anchor, const yaml_char_t *tag)
{
    return anchor != NULL || tag != NULL;
}

static bool take_event(struct tree_reader *reader, const yaml_event_t *event)
{
    static const char decorated[] = "anchors and tags are not supported: write the value out";
    yaml_mark_t mark = event->start_mark;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        if (is_decorated(event->data.scalar.anchor, event->data.scalar.tag))
            return wrong(reader, mark, decorated);
        return take_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        if (is_decorated(event->data.sequence_start.anchor, event->data.sequence_start.tag))
            return wrong(reader, mark, decorated);
        return open_node(reader, CONFIG_LIST, mark);
    case YAML_MAPPING_START_EVENT:
        if (is_decorated(event->data.mapping_start.anchor, event->data.mapping_start.tag))
            return wrong(reader, mark, decorated);
        return open_node(reader, CONFIG_MAP, mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: reader->depth--; return true;
    case YAML_ALIAS_EVENT: return wrong(reader, mark, "aliases are not supported: write the value out");
    case YAML_DOCUMENT_START_EVENT:
        return ++reader->documents == 1 ||
               wrong(reader, mark, "a second document: one file is one configuration");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return true;
    }
    return true;
}

static bool read_events(struct tree_reader *reader)
{
    bool goes_on = true;
    while (goes_on) {
        yaml_event_t event;
        if (yaml_parser_parse(&reader->parser, &event) == 0)
            return wrong_syntax(reader);
        bool is_end = event.type == YAML_STREAM_END_EVENT;
        goes_on = take_event(reader, &event);
        yaml_event_delete(&event);
        if (is_end)
            return true;
    }
    return false;
}

/* A file of comments only has no root; one that says `~` or nothing has an empty scalar. */
static bool is_nothing(const struct config_node *root)
{
    return root == NULL || (root->kind == CONFIG_SCALAR && *root->text == '\0');
}

struct config_node *config_tree_read(struct span yaml, struct arena *arena, struct config_problems *problems)
{
    struct tree_reader reader = {.arena = arena, .problems = problems};
    if (yaml.len > CONFIG_FILE_SIZE_MAX) {
        config_problem(problems, (struct config_place){0}, "larger than 1 MiB: this is no configuration");
        return NULL;
    }
    if (yaml_parser_initialize(&reader.parser) == 0) {
        config_problem(problems, (struct config_place){0}, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, yaml.data, yaml.len);
    bool is_fine = read_events(&reader);
    yaml_parser_delete(&reader.parser);
    if (!is_fine)
        return NULL;
    if (is_nothing(reader.root)) {
        reader.depth = 0;
        return add_node(&reader, CONFIG_MAP, (yaml_mark_t){0});
    }
    return reader.root;
}
