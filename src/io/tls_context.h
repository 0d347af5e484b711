/* What one side of TLS proves and asks of the other: certificate, key, trusted authorities. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_TLS_CONTEXT_H
#define IO_TLS_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

struct tls_context;

/* Paths of PEM files; NULL where there is none. */
struct tls_settings {
    const char *cert;             /* the certificate, then those that lead to a known authority */
    const char *key;              /* of the first */
    const char *client_ca;        /* whose certificates clients may show; NULL: nobody is asked for one */
    bool client_cert_is_optional; /* one that is shown is still verified */
};

/*
 * Reads and verifies the files: nothing of them is looked at later. CONFIG with the reason, which names the file and what to
 * do; *ret_setting is then the name of the setting that is to blame ("cert", "key", "client_ca"). `wall_ns` is the time that
 * a certificate must be valid at. MEMORY. The caller owns one reference.
 */
enum err tls_context_new(const struct tls_settings *settings,
                         int64_t wall_ns,
                         const char **ret_setting,
                         struct why *why,
                         struct tls_context **ret_context) MUST_CHECK;

/* For clients: servers must show a certificate that an authority of the file `ca` has signed. CONFIG, MEMORY. */
enum err tls_context_new_client(const char *ca, struct why *why, struct tls_context **ret_context) MUST_CHECK;

/* Any thread. Sessions hold one each, so what they were made with outlives a reload. */
struct tls_context *tls_context_ref(struct tls_context *context);
/* Takes NULL; returns NULL. */
struct tls_context *tls_context_unref(struct tls_context *context);

/* When the first certificate of a server's chain ends: wall-clock nanoseconds. */
int64_t tls_context_expires_ns(const struct tls_context *context);

#endif
