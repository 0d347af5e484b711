/* Why something did not work with TLS, in words for a log. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_TLS_REASON_H
#define IO_TLS_REASON_H

#include <openssl/types.h>

#include "base/span.h"

enum { TLS_REASON_SIZE = 160 };

/* What OpenSSL's queue of this thread says last; the queue is emptied. Returns `text`. */
const char *tls_reason_of_queue(char text[static TLS_REASON_SIZE]);

/* Why the handshake of a server failed: what the client did, and what would help. Empties the queue. Returns `text`. */
const char *tls_reason_of_handshake(const SSL *handle, char text[static TLS_REASON_SIZE]);

/* What else a client seems to speak whose first bytes are these: "plain lines", "HTTP"; NULL when it may be TLS. */
const char *tls_reason_of_first_bytes(struct span bytes);

#endif
