/* Counters and gauges of the whole program: one list, one static block. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdatomic.h>
#include <stdint.h>

/* id, kind, name as Prometheus knows it (base units, _total on counters), help */
#define METRIC_LIST(X)                                                                                       \
    X(CONNECTIONS_OPEN, GAUGE, "waybill_connections_open", "Open connections of all doors")                  \
    X(CONNECTIONS, COUNTER, "waybill_connections_total", "Connections accepted")                             \
    X(CONNECTIONS_REFUSED, COUNTER, "waybill_connections_refused_total",                                     \
      "Connections refused or cut for a fault of the peer")                                                  \
    X(TLS_FAILED, COUNTER, "waybill_tls_handshakes_failed_total",                                            \
      "Connections that did not come to use TLS")                                                            \
    X(TLS_EXPIRES, GAUGE, "waybill_tls_certificate_expires_seconds",                                         \
      "Until the first certificate of a door expires, negative when it has; 0 without TLS")                  \
    X(RELOADS, COUNTER, "waybill_reloads_total", "Times that the configuration was taken over again")        \
    X(RELOADS_REFUSED, COUNTER, "waybill_reloads_refused_total",                                             \
      "Times that it was not, because something was wrong with it")                                          \
    X(LINES_RECEIVED, COUNTER, "waybill_lines_received_total", "Lines that produce doors read")              \
    X(LINES_REFUSED, COUNTER, "waybill_lines_refused_total", "Lines refused with an error")                  \
    X(LINES_UNROUTED, COUNTER, "waybill_lines_unrouted_total",                                               \
      "Lines parked because they had no route, name, field or legal sequence number")                        \
    X(LINES_TOO_LONG, COUNTER, "waybill_lines_too_long_total", "Lines longer than max_line")                 \
    X(LINES_DUPLICATE, COUNTER, "waybill_lines_duplicate_total", "Lines recognised as duplicates")           \
    X(QUESTIONS, COUNTER, "waybill_questions_total", "Questions that acks and status doors answered")        \
    X(PROCESSED_LOG_LINES, COUNTER, "waybill_processed_log_lines_total", "Lines read from processed logs")   \
    X(PROCESSED_LOG_REFUSED, COUNTER, "waybill_processed_log_refused_total",                                 \
      "Lines of processed logs that begin with no number")                                                   \
    X(PROCESSED_LOG_UNKNOWN, COUNTER, "waybill_processed_log_unknown_total",                                 \
      "Lines of processed logs whose message is not stored")                                                 \
    X(PROCESSED_LOG_SKIPPED, COUNTER, "waybill_processed_log_skipped_total",                                 \
      "Records that processed logs left open for too long")                                                  \
    X(PROCESSED_LOG_BEHIND, GAUGE, "waybill_processed_log_behind_bytes",                                     \
      "Bytes of processed logs that are not read yet")                                                       \
    X(RECORDS_STORED, COUNTER, "waybill_records_stored_total", "Records that are synced")                    \
    X(BYTES_STORED, COUNTER, "waybill_stored_bytes_total", "Bytes of record batches synced")                 \
    X(BYTES_WRITTEN, COUNTER, "waybill_journal_written_bytes_total", "Bytes written to segments")            \
    X(COMMITS, COUNTER, "waybill_journal_commits_total", "Commit groups synced")                             \
    X(COMMITS_INLINE, COUNTER, "waybill_journal_inline_commits_total", "Commit groups synced on a loop")     \
    X(SYNC_NS, COUNTER, "waybill_journal_sync_nanoseconds_total", "Time spent in write and sync")            \
    X(RECORDS_DROPPED, COUNTER, "waybill_records_dropped_total",                                             \
      "Unprocessed records given up because a policy asked for it")                                          \
    X(SEGMENTS, GAUGE, "waybill_journal_segments", "Segments of the journal")                                \
    X(SEGMENTS_RETIRED, COUNTER, "waybill_journal_segments_retired_total", "Segments retired")               \
    X(JOURNAL_FULL, GAUGE, "waybill_journal_full", "1 while the log refuses for lack of space")              \
    X(JOURNAL_BROKEN, GAUGE, "waybill_journal_broken", "1 after a failed write or sync")                     \
    X(DAMAGE, COUNTER, "waybill_journal_damaged_ranges_total",                                               \
      "Damaged ranges met; the start, a reader and the scrubber count each for itself")                      \
    X(RECORDS_DELIVERED, COUNTER, "waybill_records_delivered_total", "Records that targets took")            \
    X(SENDS_FAILED, COUNTER, "waybill_sends_failed_total", "Batches that a target did not take")             \
    X(INFLIGHT_BYTES, GAUGE, "waybill_inflight_bytes", "Bytes of appends in flight")                         \
    X(GAPS, COUNTER, "waybill_reader_gaps_total", "Readers that retention had passed")                       \
    X(DEAD_LETTERS, COUNTER, "waybill_deadletters_total", "Dead letters written")                            \
    X(DEAD_LETTERS_REPLAYED, COUNTER, "waybill_deadletters_replayed_total",                                  \
      "Dead letters that replays which have ended handed out")                                               \
    X(DEAD_LETTERS_REROUTED, COUNTER, "waybill_deadletters_rerouted_total",                                  \
      "Parked lines that a reroute found a place for")                                                       \
    X(DEAD_LETTERS_DROPPED, COUNTER, "waybill_deadletters_dropped_total",                                    \
      "Dead letters that an operator dropped")                                                               \
    X(REPLAYS, GAUGE, "waybill_replays_running", "Replays that have not ended")                              \
    X(AUDIT_RECORDS, COUNTER, "waybill_audit_records_total", "Audit records made")                           \
    X(AUDIT_LOST, COUNTER, "waybill_audit_lost_total", "Audit records that could not be written")            \
    X(SUBSCRIBERS, GAUGE, "waybill_subscribers", "Connections that have subscribed")                         \
    X(RECORDS_GIVEN, COUNTER, "waybill_records_given_total", "Records written to subscribers and to `tail`") \
    X(RECORDS_OPEN, GAUGE, "waybill_records_open", "Records that subscribers hold and have not settled")     \
    X(RECORDS_UNREADABLE, COUNTER, "waybill_records_unreadable_total",                                       \
      "Records that could not be given to a group: damaged, or not readable at the moment")                  \
    X(RECORDS_SETTLED, COUNTER, "waybill_records_settled_total",                                             \
      "Open records that subscribers settled with DONE, FAIL or RETRY")                                      \
    X(RECORDS_RETURNED, COUNTER, "waybill_records_returned_total",                                           \
      "Open records that went back to their group: a lease was over, or a connection ended")

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

enum metric {
#define METRIC_ENUM(id, kind, name, help) METRIC_##id,
    METRIC_LIST(METRIC_ENUM)
#undef METRIC_ENUM
        METRIC_COUNT
};

void metric_add(enum metric metric, int64_t value);
void metric_set(enum metric metric, int64_t value);
int64_t metric_get(enum metric metric);
const char *metric_name(enum metric metric);
const char *metric_help(enum metric metric);
enum metric_kind metric_kind(enum metric metric);

#endif
