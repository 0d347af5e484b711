/* The words behind `waybill deadletters` and `waybill audit`, and the request that they become. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LETTER_OPTIONS_H
#define CLI_LETTER_OPTIONS_H

#include "base/buffer.h"
#include "cli/command.h"

enum { LETTER_WORDS_MAX = 2 };

/* NULL, 0, false: not said. */
struct letter_options {
    const char *words[LETTER_WORDS_MAX]; /* a topic, a place, a replay's id */
    int word_count;
    const char *from;
    const char *to;
    const char *reason;
    const char *key;
    const char *delivery;
    const char *correlation_id;
    const char *topic;
    const char *event;
    uint64_t limit;
    uint64_t rate;
    bool is_whole;
    bool is_dry;
    bool is_last_retry;
    bool is_reroute;
    bool is_all;
    bool is_detached;
    bool is_json;
    const char *config;
    const char *data;
};

/* Which of the long options a verb knows: their letters, see letter_options.c. */
struct letter_verb {
    const char *name; /* "deadletters list" */
    const char *usage;
    const char *known;
    int words_min;
    int words_max;
};

/* words[0] is the verb itself. False: there is nothing to do but to end with *ret_code. */
bool letter_options_parse(const struct letter_verb *verb,
                          int count,
                          char **words,
                          struct letter_options *ret_options,
                          int *ret_code);

/* {"op":..., ...} with all that was said; `topic` stands for options->topic. */
enum err
letter_options_put(struct buffer *request, const char *op, const struct letter_options *options) MUST_CHECK;

#endif
