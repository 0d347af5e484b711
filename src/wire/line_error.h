/* The codes of the line protocol's ERR answers, and the reasons of parked lines: one list. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_ERROR_H
#define WIRE_LINE_ERROR_H

#include <stdbool.h>

/* id, whether the same may pass later, reason of a parked line (the code in lower case), text; docs/protocols/line.md explains them. */
#define LINE_ERROR_LIST(X)                                                                                   \
    X(TOO_LONG, FINAL, "too_long", "longer than the limit")                                                  \
    X(EMPTY, FINAL, "empty", "an empty line is no message")                                                  \
    X(UNFINISHED, FINAL, "unfinished", "the last line has no end")                                           \
    X(MISSING_FIELD, FINAL, "missing_field", "fewer fields than the door expects")                           \
    X(BAD_SEQ, FINAL, "bad_seq", "the sequence number is not a number from 1 to 9223372036854775807")        \
    X(NO_ROUTE, FINAL, "no_route", "no route matches")                                                       \
    X(BAD_NAME, FINAL, "bad_name", "not a legal topic name")                                                 \
    X(RESERVED_NAME, FINAL, "reserved_name", "topics of this name are closed to producers")                  \
    X(UNKNOWN_TOPIC, FINAL, "unknown_topic", "no such topic, and none is created")                           \
    X(TOO_MANY_TOPICS, FINAL, "too_many_topics", "no more topics can be created")                            \
    X(BAD_HELLO, FINAL, "bad_hello", "not a greeting")                                                       \
    X(BAD_VERSION, FINAL, "bad_version", "only version 1 is spoken")                                         \
    X(BROKEN, FINAL, "broken", "the log is broken after a failed write or sync")                             \
    X(DRAINING, RETRY, "draining", "the program is stopping")                                                \
    X(NO_MEMORY, RETRY, "no_memory", "out of memory")                                                        \
    X(BAD_REQUEST, FINAL, "bad_request", "not a request")                                                    \
    X(BAD_RANGE, FINAL, "bad_range", "not an ascending range of at most 1000000 numbers")                    \
    X(UNAVAILABLE, RETRY, "unavailable", "the answer cannot be read now")                                    \
    X(BAD_GROUP, FINAL, "bad_group", "not a legal group name")                                               \
    X(BAD_WINDOW, FINAL, "bad_window", "not a window of 1 to 1000000 lines")                                 \
    X(BAD_PARTITION, FINAL, "bad_partition", "no such partition")                                            \
    X(TOO_MANY_GROUPS, FINAL, "too_many_groups", "no more groups can be created")                            \
    X(SUBSCRIBED, FINAL, "subscribed", "a connection has one subscription")                                  \
    X(NOT_OPEN, FINAL, "not_open", "no such record is open on this connection")

enum line_error {
    LINE_ERROR_NONE,
#define LINE_ERROR_ENUM(id, class, reason, text) LINE_ERROR_##id,
    LINE_ERROR_LIST(LINE_ERROR_ENUM)
#undef LINE_ERROR_ENUM
        LINE_ERROR_COUNT
};

/* "TOO_LONG" */
const char *line_error_code(enum line_error error);
/* "too_long" */
const char *line_error_reason(enum line_error error);
const char *line_error_text(enum line_error error);
/* "retry" or "final" */
const char *line_error_class(enum line_error error);

#endif
