"""The produce door, as docs/protocols/line.md describes it. Budget: 30 s.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import socket
import struct

import pytest

from journal_reader import headers_of, read_journal
from line_client import LineSocket
from waybill import wait_until

OTHERWISE = "unrouted.dlq"


def send_plain(waybill, data, door="produce"):
    """As `nc` would: everything, the end, and nothing comes back."""
    with LineSocket(waybill.connect(door)) as client:
        client.send_bytes(data)
        client.end()
        assert client.read_all() == []


def wait_records(waybill, topic, count):
    """The topic's lines, once there are so many."""
    wait_until(lambda: sum(end for _, end in waybill.topics().get(topic, [])) >= count, what=f"{count} in {topic}")
    lines = waybill.tail(topic)
    assert len(lines) == count
    return lines


def parked(waybill):
    """(reason, key, value) of each parked record; the program ends."""
    waybill.stop()
    return [(headers_of(record)["reason"], record.key, record.value)
            for record in read_journal(waybill.data)[OTHERWISE][0]]


def exact(waybill, topic):
    """(key, body) of each record, byte for byte."""
    lines = [line.split(b"|") for line in waybill.tail(topic, "--base64")]
    return [(base64.b64decode(key), base64.b64decode(body)) for _, key, _, body in lines]


def escaped(data):
    """As the canonical line shows a key and a body that are escaped."""
    for byte, escape in ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"|", b"\\p")):
        data = data.replace(byte, escape)
    return data


# Plain mode


def test_a_plain_line_is_stored_and_nothing_comes_back(waybill):
    waybill.start()
    send_plain(waybill, b"orders|1795334400123|17|{\"total\": \"12|50\"}\n")
    assert wait_records(waybill, "orders", 1) == [b"17|orders|1795334400123|{\"total\": \"12|50\"}"]
    with waybill.question() as questioner:
        assert questioner.ask("GET_ACK 17") == "ACK 17"
    waybill.stop()
    record, = read_journal(waybill.data)["orders"][0]
    assert (record.key, record.value) == (b"orders", b"{\"total\": \"12|50\"}")
    assert headers_of(record) == {"timestamp": "1795334400123", "seq": "17"}


def test_a_plain_last_line_without_its_end_counts_when_the_client_ends_in_order(waybill):
    waybill.start()
    send_plain(waybill, b"a|1|1|first\na|1|2|last")
    assert wait_records(waybill, "a", 2)[1] == b"2|a|1|last"


