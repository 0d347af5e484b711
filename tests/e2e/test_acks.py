"""The acks door, as docs/protocols/line.md describes it. Budget: 20 s.

SPDX-License-Identifier: Apache-2.0
"""
import threading

import pytest

from line_client import LineSocket


@pytest.fixture
def stored(waybill):
    """A program that has stored the numbers 1-10, 12, 15-17 and 30."""
    waybill.add_door("kmq", "acks", mode="kmq")
    waybill.start()
    numbers = [*range(1, 11), 12, 15, 16, 17, 30]
    with waybill.produce() as producer:
        producer.store(*(f"a|1|{number}|x" for number in numbers))
    return waybill


@pytest.mark.parametrize("request_line, answer", [
    ("GET_ACK 1", "ACK 1"), ("GET_ACK 30", "ACK 30"), ("GET_ACK 11", "PENDING 11"),
    ("GET_ACK 9223372036854775807", "PENDING 9223372036854775807"), ("GET_ACK 0012", "ACK 12"),
    ("GET_ACK", "ACK 30"), ("  GET_ACK\t 12  ", "ACK 12"), ("GET_ACK 12\r", "ACK 12"),
    ("GET_ACK 12 further words are passed over", "ACK 12"),
    ("GET_ACK 1-10", "ACK 1-10"), ("GET_ACK 12-12", "ACK 12-12"), ("GET_ACK 15-17", "ACK 15-17"),
    ("GET_ACK 1-20", "MISSING 11,13-14,18-20"), ("GET_ACK 40-50", "MISSING 40-50"),
    ("GET_ACK 1-1000000", "MISSING 11,13-14,18-29,31-1000000")])
def test_a_request_is_answered_from_what_is_stored(stored, request_line, answer):
    with stored.question() as questioner:
        assert questioner.ask(request_line) == answer


@pytest.mark.parametrize("request_line, code", [
    ("", "BAD_REQUEST"), ("HELLO", "BAD_REQUEST"), ("get_ack 1", "BAD_REQUEST"), ("GET_ACKS 1", "BAD_REQUEST"),
    ("GET_ACK 0", "BAD_REQUEST"), ("GET_ACK -1", "BAD_REQUEST"), ("GET_ACK seventeen", "BAD_REQUEST"),
    ("GET_ACK 9223372036854775808", "BAD_REQUEST"), ("GET_ACK 1-", "BAD_REQUEST"), ("GET_ACK 1-2-3", "BAD_REQUEST"),
    ("GET_STATUS 1", "BAD_REQUEST"), (b"\x00\xff\xfe", "BAD_REQUEST"),
    ("GET_ACK 2-1", "BAD_RANGE"), ("GET_ACK 1-1000001", "BAD_RANGE"),
    ("GET_ACK " + 2000 * "1", "TOO_LONG"), (100000 * "x", "TOO_LONG")])
def test_a_malformed_request_gets_its_code_and_the_connection_goes_on(stored, request_line, code):
    with stored.question() as questioner:
        assert questioner.ask(request_line).split()[:2] == ["ERR", code]
        assert questioner.ask("GET_ACK 1") == "ACK 1"


def test_an_empty_program_has_nothing_stored(waybill):
    waybill.start()
    with waybill.question() as questioner:
        assert questioner.ask("GET_ACK") == "ACK 0"
        assert questioner.ask("GET_ACK 1") == "PENDING 1"
        assert questioner.ask("GET_ACK 1-3") == "MISSING 1-3"


def test_each_sequence_is_asked_by_itself(waybill):
    waybill.add_door("other", "produce", sequence="other")
    waybill.add_door("about other", "acks", sequence="other")
    waybill.start()
    with waybill.produce() as mine, waybill.produce(door="other") as other:
        mine.store("a|1|1|x")
        other.store("a|1|2|x")
    with waybill.question() as mine, waybill.question("about other") as other:
        assert [mine.ask("GET_ACK 1-2"), other.ask("GET_ACK 1-2")] == ["MISSING 2", "MISSING 1"]


