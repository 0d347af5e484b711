/* OpenSSL's reasons are for those who know it: the usual ones get sentences of our own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_reason.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

/* The content types of RFC 8446, 5.1, that a client may begin with. */
enum { RECORD_ALERT = 0x15, RECORD_HANDSHAKE = 0x16 };

struct sentence {
    int reason;
    const char *text;
};

static const struct sentence sentences[] = {
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the client showed no certificate, and this door demands one"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the client speaks no TLS 1.2 or 1.3"},
    {SSL_R_VERSION_TOO_LOW, "the client speaks no TLS 1.2 or 1.3"},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, "the client speaks no TLS 1.2 or 1.3"},
    {SSL_R_WRONG_VERSION_NUMBER, "what the client sends is no TLS"},
    {SSL_R_NO_SHARED_CIPHER, "the client knows none of this door's ciphers"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
     "the client does not trust this door's certificate: is its authority the right one?"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the client refuses this door's certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the client says that this door's certificate has expired"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the client refuses this door's certificate"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the client wants another version of TLS"},
};

const char *tls_reason_of_queue(char text[static TLS_REASON_SIZE])
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(text, TLS_REASON_SIZE, "%s", reason == NULL ? "no reason given" : reason);
    ERR_clear_error();
    return text;
}

static const char *find_sentence(unsigned long error)
{
    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        return NULL;
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (sentences[i].reason == ERR_GET_REASON(error))
            return sentences[i].text;
    return NULL;
}

const char *tls_reason_of_handshake(const SSL *handle, char text[static TLS_REASON_SIZE])
{
    unsigned long error = ERR_peek_last_error();
    const char *sentence = find_sentence(error);
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        (void)snprintf(text, TLS_REASON_SIZE, "the client's certificate is refused: %s",
                       X509_verify_cert_error_string(SSL_get_verify_result(handle)));
    else if (sentence != NULL)
        (void)snprintf(text, TLS_REASON_SIZE, "%s", sentence);
    else
        return tls_reason_of_queue(text);
    ERR_clear_error();
    return text;
}

static bool looks_like_http(struct span bytes)
{
    static const char *const methods[] = {"GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PRI * "};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (span_starts_with(bytes, methods[i]))
            return true;
    return false;
}

const char *tls_reason_of_first_bytes(struct span bytes)
{
    if (bytes.len == 0 || bytes.data[0] == RECORD_HANDSHAKE || bytes.data[0] == RECORD_ALERT)
        return NULL;
    return looks_like_http(bytes) ? "HTTP" : "plain lines";
}
