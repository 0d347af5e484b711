/* Every error of the program: one list of name, class and text. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/check.h"

/* The class decides what a caller does; the name and the text are for people. */
enum err_class {
    ERR_CLASS_FINE,
    ERR_CLASS_RETRY_LATER,     /* the same call may succeed later */
    ERR_CLASS_REFUSE,          /* the peer's fault: answer it, go on */
    ERR_CLASS_DROP_CONNECTION, /* the peer cannot be understood any more */
    ERR_CLASS_CONFIG,          /* the operator's to mend, before start */
    ERR_CLASS_FATAL,           /* nothing more can be promised here */
};

#define ERR_LIST(X)                                                                                          \
    X(NONE, FINE, "fine")                                                                                    \
    X(PENDING, FINE, "the answer comes later")                                                               \
    X(BUSY, RETRY_LATER, "too many bytes in flight")                                                         \
    X(FULL, RETRY_LATER, "the log is full")                                                                  \
    X(DRAINING, RETRY_LATER, "the program is stopping")                                                      \
    X(NO_SPACE, RETRY_LATER, "no space left on the device")                                                  \
    X(AGAIN, RETRY_LATER, "would block")                                                                     \
    X(MEMORY, RETRY_LATER, "out of memory")                                                                  \
    X(TOO_LARGE, REFUSE, "larger than its limit")                                                            \
    X(TOO_MANY, REFUSE, "more than the limit allows")                                                        \
    X(BAD_INPUT, REFUSE, "malformed")                                                                        \
    X(BAD_NAME, REFUSE, "not a legal name")                                                                  \
    X(UNKNOWN_TOPIC, REFUSE, "no such topic")                                                                \
    X(NOT_FOUND, REFUSE, "not found")                                                                        \
    X(EXISTS, REFUSE, "exists already")                                                                      \
    X(EXPIRED, REFUSE, "retention has passed it")                                                            \
    X(NOT_SUPPORTED, REFUSE, "not supported")                                                                \
    X(CLOSED, DROP_CONNECTION, "the other end closed")                                                       \
    X(PROTOCOL, DROP_CONNECTION, "protocol violated")                                                        \
    X(TIMED_OUT, DROP_CONNECTION, "time is over")                                                            \
    X(CONFIG, CONFIG, "the configuration is wrong")                                                          \
    X(IN_USE, CONFIG, "in use by another process")                                                           \
    X(ACCESS, CONFIG, "permission denied")                                                                   \
    X(NEWER_FORMAT, FATAL, "written by a newer version")                                                     \
    X(DAMAGED, FATAL, "damaged data")                                                                        \
    X(BROKEN, FATAL, "the journal is broken after a failed write or sync")                                   \
    X(IO, FATAL, "input/output error")                                                                       \
    X(SYSTEM, FATAL, "a system call failed")

enum err {
#define ERR_ENUM(name, class, text) ERR_##name,
    ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

/* The upper-case name without its prefix, as logs print it: "FULL". */
const char *err_name(enum err err);
const char *err_text(enum err err);
enum err_class err_class(enum err err);

/* The error that stands for a system call's errno. */
enum err err_from_errno(int number) MUST_CHECK;

#endif
