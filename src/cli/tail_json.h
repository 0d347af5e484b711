/* Records as JSON, one object a line, out of canonical lines in base64. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TAIL_JSON_H
#define CLI_TAIL_JSON_H

#include <stdio.h>

#include "base/buffer.h"

/*
 * {"seq":17,"key":"k","timestamp":1795334400123,"body":"..."}; a record without a number has its "place" instead, one without
 * a key no "key". Bytes that are no UTF-8 stand in base64, under "key_base64" and "body_base64".
 */
struct tail_json {
    struct buffer line;    /* what has come of the next record */
    struct buffer decoded; /* one field */
    struct buffer text;    /* the record as JSON */
};

void tail_json_init(struct tail_json *json);
void tail_json_done(struct tail_json *json);
/* Takes the next bytes of the records, in any pieces, and prints what they complete. BAD_INPUT, MEMORY, TOO_LARGE. */
enum err tail_json_print(struct tail_json *json, struct span bytes, FILE *to) MUST_CHECK;

#endif
