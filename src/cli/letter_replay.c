/* The program does the work whether anybody looks or not: this asks now and then how far it is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/letter_replay.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/progress.h"
#include "cli/json_line.h"

enum { ID_SIZE = 16, STATE_SIZE = 16, LINE_SIZE = 64 * 1024 };

static const struct timespec look_every = {.tv_nsec = 50 * 1000 * 1000};

/* The latest line about the replay. */
struct followed {
    char id[ID_SIZE];
    uint8_t line[LINE_SIZE];
    size_t len;
    bool has_told_waiting;
};

static struct span line_of(const struct followed *followed)
{
    return span_of(followed->line, followed->len);
}

static void keep_line(void *owner, struct span line)
{
    struct followed *followed = owner;
    followed->len = line.len < sizeof followed->line ? line.len : 0;
    memcpy(followed->line, line.data, followed->len);
}

static enum err start(struct control_client *client,
                      const struct letter_options *options,
                      struct followed *followed,
                      struct why *why)
{
    struct buffer request;
    buffer_init(&request, 16 * 1024);
    enum err err = letter_options_put(&request, "replay", options);
    if (err == ERR_NONE)
        err = control_client_ask(client, buffer_span(&request), keep_line, followed, why);
    buffer_done(&request);
    if (err == ERR_NONE)
        (void)json_line_text(line_of(followed), "id", followed->id, sizeof followed->id);
    return err;
}

static enum err look(struct control_client *client, struct followed *followed, struct why *why)
{
    char request[64];
    (void)snprintf(request, sizeof request, "{\"op\":\"replays\",\"id\":\"%s\"}", followed->id);
    return control_client_ask(client, span_from_text(request), keep_line, followed, why);
}

static bool is_state(const struct followed *followed, const char *state)
{
    char text[STATE_SIZE];
    return strcmp(json_line_text(line_of(followed), "state", text, sizeof text), state) == 0;
}

static bool is_over(const struct followed *followed)
{
    return is_state(followed, "done") || is_state(followed, "stopped");
}

/* Once, after a while: records may wait for somebody who takes them. */
static void tell_waiting(struct followed *followed, unsigned looks)
{
    if (followed->has_told_waiting || looks < 40 || json_line_number(line_of(followed), "waiting") == 0)
        return;
    followed->has_told_waiting = true;
    log_line(LOG_WARN, "deadletters",
             "nobody of the group is there: the replay waits for a subscriber or a delivery", "replay=%s",
             followed->id);
}

static enum err follow(struct control_client *client, struct followed *followed, struct why *why)
{
    struct progress progress;
    bool has_total = false;
    uint64_t settled = 0;
    enum err err = look(client, followed, why);
    progress_init(&progress, "replay", 0, PROGRESS_ITEMS);
    for (unsigned looks = 0; err == ERR_NONE && !is_over(followed); looks++) {
        uint64_t now = (uint64_t)json_line_number(line_of(followed), "settled");
        if (!has_total && is_state(followed, "running")) {
            has_total = true;
            progress_init(&progress, "replay", (uint64_t)json_line_number(line_of(followed), "wanted"),
                          PROGRESS_ITEMS);
        }
        progress_step(&progress, now > settled ? now - settled : 0);
        settled = now > settled ? now : settled;
        tell_waiting(followed, looks);
        (void)nanosleep(&look_every, NULL);
        err = look(client, followed, why);
    }
    progress_done(&progress);
    return err;
}

void letter_replay_print(struct span line)
{
    char id[ID_SIZE];
    char state[STATE_SIZE];
    char topic[256];
    char why[256];
    (void)printf(
        "%s  %-8s  %s  wanted %" PRId64 "  settled %" PRId64 "  failed again %" PRId64 "  left %" PRId64,
        json_line_text(line, "id", id, sizeof id), json_line_text(line, "state", state, sizeof state),
        json_line_text(line, "topic", topic, sizeof topic), json_line_number(line, "wanted"),
        json_line_number(line, "settled"), json_line_number(line, "failed_again"),
        json_line_number(line, "left"));
    if (json_line_text(line, "why", why, sizeof why)[0] != '\0')
        (void)printf("  why %s", why);
    (void)printf("\n");
}

static int say_end(const struct followed *followed, const struct letter_options *options)
{
    struct span line = line_of(followed);
    if (options->is_json)
        (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
    else
        letter_replay_print(line);
    if (!options->is_json && json_line_number(line, "foreign") > 0)
        (void)fprintf(stderr, "waybill: %" PRId64 " records are nobody's dead letters: see --reroute\n",
                      json_line_number(line, "foreign"));
    bool is_nobodys = json_line_number(line, "wanted") == 0 && json_line_number(line, "foreign") > 0;
    bool is_fine = is_state(followed, "done") && json_line_number(line, "failed_again") == 0 && !is_nobodys;
    return is_fine ? COMMAND_FINE : COMMAND_NOT_SO;
}

static void on_interrupt(int signal)
{
    static const char text[] = "\nwaybill: the replay goes on; see `waybill deadletters replays`\n";
    (void)signal;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(COMMAND_NOT_SO);
}

int letter_replay_run(struct control_client *client, const struct letter_options *options)
{
    static struct followed followed; /* Rule zero: a line is too large for the stack, and this runs once */
    struct why why = {0};
    enum err err = start(client, options, &followed, &why);
    if (err == ERR_NONE && options->is_detached) {
        (void)printf(options->is_json ? "{\"id\":\"%s\"}\n" : "%s\n", followed.id);
        return COMMAND_FINE;
    }
    (void)signal(SIGINT, on_interrupt);
    if (err == ERR_NONE)
        err = follow(client, &followed, &why);
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text[0] == '\0' ? err_text(err) : why.text);
    return say_end(&followed, options);
}

/* --- Reroute -------------------------------------------------------------------------------------- */

struct rerouting {
    struct progress progress;
    bool has_begun;
    struct followed *latest;
};

static void on_counts(void *owner, struct span line)
{
    struct rerouting *rerouting = owner;
    uint64_t passed = (uint64_t)json_line_number(line, "passed");
    if (!rerouting->has_begun)
        progress_init(&rerouting->progress, "reroute", (uint64_t)json_line_number(line, "total"),
                      PROGRESS_ITEMS);
    rerouting->has_begun = true;
    if (passed > rerouting->progress.count)
        progress_step(&rerouting->progress, passed - rerouting->progress.count);
    keep_line(rerouting->latest, line);
}

int letter_reroute_run(struct control_client *client, const struct letter_options *options)
{
    static struct followed followed; /* Rule zero: see above */
    struct rerouting rerouting = {.latest = &followed};
    struct buffer request;
    struct why why = {0};
    buffer_init(&request, 16 * 1024);
    enum err err = letter_options_put(&request, "replay", options);
    if (err == ERR_NONE)
        err = control_client_ask(client, buffer_span(&request), on_counts, &rerouting, &why);
    buffer_done(&request);
    if (rerouting.has_begun)
        progress_done(&rerouting.progress);
    struct span line = line_of(&followed);
    if (options->is_json && line.len > 0)
        (void)printf("%.*s\n", (int)line.len, (const char *)line.data);
    else if (line.len > 0)
        (void)printf("rerouted %" PRId64 "  left %" PRId64 "\n", json_line_number(line, "rerouted"),
                     json_line_number(line, "left"));
    if (err != ERR_NONE)
        return command_failed(COMMAND_NOT_SO, "%s", why.text[0] == '\0' ? err_text(err) : why.text);
    return json_line_number(line, "left") == 0 ? COMMAND_FINE : COMMAND_NOT_SO;
}
