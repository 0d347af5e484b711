/* Gathers records before they are sent, and reads many at once, as the server does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "io/tls_session.h"

enum { SHARE_SIZE = 64 * 1024, SEALED_MAX = 256 * 1024, RECEIVED_SIZE = 64 * 1024 };

struct tls_client {
    int fd;
    struct tls_session session;
    struct buffer sealed;
    size_t sent; /* of it */
    bool is_finished;
    uint8_t received[RECEIVED_SIZE]; /* lent to the session */
};

static enum err err_of_socket(void)
{
    return errno == ECONNRESET || errno == EPIPE ? ERR_CLOSED : err_from_errno(errno);
}

static enum err push(struct tls_client *self)
{
    while (self->sent < self->sealed.len) {
        struct span rest = span_after(buffer_span(&self->sealed), self->sent);
        ssize_t len = send(self->fd, rest.data, rest.len, MSG_NOSIGNAL);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return err_of_socket();
        self->sent += (size_t)len;
    }
    buffer_clear(&self->sealed);
    self->sent = 0;
    return ERR_NONE;
}

/* All that was lent has been used up. */
static enum err receive(struct tls_client *self)
{
    ssize_t len;
    do {
        len = recv(self->fd, self->received, sizeof self->received, 0);
    } while (len < 0 && errno == EINTR);
    if (len < 0)
        return err_of_socket();
    self->session.bytes.lent = span_of(self->received, (size_t)len);
    return len == 0 ? ERR_CLOSED : ERR_NONE;
}

static enum err shake_hands(struct tls_client *self, struct why *why)
{
    char reason[TLS_REASON_SIZE] = "";
    enum err err = ERR_AGAIN;
    while (err == ERR_AGAIN) {
        err = tls_session_handshake(&self->session, reason);
        enum err push_err = push(self);
        if (err == ERR_PROTOCOL)
            return why_set(why, err, "%s", reason);
        if (push_err != ERR_NONE)
            return why_set(why, push_err, "the handshake broke off: %s", err_text(push_err));
        enum err receive_err = err == ERR_AGAIN ? receive(self) : ERR_NONE;
        if (receive_err != ERR_NONE)
            return why_set(why, receive_err, "the handshake broke off: %s", err_text(receive_err));
    }
    return err;
}

enum err tls_client_new(
    int fd, struct tls_context *context, const char *name, struct why *why, struct tls_client **ret_client)
{
    struct tls_client *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    self->fd = fd;
    buffer_init(&self->sealed, SEALED_MAX);
    enum err err = tls_session_init(&self->session, context, &self->sealed);
    if (err != ERR_NONE) {
        free(self);
        return err;
    }
    err = tls_session_expect(&self->session, name);
    if (err == ERR_NONE)
        err = shake_hands(self, why);
    if (err == ERR_NONE)
        *ret_client = self;
    else
        tls_client_free(self);
    return err;
}

struct tls_client *tls_client_free(struct tls_client *client)
{
    if (client == NULL)
        return NULL;
    tls_session_done(&client->session);
    buffer_done(&client->sealed);
    free(client);
    return NULL;
}

enum err tls_client_write(struct tls_client *client, struct span bytes, size_t *ret_len)
{
    enum err err = push(client);
    *ret_len = 0;
    while (err == ERR_NONE && bytes.len > 0) {
        size_t share = bytes.len < SHARE_SIZE ? bytes.len : SHARE_SIZE;
        err = tls_session_seal(&client->session, span_of(bytes.data, share));
        if (err != ERR_NONE)
            break;
        *ret_len += share;
        bytes = span_after(bytes, share);
        err = push(client);
    }
    return err;
}

enum err tls_client_read(struct tls_client *client, uint8_t *to, size_t size, size_t *ret_len)
{
    size_t len = 0;
    enum err err = ERR_NONE;
    while (len < size && err == ERR_NONE) {
        size_t more = 0;
        err = tls_session_open(&client->session, to + len, size - len, &more);
        len += more;
        if (err == ERR_AGAIN && len == 0)
            err = receive(client);
    }
    *ret_len = len;
    return len > 0 ? ERR_NONE : err;
}

enum err tls_client_finish(struct tls_client *client)
{
    if (!client->is_finished)
        tls_session_finish(&client->session);
    client->is_finished = true;
    enum err err = push(client);
    if (err == ERR_NONE && shutdown(client->fd, SHUT_WR) != 0)
        err = err_of_socket();
    return err;
}
