/* What one may say to `waybill bench`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_OPTIONS_H
#define CLI_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct bench_options {
    const char *verb;     /* words[0] */
    const char *argument; /* the one word behind the options, or NULL */
    const char *address;  /* NULL: the verb's own default */
    const char *fields;
    const char *data; /* NULL: the configuration's, or the default's */
    const char *config;
    const char *ca;        /* with is_tls */
    const char *name;      /* in the door's certificate */
    const char *group;     /* NULL: none */
    const char *subscribe; /* NULL: the default */
    const char *status;    /* likewise */
    uint64_t groups;
    uint64_t connections;
    uint64_t window;
    uint64_t keys;
    uint64_t topics;
    uint64_t depth;
    uint64_t first_seq;
    uint64_t count;
    uint64_t size; /* of a line, or of a write */
    int64_t time_ns;
    int64_t pace_ns;
    bool is_plain;
    bool is_tls;
    bool is_from_end;
    bool is_json;
};

/* words[0] is the verb. False: the reason was printed; or help is wanted, then `ret_wants_help`. */
bool bench_options_parse(struct bench_options *options, int count, char **words, bool *ret_wants_help);

#endif
