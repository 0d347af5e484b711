/* Log lines: made whole on the stack, written by one write(2), repetitions left out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/utf8.h"

enum {
    LINE_SIZE = 4096,
    BURST_MAX = 5,  /* lines of one kind within the window */
    KINDS_MAX = 64, /* remembered; a kind more takes the place of the one whose window is oldest */
};

#define WINDOW_NS (10 * CLOCK_NS_PER_S)

/* Lines with the same room and msg. */
struct kind {
    uint64_t hash; /* 0: free */
    int64_t since_ns;
    unsigned written;
    unsigned left_out;
};

/* The diagnostic sink: one of the two mutable globals that the conventions allow. */
static struct {
    pthread_mutex_t lock;
    enum log_level level;
    void (*sink)(void *owner, struct span line);
    void *owner;
    struct clock *clock;
    struct kind kinds[KINDS_MAX];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

void log_set_level(enum log_level level)
{
    state.level = level;
}

void log_set_sink(void (*sink)(void *owner, struct span line), void *owner)
{
    state.sink = sink;
    state.owner = owner;
}

void log_set_clock(struct clock *clock)
{
    state.clock = clock;
    memset(state.kinds, 0, sizeof state.kinds);
}

static struct clock *log_clock(void)
{
    return state.clock == NULL ? clock_linux() : state.clock;
}

static struct kind *kind_of(uint64_t hash)
{
    struct kind *oldest = &state.kinds[0];
    for (size_t i = 0; i < KINDS_MAX; i++) {
        struct kind *kind = &state.kinds[i];
        if (kind->hash == hash)
            return kind;
        if (kind->hash == 0 || (oldest->hash != 0 && kind->since_ns < oldest->since_ns))
            oldest = kind;
    }
    *oldest = (struct kind){.hash = hash};
    return oldest;
}

/* Whether a line of this kind may go out now, and how many before it did not. Under the lock. */
static bool admit(const char *room, const char *msg, unsigned *ret_left_out)
{
    uint64_t hash = hash_bytes(span_from_text(msg), hash_bytes(span_from_text(room), 0)) | 1;
    struct kind *kind = kind_of(hash);
    int64_t now_ns = clock_now_ns(log_clock());
    if (kind->written == 0 || now_ns - kind->since_ns >= WINDOW_NS) {
        kind->since_ns = now_ns;
        kind->written = 0;
    }
    if (kind->written >= BURST_MAX) {
        kind->left_out++;
        return false;
    }
    kind->written++;
    *ret_left_out = kind->left_out;
    kind->left_out = 0;
    return true;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Appends to line[at..] and returns the new end, which stays below LINE_SIZE. */
static size_t PRINTF_LIKE(3, 0) put_fields(char *line, size_t at, const char *format, va_list arguments)
{
    int written = vsnprintf(line + at, LINE_SIZE - at, format, arguments);
    return written < 0 ? at : min_size(at + (size_t)written, LINE_SIZE - 1);
}

static size_t PRINTF_LIKE(3, 4) put(char *line, size_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    at = put_fields(line, at, format, arguments);
    va_end(arguments);
    return at;
}

static size_t put_head(char *line, enum log_level level, const char *room, const char *msg)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "fatal"};
    int64_t wall_ns = clock_wall_ns(log_clock());
    time_t seconds = (time_t)(wall_ns / CLOCK_NS_PER_S);
    struct tm utc;
    check(gmtime_r(&seconds, &utc) != NULL);
    size_t at = strftime(line, LINE_SIZE, "ts=%Y-%m-%dT%H:%M:%S", &utc);
    unsigned milliseconds = (unsigned)(wall_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_MS);
    return put(line, at, ".%03uZ level=%s room=%s msg=\"%s\"", milliseconds, names[level], room, msg);
}

/* A control byte that slipped into a field must not begin a line of its own. */
static void keep_on_one_line(char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
}

static void write_line(struct span line)
{
    if (state.sink != NULL) {
        state.sink(state.owner, line);
        return;
    }
    while (write(STDERR_FILENO, line.data, line.len) < 0 && errno == EINTR)
        ;
}

void log_line(enum log_level level, const char *room, const char *msg, const char *format, ...)
{
    if (level < state.level)
        return;
    check(pthread_mutex_lock(&state.lock) == 0);
    unsigned left_out = 0;
    if (level >= LOG_ERROR || admit(room, msg, &left_out)) {
        char line[LINE_SIZE];
        size_t at = put_head(line, level, room, msg);
        if (format != NULL) {
            va_list arguments;
            va_start(arguments, format);
            at = put_fields(line, put(line, at, " "), format, arguments);
            va_end(arguments);
        }
        if (left_out > 0)
            at = put(line, at, " repeated=%u", left_out);
        keep_on_one_line(line, at);
        line[at] = '\n'; /* in place of the terminator */
        write_line(span_of(line, at + 1));
    }
    check(pthread_mutex_unlock(&state.lock) == 0);
}

/* One character of a value, escaped when it must be; its length in the input, 1 for a byte that is no character. */
static size_t escape(struct span bytes, char to[static 8])
{
    uint8_t byte = bytes.data[0];
    size_t len = utf8_character_len(bytes);
    if (byte == '"' || byte == '\\')
        (void)snprintf(to, 8, "\\%c", byte);
    else if (len == 0 || byte < 0x20 || byte == 0x7f)
        (void)snprintf(to, 8, "\\x%02x", byte);
    else
        (void)snprintf(to, 8, "%.*s", (int)len, (const char *)bytes.data);
    return len == 0 ? 1 : len;
}

const char *log_value(struct log_value *value, struct span bytes)
{
    static const char end_of_short[] = "...\"";
    size_t at = 0;
    value->text[at++] = '"';
    while (bytes.len > 0) {
        char escaped[8];
        bytes = span_after(bytes, escape(bytes, escaped));
        size_t len = strlen(escaped);
        if (at + len + sizeof end_of_short > sizeof value->text) {
            memcpy(value->text + at, end_of_short, sizeof end_of_short);
            return value->text;
        }
        memcpy(value->text + at, escaped, len);
        at += len;
    }
    memcpy(value->text + at, "\"", 2);
    return value->text;
}
