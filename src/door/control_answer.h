/* Answers on the control socket: lines of JSON (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_CONTROL_ANSWER_H
#define DOOR_CONTROL_ANSWER_H

#include "base/buffer.h"
#include "store/store.h"

/* Each appends one line. Errors are the buffer's. */
enum err control_answer_ok(struct buffer *answers) MUST_CHECK;
enum err control_answer_error(struct buffer *answers, enum err err, const char *text) MUST_CHECK;
enum err
control_answer_topic(struct buffer *answers, struct store *store, const struct store_topic *topic) MUST_CHECK;
enum err control_answer_status(struct buffer *answers, struct store *store, int64_t uptime_ns) MUST_CHECK;
enum err control_answer_metrics(struct buffer *answers) MUST_CHECK;

#endif
