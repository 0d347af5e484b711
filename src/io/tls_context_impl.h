/* What the files of this room that make sessions need of a context. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_TLS_CONTEXT_IMPL_H
#define IO_TLS_CONTEXT_IMPL_H

#include <openssl/ssl.h>

#include "io/tls_context.h"

/* Both are the context's. */
SSL_CTX *tls_context_handle(const struct tls_context *context);
const BIO_METHOD *tls_context_bio_method(const struct tls_context *context);
bool tls_context_is_client(const struct tls_context *context);

#endif
