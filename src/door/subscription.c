/* Topics, groups and places to begin, from words to readers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/subscription.h"

#include "base/metric.h"

_Static_assert((int)LINE_WINDOW_MAX == (int)GROUP_WINDOW_MAX,
               "the line protocol promises what groups can do");

/* What is not in the table cannot be had at the moment. */
static enum line_error error_of(enum err err)
{
    static const enum line_error errors[ERR_COUNT] = {
        [ERR_BAD_NAME] = LINE_ERROR_BAD_NAME,
        [ERR_UNKNOWN_TOPIC] = LINE_ERROR_UNKNOWN_TOPIC,
        [ERR_TOO_MANY] = LINE_ERROR_TOO_MANY_TOPICS,
        [ERR_MEMORY] = LINE_ERROR_NO_MEMORY,
    };
    check(err < ERR_COUNT);
    bool has_none = err != ERR_NONE && errors[err] == LINE_ERROR_NONE;
    return has_none ? LINE_ERROR_UNAVAILABLE : errors[err];
}

static enum line_error
open_topic(struct subscribe_shared *shared, struct span name, struct store_topic *topic)
{
    struct store *store = shared->store;
    if (!store_topic_name_is_legal(name))
        return LINE_ERROR_BAD_NAME;
    bool create = shared->options.auto_create && !store_topic_name_is_reserved(name);
    return error_of(store->ops->topic_open(store, name, 0, create, topic));
}

/* --- Plain streams ------------------------------------------------------------------------------ */

static void on_stream_gap(void *owner, uint32_t partition, uint64_t from, uint64_t to)
{
    struct subscription *self = owner;
    self->events.on_gap(self->events.owner, self->topic.id, partition, from, to);
}

static void on_stream_finished(void *owner, enum err err, const struct why *why)
{
    struct subscription *self = owner;
    self->events.on_finished(self->events.owner, err, why);
}

static int64_t partition_of(const struct line_subscription *line)
{
    return line->from == LINE_FROM_PLACE ? (int64_t)line->partition : -1;
}

static enum line_error begin_stream(struct subscription *self,
                                    struct subscribe_shared *shared,
                                    struct line_writer *writer,
                                    const struct line_subscription *line)
{
    static const enum topic_reader_from places[] = {
        [LINE_FROM_DEFAULT] = TOPIC_READER_FROM_END,  [LINE_FROM_START] = TOPIC_READER_FROM_START,
        [LINE_FROM_END] = TOPIC_READER_FROM_END,      [LINE_FROM_OFFSET] = TOPIC_READER_FROM_OFFSET,
        [LINE_FROM_PLACE] = TOPIC_READER_FROM_OFFSET,
    };
    struct topic_reader_options options = {
        .topic = self->topic,
        .from = places[line->from],
        .offset = line->offset,
        .partition = partition_of(line),
        .follow = true,
        .encoding = line->encoding,
    };
    struct topic_reader_events events = {
        .on_finished = on_stream_finished, .on_gap = on_stream_gap, .owner = self};
    return error_of(topic_reader_new(&options, shared->store, &shared->pool, writer, events, &self->stream));
}

/* --- Members of groups -------------------------------------------------------------------------- */

static enum line_error open_group(struct groups *groups, struct span name, struct group **ret_group)
{
    enum err err = groups_open(groups, name, ret_group);
    if (err == ERR_TOO_MANY)
        return LINE_ERROR_TOO_MANY_GROUPS;
    return err == ERR_BAD_NAME ? LINE_ERROR_BAD_GROUP : error_of(err);
}

static enum line_error begin_member(struct subscription *self,
                                    struct subscribe_shared *shared,
                                    struct line_writer *writer,
                                    const struct line_subscription *line)
{
    static const enum group_from places[] = {
        [LINE_FROM_DEFAULT] = GROUP_FROM_START, [LINE_FROM_START] = GROUP_FROM_START,
        [LINE_FROM_END] = GROUP_FROM_END,       [LINE_FROM_OFFSET] = GROUP_FROM_OFFSET,
        [LINE_FROM_PLACE] = GROUP_FROM_OFFSET,
    };
    struct member_reader_options options = {
        .member = {.topic = self->topic.id,
                   .partition = partition_of(line),
                   .from = places[line->from],
                   .offset = line->offset,
                   .window = line->window,
                   .lease_ns = shared->options.lease_ns,
                   .by = span_from_text(stream_identity(writer->stream))},
        .encoding = line->encoding,
    };
    struct member_reader_events events = {self->events.on_finished, self->events.on_gap, self->events.owner};
    struct group *group;
    enum line_error error = open_group(shared->options.groups, line->group, &group);
    if (error != LINE_ERROR_NONE)
        return error;
    enum err err = member_reader_new(&options, group, &shared->pool, writer, &events, &self->member);
    return err == ERR_TOO_MANY ? LINE_ERROR_UNAVAILABLE : error_of(err);
}

/* --- Both --------------------------------------------------------------------------------------- */

enum line_error subscription_begin(struct subscription *subscription,
                                   struct subscribe_shared *shared,
                                   struct line_writer *writer,
                                   const struct line_subscription *line,
                                   const struct subscription_events *events)
{
    *subscription = (struct subscription){.events = *events};
    enum line_error error = open_topic(shared, line->topic, &subscription->topic);
    if (error != LINE_ERROR_NONE)
        return error;
    if (partition_of(line) >= (int64_t)subscription->topic.partitions)
        return LINE_ERROR_BAD_PARTITION;
    error = line->group.len > 0 ? begin_member(subscription, shared, writer, line)
                                : begin_stream(subscription, shared, writer, line);
    if (error == LINE_ERROR_NONE)
        metric_add(METRIC_SUBSCRIBERS, 1);
    return error;
}

bool subscription_is_begun(const struct subscription *subscription)
{
    return subscription->stream != NULL || subscription->member != NULL;
}

struct group_member *subscription_member(const struct subscription *subscription)
{
    return subscription->member == NULL ? NULL : member_reader_member(subscription->member);
}

void subscription_resume(struct subscription *subscription)
{
    if (subscription->stream != NULL)
        topic_reader_resume(subscription->stream);
    if (subscription->member != NULL)
        member_reader_resume(subscription->member);
}

void subscription_close(struct subscription *subscription)
{
    if (!subscription_is_begun(subscription))
        return;
    subscription->stream = topic_reader_close(subscription->stream);
    subscription->member = member_reader_close(subscription->member);
    metric_add(METRIC_SUBSCRIBERS, -1);
}
