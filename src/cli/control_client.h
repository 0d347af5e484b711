/* The command line's end of the control socket (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONTROL_CLIENT_H
#define CLI_CONTROL_CLIENT_H

#include "base/buffer.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/why.h"

enum { CONTROL_LINE_MAX = 2 * 1024 * 1024 };

struct control_client {
    int fd;
    struct buffer input;
    size_t taken;        /* bytes of the input that were given out */
    bool is_inside_line; /* of the records that were given out last */
};

/* Connects to the program of a data directory. CLOSED when none runs there, with what to do. */
enum err control_client_open(struct control_client *client, const char *data, struct why *why) MUST_CHECK;
void control_client_close(struct control_client *client);

enum err control_client_write(struct control_client *client, struct span bytes) MUST_CHECK;
/* The next line without its end, valid until the next call; CLOSED at the end, TOO_LARGE. Blocks. */
enum err control_client_read_line(struct control_client *client, struct span *ret_line) MUST_CHECK;
/* The same without waiting: AGAIN when no whole line has come. */
enum err control_client_poll_line(struct control_client *client, struct span *ret_line) MUST_CHECK;
/*
 * The next bytes of the records that follow the answer to `tail`. CLOSED behind the last one; anything else is a break: what the
 * program says has failed, or that it went away without a word.
 */
enum err control_client_read_records(struct control_client *client,
                                     struct span *ret_bytes,
                                     struct why *why) MUST_CHECK;

/*
 * Sends a request, a JSON object, and reads its answer's lines up to the one with `ok`; the others go to
 * on_line.
 */
enum err control_client_ask(struct control_client *client,
                            struct span request,
                            void (*on_line)(void *owner, struct span line),
                            void *owner,
                            struct why *why) MUST_CHECK;

#endif
