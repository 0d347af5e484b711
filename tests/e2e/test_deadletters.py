"""Dead letters, replays, rerouting and the audit, as docs/formats/dead-letter.md describes them. Budget: 60 s.

SPDX-License-Identifier: Apache-2.0
"""
import json

from line_client import LineSocket
from waybill import wait_until

UNROUTED = "unrouted.dlq"


def send_plain(waybill, data):
    with LineSocket(waybill.connect("produce")) as client:
        client.send_bytes(data)
        client.end()
        assert client.read_all() == []


def command(waybill, *words, code=0):
    """A subcommand against the running program; its standard output."""
    result = waybill.run(*words, "--data", waybill.seen_data)
    assert result.returncode == code, (result.stdout, result.stderr)
    return result.stdout


def letters(waybill, topic, *words):
    return [json.loads(line) for line in command(waybill, "deadletters", "list", topic, "--json", *words).splitlines()]


def audited(waybill, *words):
    return [json.loads(line) for line in command(waybill, "audit", "--json", *words).splitlines()]


# Lines without a route


def park_lines(waybill):
    """Two lines whose keys are no topic's names, one without fields, one that is too long, and one that has its place."""
    waybill.door("produce")["max_line"] = "1KiB"
    waybill.start()
    send_plain(waybill, b"us/1|1795334400123|1|first\nbroken\neu|1795334400124|2|fine\nus/2|1795334400125|3|a|b\n"
               + b"x" * 2000 + b"\n")
    wait_until(lambda: len(letters(waybill, UNROUTED)) == 4, what="four parked lines")


def add_route(waybill):
    waybill.door("produce")["routes"] = [{"key": "us/*", "topic": "us"}]
    waybill.stop()
    waybill.start()


def test_parked_lines_are_listed_with_their_reasons(waybill):
    park_lines(waybill)
    listed = letters(waybill, UNROUTED)
    assert [each["reason"] for each in listed] == ["bad_name", "missing_field", "bad_name", "too_long"]
    assert [each.get("key") for each in listed] == ["us/1", None, "us/2", None]
    assert {each["state"] for each in listed} == {"open"}
    first, end = letters(waybill, UNROUTED, "--reason", "bad*", "--limit", 1)
    assert first["id"] == "unrouted.dlq/0/0" and end == {"next": "0:1"}
    assert [each["id"] for each in letters(waybill, UNROUTED, "--reason", "bad*", "--from", end["next"])] == ["unrouted.dlq/0/2"]
    shown = json.loads(command(waybill, "deadletters", "show", UNROUTED, "0:2", "--json"))
    assert shown["value"] == "a|b" and {"name": "timestamp", "value": "1795334400125"} in shown["headers"]
    assert command(waybill, "deadletters", "list").split() == [UNROUTED, "4"]


def test_reroute_sends_lines_to_where_they_belong_now_and_each_once(waybill):
    park_lines(waybill)
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 0  left 4\n"
    add_route(waybill)
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", "--dry-run", code=1) == "rerouted 2  left 2\n"
    assert "us" not in waybill.topics()
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 2  left 2\n"
    assert waybill.tail("us") == [b"1|us/1|1795334400123|first", b"3|us/2|1795334400125|a|b"]
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 0  left 2\n"
    assert [each["state"] for each in letters(waybill, UNROUTED)] == ["rerouted", "open", "rerouted", "open"]
    waybill.kill()
    waybill.start()
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 0  left 2\n"
    assert len(waybill.tail("us")) == 2
    told = audited(waybill, "--event", "reroute")
    assert [(each["topic"], each["offset"], each["to"], each["count"]) for each in told] == [(UNROUTED, 0, 3, 2)]
    assert waybill.metric("waybill_deadletters_rerouted_total") == 0  # of this run


def test_dropped_lines_are_not_rerouted(waybill):
    park_lines(waybill)
    assert command(waybill, "deadletters", "drop", UNROUTED, "--reason", "bad_name", "--to", "1") == "dropped 1\n"
    add_route(waybill)
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute", code=1) == "rerouted 1  left 2\n"
    assert waybill.tail("us") == [b"3|us/2|1795334400125|a|b"]
    assert [each["state"] for each in letters(waybill, UNROUTED)] == ["dropped", "open", "rerouted", "open"]
    assert command(waybill, "deadletters", "drop", UNROUTED, "--all") == "dropped 2\n"
    assert [each["event"] for each in audited(waybill)] == ["deadletters_drop", "reroute",
                                                             "deadletters_drop", "deadletters_drop"]


def test_thousands_of_parked_lines_are_rerouted_with_their_numbers(waybill):
    count = 20000
    waybill.start()
    send_plain(waybill, b"".join(b"us/%d|1|%d|body %d\n" % (i, i, i) for i in range(1, count + 1)))
    wait_until(lambda: waybill.topics().get(UNROUTED, [(0, 0)])[0][1] == count, what="all lines parked")
    add_route(waybill)
    assert command(waybill, "deadletters", "replay", UNROUTED, "--reroute") == f"rerouted {count}  left 0\n"
    assert waybill.tail("us") == [b"%d|us/%d|1|body %d" % (i, i, i) for i in range(1, count + 1)]
    places = [each["id"] for each in waybill.control(op="receipt", seq=777)[:-1]]
    assert places == [f"{UNROUTED}/0/776", "us/0/776"]


# Misuse


def test_misuse_is_told_apart(waybill):
    waybill.start()
    for words in (["deadletters"], ["deadletters", "undo"], ["deadletters", "drop", "a.dlq"], ["deadletters", "show", "a.dlq"],
                  ["deadletters", "show", "a.dlq", "x"], ["deadletters", "replay", "a.dlq", "--rate", "0"],
                  ["deadletters", "list", "a.dlq", "--rate", "1"], ["deadletters", "stop", "seven"], ["audit", "orders"]):
        result = waybill.run(*words, "--data", waybill.seen_data)
        assert result.returncode == 2 and result.stderr != "" and result.stdout == "", words
    for words in (["deadletters", "list", "absent.dlq"], ["deadletters", "replay", "absent.dlq"], ["deadletters", "stop", "7"],
                  ["deadletters", "replay", "absent.dlq", "--reroute"], ["deadletters", "replays", "7"]):
        result = waybill.run(*words, "--data", waybill.seen_data)
        assert result.returncode == 1 and result.stderr != "", words
    for words in (["deadletters", "--help"], ["deadletters", "list", "--help"], ["audit", "--help"]):
        assert "usage: waybill" in waybill.run(*words).stdout


def test_the_audit_topic_without_retention_is_warned_of(waybill):
    waybill.config["topics"] = {"waybill.audit": {"retention": {"age": "0", "size": "0"}}}
    waybill.start()
    waybill.wait_log("the audit topic has no retention")
