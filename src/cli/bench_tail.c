/* The generator's part of the work is one look at every byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_tail.h"

#include "base/clock.h"
#include "cli/bench_lines.h"
#include "cli/control_client.h"

static enum err put_request(struct buffer *text, const char *topic)
{
    struct json_writer writer;
    json_writer_init(&writer, text);
    json_write_object_begin(&writer);
    json_write_name(&writer, "op");
    json_write_text(&writer, span_from_text("tail"));
    json_write_name(&writer, "topic");
    json_write_text(&writer, span_from_text(topic));
    json_write_name(&writer, "from");
    json_write_text(&writer, span_from_text("start"));
    json_write_object_end(&writer);
    return writer.err;
}

static enum err count_records(struct control_client *client,
                              struct bench_end *end,
                              struct bench_result *result,
                              struct why *why)
{
    int64_t started_ns = clock_now_ns(clock_linux());
    struct span bytes;
    enum err err;
    while ((err = control_client_read_records(client, &bytes, why)) == ERR_NONE) {
        int64_t now_ns = clock_now_ns(clock_linux());
        bench_result_add(result, now_ns - started_ns, bench_count_lines(bytes), bytes.len);
        if (bench_end_is_reached(end, now_ns, result->count))
            return ERR_NONE;
    }
    return err == ERR_CLOSED ? ERR_NONE : err;
}

enum err
bench_tail_run(const struct bench_tail_settings *settings, struct bench_result *result, struct why *why)
{
    struct control_client client;
    struct buffer request;
    struct bench_end end = settings->end;
    enum err err = control_client_open(&client, settings->data, why);
    if (err != ERR_NONE)
        return err;
    buffer_init(&request, 16 * 1024);
    int64_t cpu_ns = bench_cpu_ns();
    err = put_request(&request, settings->topic);
    if (err == ERR_NONE)
        err = control_client_ask(&client, buffer_span(&request), NULL, NULL, why);
    if (err == ERR_NONE)
        err = count_records(&client, &end, result, why);
    result->cpu_ns = bench_cpu_ns() - cpu_ns;
    buffer_done(&request);
    control_client_close(&client);
    return err;
}
