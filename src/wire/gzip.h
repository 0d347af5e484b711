/* Gzip on bytes (RFC 1952): a stream is compressed piece by piece. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GZIP_H
#define WIRE_GZIP_H

#include "base/buffer.h"

struct gzip;

/* MEMORY. About 260 KiB until it is freed. */
enum err gzip_new(struct gzip **ret_gzip) MUST_CHECK;
/* Takes NULL; returns NULL. */
struct gzip *gzip_free(struct gzip *gzip);

/* Appends what has become ready of the stream; with `is_last` all of it, and nothing may follow. TOO_LARGE, MEMORY. */
enum err gzip_add(struct gzip *gzip, struct span bytes, bool is_last, struct buffer *to) MUST_CHECK;

#endif
