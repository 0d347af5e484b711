/* Senders on one epoll: each acknowledgement opens a window, each open window is filled by one write. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_produce.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { EVENTS_MAX = 256 };

#define LOOK_EVERY_NS   (20 * CLOCK_NS_PER_MS)
#define SETTLE_LIMIT_NS (60 * CLOCK_NS_PER_S)

struct bench_produce {
    const struct bench_produce_settings *settings;
    struct bench_end end;
    struct bench_result *result;
    struct bench_sender *senders;
    uint32_t opened;
    uint32_t closed; /* by the door, in plain mode, when all their lines are stored */
    int epoll;
    uint64_t sent;
    uint64_t settled;
    int64_t started_ns;
    int64_t due_ns; /* the next paced line */
    bool is_ending;
    struct random random;
};

static enum err open_senders(struct bench_produce *produce, struct why *why)
{
    const struct bench_produce_settings *settings = produce->settings;
    produce->senders = calloc(settings->connections, sizeof *produce->senders);
    produce->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (produce->senders == NULL || produce->epoll < 0)
        return ERR_MEMORY;
    for (; produce->opened < settings->connections; produce->opened++) {
        struct bench_sender *sender = &produce->senders[produce->opened];
        enum err err = bench_sender_open(sender, &settings->sender, &produce->random, why);
        if (err != ERR_NONE)
            return err;
        /* A plain sender is driven by room in its socket, the others by answers and, when stuck, by room. */
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = sender};
        check(epoll_ctl(produce->epoll, EPOLL_CTL_ADD, sender->socket.fd, &event) == 0);
    }
    return ERR_NONE;
}

/* Fills the window and writes until the socket is full; in plain mode one block at a time, to look at the clock. */
static enum err feed(struct bench_produce *produce, struct bench_sender *sender, int64_t now_ns)
{
    enum err err = bench_sender_push(sender);
    uint64_t lines = produce->settings->pace_ns > 0 ? 1 : UINT64_MAX;
    while (err == ERR_NONE && !produce->is_ending && lines > 0) {
        uint64_t count = bench_sender_room(sender);
        if (produce->end.count > 0 && count > produce->end.count - produce->sent)
            count = produce->end.count - produce->sent;
        count = count < lines ? count : lines;
        if (count == 0)
            break;
        bench_sender_add(sender, (uint32_t)count, produce->settings->first_seq + produce->sent, now_ns);
        produce->sent += count;
        lines -= count;
        err = bench_sender_push(sender);
        now_ns = clock_now_ns(clock_linux());
        produce->is_ending = bench_end_is_reached(&produce->end, now_ns, produce->sent);
    }
    if (sender->window == 0)
        bench_result_add(produce->result, now_ns - produce->started_ns, sender->sent - sender->settled,
                         (sender->sent - sender->settled) * sender->lines.size);
    if (sender->window == 0)
        sender->settled = sender->sent;
    if (sender->window == 0 && err == ERR_NONE && produce->is_ending)
        bench_sender_finish(sender);
    return err == ERR_AGAIN ? ERR_NONE : err;
}

static enum err
receive(struct bench_produce *produce, struct bench_sender *sender, int64_t now_ns, struct why *why)
{
    uint64_t settled = sender->settled;
    uint64_t refused = sender->refused;
    enum err err;
    do {
        err = bench_sender_receive(sender, now_ns, &produce->result->latency, why);
    } while (err == ERR_NONE);
    if (err == ERR_CLOSED && sender->window == 0 && produce->is_ending) {
        produce->closed++;
        bench_result_add(produce->result, now_ns - produce->started_ns, 0, 0);
        return epoll_ctl(produce->epoll, EPOLL_CTL_DEL, sender->socket.fd, NULL) == 0 ? ERR_NONE : ERR_SYSTEM;
    }
    if (err == ERR_CLOSED)
        return why_set(why, err, "the door closed the connection");
    if (sender->window > 0) {
        uint64_t count = sender->settled - settled;
        produce->settled += count;
        produce->result->refused += sender->refused - refused;
        bench_result_add(produce->result, now_ns - produce->started_ns, count, count * sender->lines.size);
    }
    return err == ERR_AGAIN ? ERR_NONE : err;
}

