"""The acknowledged mode of the produce door, as docs/protocols/line.md describes it. Budget: 20 s.

SPDX-License-Identifier: Apache-2.0
"""
import pytest

from line_client import LineSocket, Producer
from waybill import wait_until


def say(waybill, *lines):
    """What the door answers to lines and the end of the connection."""
    with LineSocket(waybill.connect("produce")) as client:
        client.send(*lines)
        client.end()
        return client.read_all()


def test_the_greeting_is_answered_with_the_settings_of_the_door(waybill):
    waybill.door("produce").update(window=77, max_line="2KiB")
    waybill.start()
    assert say(waybill, "HELLO 1") == [b"READY window=77 max_line=2048"]
    assert say(waybill, "HELLO 1 producer=till-7") == [b"READY window=77 max_line=2048 last=0"]


def test_answers_that_are_not_synced_say_so(waybill):
    waybill.config["log"] = {"ack": "written"}
    waybill.start()
    assert say(waybill, "HELLO 1 producer=p", "a|1|1|x") == [
        b"READY window=10000 max_line=1048576 last=0 ack=written", b"ACK 1 1"]
    assert "written, not synced" in waybill.wait_log("level=warn")


@pytest.mark.parametrize("hello", ["HELLO 1\r", "HELLO 1 colour=blue", "HELLO 01 producer=a.B_9-"])
def test_greetings_are_read_with_goodwill(waybill, hello):
    waybill.start()
    answer, = say(waybill, hello)
    assert answer.startswith(b"READY window=10000 max_line=1048576")


@pytest.mark.parametrize("hello, code", [
    ("HELLO 2", b"BAD_VERSION"), ("HELLO 18446744073709551615", b"BAD_VERSION"), ("HELLO", b"BAD_HELLO"),
    ("HELLO one", b"BAD_HELLO"), ("HELLO 1 producer=", b"BAD_HELLO"), ("HELLO 1 producer=a/b", b"BAD_HELLO"),
    ("HELLO 1 producer=" + 201 * "x", b"BAD_HELLO")])
def test_a_greeting_that_cannot_be_met_ends_the_connection(waybill, hello, code):
    waybill.start()
    answer, = say(waybill, hello, "a|1|1|x")
    assert answer.startswith(b"ERR 0 " + code + b" final ")
    assert waybill.topics() == {}


@pytest.mark.parametrize("first", ["hello 1", "HELLO|1|1|x", "HELLO1", " HELLO 1"])
def test_any_other_first_line_means_plain_mode(waybill, first):
    waybill.start()
    assert say(waybill, first, "HELLO 1", "a|1|1|x") == []
    wait_until(lambda: "a" in waybill.topics())


def test_a_door_without_hello_takes_it_as_data(waybill):
    waybill.door("produce").update(hello="off", fields="body", topic="all")
    waybill.start()
    assert say(waybill, "HELLO 1", "x") == []
    wait_until(lambda: waybill.topics().get("all") == [(0, 2)])
    assert [line.split(b"|")[3] for line in waybill.tail("all")] == [b"HELLO 1", b"x"]


def test_acknowledgements_are_cumulative_and_in_order(waybill):
    waybill.start()
    with waybill.produce() as producer:
        producer.send(*(f"a|1|{1000 + i}|x" for i in range(1, 501)))
        answers = producer.wait_settled(500)
    for answer in answers:
        count, seq = map(int, Producer.ACK.match(answer).groups())
        assert seq == 1000 + count


def test_refusals_settle_in_the_order_of_the_lines(waybill):
    waybill.door("produce").update(otherwise="off", max_line="100B")
    waybill.start()
    lines = {"a|1|7|x": None, "": b"EMPTY", "b": b"MISSING_FIELD", "c|1|9|x": None, "d|1|10|" + 99 * "x": b"TOO_LONG",
             "e/f|1|11|x": b"BAD_NAME", "a|1|12|x": None}
    with waybill.produce() as producer:
        producer.send(*lines)
        answers = producer.wait_settled(len(lines))
    refused = {int(answer.split()[1]): answer.split()[2:4] for answer in answers if answer.startswith(b"ERR")}
    assert refused == {at: [code, b"final"] for at, code in enumerate(lines.values(), 1) if code}
    assert answers[-1] == b"ACK 7 12"


def test_an_acknowledgement_names_the_last_stored_number_also_behind_lines_without_one(waybill):
    waybill.start()
    with waybill.produce() as producer:
        producer.send("a|1|5|x", "a|1|none|x")
        assert producer.wait_settled(2)[-1] == b"ACK 2 5"
    with waybill.produce() as producer:
        producer.send("a|1|none|x")
        assert producer.wait_settled(1) == [b"ACK 1 0"]


def test_no_more_lines_are_open_than_the_window_has(waybill):
    waybill.door("produce")["window"] = 4
    waybill.start()
    settled = 0
    with waybill.produce() as producer:
        assert producer.window == 4
        producer.send(*(f"a|1|{i}|x" for i in range(1, 401)))
        for answer in producer.wait_settled(400):
            count = int(answer.split()[1])
            assert count - settled <= 4
            settled = count


def test_a_producer_that_ends_its_side_gets_all_answers(waybill):
    waybill.start()
    answers = say(waybill, "HELLO 1", *(f"a|1|{i}|{'x' * 500}" for i in range(1, 5001)))
    assert answers[-1] == b"ACK 5000 5000"
    assert len(waybill.tail("a")) == 5000


def test_a_torn_last_line_is_never_taken_for_a_whole_one(waybill):
    waybill.start()
    with waybill.produce() as producer:
        producer.send_bytes(b"a|1|1|whole\na|1|2|torn")
        producer.end()
        assert producer.read_all() == [b"ACK 1 1", b"ERR 2 UNFINISHED final the last line has no end"]
    assert waybill.tail("a") == [b"1|a|1|whole"]


def test_a_restarted_producer_learns_its_own_last_number(waybill):
    waybill.add_door("other", "produce", sequence="other")
    waybill.start()
    for name, numbers in (("one", (5, 9, 7)), ("two", (3,))):
        with waybill.produce(name) as producer:
            producer.store(*(f"a|1|{number}|x" for number in numbers))
    with waybill.produce() as producer:
        producer.store("a|1|100|x")

    def lasts():
        found = []
        for name in ("one", "two", "three"):
            with waybill.produce(name) as producer:
                found.append(producer.last)
        with waybill.produce("one", door="other") as producer:
            return found + [producer.last]

    assert lasts() == [9, 3, 0, 0]
    for end in (waybill.kill, waybill.stop):
        end()
        waybill.start()
        assert lasts() == [9, 3, 0, 0]


def test_lines_behind_the_end_of_a_broken_connection_are_stored_or_not_but_never_torn(waybill):
    waybill.start()
    for _ in range(20):
        with waybill.produce() as producer:
            producer.send_bytes(b"a|1|1|0123456789\n" * 300 + b"a|1|1|0123")
    wait_until(lambda: waybill.metric("waybill_connections_open") == 1)
    assert set(waybill.tail("a")) <= {b"1|a|1|0123456789"}
