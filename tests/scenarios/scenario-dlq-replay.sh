# What had no route waits in the dead-letter topic and is sent again once there is one; what a consumer failed is replayed to it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # variables of `run`

# A key with a slash is no topic's name: without a route its lines are parked.
doors_with_routes()
{
    plain_doors | sed "s|serve: produce,|serve: produce, routes: [ $1 ],|"
}

has_dead_letter()
{
    [ "$(lines_of europe.dlq 2>/dev/null)" = 1 ]
}

run_scenario()
{
    configure < <(doors_with_routes '{ key: "eu.*", topic: europe }')
    start_server || return 1
    { messages 1 5 eu.orders; messages 6 10 asia/orders; } | send
    until_answer acks "GET_ACK 1-10" "ACK 1-10" || return 1
    [ "$(lines_of unrouted.dlq)" = 5 ] || return 1

    # A route appears; the parked lines go through the present table.
    stop_server
    configure < <(doors_with_routes '{ key: "eu.*", topic: europe }, { key: "asia/*", topic: asia }')
    start_server || return 1
    waybill deadletters replay unrouted.dlq --reroute >"$work/reroute" || return 1
    [ "$(lines_of asia)" = 5 ] || return 1

    # A consumer fails number 3, completes the others; the dead letter is replayed and completed.
    consume "$work/consumed" "SUBSCRIBE europe GROUP workers"
    until_true "the consumer has its lines" has_lines "$work/consumed" 5 || return 1
    tell "DONE 1-2" "FAIL 3 no such customer" "DONE 4-5"
    until_answer status "GET_STATUS 4-5" PROCESSED || return 1
    [ "$(ask status "GET_STATUS 3")" = PENDING ] || return 1
    until_true "the dead letter is there" has_dead_letter || return 1
    waybill deadletters replay europe.dlq >"$work/replay" &
    local replay=$!
    until_true "the replayed line has come" has_lines "$work/consumed" 6 || return 1
    tell "DONE 3"
    wait "$replay" || return 1
    until_answer status "GET_STATUS 1-5" PROCESSED || return 1
    [ "$(numbers_of "$work/consumed" | tr '\n' ' ')" = "1 2 3 3 4 5 " ]
}
