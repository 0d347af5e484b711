/* Certificates for tests: an authority of our own, and what it signs, as PEM files in a folder that is removed again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TEST_AUTHORITY_H
#define SUPPORT_TEST_AUTHORITY_H

#include <stdint.h>

#include <openssl/types.h>

struct test_authority {
    EVP_PKEY *key;
    X509 *certificate;
    char folder[64];
    char cert_path[128]; /* its own certificate */
    unsigned serial;
};

/* A certificate and its key. */
struct test_identity {
    char cert_path[128];
    char key_path[128];
};

struct test_subject {
    const char *file;             /* what its files are called: FILE.pem, FILE.key */
    const char *common_name;      /* NULL: it has none */
    const char *alternative_name; /* "DNS:localhost"; NULL: it has none */
    long begins_s;                /* from now */
    long ends_s;
};

void test_authority_init(struct test_authority *authority, const char *name);
void test_authority_done(struct test_authority *authority);

struct test_identity test_authority_issue(struct test_authority *authority,
                                          const struct test_subject *subject);
/* A file with some text, in the same folder; the path is put into `path`. */
void test_authority_write(const struct test_authority *authority,
                          const char *file,
                          const char *text,
                          char path[static 128]);

#endif