def test_a_parked_message_counts_as_stored_and_a_refused_one_does_not(waybill):
    waybill.start()
    with waybill.produce() as producer:
        producer.send("no/name|1|1|x", "a|1|x|bad number", "a|1|2|" + 2**20 * "x", "a|1|3|x")
        producer.wait_settled(4)
    with waybill.question() as questioner:
        assert questioner.ask("GET_ACK 1-3") == "MISSING 2"


def test_a_long_list_of_what_is_missing_is_cut_and_says_so(waybill):
    waybill.start()
    with waybill.produce() as producer:
        producer.send(*(f"a|1|{number}|x" for number in range(2, 60001, 2)))
        producer.wait_settled(30000)
    with waybill.question() as questioner:
        answer = questioner.ask("GET_ACK 1-60000")
        assert answer.startswith("MISSING 1,3,5,") and answer.endswith(" more")
        assert 60 * 1024 < len(answer) <= 64 * 1024 + len(" more")
        listed = [int(word) for word in answer[len("MISSING "):-len(" more")].split(",")]
        assert listed == list(range(1, 2 * len(listed), 2))
        assert questioner.ask(f"GET_ACK {listed[-1] + 2}-{listed[-1] + 3}") == f"MISSING {listed[-1] + 2}"


def test_a_hundred_thousand_requests_in_one_go_are_answered_in_order(stored):
    with stored.question() as questioner:
        requests = b"".join(b"GET_ACK %d\n" % number for number in range(1, 100001))
        sender = threading.Thread(target=lambda: (questioner.send_bytes(requests), questioner.end()))
        sender.start()
        answers = questioner.read_all()
        sender.join()
    is_stored = {*range(1, 11), 12, 15, 16, 17, 30}
    assert answers == [b"%s %d" % (b"ACK" if n in is_stored else b"PENDING", n) for n in range(1, 100001)]


def test_a_last_request_without_its_end_is_answered_when_the_client_ends(stored):
    with LineSocket(stored.connect("acks")) as client:
        client.send_bytes(b"GET_ACK 1\nGET_ACK 3")
        client.end()
        assert client.read_all() == [b"ACK 1", b"ACK 3"]


def test_answers_survive_a_kill_and_an_orderly_end(stored):
    for end in (stored.kill, stored.stop):
        end()
        stored.start()
        with stored.question() as questioner:
            assert questioner.ask("GET_ACK 1-30") == "MISSING 11,13-14,18-29"
            assert questioner.ask("GET_ACK") == "ACK 30"


@pytest.mark.parametrize("request_bytes, answers", [
    (b"GET_ACK 12\n", [b"ACK 12"]), (b"GET_ACK 11\n", [b"PENDING 11"]), (b"GET_ACK 12\nGET_ACK 1\n", [b"ACK 12"]),
    (b"GET_ACK\n", [b"ACK 30"]), (b"nonsense\n", []), (b"GET_ACK x\n", []), (b"\n", [])])
def test_in_kmq_mode_one_request_is_answered_and_the_connection_ends(stored, request_bytes, answers):
    with LineSocket(stored.connect("kmq")) as client:
        client.send_bytes(request_bytes)
        assert client.read_all() == answers


def test_with_keys_a_second_word_is_the_key(waybill):
    waybill.door("produce")["topic"] = "all"
    waybill.config["topics"] = {"all": {"partitions": 4}}
    waybill.add_door("keyed", "acks", keys=True)
    waybill.start()
    with waybill.produce() as producer:
        producer.store("one|1|1|x", "two|1|1|x", "one|1|2|x")
    with waybill.question("keyed") as questioner:
        assert [questioner.ask(f"GET_ACK {words}") for words in ("1 one", "1 two", "2 one", "2 two", "1", "2")] == \
            ["ACK 1", "ACK 1", "ACK 2", "PENDING 2", "ACK 1", "ACK 2"]
