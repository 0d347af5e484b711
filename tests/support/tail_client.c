/* Lines of a topic, held against the ledger. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tail_client.h"

#include <inttypes.h>
#include <stdio.h>

#include "support/test.h"

void tail_client_connect(struct tail_client *client)
{
    char request[128];
    check(client->stream == NULL);
    client->stream = stream_memory_new(client->simulated);
    client->may_fail = false;
    client->is_refused = false;
    client->parsed = 0;
    client->records = 0;
    door_take_stream(client->door, &client->stream->stream);
    (void)snprintf(request, sizeof request,
                   "{\"op\":\"tail\",\"topic\":\"%s\",\"from\":\"start\",\"follow\":true}\n", client->topic);
    stream_memory_send_text(client->stream, request);
}

void tail_client_cut(struct tail_client *client)
{
    if (client->stream == NULL)
        return;
    client->may_fail = true;
    stream_memory_cut(client->stream);
}

/* <number>|<key>|<timestamp>|<body> */
static void take_record(struct tail_client *client, struct span line)
{
    for (int field = 0; field < 3; field++)
        line = span_after(line, span_find(line, '|') + 1);
    struct ledger_line *seen = ledger_find(client->ledger, line);
    expect_equal_text(seen->topic, client->topic);
    ledger_promise(client->ledger, seen->id);
    seen->is_promised = true;
    client->records++;
}

static void take_line(struct tail_client *client, struct span line)
{
    if (client->parsed == 0)
        client->is_refused = !span_equal_text(line, "{\"ok\":true}");
    else if (!span_starts_with(line, "{")) /* that is the end: the program stops, or its disk has failed */
        take_record(client, line);
}

void tail_client_read(struct tail_client *client)
{
    if (client->stream == NULL)
        return;
    struct span rest = span_after(stream_memory_received(client->stream), client->parsed);
    for (size_t end; (end = span_find(rest, '\n')) < rest.len; rest = span_after(rest, end + 1)) {
        take_line(client, span_of(rest.data, end));
        client->parsed += end + 1;
    }
    if (client->is_refused)
        tail_client_cut(client);
    if (!client->stream->is_closed)
        return;
    expect(client->may_fail);
    client->stream = stream_memory_free(client->stream);
}
