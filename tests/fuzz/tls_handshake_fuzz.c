/* Gives any bytes to the server's side of TLS, in pieces, as a client that means no good would. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "io/tls_session.h"

/* Of no use to anybody: made for this test. */
static const char certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                  "MIIBdTCCARugAwIBAgIUJtG9xU9EKlDY5zoRA0G7+B7v/5AwCgYIKoZIzj0EAwIw\n"
                                  "DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjcxODMzMzZaGA8yMTI2MTEwMzE4MzMz\n"
                                  "NlowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBrp\n"
                                  "K8HWn8ycYUtHsJLSKB6WQKGDzv9qHQ7T71PdvepMTXXl7PPEVCEDkJ43D4sZ04kC\n"
                                  "UjXU1p7mWTvQQPqHmzGjUzBRMB0GA1UdDgQWBBQHSbOMImqlG5X/A6DDtUMPdNsS\n"
                                  "ETAfBgNVHSMEGDAWgBQHSbOMImqlG5X/A6DDtUMPdNsSETAPBgNVHRMBAf8EBTAD\n"
                                  "AQH/MAoGCCqGSM49BAMCA0gAMEUCICRD7os9qufeF4Ki5080KgoVYQXwl3V4xVKW\n"
                                  "L6Q0XaWcAiEAy/wbfo4btmW1Cud5rhXMuvMWOAnCjEpXbgXRlxXFFVQ=\n"
                                  "-----END CERTIFICATE-----\n";
static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDyGRdCgLxTFR6VQb\n"
                          "ExHva4pzQaSXTiHLfhkx2P59Mz2hRANCAAQa6SvB1p/MnGFLR7CS0igelkChg87/\n"
                          "ah0O0+9T3b3qTE115ezzxFQhA5CeNw+LGdOJAlI11Nae5lk70ED6h5sx\n"
                          "-----END PRIVATE KEY-----\n";

enum { SEALED_MAX = 512 * 1024, PLAIN_SIZE = 64 * 1024, PATH_SIZE = 64 };

static void write_file(char path[static PATH_SIZE], const char *text)
{
    (void)snprintf(path, PATH_SIZE, "/tmp/waybill-fuzz-XXXXXX");
    int fd = mkstemp(path);
    check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

static struct tls_context *make_context(bool asks_clients)
{
    char cert_path[PATH_SIZE];
    char key_path[PATH_SIZE];
    struct tls_context *context = NULL;
    const char *setting = NULL;
    write_file(cert_path, certificate);
    write_file(key_path, key);
    struct tls_settings settings = {
        .cert = cert_path, .key = key_path, .client_ca = asks_clients ? cert_path : NULL};
    check(tls_context_new(&settings, INT64_C(1900000000) * 1000000000, &setting, NULL, &context) == ERR_NONE);
    (void)unlink(cert_path);
    (void)unlink(key_path);
    return context;
}

/* Goes on as stream_tls.c does: shakes hands until that is done or has failed, then opens what comes. */
static enum err step(struct tls_session *session, bool *is_secured)
{
    static uint8_t plain[PLAIN_SIZE];
    char reason[TLS_REASON_SIZE] = "";
    size_t len = 0;
    if (!*is_secured) {
        enum err err = tls_session_handshake(session, reason);
        check(err != ERR_PROTOCOL || reason[0] != '\0');
        *is_secured = err == ERR_NONE;
        return err;
    }
    enum err err = tls_session_open(session, plain, sizeof plain, &len);
    check(len <= sizeof plain);
    return err;
}

/* The first byte chooses whether clients are asked for a certificate, the second how large the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_context *contexts[2];
    struct tls_session session;
    struct buffer sealed;
    bool is_secured = false;
    enum err err = ERR_AGAIN;
    if (size < 2)
        return 0;
    struct tls_context **context = &contexts[data[0] & 1];
    if (*context == NULL)
        *context = make_context(data[0] & 1);
    buffer_init(&sealed, SEALED_MAX);
    check(tls_session_init(&session, *context, &sealed) == ERR_NONE);
    struct span rest = span_of(data + 2, size - 2);
    while (rest.len > 0 && (err == ERR_AGAIN || err == ERR_NONE)) {
        size_t piece = (size_t)data[1] + 1 < rest.len ? (size_t)data[1] + 1 : rest.len;
        session.bytes.lent = span_of(rest.data, piece);
        rest = span_after(rest, piece);
        do {
            err = step(&session, &is_secured);
            tls_session_rest(&session);
        } while (err == ERR_NONE && session.bytes.lent.len > 0);
        check(err != ERR_AGAIN || session.bytes.lent.len == 0);
    }
    (void)tls_reason_of_first_bytes(span_of(data + 2, size - 2));
    tls_session_finish(&session);
    tls_session_done(&session);
    buffer_done(&sealed);
    return 0;
}
