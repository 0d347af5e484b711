/* Copies once each way; OpenSSL's own memory BIOs would copy twice and keep what they have grown to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_bio.h"

static int on_read(BIO *bio, char *to, size_t size, size_t *ret_len)
{
    struct tls_bytes *bytes = BIO_get_data(bio);
    size_t len = size < bytes->lent.len ? size : bytes->lent.len;
    BIO_clear_retry_flags(bio);
    if (len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(to, bytes->lent.data, len);
    bytes->lent = span_after(bytes->lent, len);
    *ret_len = len;
    return 1;
}

static int on_write(BIO *bio, const char *from, size_t len, size_t *ret_len)
{
    struct tls_bytes *bytes = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (buffer_append(bytes->sealed, span_of(from, len)) != ERR_NONE)
        return 0;
    *ret_len = len;
    return 1;
}

static long on_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "bytes");
    if (method == NULL)
        return NULL;
    check(BIO_meth_set_read_ex(method, on_read) == 1);
    check(BIO_meth_set_write_ex(method, on_write) == 1);
    check(BIO_meth_set_ctrl(method, on_control) == 1);
    return method;
}

BIO *tls_bio_new(const BIO_METHOD *method, struct tls_bytes *bytes)
{
    BIO *bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, bytes);
    BIO_set_init(bio, 1);
    return bio;
}
