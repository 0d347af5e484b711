# Different keys land in different topics, what has no legal name in the dead-letter topic.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # variables of `run`

run_scenario()
{
    configure <<YAML
doors:
  - { kind: line, serve: produce, listen: "127.0.0.1:0", routes: [ { key: "eu.*", topic: europe } ] }
  - { kind: line, serve: acks, listen: "127.0.0.1:0" }
YAML
    start_server || return 1
    { messages 1 10 eu.orders; messages 11 15 asia; messages 16 16 ../etc; } | send
    until_answer acks "GET_ACK 1-16" "ACK 1-16" || return 1
    [ "$(lines_of europe)" = 10 ] && [ "$(lines_of asia)" = 5 ] && [ "$(lines_of unrouted.dlq)" = 1 ]
}
