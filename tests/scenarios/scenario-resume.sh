# A consumer and the program are killed half-way; both go on where what was completed ends: nothing is missing, nothing comes twice.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # variables of `run`

run_scenario()
{
    configure < <(plain_doors)
    start_server || return 1
    messages 1 1000 orders | send
    until_answer acks "GET_ACK 1-1000" "ACK 1-1000" || return 1

    # The first life takes all of it and completes only the numbers up to 400.
    consume "$work/first" "SUBSCRIBE orders GROUP workers"
    until_true "the first consumer has its lines" has_lines "$work/first" 1000 || return 1
    tell "DONE 1-400"
    until_answer status "GET_STATUS 1-400" PROCESSED || return 1
    stop_server KILL
    stop_consumer

    start_server || return 1
    consume "$work/second" "SUBSCRIBE orders GROUP workers"
    until_true "the second consumer has its lines" has_lines "$work/second" 600 || return 1
    tell "DONE 401-1000"
    until_answer status "GET_STATUS 1-1000" PROCESSED || return 1
    is_each_once "$work/second" 401 1000 || { say FAIL "the second life did not get 401 to 1000, each once"; return 1; }
}
