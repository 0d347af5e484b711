/* Certificates from files into an OpenSSL context, and every reason why not, in words. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "io/tls_bio.h"
#include "io/tls_context_impl.h"
#include "io/tls_reason.h"

struct tls_context {
    SSL_CTX *handle;
    BIO_METHOD *bio_method;
    int64_t expires_ns;
    bool is_client;
    _Atomic unsigned references;
};

/* What is being read, for the reasons. */
struct source {
    const char *setting;
    const char *path;
    struct why *why;
};

/* AES-128 first: a quarter faster than AES-256, and no weaker in practice. Only suites with forward secrecy. */
static const char suites_13[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char suites_12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

enum { TICKET_LIFETIME_S = 600, PATH_SHOWN_MAX = 200 };

SSL_CTX *tls_context_handle(const struct tls_context *context)
{
    return context->handle;
}

const BIO_METHOD *tls_context_bio_method(const struct tls_context *context)
{
    return context->bio_method;
}

bool tls_context_is_client(const struct tls_context *context)
{
    return context->is_client;
}

int64_t tls_context_expires_ns(const struct tls_context *context)
{
    return context->expires_ns;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    (void)atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

struct tls_context *tls_context_unref(struct tls_context *context)
{
    if (context != NULL && atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) == 1) {
        SSL_CTX_free(context->handle);
        BIO_meth_free(context->bio_method);
        free(context);
    }
    return NULL;
}

/* --- Reasons ------------------------------------------------------------------------------------ */

static enum err refuse(const struct source *source, const char *problem)
{
    return why_set(source->why, ERR_CONFIG, "`%s`: %.*s %s", source->setting, PATH_SHOWN_MAX, source->path,
                   problem);
}

/* OpenSSL's own words are in its queue, which is emptied. */
static enum err refuse_as_openssl(const struct source *source, const char *problem)
{
    char words[TLS_REASON_SIZE];
    return why_set(source->why, ERR_CONFIG, "`%s`: %.*s %s (%s)", source->setting, PATH_SHOWN_MAX,
                   source->path, problem, tls_reason_of_queue(words));
}

/* Whether it can be opened at all: OpenSSL's answer to that is hard to read. */
static enum err examine_file(const struct source *source)
{
    FILE *file = fopen(source->path, "rbe");
    bool is_read = file != NULL && fgetc(file) != EOF;
    enum err err = errno == 0 ? ERR_IO : err_from_errno(errno);
    if (file != NULL)
        (void)fclose(file);
    if (is_read)
        return ERR_NONE;
    if (file != NULL)
        return refuse(source, "is empty or no file: give the path of a PEM file");
    return why_set(source->why, ERR_CONFIG, "`%s`: %.*s cannot be read: %s", source->setting, PATH_SHOWN_MAX,
                   source->path, err_text(err));
}

/* --- Certificates ------------------------------------------------------------------------------- */

static int64_t time_to_ns(const ASN1_TIME *time)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return INT64_MAX;
    return (int64_t)timegm(&parts) * CLOCK_NS_PER_S;
}

static void put_day(char text[static 32], int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / CLOCK_NS_PER_S);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        text[0] = '\0';
}

static enum err
examine_period(struct tls_context *self, X509 *certificate, const struct source *source, int64_t wall_ns)
{
    char day[32];
    int64_t begins_ns = time_to_ns(X509_get0_notBefore(certificate));
    int64_t ends_ns = time_to_ns(X509_get0_notAfter(certificate));
    if (ends_ns < self->expires_ns)
        self->expires_ns = ends_ns;
    bool is_over = ends_ns <= wall_ns;
    if (!is_over && begins_ns <= wall_ns)
        return ERR_NONE;
    put_day(day, is_over ? ends_ns : begins_ns);
    return why_set(source->why, ERR_CONFIG, "`%s`: %.*s %s %s: %s", source->setting, PATH_SHOWN_MAX,
                   source->path, is_over ? "expired at" : "is not valid before", day,
                   is_over ? "renew the certificate" : "use another one, or set the clock");
}

static enum err read_certificates(struct tls_context *self, const struct source *source, int64_t wall_ns)
{
    enum err err = examine_file(source);
    if (err != ERR_NONE)
        return err;
    if (SSL_CTX_use_certificate_chain_file(self->handle, source->path) != 1)
        return refuse_as_openssl(source, "holds no certificate that can be used: give a PEM file with the "
                                         "certificate and those that lead to its authority");
    STACK_OF(X509) *chain = NULL;
    (void)SSL_CTX_get0_chain_certs(self->handle, &chain);
    err = examine_period(self, SSL_CTX_get0_certificate(self->handle), source, wall_ns);
    for (int i = 0; err == ERR_NONE && i < sk_X509_num(chain); i++)
        err = examine_period(self, sk_X509_value(chain, i), source, wall_ns);
    return err;
}

/* Nobody is there to type a passphrase. */
static int have_no_passphrase(char *to, int size, int is_writing, void *owner)
{
    (void)is_writing;
    if (size > 0)
        to[0] = '\0';
    *(bool *)owner = true;
    return -1;
}

