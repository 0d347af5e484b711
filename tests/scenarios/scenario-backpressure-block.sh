# A consumer stands still, and the topic blocks: the sender is held up and nothing is lost; once the consumer goes on, all of it
# arrives.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # variables of `run`

sender_has_ended()
{
    ! kill -0 "$1" 2>/dev/null
}

run_scenario()
{
    configure <<YAML
log: { segment_size: 1MiB, size_max: 64MiB }
limits: { append: 256KiB, record: 64KiB }
topics:
  orders: { when_full: block, processed_by: [workers], retention: { size: 4MiB, age: 0, consumed: true } }
doors:
  - { kind: line, serve: produce, listen: "127.0.0.1:0", max_line: 16KiB }
  - { kind: line, serve: subscribe, listen: "127.0.0.1:0" }
  - { kind: line, serve: acks, listen: "127.0.0.1:0" }
  - { kind: line, serve: status, listen: "127.0.0.1:0" }
YAML
    start_server || return 1
    # More than all the buffers between the sender and the log can hold.
    local padding
    padding=$(printf "%700s" "")
    messages 1 100000 orders | sed "s/$/$padding/" | send &
    local sender=$!
    sleep 3
    sender_has_ended "$sender" && { say FAIL "the sender was not held up"; return 1; }
    local held
    held=$(ask acks GET_ACK)
    say INFO "the sender waits after ${held#ACK } messages"

    # The consumer goes on: each line is completed as it comes.
    cat >"$work/consumer" <<'SH'
#!/bin/sh
echo "SUBSCRIBE orders GROUP workers"
exec perl -e '$| = 1; open(my $file, ">", $ARGV[0]) or die; select((select($file), $| = 1)[0]); while (<STDIN>) { print $file $_; /^(\d+)/; print "DONE $1\n" }' "$1"
SH
    socat -t 60 "$(address subscribe)" EXEC:"sh $work/consumer $work/consumed" &
    consumer=$!
    until_true "the sender ends" sender_has_ended "$sender" || return 1
    until_answer acks "GET_ACK 1-100000" "ACK 1-100000" || return 1
    until_answer status "GET_STATUS 1-100000" PROCESSED || return 1
    stop_consumer
    is_each_once "$work/consumed" 1 100000 || { say FAIL "not every message came exactly once"; return 1; }
}
