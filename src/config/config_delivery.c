/* The fields of a delivery. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_delivery.h"

#define MIB    (UINT64_C(1024) * 1024)
#define SECOND UINT64_C(1000000000)

#define SECTION_OF(type, field_table)                                                                        \
    .fields = (field_table), .count = CONFIG_FIELD_COUNT(field_table), .size = sizeof(struct type),          \
    .node_offset = offsetof(struct type, node)

static const struct config_field source_fields[] = {
    {.name = "topic",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_delivery_source, topic),
     .is_required = true,
     .sentence = "A topic's name; an item that is just a name means this."},
    {.name = "partitions",
     .kind = CONFIG_WORDS,
     .offset = offsetof(struct config_delivery_source, partitions),
     .sentence = "Numbers of partitions, to have these alone."},
};

static void examine_source(struct config_problems *problems, const struct config_node *node, void *values)
{
    const struct config_delivery_source *source = values;
    uint64_t number;
    for (uint32_t i = 0; i < source->partitions.count; i++)
        if (!span_to_u64(span_from_text(source->partitions.items[i]), &number) || number > 1023)
            config_problem(problems, config_place_of(node, "partitions"),
                           "`%.100s` is no number of a partition (0 to 1023)", source->partitions.items[i]);
}

static const struct config_section source_section = {SECTION_OF(config_delivery_source, source_fields),
                                                     .shorthand = "topic", .examine = examine_source};

static const struct config_field batch_fields[] = {
    {.name = "records",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_delivery_batch, records),
     .fallback = "100",
     .min = 1,
     .max = 100000,
     .sentence = "The most records of one batch."},
    {.name = "bytes",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_delivery_batch, bytes),
     .fallback = "100KiB",
     .min = 1024,
     .max = 64 * MIB,
     .sentence = "The most bytes of one batch; one record always goes."},
    {.name = "wait",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_delivery_batch, wait_ns),
     .fallback = "20ms",
     .max = 3600 * SECOND,
     .sentence = "How long a batch may wait for more, and only while another one is in flight."},
};
static const struct config_section batch_section = {SECTION_OF(config_delivery_batch, batch_fields)};

static const struct config_field retry_fields[] = {
    {.name = "first",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_delivery_retry, first_ns),
     .fallback = "200ms",
     .min = 1000000,
     .max = 3600 * SECOND,
     .sentence = "The wait behind the first failure; it doubles with each further one."},
    {.name = "max",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_delivery_retry, max_ns),
     .fallback = "30s",
     .min = 1000000,
     .max = 86400 * SECOND,
     .sentence = "The longest wait."},
    {.name = "jitter",
     .kind = CONFIG_SHARE,
     .offset = offsetof(struct config_delivery_retry, jitter),
     .fallback = "0.2",
     .sentence = "By how much a wait may be longer or shorter, as a share of it."},
    {.name = "attempts", .kind = CONFIG_LATER, .sentence = "After how many failures a record is given up."},
    {.name = "age", .kind = CONFIG_LATER, .sentence = "How old a record may become."},
    {.name = "elapsed", .kind = CONFIG_LATER, .sentence = "How long a record may be tried."},
};
static const struct config_section retry_section = {SECTION_OF(config_delivery_retry, retry_fields)};

static const struct config_field breaker_fields[] = {
    {.name = "failures",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_delivery_breaker, failures),
     .fallback = "5",
     .min = 1,
     .max = 1000000,
     .sentence = "After how many failures of the target in a row the delivery is held."},
    {.name = "every",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_delivery_breaker, every_ns),
     .fallback = "1s",
     .min = 1000000,
     .max = 3600 * SECOND,
     .sentence = "How often one batch is tried while it is held."},
    {.name = "probe", .kind = CONFIG_LATER, .sentence = "A URL that is asked instead."},
};
static const struct config_section breaker_section = {SECTION_OF(config_delivery_breaker, breaker_fields)};

static const struct config_field rotate_fields[] = {
    {.name = "size",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_rotate, size),
     .fallback = "0",
     .max = UINT64_C(1) << 50,
     .sentence = "file: a file that has reached this size is rotated; 0: never."},
    {.name = "keep",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_rotate, keep),
     .fallback = "5",
     .min = 1,
     .max = 1000,
     .sentence = "file: how many rotated files are kept."},
    {.name = "compress",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct config_rotate, compress),
     .fallback = "false",
     .sentence = "file: whether rotated files become gzip files."},
};
static const struct config_section rotate_section = {SECTION_OF(config_rotate, rotate_fields)};

static const struct config_field delivery_fields[] = {
    {.name = "name",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_delivery, name),
     .is_required = true,
     .sentence = "Its name, and that of its group."},
    {.name = "from",
     .kind = CONFIG_SECTIONS,
     .offset = offsetof(struct config_delivery, from),
     .section = &source_section,
     .is_required = true,
     .sentence = "The topics whose records it delivers."},
    {.name = "to",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_delivery, to),
     .later = "http:* https:* lumberjack:* lumberjacks:* kafka:*",
     .is_required = true,
     .sentence = "The target: file:DIR/append.log, or file:DIR/{topic}.log for a file of each topic."},
    {.name = "batch",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config_delivery, batch),
     .section = &batch_section,
     .sentence = "What goes out together; a batch goes at once when none is in flight."},
    {.name = "in_flight",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_delivery, in_flight),
     .fallback = "100",
     .min = 1,
     .max = 1000000,
     .sentence = "How many records may be taken and not delivered yet."},
    {.name = "retry",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config_delivery, retry),
     .section = &retry_section,
     .sentence = "When a batch is tried again; a file is tried for ever."},
    {.name = "breaker",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config_delivery, breaker),
     .section = &breaker_section,
     .sentence = "When a target that fails is left alone."},
    {.name = "rotate",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config_delivery, rotate),
     .section = &rotate_section,
     .sentence = "file: when a new file is begun."},
    {.name = "body", .kind = CONFIG_LATER, .sentence = "http: the form of what is pushed."},
    {.name = "order", .kind = CONFIG_LATER, .sentence = "What keeps its order: key, partition, none."},
    {.name = "timeout", .kind = CONFIG_LATER, .sentence = "How long a target may take."},
    {.name = "dead_letter", .kind = CONFIG_LATER, .sentence = "Where records go that were given up."},
    {.name = "rollback_over", .kind = CONFIG_LATER, .sentence = "light: how many results may fail."},
    {.name = "secret", .kind = CONFIG_LATER, .sentence = "http: signs what is pushed."},
    {.name = "lumberjack", .kind = CONFIG_LATER, .sentence = "lumberjack: hosts and their settings."},
};

static const char file_scheme[] = "file:";

const char *config_delivery_path(const struct config_delivery *delivery)
{
    size_t len = sizeof file_scheme - 1;
    return strncmp(delivery->to, file_scheme, len) == 0 ? delivery->to + len : NULL;
}

static void examine_delivery(struct config_problems *problems, const struct config_node *node, void *values)
{
    const struct config_delivery *delivery = values;
    const char *path = config_delivery_path(delivery);
    if (path == NULL || *path == '\0')
        config_problem(problems, config_place_of(node, "to"), "`to: %.100s`: this takes file:PATH",
                       delivery->to);
    if (delivery->from.count == 0)
        config_problem(problems, config_place_of(node, "from"), "`from` names no topic");
    if (delivery->retry.first_ns > delivery->retry.max_ns)
        config_problem(problems, config_place_of(delivery->retry.node, "first"),
                       "`retry.first` must be at most `retry.max`");
    if (delivery->in_flight < delivery->batch.records && delivery->batch.node != NULL &&
        config_node_member(delivery->batch.node, "records") != NULL)
        config_problem(problems, config_place_of(delivery->batch.node, "records"),
                       "`batch.records` must be at most `in_flight`");
}

const struct config_section config_delivery_section = {SECTION_OF(config_delivery, delivery_fields),
                                                       .examine = examine_delivery};
