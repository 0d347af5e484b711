/* A record as one line: <seq>|<key>|<timestamp>|<body>, the form of subscribers, files and `tail`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_CANONICAL_H
#define WIRE_LINE_CANONICAL_H

#include "base/buffer.h"
#include "wire/record_batch.h"

enum line_encoding {
    LINE_ENCODING_TEXT,   /* byte for byte; key and body escaped when one of them would break the line */
    LINE_ENCODING_BASE64, /* key and body in base64 (RFC 4648, padded): always exact */
};

/* Appends the line with its LF. TOO_LARGE, MEMORY: as buffer_reserve, and nothing was appended. */
enum err line_canonical_append(struct buffer *buffer,
                               const struct record *record,
                               uint32_t partition,
                               enum line_encoding encoding) MUST_CHECK;

#endif