def test_a_plain_last_line_without_its_end_does_not_count_when_the_connection_breaks(waybill):
    waybill.start()
    client = waybill.connect("produce")
    client.sendall(b"a|1|1|first\na|1|2|torn")
    wait_records(waybill, "a", 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset instead of an end
    client.close()
    wait_until(lambda: waybill.metric("waybill_connections_open") == 1)
    assert len(waybill.tail("a")) == 1


def test_lines_arrive_in_order_however_they_are_cut_into_packets(waybill):
    waybill.start()
    text = b"".join(b"cut|%d|%d|%s\n" % (i, i, b"x" * (i % 50)) for i in range(1, 301))
    with waybill.connect("produce") as client:
        for at in range(0, len(text), 97):
            client.sendall(text[at:at + 97])
    lines = wait_records(waybill, "cut", 300)
    assert lines == [b"%d|cut|%d|%s" % (i, i, b"x" * (i % 50)) for i in range(1, 301)]


def test_one_cr_before_the_end_of_a_line_is_dropped(waybill):
    waybill.start()
    send_plain(waybill, b"a|1|1|one\r\na|1|2|two\r\r\na|1|3|a\rb\n")
    wait_records(waybill, "a", 3)
    assert exact(waybill, "a") == [(b"a", b"one"), (b"a", b"two\r"), (b"a", b"a\rb")]


def test_every_byte_but_lf_passes_as_it_is(waybill):
    waybill.config["doors"][0]["topic"] = "bytes"
    waybill.start()
    body = bytes(byte for byte in range(256) if byte != 10) + b"\xff\xfe\xc3("
    key = b"\x00\xff k\\"
    with waybill.produce() as producer:
        producer.store(key + b"|1|1|" + body)
    assert exact(waybill, "bytes") == [(key, body)]
    line, = waybill.tail("bytes")
    assert line == b"1|" + escaped(key) + b"|1|" + escaped(body)


def test_empty_lines_are_no_messages(waybill):
    waybill.start()
    send_plain(waybill, b"\n\na|1|1|x\n\r\n\n")
    wait_records(waybill, "a", 1)
    assert set(waybill.topics()) == {"a"}
    assert waybill.metric("waybill_lines_refused_total") == 4


def test_an_over_long_plain_line_is_parked_cut_to_the_limit(waybill):
    waybill.door("produce")["max_line"] = "1KiB"
    waybill.start()
    long = b"a|1|2|" + b"x" * 5000
    fits = b"a|1|1|" + b"y" * (1024 - 6)
    send_plain(waybill, fits + b"\n" + long + b"\na|1|3|z\n")
    assert [line.split(b"|")[0] for line in wait_records(waybill, "a", 2)] == [b"1", b"3"]
    wait_records(waybill, OTHERWISE, 1)
    assert waybill.metric("waybill_lines_too_long_total") == 1
    assert parked(waybill) == [("too_long", None, long[:1024])]


def test_a_line_of_the_default_limit_passes_and_one_byte_more_does_not(waybill):
    waybill.start()
    head = b"a|1|1|"
    with waybill.produce() as producer:
        body = b"b" * (producer.max_line - len(head))
        producer.send(head + body, head + body + b"c")
        assert producer.wait_settled(2) == [b"ACK 1 1", b"ERR 2 TOO_LONG final longer than the limit"]
    assert exact(waybill, "a") == [(b"a", body)]


# Where it goes


def test_lines_without_a_legal_destination_are_parked_with_the_reason(waybill):
    waybill.door("produce")["routes"] = [{"key": "to-{x}", "topic": "never"}, {"key": "sub/*", "topic": "{key}"}]
    waybill.start()
    lines = {
        b"fields|1": "missing_field",
        b"k|1|x|b": "bad_seq",
        b"k|1|0|b": "bad_seq",
        b"k|1|9223372036854775808|b": "bad_seq",
        b"k|1|-1|b": "bad_seq",
        b"|1|1|no key": "bad_name",
        b"../../etc/passwd|1|2|path": "bad_name",
        b"sub/way|1|3|path": "bad_name",
        b"..|1|4|dots": "bad_name",
        b".|1|5|dot": "bad_name",
        b"a b|1|6|space": "bad_name",
        b"n" * 201 + b"|1|7|long name": "bad_name",
        b"waybill.audit|1|8|ours": "reserved_name",
        b"orders.dlq|1|9|ours": "reserved_name",
    }
    with waybill.produce() as producer:
        producer.store(*lines)
    wait_records(waybill, OTHERWISE, len(lines))
    assert not list(waybill.folder.glob("**/passwd"))
    expected = []
    for line, reason in lines.items():
        key, _, rest = line.partition(b"|")
        is_whole = reason in ("missing_field", "bad_seq")
        expected.append((reason, None, line) if is_whole else (reason, key or None, rest.split(b"|")[-1]))
    assert parked(waybill) == expected


def test_names_at_their_limits_are_topics(waybill):
    waybill.start()
    names = ["n" * 200, "...", "-", "A.b_c-9", "waybill", "dlq"]
    with waybill.produce() as producer:
        producer.store(*(f"{name}|1|{i}|x" for i, name in enumerate(names, 1)))
    assert set(waybill.topics()) == set(names)


def test_the_first_route_that_matches_wins_and_the_template_takes_the_rest(waybill):
    waybill.door("produce").update(topic="all-{key}", routes=[
        {"key": "eu.*", "topic": "europe"}, {"key": "?", "topic": "short"}, {"key": "eu.de", "topic": "never"}])
    waybill.start()
    with waybill.produce() as producer:
        producer.store("eu.de|1|1|a", "x|1|2|b", "us|1|3|c", "eu|1|4|d")
    assert waybill.topics() == {"europe": [(0, 1)], "short": [(0, 1)], "all-us": [(0, 1)], "all-eu": [(0, 1)]}


def test_without_an_otherwise_lines_are_refused_with_the_code(waybill):
    waybill.door("produce").update(otherwise="off", max_line="64B")
    waybill.start()
    with waybill.produce() as producer:
        producer.send("a/b|1|1|x", "short", "a|1|x|y", "x.dlq|1|1|y", "a|1|4|" + 64 * "y", "a|1|5|y")
        answers = producer.wait_settled(6)
    assert [answer.split()[:4] for answer in answers] == [
        [b"ERR", b"1", b"BAD_NAME", b"final"], [b"ERR", b"2", b"MISSING_FIELD", b"final"],
        [b"ERR", b"3", b"BAD_SEQ", b"final"], [b"ERR", b"4", b"RESERVED_NAME", b"final"],
        [b"ERR", b"5", b"TOO_LONG", b"final"], [b"ACK", b"6", b"5"]]
    assert set(waybill.topics()) == {"a"}


def test_topics_are_not_created_beyond_the_limit(waybill):
    waybill.config["limits"] = {"topics": 3}
    waybill.start()
    with waybill.produce() as producer:
        producer.store(*(f"t{i}|1|{i}|x" for i in range(1, 6)))
    assert set(waybill.topics()) == {"t1", "t2", "t3", OTHERWISE}
    assert parked(waybill) == [("too_many_topics", b"t4", b"x"), ("too_many_topics", b"t5", b"x")]


def test_without_auto_create_only_configured_topics_take_lines(waybill):
    waybill.config.update(limits={"auto_create": False}, topics={"orders": {"partitions": 2}})
    waybill.start()
    with waybill.produce() as producer:
        producer.store("orders|1|1|x", "other|1|2|x")
    assert set(waybill.topics()) == {"orders", OTHERWISE}
    assert parked(waybill) == [("unknown_topic", b"other", b"x")]


def test_the_same_key_goes_to_the_same_partition_in_order(waybill):
    waybill.config["topics"] = {"many": {"partitions": 4}}
    waybill.door("produce")["topic"] = "many"
    waybill.start()
    with waybill.produce() as producer:
        producer.store(*(f"key{i % 37}|1|{i}|{i}" for i in range(1, 2001)))
    waybill.stop()
    partitions = read_journal(waybill.data)["many"]
    assert len(partitions) == 4
    home = {}
    for partition, records in partitions.items():
        assert [record.offset for record in records] == list(range(len(records)))
        for record in records:
            assert home.setdefault(record.key, partition) == partition
    for key in home:
        bodies = [int(record.value) for record in partitions[home[key]] if record.key == key]
        assert bodies == sorted(bodies) and len(bodies) == 2000 // 37 + (int(key[3:]) in range(1, 2000 % 37 + 1))


# Sequence numbers


def test_a_producer_may_write_the_order_of_kmqs_files(waybill):
    waybill.door("produce")["fields"] = "seq|key|timestamp|body"
    waybill.start()
    send_plain(waybill, b"0017|orders|5|a|b\n")
    assert wait_records(waybill, "orders", 1) == [b"17|orders|5|a|b"]


def test_numbers_are_assigned_per_sequence_and_over_restarts(waybill):
    waybill.door("produce").update(fields="key|body", sequence="mine")
    waybill.door("acks")["sequence"] = "mine"
    waybill.add_door("other", "produce", fields="key|body", sequence="theirs")
    for start in (0, 3, 6):
        waybill.start()
        with waybill.produce() as producer:
            assert producer.store("a|x", "a|y", "a|z") == start + 3
        with waybill.produce(door="other") as producer:
            assert producer.store("b|x") == start // 3 + 1
        waybill.kill()
    waybill.start()
    assert [line.split(b"|")[0] for line in waybill.tail("a")] == [b"%d" % i for i in range(1, 10)]
    with waybill.question() as questioner:
        assert questioner.ask("GET_ACK") == "ACK 9"


@pytest.mark.parametrize("number", [1, 2**63 - 1])
def test_numbers_reach_from_one_to_their_largest(waybill, number):
    waybill.start()
    with waybill.produce() as producer:
        assert producer.store(f"a|1|{number}|x") == number
    with waybill.question() as questioner:
        assert questioner.ask(f"GET_ACK {number}") == f"ACK {number}"


def test_duplicates_are_stored_by_default(waybill):
    waybill.start()
    with waybill.produce() as producer:
        producer.store("a|1|1|x", "a|1|1|x")
    assert len(waybill.tail("a")) == 2


def test_dropped_duplicates_are_acknowledged_again_also_after_a_kill(waybill):
    waybill.door("produce")["duplicates"] = "drop"
    waybill.start()
    for round_number in range(2):
        with waybill.produce() as producer:
            producer.store("a|1|1|x", "a|1|1|other body", "b|1|1|another key", "a|1|2|x")
        assert waybill.metric("waybill_lines_duplicate_total") == (1 if round_number == 0 else 4)
        if round_number == 0:
            waybill.kill()
            waybill.start()
    assert waybill.tail("a") == [b"1|a|1|x", b"2|a|1|x"]
    assert waybill.tail("b") == [b"1|b|1|another key"]
