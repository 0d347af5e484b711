# The loop of e2e-ack and e2e-ack-tls: 50 messages are consumed, each consumed line is appended to processed.log, and the status
# port is polled until every one of them says PROCESSED. Sourced.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # variables of `run`

run_e2e_ack()
{
    local sequence
    messages 1 50 orders | send
    until_answer acks "GET_ACK 1-50" "ACK 1-50" || return 1
    [ "$(ask status "GET_STATUS 50")" = PENDING ] || return 1
    consume "$work/consumed" "SUBSCRIBE orders FROM_START"
    until_true "the consumer has its lines" has_lines "$work/consumed" 50 || return 1
    is_each_once "$work/consumed" 1 50 || return 1
    while IFS= read -r line; do
        echo "$line|$(date +%s)" >>"$work/processed.log"
    done <"$work/consumed"
    for sequence in $(seq 50); do
        until_answer status "GET_STATUS $sequence" PROCESSED || return 1
    done
    [ "$(ask status "GET_STATUS 51")" = PENDING ]
}
