"""Deliveries into files: every line once, also when the program or the file's place dies in between.

SPDX-License-Identifier: Apache-2.0
"""
import gzip
import time

from waybill import wait_until

LINES = 2000


def deliver(waybill, to, sources=("orders",), **settings):
    """One delivery of that configuration into a file below the test's folder."""
    waybill.config["deliveries"] = [{"name": "archive", "from": list(sources), "to": f"file:{to}", **settings}]


def send(waybill, topic, numbers):
    with waybill.produce() as producer:
        producer.store(*(f"{topic}|1795334400000|{number}|message {number}" for number in numbers))


def numbers_in(path):
    return [int(line.split(b"|", 1)[0]) for line in path.read_bytes().splitlines()] if path.exists() else []


def wait_numbers(path, numbers):
    wait_until(lambda: set(numbers_in(path)) >= set(numbers), what=f"all numbers in {path.name}")
    return numbers_in(path)


def ask_status(waybill, request):
    with waybill.question("status") as client:
        return client.ask(request)


def test_every_record_becomes_one_line_in_order(waybill, tmp_path):
    out = tmp_path / "out" / "append.log"
    deliver(waybill, out)
    waybill.start()
    send(waybill, "orders", range(1, LINES + 1))
    assert wait_numbers(out, range(1, LINES + 1)) == list(range(1, LINES + 1))
    assert out.read_bytes().splitlines()[0] == b"1|orders|1795334400000|message 1"
    assert out.stat().st_mode & 0o777 == 0o600
    waybill.stop()


def test_a_file_delivers_and_processes_only_where_the_topic_says_so(waybill, tmp_path):
    deliver(waybill, tmp_path / "{topic}.log", sources=("orders", "payments"))
    waybill.config["topics"] = {"payments": {"processed_by": ["archive"]}}
    waybill.add_door("status", "status")
    waybill.start()
    send(waybill, "orders", [1])
    send(waybill, "payments", [2])
    wait_until(lambda: "group.archive=done" in ask_status(waybill, "GET_RECEIPT 1"), what="the delivery of 1")
    wait_until(lambda: ask_status(waybill, "GET_STATUS 2") == "PROCESSED", what="the delivery of 2")
    assert " state=delivered " in ask_status(waybill, "GET_RECEIPT 1")
    assert ask_status(waybill, "GET_STATUS 1") == "PENDING"
    waybill.stop()


def test_a_topic_in_the_name_makes_a_file_for_each(waybill, tmp_path):
    deliver(waybill, tmp_path / "{topic}.log", sources=("orders", "payments"))
    waybill.start()
    send(waybill, "orders", range(1, 11))
    send(waybill, "payments", range(11, 16))
    assert wait_numbers(tmp_path / "orders.log", range(1, 11)) == list(range(1, 11))
    assert wait_numbers(tmp_path / "payments.log", range(11, 16)) == list(range(11, 16))
    waybill.stop()


def test_kills_lose_nothing_and_repeat_at_most_what_was_in_flight(waybill, tmp_path):
    out = tmp_path / "append.log"
    deliver(waybill, out, batch={"records": 50}, in_flight=100)
    waybill.start()
    for life in range(5):
        send(waybill, "orders", range(life * 400 + 1, life * 400 + 401))
        waybill.kill()
        waybill.start()
    found = wait_numbers(out, range(1, LINES + 1))
    assert sorted(set(found)) == list(range(1, LINES + 1))
    assert len(found) - LINES <= 5 * 100
    first_seen = list(dict.fromkeys(found))
    assert first_seen == sorted(first_seen)
    waybill.stop()


def test_a_file_that_cannot_be_written_holds_the_delivery_until_it_can(waybill, tmp_path):
    out = tmp_path / "append.log"
    deliver(waybill, out, breaker={"failures": 2, "every": "50ms"}, retry={"first": "10ms", "max": "50ms"})
    waybill.start()
    send(waybill, "orders", range(1, 11))
    wait_numbers(out, range(1, 11))
    out.unlink()
    out.mkdir()  # nobody can write to a directory, not even root
    send(waybill, "orders", range(11, 21))
    held = waybill.wait_log('msg="target is down, its delivery is held"')
    assert "append.log" in held
    out.rmdir()
    assert wait_numbers(out, range(11, 21)) == list(range(11, 21))
    waybill.wait_log('msg="target is there again')
    waybill.stop()


def test_rotated_files_hold_all_lines_and_are_compressed(waybill, tmp_path):
    out = tmp_path / "append.log"
    deliver(waybill, out, rotate={"size": "10KiB", "keep": 1000, "compress": True})
    waybill.start()
    send(waybill, "orders", range(1, LINES + 1))
    wait_until(lambda: LINES in numbers_in(out), what="the last number")
    wait_until(lambda: not list(tmp_path.glob("append.log.[0-9]")), what="all rotated files are compressed")
    found = []
    for path in sorted(tmp_path.glob("append.log.*.gz"), key=lambda path: -int(path.name.split(".")[2])):
        found += [int(line.split(b"|", 1)[0]) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert len(list(tmp_path.glob("append.log.*.gz"))) > 3
    assert found + numbers_in(out) == list(range(1, LINES + 1))
    waybill.stop()


def test_a_stop_finishes_what_is_in_flight(waybill, tmp_path):
    out = tmp_path / "append.log"
    deliver(waybill, out)
    waybill.start()
    send(waybill, "orders", range(1, LINES + 1))
    waybill.stop()
    before = numbers_in(out)
    waybill.start()
    assert wait_numbers(out, range(1, LINES + 1)) == list(range(1, LINES + 1)), f"{len(before)} before the stop"
    time.sleep(0.2)
    assert numbers_in(out) == list(range(1, LINES + 1))
    waybill.stop()
