/* The fields of the configuration: what a file may say, in the order of the reference. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "config/config_value.h"

#define KIB    UINT64_C(1024)
#define MIB    (1024 * KIB)
#define GIB    (1024 * MIB)
#define TIB    (1024 * GIB)
#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)

#define SECTION_OF(type, field_table, examine_function)                                                      \
    {                                                                                                        \
        .fields = field_table, .count = CONFIG_FIELD_COUNT(field_table), .size = sizeof(struct type),        \
        .node_offset = offsetof(struct type, node), .examine = examine_function,                             \
    }

static const struct config_field log_fields[] = {
    {.name = "segment_size",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_log, segment_size),
     .fallback = "64MiB",
     .min = 256 * KIB,
     .max = GIB,
     .sentence = "Size of one file of the log, a multiple of 4KiB; it also bounds `limits.append`."},
    {.name = "ack",
     .kind = CONFIG_ENUM,
     .offset = offsetof(struct config_log, ack),
     .fallback = "synced",
     .choices = "synced written",
     .sentence = "When a record counts as stored: after fdatasync, or already when the kernel has it."},
    {.name = "size_max",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_log, size_max),
     .reload = CONFIG_LIVE,
     .fallback = "20GiB",
     .min = MIB,
     .max = 1024 * TIB,
     .sentence = "What all segments together may take, at least four of them; beyond it the oldest goes."},
    {.name = "scrub_every",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_log, scrub_every_ns),
     .reload = CONFIG_LIVE,
     .fallback = "7d",
     .max = 36500 * DAY,
     .sentence = "Sealed data is read and checked again so long after the last pass; 0: never."},
    {.name = "scrub_rate",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_log, scrub_rate),
     .reload = CONFIG_LIVE,
     .fallback = "8MiB",
     .min = 64 * KIB,
     .max = 16 * GIB,
     .sentence = "How much of it a second."},
};
static const struct config_section log_section = SECTION_OF(config_log, log_fields, NULL);

static const struct config_field limits_fields[] = {
    {.name = "record",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_limits, record),
     .fallback = "1MiB",
     .min = KIB,
     .max = 256 * MIB,
     .sentence = "The largest record; smaller than `append`."},
    {.name = "append",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_limits, append),
     .fallback = "8MiB",
     .min = 4 * KIB,
     .max = 256 * MIB,
     .sentence = "The most that is stored in one atomic append; at most a quarter of a segment."},
    {.name = "topics",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_limits, topics),
     .reload = CONFIG_LIVE,
     .fallback = "1000",
     .min = 1,
     .max = 100000,
     .sentence = "How many topics input may create; those named here come on top."},
    {.name = "auto_create",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct config_limits, auto_create),
     .reload = CONFIG_LIVE,
     .fallback = "true",
     .sentence = "Whether input may create topics at all."},
};
static const struct config_section limits_section = SECTION_OF(config_limits, limits_fields, NULL);

static const struct config_field receipts_fields[] = {
    {.name = "keep",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_receipts, keep_ns),
     .reload = CONFIG_LIVE,
     .fallback = "7d",
     .max = 36500 * DAY,
     .sentence = "How long a receipt is answered after its record is gone."},
    {.name = "size_max",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_receipts, size_max),
     .reload = CONFIG_LIVE,
     .fallback = "1GiB",
     .max = TIB,
     .sentence = "What such receipts may take on disk."},
};
static const struct config_section receipts_section = SECTION_OF(config_receipts, receipts_fields, NULL);

static const struct config_field window_fields[] = {
    {.name = "keep",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_window, keep_ns),
     .fallback = "24h",
     .min = SECOND,
     .max = 365 * DAY,
     .sentence = "How long a message is remembered for `duplicates: drop`."},
    {.name = "count",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_window, count),
     .fallback = "1000000",
     .min = 1000,
     .max = 100000000,
     .sentence = "How many are remembered; the oldest make room."},
};
static const struct config_section window_section = SECTION_OF(config_window, window_fields, NULL);

static const struct config_field retention_fields[] = {
    {.name = "age",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_retention, age_ns),
     .reload = CONFIG_LIVE,
     .fallback = "7d",
     .max = 36500 * DAY,
     .sentence = "Records older than this go, unless somebody still needs them; 0: no limit."},
    {.name = "size",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_retention, size),
     .reload = CONFIG_LIVE,
     .fallback = "1GiB",
     .max = 1024 * TIB,
     .sentence = "The oldest records of a topic beyond this size go; 0: no limit."},
    {.name = "consumed",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct config_retention, consumed),
     .reload = CONFIG_LIVE,
     .fallback = "false",
     .sentence = "Retires records as soon as all named groups are past."},
};
static const struct config_section retention_section = SECTION_OF(config_retention, retention_fields, NULL);

static const struct config_field topic_fields[] = {
    {.name = "partitions",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_topic, partitions),
     .fallback = "1",
     .min = 1,
     .max = 1024,
     .sentence = "Keys choose among them; the number of an existing topic does not change."},
    {.name = "store",
     .kind = CONFIG_ENUM,
     .offset = offsetof(struct config_topic, store),
     .fallback = "journal",
     .choices = "journal",
     .later = "kafka:*",
     .sentence = "Where its records are kept."},
    {.name = "when_full",
     .kind = CONFIG_ENUM,
     .offset = offsetof(struct config_topic, when_full),
     .reload = CONFIG_LIVE,
     .fallback = "block",
     .choices = "block drop_oldest",
     .sentence = "At its size with records that somebody needs: senders wait, or the oldest are given up."},
    {.name = "retention",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config_topic, retention),
     .section = &retention_section,
     .sentence = "When its records may go."},
    {.name = "processed_by",
     .kind = CONFIG_WORDS,
     .offset = offsetof(struct config_topic, processed_by),
     .sentence = "Groups whose `done` means processed; retention keeps what they have not completed."},
};
static const struct config_section topic_section = SECTION_OF(config_topic, topic_fields, NULL);

static const struct config_field route_fields[] = {
    {.name = "key",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_route, key),
     .is_required = true,
     .sentence = "A glob over the whole key (`*`, `?`), or a regular expression (PCRE2) after `re:`."},
    {.name = "topic",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_route, topic),
     .is_required = true,
     .sentence = "Where lines with such a key go: a name or a template."},
};
static const struct config_section route_section = SECTION_OF(config_route, route_fields, NULL);

static const struct config_field tls_fields[] = {
    {.name = "cert",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_tls, cert),
     .is_required = true,
     .reload = CONFIG_LIVE,
     .sentence = "A PEM file: the certificate, then those that lead to its authority."},
    {.name = "key",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_tls, key),
     .is_required = true,
     .reload = CONFIG_LIVE,
     .sentence = "A PEM file: the private key of the certificate, without a passphrase."},
};
static const struct config_section tls_section = SECTION_OF(config_tls, tls_fields, NULL);

static void examine_door(struct config_problems *problems, const struct config_node *node, void *values);

static const struct config_field door_fields[] = {
    {.name = "kind",
     .kind = CONFIG_ENUM,
     .offset = offsetof(struct config_door, kind),
     .is_required = true,
     .choices = "line",
     .later = "http kafka lumberjack",
     .sentence = "The protocol."},
    {.name = "serve",
     .kind = CONFIG_ENUM,
     .offset = offsetof(struct config_door, serve),
     .is_required = true,
     .choices = "produce subscribe acks status",
     .sentence = "What a line door is for."},
    {.name = "listen",
     .kind = CONFIG_ADDRESS,
     .offset = offsetof(struct config_door, listen),
     .is_required = true,
     .sentence = "Where it listens; port 0 lets the kernel choose."},
    {.name = "topic",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_door, topic),
     .fallback = "{key}",
     .sentence = "produce: where lines go that no route takes, a name or a template; status: the topic of "
                 "<partition>:<offset>."},
    {.name = "fields",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_door, fields),
     .fallback = "key|timestamp|seq|body",
     .sentence = "produce: the fields of a line; the last takes the rest."},
    {.name = "routes",
     .kind = CONFIG_SECTIONS,
     .offset = offsetof(struct config_door, routes),
     .section = &route_section,
     .sentence = "produce: keys and their topics, the first that matches wins."},
    {.name = "otherwise",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_door, otherwise),
     .fallback = "unrouted.dlq",
     .sentence = "produce: the topic of lines without a route, a legal name or number."},
    {.name = "sequence",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_door, sequence),
     .fallback = "default",
     .sentence = "The counter that `seq` belongs to, shared by doors that name it alike."},
    {.name = "duplicates",
     .kind = CONFIG_ENUM,
     .offset = offsetof(struct config_door, duplicates),
     .fallback = "store",
     .choices = "store drop",
     .sentence = "produce: what happens to a line whose sequence, key and seq are known."},
    {.name = "hello",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct config_door, hello),
     .fallback = "on",
     .sentence = "produce: whether a first line HELLO asks for acknowledgements; off makes it data."},
    {.name = "window",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_door, window),
     .fallback = "10000",
     .min = 1,
     .max = 1000000,
     .sentence = "produce: lines that may wait for their acknowledgement."},
    {.name = "max_line",
     .kind = CONFIG_SIZE,
     .offset = offsetof(struct config_door, max_line),
     .fallback = "1MiB",
     .min = 64,
     .max = 256 * MIB,
     .sentence = "The longest line that is taken; at most `limits.record`."},
    {.name = "mode",
     .kind = CONFIG_ENUM,
     .offset = offsetof(struct config_door, mode),
     .fallback = "native",
     .choices = "native kmq",
     .sentence = "acks, status: kmq answers one request with KMQ's exact words and closes."},
    {.name = "keys",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct config_door, keys),
     .fallback = "false",
     .sentence = "acks, status: whether a second word of a request is the key."},
    {.name = "insecure",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct config_door, insecure),
     .reload = CONFIG_LIVE,
     .fallback = "false",
     .sentence = "Allows to listen beyond loopback without client certificates."},
    {.name = "tls",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config_door, tls),
     .section = &tls_section,
     .sentence = "Makes it a listener for TLS 1.2 and 1.3 alone; the files are read again at a reload."},
    {.name = "client_ca",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_door, client_ca),
     .reload = CONFIG_LIVE,
     .sentence = "A PEM file with the authorities of clients, who must then show a certificate."},
    {.name = "client_cert",
     .kind = CONFIG_ENUM,
     .offset = offsetof(struct config_door, client_cert),
     .fallback = "required",
     .choices = "required optional",
     .reload = CONFIG_LIVE,
     .sentence = "With `client_ca`: optional lets in who shows none; a bad one is refused in any case."},
    {.name = "processed_log",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_door, processed_log),
     .sentence = "status: a file that consumers append to; the seq before the first | of each line is done."},
    {.name = "group",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_door, group),
     .fallback = "processed_log",
     .sentence = "status: the group for which the lines of `processed_log` say done."},
    {.name = "lease",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config_door, lease_ns),
     .fallback = "60s",
     .min = 1000000000,
     .max = (uint64_t)24 * 3600 * 1000000000,
     .sentence = "subscribe: how long a record stays handed out to a member of a group that says nothing."},
    {.name = "speaks", .kind = CONFIG_LATER, .sentence = "http: the surfaces of the door."},
    {.name = "rtbeat", .kind = CONFIG_LATER, .sentence = "http: settings of the rtbeat surface."},
};
static const struct config_section door_section = SECTION_OF(config_door, door_fields, examine_door);

static const struct config_field threads_fields[] = {
    {.name = "loops",
     .kind = CONFIG_COUNT,
     .offset = offsetof(struct config_threads, loops),
     .fallback = "0",
     .max = 64,
     .sentence = "Event loops; 0: one on two cores or fewer, else one less than cores."},
};
static const struct config_section threads_section = SECTION_OF(config_threads, threads_fields, NULL);

static const struct config_field audit_fields[] = {
    {.name = "topic",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_audit, topic),
     .fallback = "waybill.audit",
     .sentence = "Where audit records are written; give it a retention of its own under `topics`."},
    {.name = "consume",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct config_audit, consume),
     .fallback = "true",
     .sentence = "Whether `done` is audited; what is given up, dropped or replayed always is."},
    {.name = "produce",
     .kind = CONFIG_BOOL,
     .offset = offsetof(struct config_audit, produce),
     .fallback = "false",
     .later = "true on",
     .sentence = "Whether stored records are audited."},
    {.name = "service",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_audit, service),
     .fallback = "waybill",
     .sentence = "What audit records call this program: their `serviceId`."},
};
static const struct config_section audit_section = SECTION_OF(config_audit, audit_fields, NULL);

static void examine_root(struct config_problems *problems, const struct config_node *node, void *values);

static const struct config_field root_fields[] = {
    {.name = "data",
     .kind = CONFIG_TEXT,
     .offset = offsetof(struct config, data),
     .fallback = "./waybill-data",
     .sentence = "The directory of the log; also holds waybill.sock, the command line's socket."},
    {.name = "drain",
     .kind = CONFIG_DURATION,
     .offset = offsetof(struct config, drain_ns),
     .reload = CONFIG_LIVE,
     .fallback = "10s",
     .max = 3600 * SECOND,
     .sentence = "How long a stop waits for what is in flight before it cuts it."},
    {.name = "log",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config, log),
     .section = &log_section,
     .sentence = "The embedded log."},
    {.name = "limits",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config, limits),
     .section = &limits_section,
     .sentence = "What is refused by name."},
    {.name = "receipts",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config, receipts),
     .section = &receipts_section,
     .sentence = "Answers that outlive their records."},
    {.name = "duplicates",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config, duplicates),
     .section = &window_section,
     .sentence = "The memory behind `duplicates: drop` of a door."},
    {.name = "topics",
     .kind = CONFIG_NAMED,
     .offset = offsetof(struct config, topics),
     .reload = CONFIG_LIVE,
     .section = &topic_section,
     .sentence = "Topics by name; they exist from the start. `defaults` holds for all others."},
    {.name = "doors",
     .kind = CONFIG_SECTIONS,
     .offset = offsetof(struct config, doors),
     .section = &door_section,
     .sentence = "The listeners; with a file, only those that it names are opened."},
    {.name = "threads",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config, threads),
     .section = &threads_section,
     .sentence = "How many threads do the work."},
    {.name = "deliveries",
     .kind = CONFIG_SECTIONS,
     .offset = offsetof(struct config, deliveries),
     .section = &config_delivery_section,
     .sentence = "Groups that Waybill drives to a target."},
    {.name = "audit",
     .kind = CONFIG_SECTION,
     .offset = offsetof(struct config, audit),
     .section = &audit_section,
     .sentence = "Who did what to which record."},
    {.name = "proxies", .kind = CONFIG_LATER, .sentence = "Kafka and HTTP proxies."},
    {.name = "clusters", .kind = CONFIG_LATER, .sentence = "Kafka clusters."},
    {.name = "kms", .kind = CONFIG_LATER, .sentence = "Where keys come from."},
    {.name = "admin", .kind = CONFIG_LATER, .sentence = "Health, metrics, dashboard."},
};
static const struct config_section root_section = SECTION_OF(config, root_fields, examine_root);

const struct config_section *config_root(void)
{
    return &root_section;
}

#define FOR(serve) (1U << CONFIG_##serve)

/* Keys that not every kind of door understands. */
struct key_owner {
    const char *key;
    unsigned serves;
    const char *text;
};

