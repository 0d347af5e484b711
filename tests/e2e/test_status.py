"""The status door and receipts, as docs/protocols/line.md describes them. Budget: 20 s.

SPDX-License-Identifier: Apache-2.0

What is done is said through a processed log: the status door itself decides nothing.
"""
import json
import re
import threading
import time

import pytest

from line_client import LineSocket
from waybill import wait_until

ORDERS = [*range(1, 11), 12, 15, 16, 17, 30]
DONE = [1, 2, 3, 5, 12, 15, 16, 17]


def open_status(waybill, **settings):
    waybill.processed = waybill.folder / "processed.log"
    waybill.add_door("status", "status", processed_log=str(waybill.processed), **settings)


def mark(waybill, *lines):
    with open(waybill.processed, "a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def ask(waybill, *requests, door="status"):
    with waybill.question(door) as client:
        return [client.ask(request) for request in requests]


def wait_processed(waybill, *numbers):
    with waybill.question("status") as client:
        for number in numbers:
            wait_until(lambda n=number: client.ask(f"GET_STATUS {n}") == "PROCESSED", what=f"processed {number}")


@pytest.fixture
def marked(waybill):
    """A program that has stored ORDERS and knows DONE of them to be processed."""
    open_status(waybill, topic="orders")
    waybill.add_door("kmq", "status", mode="kmq")
    waybill.config["topics"] = {"orders": {"partitions": 1}}
    waybill.start()
    with waybill.produce() as producer:
        producer.store(*(f"orders|1|{number}|x" for number in ORDERS))
    mark(waybill, *(f"{number}|orders|1|x" for number in DONE))
    wait_processed(waybill, *DONE)
    return waybill


@pytest.mark.parametrize("request_line, answer", [
    ("GET_STATUS 1", "PROCESSED"), ("GET_STATUS 4", "PENDING"), ("GET_STATUS 11", "PENDING"),
    ("GET_STATUS 9223372036854775807", "PENDING"), ("GET_STATUS 0012", "PROCESSED"),
    ("  GET_STATUS\t 12  ", "PROCESSED"), ("GET_STATUS 12\r", "PROCESSED"),
    ("GET_STATUS 12 further words are passed over", "PROCESSED"),
    ("GET_STATUS 1-3", "PROCESSED"), ("GET_STATUS 15-17", "PROCESSED"), ("GET_STATUS 4-4", "PENDING 4"),
    ("GET_STATUS 1-20", "PENDING 4,6-11,13-14,18-20"), ("GET_STATUS 1-1000000", "PENDING 4,6-11,13-14,18-1000000"),
    ("GET_STATUS 0:0", "PROCESSED"), ("GET_STATUS orders/0/3", "PENDING"), ("GET_STATUS nothing/0/3", "PENDING")])
def test_a_status_is_answered_from_what_is_processed(marked, request_line, answer):
    assert ask(marked, request_line) == [answer]


@pytest.mark.parametrize("request_line, code", [
    ("", "BAD_REQUEST"), ("GET_STATUS", "BAD_REQUEST"), ("get_status 1", "BAD_REQUEST"), ("GET_STATUS 0", "BAD_REQUEST"),
    ("GET_STATUS x", "BAD_REQUEST"), ("GET_STATUS 1-", "BAD_REQUEST"), ("GET_ACK 1", "BAD_REQUEST"),
    ("GET_RECEIPT 1-2", "BAD_REQUEST"), ("GET_RECEIPT orders/0", "BAD_REQUEST"), (b"\x00\xff\xfe", "BAD_REQUEST"),
    ("GET_STATUS 2-1", "BAD_RANGE"), ("GET_STATUS 1-1000001", "BAD_RANGE"), ("GET_STATUS " + 2000 * "1", "TOO_LONG")])
def test_a_malformed_request_gets_its_code_and_the_connection_goes_on(marked, request_line, code):
    with marked.question("status") as client:
        assert client.ask(request_line).split()[:2] == ["ERR", code]
        assert client.ask("GET_STATUS 1") == "PROCESSED"


def test_a_receipt_tells_place_state_and_groups(marked):
    done, stored, unknown = ask(marked, "GET_RECEIPT 12", "GET_RECEIPT 4", "GET_RECEIPT 99")
    now_ms = time.time() * 1000
    place = r"seq=12 topic=orders partition=0 offset=10 state=processed group\.processed_log=done attempts=1 at=(\d+) by=processed\.log"
    match = re.fullmatch(place, done)
    assert match and now_ms - 60000 < int(match[1]) <= now_ms + 1000
    assert stored == "seq=4 topic=orders partition=0 offset=3 state=stored group.processed_log=open attempts=0 at=0"
    assert unknown == "seq=99 state=unknown"
    assert ask(marked, "GET_RECEIPT 0:3") == [stored.replace("seq=4", "seq=0:3")]


def test_a_number_of_several_records_is_processed_when_all_are(marked):
    with marked.produce() as producer:
        producer.store("other|1|1|again", "other|1|1|and again")
    with marked.question("status") as client:
        assert client.ask("GET_STATUS 1") == "PENDING"
        client.send("GET_RECEIPT 1", "GET_STATUS 2")
        lines = [client.read().decode() for _ in range(4)]
    assert [line.split()[:2] for line in lines[:3]] == [["seq=1", f"topic={topic}"] for topic in ("orders", "other", "other")]
    assert [line.partition(" more=")[2] for line in lines[:3]] == ["2", "1", ""]
    assert lines[3] == "PROCESSED"
    mark(marked, 1)
    wait_processed(marked, 1)


def test_what_is_processed_stays_so_after_sigkill(marked):
    marked.kill()
    marked.start()
    assert ask(marked, "GET_STATUS 1-20") == ["PENDING 4,6-11,13-14,18-20"]
    assert ask(marked, "GET_RECEIPT 12")[0].startswith("seq=12 topic=orders partition=0 offset=10 state=processed ")


def test_half_close_gets_all_pipelined_answers_in_their_order(marked):
    requests = 500
    with marked.question("status") as client:
        client.send(*(f"GET_STATUS {ORDERS[i % len(ORDERS)]}" for i in range(requests)), "GET_STATUS 1-100000")
        client.send_bytes(b"GET_STATUS 1")
        client.end()
        answers = [line.decode() for line in client.read_all()]
    wanted = ["PROCESSED" if ORDERS[i % len(ORDERS)] in DONE else "PENDING" for i in range(requests)]
    assert answers == [*wanted, "PENDING 4,6-11,13-14,18-100000", "PROCESSED"]


def test_long_ranges_do_not_hold_up_another_client(marked):
    """All the numbers are stored, so each of them is asked for."""
    count = 200000
    with LineSocket(marked.connect("produce")) as producer:
        for first in range(1000, 1000 + count, 10000):
            producer.send(*(f"bulk|1|{number}|x" for number in range(first, first + 10000)))
        producer.end()
        assert producer.read_all() == []
    slowest = 0
    answers = []
    with marked.question("status") as client, marked.question("status") as other:
        request = f"GET_STATUS 1000-{1000 + count - 1}"
        client.send(*[request] * 5)
        reader = threading.Thread(target=lambda: answers.extend(client.read() for _ in range(5)))
        reader.start()
        asked = 0
        while reader.is_alive():
            before = time.monotonic()
            assert other.ask("GET_STATUS 1") == "PROCESSED"
            slowest = max(slowest, time.monotonic() - before)
            asked += 1
        reader.join()
    assert answers == [f"PENDING 1000-{1000 + count - 1}".encode()] * 5
    assert asked > 10 and slowest < 0.2


@pytest.mark.parametrize("request_bytes, answer", [
    (b"GET_STATUS 1\n", b"PROCESSED\n"), (b"  GET_STATUS 1 more words\r\n", b"PROCESSED\n"), (b"GET_STATUS 4\n", b"PENDING\n"),
    (b"GET_STATUS 99\n", b"PENDING\n"), (b"GET_STATUS\n", b""), (b"GET_RECEIPT 1\n", b""), (b"nonsense\n", b""), (b"\n", b""),
    (b"GET_STATUS 1\nGET_STATUS 1\n", b"PROCESSED\n")])
def test_kmq_mode_answers_one_request_with_its_two_words_and_closes(marked, request_bytes, answer):
    with marked.connect("kmq") as client:
        client.sendall(request_bytes)
        assert b"".join(iter(lambda: client.recv(4096), b"")) == answer


def test_every_loop_answers_alike(waybill):
    open_status(waybill)
    waybill.config["threads"] = {"loops": 3}
    waybill.start()
    with waybill.produce() as producer:
        producer.store(*(f"orders|1|{number}|x" for number in range(1, 101)))
    mark(waybill, *range(1, 51))
    wait_processed(waybill, 50)
    clients = [waybill.question("status") for _ in range(30)]
    for client in clients:
        client.send("GET_STATUS 1-100", "GET_RECEIPT 7")
    for client in clients:
        assert client.read() == b"PENDING 51-100"
        assert b" state=processed " in client.read()
        client.close()


def test_with_keys_only_records_of_that_key_count(waybill):
    open_status(waybill, keys=True)
    waybill.start()
    with waybill.produce() as producer:
        producer.store("red|1|7|x", "blue|1|7|y")
    mark(waybill, "red/0/0")
    with waybill.question("status") as client:
        wait_until(lambda: client.ask("GET_STATUS 7 red") == "PROCESSED", what="processed red")
        assert client.ask("GET_STATUS 7 blue") == "PENDING"
        assert client.ask("GET_STATUS 7 green") == "PENDING"
        assert client.ask("GET_STATUS 7") == "PENDING"
        assert client.ask("GET_STATUS 1-7 red").startswith("ERR BAD_REQUEST")
        assert client.ask("GET_RECEIPT 7 blue").startswith("seq=7 topic=blue partition=0 offset=0 state=stored")


def test_each_sequence_is_asked_by_itself(waybill):
    open_status(waybill)
    waybill.add_door("other", "produce", sequence="other")
    waybill.add_door("about other", "status", sequence="other")
    waybill.start()
    with waybill.produce() as mine, waybill.produce(door="other") as other:
        mine.store("a|1|1|x")
        other.store("b|1|1|x", "b|1|2|x")
    mark(waybill, 1, 2)
    wait_processed(waybill, 1)
    assert ask(waybill, "GET_STATUS 1-2", door="about other") == ["PENDING 1-2"]
    assert ask(waybill, "GET_RECEIPT 1", door="about other")[0].startswith("seq=1 topic=b ")


def test_processed_by_names_who_must_be_done(waybill):
    open_status(waybill)
    waybill.config["topics"] = {"orders": {"processed_by": ["processed_log", "billing"]}, "other": {}}
    waybill.start()
    with waybill.produce() as producer:
        producer.store("orders|1|1|x", "other|1|2|x")
    mark(waybill, 1, 2)
    wait_processed(waybill, 2)
    assert ask(waybill, "GET_STATUS 1") == ["PENDING"]
    assert " state=delivered " in ask(waybill, "GET_RECEIPT 1")[0]


# The command line


def test_the_command_prints_a_receipt_and_says_by_its_exit_code_when_there_is_none(marked):
    result = marked.run("receipt", "orders/0/10", "--data", marked.data)
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith("orders/0/10  processed\n  processed_log ")
    result = marked.run("receipt", "--seq", "12", "--json", "--data", marked.data)
    receipt, = (json.loads(line) for line in result.stdout.splitlines())
    assert (receipt["id"], receipt["state"], receipt["seq"]) == ("orders/0/10", "processed", 12)
    assert [(group["group"], group["state"]) for group in receipt["groups"]] == [("processed_log", "done")]
    for words in (["orders/0/99"], ["nothing/0/0"], ["--seq", "99"], ["--seq", "1", "--sequence", "nobody"]):
        result = marked.run("receipt", *words, "--data", marked.data)
        assert (result.returncode, result.stdout) == (1, "") and result.stderr != ""


@pytest.mark.parametrize("words", [
    [], ["orders"], ["orders/0"], ["orders/x/0"], ["a/0/1", "b/0/1"], ["a/0/1", "--seq", "1"], ["--seq", "0"], ["--seq", "x"],
    ["a/0/1", "--sequence", "s"], ["--seq", "1", "--sequence", "a/b"]])
def test_misuse_of_the_command_is_told(waybill, words):
    result = waybill.run("receipt", *words)
    assert result.returncode == 2 and result.stdout == "" and result.stderr != ""


def test_groups_are_listed_with_how_far_they_are(marked):
    header, row = marked.run("groups", "--data", marked.data).stdout.splitlines()
    assert header.split() == ["group", "topic", "partition", "low", "end", "lag", "open", "members", "oldest"]
    assert row.replace("*", " *").split() == ["processed_log", "*", "orders", "0", "3", "15", str(len(ORDERS) - len(DONE)), "0", "0", "-"]
    line, = marked.run("groups", "--data", marked.data, "--json").stdout.splitlines()
    group = json.loads(line)
    assert (group["group"], group["done"], group["low"], group["lag"]) == ("processed_log", True, 3, len(ORDERS) - len(DONE))
