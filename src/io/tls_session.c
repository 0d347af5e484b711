/* OpenSSL between what was received and what will be sent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_session.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/utf8.h"
#include "io/tls_context_impl.h"

enum err tls_session_init(struct tls_session *session, struct tls_context *context, struct buffer *sealed)
{
    *session = (struct tls_session){.bytes = {.sealed = sealed}};
    SSL *handle = SSL_new(tls_context_handle(context));
    BIO *bio = tls_bio_new(tls_context_bio_method(context), &session->bytes);
    if (handle == NULL || bio == NULL) {
        ERR_clear_error();
        SSL_free(handle);
        BIO_free(bio);
        return ERR_MEMORY;
    }
    SSL_set_bio(handle, bio, bio);
    if (tls_context_is_client(context))
        SSL_set_connect_state(handle);
    else
        SSL_set_accept_state(handle);
    session->handle = handle;
    session->context = tls_context_ref(context);
    return ERR_NONE;
}

void tls_session_done(struct tls_session *session)
{
    SSL_free(session->handle);
    session->handle = NULL;
    session->context = tls_context_unref(session->context);
}

enum err tls_session_expect(struct tls_session *session, const char *name)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session->handle), name) == 1)
        return ERR_NONE;
    ERR_clear_error();
    uintptr_t unchanged = (uintptr_t)name; /* the macro casts, and clang would see that a const is lost */
    bool is_set = SSL_set1_host(session->handle, name) == 1 &&
                  SSL_set_tlsext_host_name(session->handle, unchanged) == 1;
    return is_set ? ERR_NONE : ERR_MEMORY;
}

enum err tls_session_handshake(struct tls_session *session, char reason[static TLS_REASON_SIZE])
{
    ERR_clear_error();
    int result = SSL_do_handshake(session->handle);
    if (result == 1) {
        session->owes_ticket =
            SSL_is_server(session->handle) && SSL_version(session->handle) == TLS1_3_VERSION;
        return ERR_NONE;
    }
    if (SSL_get_error(session->handle, result) == SSL_ERROR_WANT_READ)
        return ERR_AGAIN;
    (void)tls_reason_of_handshake(session->handle, reason);
    return ERR_PROTOCOL;
}

static enum err failed(const struct tls_session *session, int result)
{
    int error = SSL_get_error(session->handle, result);
    if (error == SSL_ERROR_WANT_READ)
        return ERR_AGAIN;
    ERR_clear_error();
    return error == SSL_ERROR_ZERO_RETURN ? ERR_CLOSED : ERR_PROTOCOL;
}

enum err tls_session_open(struct tls_session *session, uint8_t *to, size_t size, size_t *ret_len)
{
    size_t len = 0;
    enum err err = ERR_NONE;
    ERR_clear_error();
    while (len < size && err == ERR_NONE) {
        size_t more = 0;
        int result = SSL_read_ex(session->handle, to + len, size - len, &more);
        if (result != 1)
            err = failed(session, result);
        len += more;
    }
    *ret_len = len;
    return err;
}

enum err tls_session_seal(struct tls_session *session, struct span bytes)
{
    size_t len = 0;
    ERR_clear_error();
    if (bytes.len == 0)
        return ERR_NONE;
    /*
     * The ticket that lets a client come back quickly goes out before the first answer, not with the handshake: a client
     * that only sends, and closes with something unread, would make its kernel reset the connection, and what it sent
     * last would be lost.
     */
    if (session->owes_ticket)
        (void)SSL_new_session_ticket(session->handle);
    session->owes_ticket = false;
    int result = SSL_write_ex(session->handle, bytes.data, bytes.len, &len);
    if (result != 1) {
        ERR_clear_error();
        return ERR_PROTOCOL;
    }
    check(len == bytes.len);
    return ERR_NONE;
}

void tls_session_finish(struct tls_session *session)
{
    ERR_clear_error();
    (void)SSL_shutdown(session->handle);
    ERR_clear_error();
}

void tls_session_rest(struct tls_session *session)
{
    (void)SSL_free_buffers(session->handle);
}

/* --- Identity ----------------------------------------------------------------------------------- */

/* One word: what a log or an answer could stumble over becomes `_`, and it is cut between two characters. */
static void put_name(char text[static TLS_IDENTITY_SIZE], struct span name)
{
    size_t len = 0;
    while (name.len > 0) {
        size_t count = utf8_character_len(name);
        bool is_fit = count > 1 || (count == 1 && name.data[0] > ' ' && name.data[0] != 0x7f);
        size_t used = count > 0 ? count : 1;
        size_t put = is_fit ? count : 1;
        if (len + put >= TLS_IDENTITY_SIZE)
            break;
        memcpy(text + len, is_fit ? name.data : (const uint8_t *)"_", put);
        len += put;
        name = span_after(name, used);
    }
    text[len] = '\0';
}

static bool common_name(X509 *certificate, char text[static TLS_IDENTITY_SIZE])
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *name = NULL;
    if (at < 0)
        return false;
    int len = ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len > 0)
        put_name(text, span_of(name, (size_t)len));
    OPENSSL_free(name);
    return len > 0;
}

/* The first that is text: a DNS name, a mail address, a URI. */
static bool alternative_name(X509 *certificate, char text[static TLS_IDENTITY_SIZE])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool is_found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !is_found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_EMAIL && name->type != GEN_URI)
            continue;
        const ASN1_IA5STRING *string = name->d.ia5;
        is_found = ASN1_STRING_length(string) > 0;
        if (is_found)
            put_name(text, span_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)));
    }
    GENERAL_NAMES_free(names);
    return is_found;
}

bool tls_session_identity(const struct tls_session *session, char text[static TLS_IDENTITY_SIZE])
{
    X509 *certificate = SSL_get0_peer_certificate(session->handle);
    if (certificate == NULL || SSL_get_verify_result(session->handle) != X509_V_OK)
        return false;
    bool is_named = common_name(certificate, text) || alternative_name(certificate, text);
    ERR_clear_error();
    return is_named;
}