static const struct key_owner key_owners[] = {
    {"topic", FOR(PRODUCE) | FOR(STATUS), "produce` or `status"},
    {"fields", FOR(PRODUCE), "produce"},
    {"routes", FOR(PRODUCE), "produce"},
    {"otherwise", FOR(PRODUCE), "produce"},
    {"duplicates", FOR(PRODUCE), "produce"},
    {"hello", FOR(PRODUCE), "produce"},
    {"window", FOR(PRODUCE), "produce"},
    {"max_line", FOR(PRODUCE), "produce"},
    {"mode", FOR(ACKS) | FOR(STATUS), "acks` or `status"},
    {"keys", FOR(ACKS) | FOR(STATUS), "acks` or `status"},
    {"processed_log", FOR(STATUS), "status"},
    {"group", FOR(STATUS), "status"},
    {"lease", FOR(SUBSCRIBE), "subscribe"},
    {"sequence", FOR(PRODUCE) | FOR(ACKS) | FOR(STATUS), "produce`, `acks` or `status"},
};

static void
refuse_foreign_keys(struct config_problems *problems, const struct config_node *node, unsigned serve)
{
    for (size_t i = 0; i < sizeof key_owners / sizeof key_owners[0]; i++) {
        const struct key_owner *owner = &key_owners[i];
        const struct config_node *member = config_node_member(node, owner->key);
        if (member != NULL && (owner->serves & 1U << serve) == 0)
            config_problem(problems, member->key_place,
                           "`%s` belongs to a door that says `serve: %s`: remove it", owner->key,
                           owner->text);
    }
}

