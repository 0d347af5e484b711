/* A configuration file as a small tree of scalars, lists and maps that remembers lines and columns. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_TREE_H
#define CONFIG_CONFIG_TREE_H

#include "base/arena.h"
#include "config/config_problem.h"

enum {
    CONFIG_FILE_SIZE_MAX = 1024 * 1024,
    CONFIG_DEPTH_MAX = 16,
    CONFIG_NODES_MAX = 50000,
};

enum config_node_kind { CONFIG_SCALAR, CONFIG_LIST, CONFIG_MAP };

struct config_node {
    enum config_node_kind kind;
    struct config_place place;
    const char *key; /* of a map's member, else NULL */
    struct config_place key_place;
    const char *text;          /* of a scalar, variables expanded */
    struct config_node *first; /* members of a list or map */
    struct config_node *last;
    struct config_node *next; /* sibling */
};

/*
 * YAML 1.1 as libyaml reads it, without what a configuration does not need: anchors, aliases, tags, several
 * documents,
 * repeated keys and keys that are no scalars are refused. Scalars stay text: typing is the reader's. In a
 * value
 * ${NAME} becomes the environment's text, ${NAME:otherwise} has a default, $${ is a plain ${.
 * An empty file is an empty map. NULL with the problems told; the tree lives in the arena.
 */
struct config_node *config_tree_read(struct span yaml, struct arena *arena, struct config_problems *problems);

/* The member of a map; NULL. */
struct config_node *config_node_member(const struct config_node *map, const char *key);

/* Where a section says `key`; where it begins, when it does not; the file as a whole for NULL. */
struct config_place config_place_of(const struct config_node *section, const char *key);

#endif
