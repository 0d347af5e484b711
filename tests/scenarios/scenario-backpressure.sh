# A burst meets a consumer that stands still, and the topic may drop its oldest: the sender is never held up, the consumer is told
# which records it missed, and what was dropped is counted.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # variables of `run`

run_scenario()
{
    configure <<YAML
log: { segment_size: 1MiB, size_max: 64MiB }
limits: { append: 256KiB, record: 64KiB }
topics:
  orders: { when_full: drop_oldest, processed_by: [workers], retention: { size: 4MiB, age: 0 } }
doors:
  - { kind: line, serve: produce, listen: "127.0.0.1:0", max_line: 16KiB }
  - { kind: line, serve: subscribe, listen: "127.0.0.1:0" }
  - { kind: line, serve: acks, listen: "127.0.0.1:0" }
  - { kind: line, serve: status, listen: "127.0.0.1:0" }
YAML
    start_server || return 1

    # The consumer completes ten messages and goes away.
    messages 1 10 orders | send
    consume "$work/begun" "SUBSCRIBE orders GROUP workers"
    until_true "the first lines have come" has_lines "$work/begun" 10 || return 1
    tell "DONE 1-10"
    until_answer status "GET_STATUS 1-10" PROCESSED || return 1
    stop_consumer

    messages 11 200000 orders | send
    until_answer acks "GET_ACK 1-200000" "ACK 1-200000" || return 1
    until_true "records are dropped" grep -q 'msg="records dropped"' "$work/waybill.log" || return 1

    # It comes back, goes on at the first record that is kept, and hears of the gap.
    consume "$work/consumed" "HELLO 1" "SUBSCRIBE orders GROUP workers WINDOW 1000000"
    until_true "the last record has come" grep -q '^200000|' "$work/consumed" || return 1
    local gap first
    gap=$(sed -n 's/^GAP orders 0 10-\([0-9]*\)$/\1/p' "$work/consumed" | head -n 1)
    first=$(grep -m 1 '|message ' "$work/consumed" | cut -d'|' -f1)
    [ -n "$gap" ] && [ "$first" = $((gap + 2)) ] && [ "$(grep -c '|message ' "$work/consumed")" = $((200000 - gap - 1)) ]
}