/* A group by itself would say nothing. */
static void refuse_idle_group(struct config_problems *problems,
                              const struct config_node *node,
                              const struct config_door *door)
{
    const struct config_node *group = config_node_member(node, "group");
    if (door->serve == CONFIG_STATUS && group != NULL && door->processed_log == NULL)
        config_problem(problems, group->key_place,
                       "`group` is that of `processed_log`, which this door does not have: remove it");
}

static void examine_tls(struct config_problems *problems, const struct config_door *door)
{
    if (door->client_ca != NULL && door->tls.node == NULL)
        config_problem(problems, config_place_of(door->node, "client_ca"),
                       "`client_ca` belongs to a door with TLS: add `tls: { cert: FILE, key: FILE }`");
    if (door->client_ca == NULL && config_node_member(door->node, "client_cert") != NULL)
        config_problem(problems, config_place_of(door->node, "client_cert"),
                       "`client_cert` belongs to a door with `client_ca`: add it, or remove this");
}

static void examine_door(struct config_problems *problems, const struct config_node *node, void *values)
{
    const struct config_door *door = values;
    if (node == NULL)
        return;
    refuse_foreign_keys(problems, node, door->serve);
    refuse_idle_group(problems, node, door);
    examine_tls(problems, door);
    if (!config_address_is_loopback(&door->listen) && !door->insecure && !config_door_is_protected(door))
        config_problem(
            problems, config_node_member(node, "listen")->place,
            "%.200s can be reached from outside and nothing protects it: listen on 127.0.0.1, demand "
            "client certificates (`tls`, `client_ca`), or say `insecure: true`",
            door->listen.host);
}