static enum err feed_all(struct bench_produce *produce, int64_t now_ns)
{
    enum err err = ERR_NONE;
    for (uint32_t i = 0; i < produce->opened && err == ERR_NONE; i++)
        err = feed(produce, &produce->senders[i], now_ns);
    return err;
}

static bool is_all_settled(const struct bench_produce *produce)
{
    if (produce->settings->sender.window == 0)
        return produce->closed == produce->opened;
    return produce->settled == produce->sent;
}

/* Waits for events, not past the next paced line or look at the clock. */
static int wait_for_events(struct bench_produce *produce, struct epoll_event *events)
{
    int64_t wait_ns = LOOK_EVERY_NS;
    int64_t now_ns = clock_now_ns(clock_linux());
    if (produce->settings->pace_ns > 0 && produce->due_ns - now_ns < wait_ns)
        wait_ns = produce->due_ns > now_ns ? produce->due_ns - now_ns : 0;
    struct timespec timeout = {.tv_sec = wait_ns / CLOCK_NS_PER_S, .tv_nsec = wait_ns % CLOCK_NS_PER_S};
    return epoll_pwait2(produce->epoll, events, EVENTS_MAX, &timeout, NULL);
}

static enum err take_events(struct bench_produce *produce, struct why *why)
{
    struct epoll_event events[EVENTS_MAX];
    int count = wait_for_events(produce, events);
    enum err err = count < 0 && errno != EINTR ? ERR_SYSTEM : ERR_NONE;
    int64_t now_ns = clock_now_ns(clock_linux());
    for (int i = 0; i < count && err == ERR_NONE; i++) {
        struct bench_sender *sender = events[i].data.ptr;
        if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
            err = receive(produce, sender, now_ns, why);
        if (err == ERR_NONE && produce->settings->pace_ns == 0)
            err = feed(produce, sender, now_ns);
    }
    if (err == ERR_NONE && produce->settings->pace_ns > 0 && now_ns >= produce->due_ns) {
        produce->due_ns = now_ns + produce->settings->pace_ns;
        err = feed_all(produce, now_ns);
    }
    return err;
}

static enum err run(struct bench_produce *produce, struct why *why)
{
    int64_t limit_ns = INT64_MAX;
    produce->started_ns = clock_now_ns(clock_linux());
    produce->due_ns = produce->started_ns;
    enum err err = feed_all(produce, produce->started_ns);
    while (err == ERR_NONE) {
        int64_t now_ns = clock_now_ns(clock_linux());
        produce->is_ending |= bench_end_is_reached(&produce->end, now_ns, produce->sent);
        if (produce->is_ending && is_all_settled(produce))
            return ERR_NONE;
        if (produce->is_ending && limit_ns == INT64_MAX) {
            limit_ns = now_ns + SETTLE_LIMIT_NS;
            err = feed_all(produce, now_ns); /* nobody else tells plain senders that it is over */
        }
        if (now_ns > limit_ns)
            return why_set(why, ERR_TIMED_OUT, "%" PRIu64 " lines were not acknowledged within a minute",
                           produce->sent - produce->settled);
        if (err == ERR_NONE)
            err = take_events(produce, why);
    }
    return err;
}

enum err
bench_produce_run(const struct bench_produce_settings *settings, struct bench_result *result, struct why *why)
{
    struct bench_produce produce = {.settings = settings, .end = settings->end, .result = result};
    random_seed(&produce.random, settings->first_seq);
    int64_t cpu_ns = bench_cpu_ns();
    enum err err = open_senders(&produce, why);
    if (err == ERR_NONE)
        err = run(&produce, why);
    result->cpu_ns = bench_cpu_ns() - cpu_ns;
    for (uint32_t i = 0; i < produce.opened; i++)
        bench_sender_close(&produce.senders[i]);
    free(produce.senders);
    if (produce.epoll > 0)
        (void)close(produce.epoll);
    return err;
}
