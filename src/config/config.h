/* The whole configuration of a Waybill: read once, immutable afterwards. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/config_audit.h"
#include "config/config_delivery.h"

/*
 * The values of each field of the tables in config_tables.c; sentences stand there. `node` is where the section stands
 * in the file, for config_place_of; NULL when it does not.
 */

enum config_ack { CONFIG_ACK_SYNCED, CONFIG_ACK_WRITTEN };
enum config_when_full { CONFIG_BLOCK, CONFIG_DROP_OLDEST };
enum config_serve { CONFIG_PRODUCE, CONFIG_SUBSCRIBE, CONFIG_ACKS, CONFIG_STATUS };
enum config_duplicates { CONFIG_STORE, CONFIG_DROP };
enum config_mode { CONFIG_NATIVE, CONFIG_KMQ };

struct config_log {
    const struct config_node *node;
    uint64_t segment_size;
    unsigned ack; /* enum config_ack */
    uint64_t size_max;
    int64_t scrub_every_ns;
    uint64_t scrub_rate;
};

struct config_limits {
    const struct config_node *node;
    uint64_t record;
    uint64_t append;
    uint64_t topics;
    bool auto_create;
};

struct config_receipts {
    const struct config_node *node;
    int64_t keep_ns;
    uint64_t size_max;
};

/* The window within which `duplicates: drop` recognises what it has seen. */
struct config_window {
    const struct config_node *node;
    int64_t keep_ns;
    uint64_t count;
};

struct config_retention {
    const struct config_node *node;
    int64_t age_ns; /* 0: no limit */
    uint64_t size;  /* 0: no limit */
    bool consumed;
};

struct config_topic {
    const char *name; /* NULL in the defaults */
    const struct config_node *node;
    uint64_t partitions;
    unsigned store;     /* there is one: journal */
    unsigned when_full; /* enum config_when_full */
    struct config_retention retention;
    struct config_words processed_by; /* groups; they hold its records back */
};

struct config_route {
    const struct config_node *node;
    const char *key; /* a glob */
    const char *topic;
};

enum config_client_cert { CONFIG_REQUIRED, CONFIG_OPTIONAL };

struct config_tls {
    const struct config_node *node; /* NULL: the listener is plain */
    const char *cert;
    const char *key;
};

struct config_door {
    const struct config_node *node;
    unsigned kind;  /* there is one: line */
    unsigned serve; /* enum config_serve */
    struct config_address listen;
    const char *topic; /* produce: a name or a template; status: a name, when the file says it */
    const char *fields;
    struct config_sections routes; /* struct config_route */
    const char *otherwise;
    const char *sequence;
    unsigned duplicates; /* enum config_duplicates */
    bool hello;
    uint64_t window;
    uint64_t max_line;
    unsigned mode; /* acks, status: enum config_mode */
    bool keys;
    const char *processed_log; /* status; NULL: none */
    const char *group;         /* of the processed log */
    int64_t lease_ns;          /* subscribe */
    bool insecure;
    struct config_tls tls;
    const char *client_ca; /* NULL: clients are not asked for a certificate */
    unsigned client_cert;  /* enum config_client_cert */
};

/* Whether only those get in who prove with a certificate who they are. */
bool config_door_is_protected(const struct config_door *door);

struct config_threads {
    const struct config_node *node;
    uint64_t loops; /* 0: 1 on two cores, then cores - 1 */
};

struct config {
    const struct config_node *node;
    struct arena arena;
    const char *data;
    int64_t drain_ns;
    struct config_log log;
    struct config_limits limits;
    struct config_receipts receipts;
    struct config_window duplicates;
    struct config_named topics;        /* struct config_topic */
    struct config_sections doors;      /* struct config_door */
    struct config_sections deliveries; /* struct config_delivery */
    struct config_threads threads;
    struct config_audit audit;
};

/* CONFIG with all problems told, MEMORY, or what reading the file ended with. */
enum err
config_load(const char *path, struct config_problems *problems, struct config **ret_config) MUST_CHECK;
/* The same from bytes; problems->file names them. */
enum err
config_parse(struct span yaml, struct config_problems *problems, struct config **ret_config) MUST_CHECK;
/* Without a file: every default, and the doors that exist, on loopback. */
enum err config_default(struct config **ret_config) MUST_CHECK;
/* Takes NULL; returns NULL. */
struct config *config_free(struct config *config);

/* The reference as lines for a terminal, or as the Markdown of docs/configuration.md. */
enum config_explain_form { CONFIG_EXPLAIN_TEXT, CONFIG_EXPLAIN_MARKDOWN };

/* Appends the reference: each field's name, what it takes, default, reload class and sentence. */
enum err config_explain(struct buffer *to, enum config_explain_form form) MUST_CHECK;

/* For config.c and config_explain.c: the root of the tables. */
const struct config_section *config_root(void);

#endif
