/* Tables of fields: what a section of the configuration may say, and where it goes in a struct. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_TABLE_H
#define CONFIG_CONFIG_TABLE_H

#include "config/config_tree.h"

/* The kind of a field, and the C type at its offset. */
enum config_kind {
    CONFIG_TEXT,     /* const char *, in the configuration's arena */
    CONFIG_SECRET,   /* the same, and never printed */
    CONFIG_BOOL,     /* bool: true, false, on, off */
    CONFIG_COUNT,    /* uint64_t */
    CONFIG_SIZE,     /* uint64_t, bytes; units as in base/units.h */
    CONFIG_DURATION, /* int64_t, ns */
    CONFIG_SHARE,    /* double, from 0 to 1 */
    CONFIG_ADDRESS,  /* struct config_address */
    CONFIG_ENUM,     /* unsigned: the place of the word in `choices` */
    CONFIG_WORDS,    /* struct config_words: a list of texts; a single text counts as a list of one */
    CONFIG_SECTION,  /* the struct of `section` */
    CONFIG_SECTIONS, /* struct config_sections: a list */
    CONFIG_NAMED,    /* struct config_named: a map of sections by name */
    CONFIG_LATER,    /* nothing: a key of the design that this version has not built */
};

enum config_reload { CONFIG_RESTART, CONFIG_LIVE };

struct config_address {
    char host[256];
    uint16_t port;
};

struct config_words {
    const char **items;
    uint32_t count;
};

struct config_sections {
    void *items;
    uint32_t count;
};

/*
 * `defaults` is the one reserved name: all others begin with its values. Items hold their name first:
 * const char *.
 */
struct config_named {
    void *items;
    uint32_t count;
    void *defaults;
};

struct config_section;

struct config_field {
    const char *name;
    enum config_kind kind;
    size_t offset;
    const char *fallback; /* as one would write it; NULL: none. Sections bring their own */
    uint64_t min;         /* of COUNT, SIZE and DURATION; max 0: no bounds */
    uint64_t max;
    const char *choices; /* words of an ENUM, by their number, separated by one space */
    const char *later;   /* globs of values that the design knows and this version refuses by name */
    const struct config_section *section;
    enum config_reload reload;
    bool is_required;
    const char *sentence;
};

struct config_section {
    const struct config_field *fields;
    size_t count;
    size_t size;           /* of the struct */
    size_t node_offset;    /* of its const struct config_node * */
    const char *shorthand; /* the field that a list's item means when it is a single value; NULL: none */
    /*
     * More than one field at a time; may be NULL. `node` is NULL for a section that the file does not
     * have.
     */
    void (*examine)(struct config_problems *problems, const struct config_node *node, void *values);
};

#define CONFIG_FIELD_COUNT(fields) (sizeof(fields) / sizeof(fields)[0])

#endif