/* Two keys that do not go together are told where the file says the first, else where it says the second. */
struct key {
    const struct config_node *section;
    const char *name;
};

static struct config_place place_of_either(struct key first, struct key second)
{
    bool is_first = first.section != NULL && config_node_member(first.section, first.name) != NULL;
    struct key key = is_first ? first : second;
    return config_place_of(key.section, key.name);
}

static void examine_limits(struct config_problems *problems, const struct config *config)
{
    struct key record = {config->limits.node, "record"};
    struct key append = {config->limits.node, "append"};
    struct key segment_size = {config->log.node, "segment_size"};
    struct key size_max = {config->log.node, "size_max"};
    if (config->limits.record >= config->limits.append)
        config_problem(problems, place_of_either(record, append),
                       "`limits.record` must be smaller than `limits.append`");
    if (config->limits.append > config->log.segment_size / 4)
        config_problem(problems, place_of_either(append, segment_size),
                       "`limits.append` must be at most a quarter of `log.segment_size`");
    if (config->log.segment_size % 4096 != 0)
        config_problem(problems, config_place_of(config->log.node, "segment_size"),
                       "`log.segment_size` must be a multiple of 4KiB");
    if (config->log.size_max < 4 * config->log.segment_size)
        config_problem(problems, place_of_either(size_max, segment_size),
                       "`log.size_max` must be at least four times `log.segment_size`");
}

static void examine_line_limit(struct config_problems *problems,
                               const struct config *config,
                               const struct config_door *door)
{
    struct key max_line = {door->node, "max_line"};
    struct key record = {config->limits.node, "record"};
    if (door->serve == CONFIG_PRODUCE && door->max_line > config->limits.record)
        config_problem(problems, place_of_either(max_line, record),
                       "`max_line` of this door must be at most `limits.record`");
}

static void examine_root(struct config_problems *problems, const struct config_node *node, void *values)
{
    const struct config *config = values;
    const struct config_door *doors = config->doors.items;
    examine_limits(problems, config);
    for (uint32_t i = 0; i < config->doors.count; i++)
        examine_line_limit(problems, config, &doors[i]);
    if (node != NULL && config->doors.count == 0)
        config_problem(problems, (struct config_place){0},
                       "no door: with a file only the doors that it names are "
                       "opened, so add `doors:`");
}
