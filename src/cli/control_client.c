/* A blocking client: one request after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/control_client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

enum err control_client_open(struct control_client *client, const char *data, struct why *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *client = (struct control_client){.fd = -1};
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/waybill.sock", data) >=
        (int)sizeof address.sun_path)
        return why_set(why, ERR_TOO_LARGE, "the path of the data directory is too long: %s", data);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return why_set(why, err_from_errno(errno), "no socket: %s", err_text(err_from_errno(errno)));
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        buffer_init(&client->input, CONTROL_LINE_MAX);
        return ERR_NONE;
    }
    enum err err = errno == ENOENT || errno == ECONNREFUSED ? ERR_CLOSED : err_from_errno(errno);
    (void)close(client->fd);
    client->fd = -1;
    if (err == ERR_CLOSED)
        return why_set(
            why, err, "no program runs on %s: start `waybill serve`, or say which with --data DIR or -c FILE",
            data);
    return why_set(why, err, "%s: %s", address.sun_path, err_text(err));
}

void control_client_close(struct control_client *client)
{
    if (client->fd < 0)
        return;
    (void)close(client->fd);
    client->fd = -1;
    buffer_done(&client->input);
}

enum err control_client_write(struct control_client *client, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t put = send(client->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_from_errno(errno);
        bytes = span_after(bytes, (size_t)put);
    }
    return ERR_NONE;
}

/* Reads more behind what is there. */
static enum err receive(struct control_client *client)
{
    buffer_consume(&client->input, client->taken);
    client->taken = 0;
    enum err err = buffer_reserve(&client->input, READ_SIZE);
    if (err != ERR_NONE)
        return err;
    ssize_t got;
    do {
        got = recv(client->fd, client->input.data + client->input.len, READ_SIZE, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_from_errno(errno);
    client->input.len += (size_t)got;
    return got == 0 ? ERR_CLOSED : ERR_NONE;
}

enum err control_client_read_line(struct control_client *client, struct span *ret_line)
{
    for (;;) {
        struct span rest = span_after(buffer_span(&client->input), client->taken);
        size_t end = span_find(rest, '\n');
        if (end < rest.len) {
            *ret_line = span_of(rest.data, end);
            client->taken += end + 1;
            return ERR_NONE;
        }
        enum err err = receive(client);
        if (err != ERR_NONE)
            return err;
    }
}

enum err control_client_read(struct control_client *client, struct span *ret_bytes)
{
    if (client->taken == client->input.len) {
        enum err err = receive(client);
        if (err != ERR_NONE)
            return err;
    }
    *ret_bytes = span_after(buffer_span(&client->input), client->taken);
    client->taken = client->input.len;
    return ERR_NONE;
}

/* Looks for `ok` and, when it is false, for `text`. False: the line is not the last. */
static bool is_last(struct span line, bool *ret_ok, struct why *why)
{
    struct json_reader reader;
    bool found = false;
    json_reader_init(&reader, line);
    if (json_reader_next(&reader) != JSON_OBJECT_BEGIN)
        return false;
    while (json_reader_next(&reader) == JSON_NAME) {
        struct span name = json_reader_piece(&reader);
        if (!json_reader_skip(&reader))
            return false;
        struct span value = json_reader_piece(&reader);
        if (json_text_equal(name, "ok")) {
            found = true;
            *ret_ok = span_equal_text(value, "true");
        } else if (json_text_equal(name, "text")) {
            uint8_t text[sizeof why->text];
            size_t len = value.len < sizeof text ? json_text_resolve(value, text) : 0;
            (void)why_set(why, ERR_NONE, "%.*s", (int)len, (const char *)text);
        }
    }
    return found;
}

enum err control_client_ask(struct control_client *client,
                            struct span request,
                            void (*on_line)(void *owner, struct span line),
                            void *owner,
                            struct why *why)
{
    enum err err = control_client_write(client, request);
    if (err == ERR_NONE)
        err = control_client_write(client, span_from_text("\n"));
    while (err == ERR_NONE) {
        struct span line;
        bool is_ok = false;
        err = control_client_read_line(client, &line);
        if (err != ERR_NONE)
            break;
        if (is_last(line, &is_ok, why))
            return is_ok ? ERR_NONE : ERR_BAD_INPUT;
        if (on_line != NULL)
            on_line(owner, line);
    }
    return why_set(why, err, "the program did not answer: %s", err_text(err));
}
