"""Plain streams of the subscribe port. Budget: 30 s.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from line_client import LineSocket
from subscriber import Record, Subscriber, resolve
from waybill import WAIT_SECONDS, wait_until

CEILING_KIB = 64 * 1024


@pytest.fixture
def running(waybill):
    waybill.add_door("subscribe", "subscribe")
    waybill.door("produce")["topic"] = "orders"
    waybill.config["topics"] = {"orders": {"partitions": 3}}
    waybill.start()
    return waybill


def subscribe(waybill, words, **options):
    return Subscriber(waybill.connect("subscribe"), words, **options)


def store(waybill, first, count, key="k{}", body="body {}"):
    with waybill.produce() as producer:
        producer.store(*[f"{key.format(i)}|{i}|{i}|{body.format(i)}" for i in range(first, first + count)])


def subscribers(waybill):
    return waybill.metric("waybill_subscribers")


def test_from_start_gives_all_and_then_what_comes(running):
    store(running, 1, 50)
    with subscribe(running, "orders FROM_START") as subscriber:
        first = subscriber.take(50)
        store(running, 51, 50)
        records = first + subscriber.take(50)
    assert sorted(int(record.seq) for record in first) == list(range(1, 51))
    assert {(record.seq, record.key, record.timestamp, record.body) for record in records} == {
        (str(i), b"k%d" % i, b"%d" % i, b"body %d" % i) for i in range(1, 101)}


def test_without_a_place_only_what_comes_is_given(running):
    store(running, 1, 10)
    with subscribe(running, "orders") as subscriber:
        wait_until(lambda: subscribers(running) == 1)
        store(running, 11, 10)
        assert sorted(int(record.seq) for record in subscriber.take(10)) == list(range(11, 21))
        assert subscriber.nothing_comes()


def test_an_offset_and_a_place_begin_there(running):
    store(running, 1, 60, key="same")
    (partition, end), = [(p, end) for p, (_, end) in enumerate(running.topics()["orders"]) if end]
    with subscribe(running, f"orders FROM {partition}:{end - 2}") as subscriber:
        assert [record.seq for record in subscriber.take(2)] == ["59", "60"]
        assert subscriber.nothing_comes()
    with subscribe(running, "orders FROM 57") as subscriber:
        assert [record.seq for record in subscriber.take(3)] == ["58", "59", "60"]
    with subscribe(running, "orders FROM 100000") as subscriber:
        assert subscriber.nothing_comes()


def test_bytes_that_would_break_a_line_are_escaped_and_base64_is_exact(running):
    wanted = [(b"plain", b"with|bars \\n and \\ backslash"), (b"bar|key", b"x\\y"), (b"line\nkey\r", b"cr\rwithin"), (b"", b"\x00\xff\xfe")]
    for key, body in wanted:
        request = {"op": "send", "topic": "bytes", "key": key.decode("latin-1")} if key else {"op": "send", "topic": "bytes"}
        with socket.socket(socket.AF_UNIX) as connection, LineSocket(connection) as client:
            connection.connect(str(running.data / "waybill.sock"))
            client.send(json.dumps(request))
            assert json.loads(client.read()) == {"ok": True}
            client.send_bytes(body + b"\n")
            client.end()
            assert client.read_all() == []
    with subscribe(running, "bytes FROM_START") as subscriber:
        lines = [subscriber.read() for _ in wanted]
    with subscribe(running, "bytes FROM_START ENCODING base64") as subscriber:
        assert [record.from_base64() for record in subscriber.take(len(wanted))] == wanted
    assert lines[0].split(b"|", 3)[3] == wanted[0][1] and lines[3].split(b"|", 3)[3] == wanted[3][1]  # byte for byte
    for line, (key, body) in zip(lines[1:3], wanted[1:3]):
        record = Record.parse(line)
        assert (resolve(record.key), resolve(record.body)) == (key, body)


def test_mistakes_are_answered_with_a_code_and_the_connection_goes_on(running):
    with LineSocket(running.connect("subscribe")) as client:
        client.send("SUBSCRIBE", "SUBSCRIBE no/name", "SUBSCRIBE orders FROM 3:0", "SUBSCRIBE orders WINDOW 0", "DONE 1", "nonsense",
                    "SUBSCRIBE gone.dlq", "x" * 6000, "SUBSCRIBE orders FROM_START", "SUBSCRIBE orders")
        codes = [client.read().split()[1] for _ in range(9)]
        assert codes == [b"BAD_REQUEST", b"BAD_NAME", b"BAD_PARTITION", b"BAD_WINDOW", b"NOT_OPEN", b"BAD_REQUEST", b"UNKNOWN_TOPIC",
                         b"TOO_LONG", b"SUBSCRIBED"]
        store(running, 1, 1)
        assert Record.parse(client.read()).seq == "1"


def test_socat_whose_input_ends_goes_on_receiving(running):
    command = ["socat", "-t", "30", "STDIO", f"TCP:{running.address('subscribe')}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as socat:
        socat.stdin.write(b"SUBSCRIBE orders\n")
        socat.stdin.close()
        wait_until(lambda: subscribers(running) == 1)
        store(running, 1, 3, key="same")
        assert [socat.stdout.readline() for _ in range(3)] == [b"%d|same|%d|body %d\n" % (i, i, i) for i in (1, 2, 3)]
        socat.terminate()
    store(running, 4, 1)  # what is written to a peer that has gone comes back
    wait_until(lambda: subscribers(running) == 0, what="the half-closed peer that went was noticed")


def test_bash_reads_a_topic_with_nothing_but_a_socket(running):
    store(running, 1, 3, key="same")
    script = f"exec 3<>/dev/tcp/127.0.0.1/{running.port('subscribe')}; echo 'SUBSCRIBE orders FROM_START' >&3; head -n 3 <&3"
    result = subprocess.run(["bash", "-c", script], capture_output=True, timeout=WAIT_SECONDS, check=True)
    assert result.stdout == b"".join(b"%d|same|%d|body %d\n" % (i, i, i) for i in (1, 2, 3))


def test_a_place_that_retention_has_passed_is_a_gap(waybill):
    waybill.add_door("subscribe", "subscribe")
    waybill.config.update(log={"segment_size": "256KiB", "size_max": "4MiB"}, limits={"append": "64KiB", "record": "32KiB"},
                          topics={"defaults": {"retention": {"size": "512KiB"}}})
    waybill.door("produce").update(topic="orders", max_line="32KiB")
    waybill.start()
    store(waybill, 1, 3000, body="{} " + 1000 * "x")
    start, _ = wait_until(lambda: waybill.topics()["orders"][0] if waybill.topics()["orders"][0][0] > 100 else None)
    with subscribe(waybill, "orders FROM 5", hello=True) as subscriber:
        gap = re.fullmatch(rb"GAP orders 0 5-(\d+)", subscriber.read())
        assert int(gap[1]) >= start - 1
        assert int(subscriber.next().seq) == int(gap[1]) + 2  # the record with number N has the offset N - 1
    with subscribe(waybill, "orders FROM 5") as subscriber:
        assert int(subscriber.next().seq) > start  # no word that is no record
    assert waybill.metric("waybill_reader_gaps_total") >= 2
    waybill.wait_log('msg="retention has passed a reader" topic=orders partition=0 from=5')


def test_subscribers_that_never_read_stop_nobody_and_cost_little(running):
    with running.produce() as producer:
        producer.store(*[f"k{i}|1|{i}|{10000 * 'x'}" for i in range(1, 1001)])
    stalled = [subscribe(running, "orders FROM_START") for _ in range(200)]
    try:
        for _ in range(3):
            with subscribe(running, "orders FROM_START") as subscriber:
                assert sorted(int(record.seq) for record in subscriber.take(1000)) == list(range(1, 1001))
        assert running.memory_kib() < CEILING_KIB
        with stalled[0] as late:
            assert sorted(int(record.seq) for record in late.take(1000)) == list(range(1, 1001))
    finally:
        for each in stalled:
            each.close()
    store(running, 2001, 3)  # one a partition or more: who closed in order is met when it is written to
    wait_until(lambda: subscribers(running) == 0)


def test_a_stop_does_not_wait_for_subscribers(running):
    store(running, 1, 1)
    with running.produce() as producer:
        producer.store(*[f"k|1|{i}|{10000 * 'x'}" for i in range(1, 1001)])
    with subscribe(running, "orders") as idle, subscribe(running, "orders", hello=True) as greeted, \
         subscribe(running, "orders FROM_START"):  # which never reads
        wait_until(lambda: subscribers(running) == 3)
        began = time.monotonic()
        running.signal(signal.SIGTERM)
        assert idle.read() is None
        assert greeted.read() == b"ERR DRAINING the program is stopping"
        assert greeted.read() is None
        assert running.wait_exit() == 0
        assert time.monotonic() - began < 3


def test_a_stream_is_whole_while_it_is_written_and_read_by_many(running):
    def produce(first):
        for start in range(first, first + 5000, 500):
            store(running, start, 500)

    with subscribe(running, "orders") as one, subscribe(running, "orders") as two:
        wait_until(lambda: subscribers(running) == 2)
        threads = [threading.Thread(target=produce, args=(1 + 5000 * i,)) for i in range(3)]
        for thread in threads:
            thread.start()
        taken = [subscriber.take(15000) for subscriber in (one, two)]
        for thread in threads:
            thread.join()
    for records in taken:
        assert sorted(int(record.seq) for record in records) == list(range(1, 15001))
