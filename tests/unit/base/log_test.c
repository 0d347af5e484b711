/* Tests of log lines: shape, repetition, values of peers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdio.h>

#include "base/clock.h"
#include "support/test.h"

struct sink {
    struct clock_fake clock;
    unsigned lines;
    char last[5000];
};

static void on_line(void *owner, struct span line)
{
    struct sink *sink = owner;
    sink->lines++;
    expect(line.len < sizeof sink->last && line.data[line.len - 1] == '\n');
    memcpy(sink->last, line.data, line.len);
    sink->last[line.len - 1] = '\0';
}

static void sink_init(struct sink *sink)
{
    *sink = (struct sink){0};
    clock_fake_init(&sink->clock, INT64_C(1795305600) * CLOCK_NS_PER_S + 123 * CLOCK_NS_PER_MS);
    log_set_sink(on_line, sink);
    log_set_clock(&sink->clock.clock);
    log_set_level(LOG_INFO);
}

TEST(line_is_logfmt)
{
    static struct sink sink;
    sink_init(&sink);
    log_line(LOG_WARN, "journal", "segment sealed", "segment=%u", 7U);
    expect_equal_text(sink.last,
                      "ts=2026-11-22T00:00:00.123Z level=warn room=journal msg=\"segment sealed\" segment=7");
    log_line(LOG_INFO, "app", "ready", NULL);
    expect_equal_text(sink.last, "ts=2026-11-22T00:00:00.123Z level=info room=app msg=\"ready\"");
}

TEST(lower_levels_are_silent)
{
    static struct sink sink;
    sink_init(&sink);
    log_line(LOG_DEBUG, "app", "detail", NULL);
    expect_equal_u64(sink.lines, 0);
    log_set_level(LOG_DEBUG);
    log_line(LOG_DEBUG, "app", "detail", NULL);
    expect_equal_u64(sink.lines, 1);
}

TEST(repeated_lines_are_left_out_and_counted)
{
    static struct sink sink;
    sink_init(&sink);
    for (int i = 0; i < 100; i++)
        log_line(LOG_WARN, "door", "bad line", "n=%d", i);
    expect_equal_u64(sink.lines, 5);
    log_line(LOG_WARN, "door", "another", NULL);
    expect_equal_u64(sink.lines, 6);
    clock_fake_advance(&sink.clock, 10 * CLOCK_NS_PER_S);
    log_line(LOG_WARN, "door", "bad line", "n=100");
    expect_equal_u64(sink.lines, 7);
    expect_not_null(strstr(sink.last, "n=100 repeated=95"));
    log_line(LOG_WARN, "door", "bad line", "n=101");
    expect_null(strstr(sink.last, "repeated"));
}

TEST(errors_always_come)
{
    static struct sink sink;
    sink_init(&sink);
    for (int i = 0; i < 100; i++)
        log_line(LOG_ERROR, "door", "bad", NULL);
    expect_equal_u64(sink.lines, 100);
}

TEST(table_of_repeated_lines_is_bounded)
{
    static struct sink sink;
    sink_init(&sink);
    char msg[16];
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(msg, sizeof msg, "line %d", i);
        clock_fake_advance(&sink.clock, 1);
        log_line(LOG_INFO, "door", msg, NULL);
    }
    expect_equal_u64(sink.lines, 1000);
}

TEST(long_line_is_cut_and_control_bytes_stay_inside)
{
    static struct sink sink;
    sink_init(&sink);
    log_line(LOG_INFO, "app", "long", "a=\n\tb=%05000d", 1);
    expect_equal_u64(strlen(sink.last), 4095);
    expect_not_null(strstr(sink.last, "a=  b=000"));
}

TEST(value_of_a_peer_is_quoted_escaped_and_shortened)
{
    struct log_value value;
    expect_equal_text(log_value(&value, span_of("a\"b\\\n\xff\xc3\xa9", 8)),
                      "\"a\\\"b\\\\\\x0a\\xff\xc3\xa9\"");
    expect_equal_text(log_value(&value, span_of("", 0)), "\"\"");
    static char many[1000];
    memset(many, '\n', sizeof many);
    size_t len = strlen(log_value(&value, span_of(many, sizeof many)));
    expect(len > 220 && len < sizeof value.text);
    expect_equal_text(value.text + len - 8, "\\x0a...\"");
}

TEST_MAIN(line_is_logfmt,
          lower_levels_are_silent,
          repeated_lines_are_left_out_and_counted,
          errors_always_come,
          table_of_repeated_lines_is_bounded,
          long_line_is_cut_and_control_bytes_stay_inside,
          value_of_a_peer_is_quoted_escaped_and_shortened)