static enum err read_key(struct tls_context *self, const struct source *source)
{
    bool asked_for_passphrase = false;
    enum err err = examine_file(source);
    if (err != ERR_NONE)
        return err;
    SSL_CTX_set_default_passwd_cb(self->handle, have_no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(self->handle, &asked_for_passphrase);
    bool is_read = SSL_CTX_use_PrivateKey_file(self->handle, source->path, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(self->handle, NULL);
    if (asked_for_passphrase) {
        ERR_clear_error();
        return refuse(source,
                      "is locked with a passphrase: unlock it with `openssl pkey -in FILE -out FILE`");
    }
    unsigned long reason = is_read ? 0 : ERR_peek_last_error();
    if (ERR_GET_LIB(reason) == ERR_LIB_X509 && ERR_GET_REASON(reason) == X509_R_KEY_VALUES_MISMATCH) {
        ERR_clear_error();
        return refuse(source,
                      "is not the key of the certificate in `cert`: give the pair that belongs together");
    }
    if (!is_read)
        return refuse_as_openssl(source, "holds no private key: give a PEM file with the certificate's key");
    if (SSL_CTX_check_private_key(self->handle) != 1)
        return refuse_as_openssl(source, "is not the key of the certificate in `cert`");
    return ERR_NONE;
}

static enum err read_client_ca(struct tls_context *self, const struct source *source, bool is_optional)
{
    enum err err = examine_file(source);
    if (err != ERR_NONE)
        return err;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(source->path);
    if (names == NULL || SSL_CTX_load_verify_file(self->handle, source->path) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return refuse_as_openssl(
            source, "holds no certificate: give a PEM file with the authorities of your clients");
    }
    SSL_CTX_set_client_CA_list(self->handle, names);
    int mode = SSL_VERIFY_PEER | (is_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    SSL_CTX_set_verify(self->handle, mode, NULL);
    return ERR_NONE;
}

/* --- Protocol ----------------------------------------------------------------------------------- */

static bool set_protocol(SSL_CTX *handle)
{
    (void)SSL_CTX_set_options(handle, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(handle, suites_13) == 1 &&
           SSL_CTX_set_cipher_list(handle, suites_12) == 1;
}

static bool set_server(SSL_CTX *handle)
{
    static const unsigned char scope[] = "waybill";
    (void)SSL_CTX_set_options(handle, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* Sessions resume by tickets, which cost no memory here. Their keys go with the context, so a reload ends them. */
    (void)SSL_CTX_set_timeout(handle, TICKET_LIFETIME_S);
    return SSL_CTX_set_session_id_context(handle, scope, sizeof scope - 1) == 1 &&
           /* With the first answer instead (tls_session.c): a client that only sends must find nothing unread. */
           SSL_CTX_set_num_tickets(handle, 0) == 1;
}

/* With nothing in it yet, and one reference. */
static struct tls_context *make(const SSL_METHOD *method)
{
    struct tls_context *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    ERR_clear_error();
    *self = (struct tls_context){.expires_ns = INT64_MAX, .references = 1};
    self->handle = SSL_CTX_new(method);
    self->bio_method = tls_bio_method_new();
    bool is_made = self->handle != NULL && self->bio_method != NULL && set_protocol(self->handle);
    return is_made ? self : tls_context_unref(self);
}

static enum err
fill(struct tls_context *self, const struct tls_settings *settings, int64_t wall_ns, struct source *source)
{
    if (!set_server(self->handle))
        return ERR_MEMORY;
    source->setting = "cert";
    source->path = settings->cert;
    enum err err = read_certificates(self, source, wall_ns);
    if (err != ERR_NONE)
        return err;
    source->setting = "key";
    source->path = settings->key;
    err = read_key(self, source);
    if (err != ERR_NONE || settings->client_ca == NULL)
        return err;
    source->setting = "client_ca";
    source->path = settings->client_ca;
    return read_client_ca(self, source, settings->client_cert_is_optional);
}

enum err tls_context_new(const struct tls_settings *settings,
                         int64_t wall_ns,
                         const char **ret_setting,
                         struct why *why,
                         struct tls_context **ret_context)
{
    struct source source = {.setting = "cert", .why = why};
    struct tls_context *self = make(TLS_server_method());
    enum err err = self == NULL ? ERR_MEMORY : fill(self, settings, wall_ns, &source);
    if (err == ERR_NONE)
        *ret_context = self;
    else
        tls_context_unref(self);
    if (err == ERR_CONFIG)
        *ret_setting = source.setting;
    return err;
}

enum err tls_context_new_client(const char *ca, struct why *why, struct tls_context **ret_context)
{
    struct source source = {.setting = "ca", .path = ca, .why = why};
    struct tls_context *self = make(TLS_client_method());
    if (self == NULL)
        return ERR_MEMORY;
    self->is_client = true;
    enum err err = examine_file(&source);
    if (err == ERR_NONE && SSL_CTX_load_verify_file(self->handle, ca) != 1)
        err = refuse_as_openssl(&source, "holds no certificate: give a PEM file with the server's authority");
    SSL_CTX_set_verify(self->handle, SSL_VERIFY_PEER, NULL);
    if (err == ERR_NONE)
        *ret_context = self;
    else
        tls_context_unref(self);
    return err;
}
