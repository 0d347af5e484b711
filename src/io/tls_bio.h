/* What lies under OpenSSL here: bytes that were received, and a buffer for those to be sent. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_TLS_BIO_H
#define IO_TLS_BIO_H

#include <openssl/bio.h>

#include "base/buffer.h"

struct tls_bytes {
    struct span lent;      /* not read by OpenSSL yet */
    struct buffer *sealed; /* what it has written */
};

/* NULL without memory. It must outlive its BIOs. */
BIO_METHOD *tls_bio_method_new(void);

/* NULL without memory; `bytes` must outlive it. */
BIO *tls_bio_new(const BIO_METHOD *method, struct tls_bytes *bytes);

#endif
