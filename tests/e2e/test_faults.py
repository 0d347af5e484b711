"""Failing calls, full disks, foreign and damaged data, on the real program. Budget: 40 s.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json
import re
import signal
import struct

import pytest
from kafka.record.util import calc_crc32c

from fault_injection import Injection, SmallDisk
from line_client import Producer

pytestmark = pytest.mark.fault

LINE = b"orders.%d|1|%d|" + b"x" * 200
BODY = 1000 * b"y"


def store_until_refused(waybill):
    """One line after the other until the program refuses or is gone; (how many were acknowledged, the last answer)."""
    stored = 0
    try:
        with waybill.produce() as producer:
            while True:
                producer.send(LINE % (stored % 7, stored + 1))
                answer = producer.read()
                if answer is None or not answer.startswith(b"ACK"):
                    return stored, answer
                assert Producer.ACK.match(answer).groups() == (b"%d" % (stored + 1),) * 2
                stored += 1
    except OSError:
        return stored, None


def assert_stored(waybill, count):
    """The numbers up to `count` are answered for and read back, each once, perhaps followed by a last one."""
    with waybill.question() as questioner:
        assert questioner.ask(f"GET_ACK 1-{count}") == f"ACK 1-{count}"
    lines = waybill.tail("all")
    assert len(lines) in (count, count + 1)
    for number, line in enumerate(lines, 1):
        assert line.startswith(b"%d|orders.%d|1|xxx" % (number, (number - 1) % 7))


@pytest.fixture
def one_topic(waybill):
    waybill.door("produce")["topic"] = "all"
    return waybill


# Calls that fail


@pytest.mark.parametrize("rule", [
    "fdatasync:error=EIO:when=1+", "fdatasync:error=EIO:when=40+", "fdatasync:error=ENOSPC:when=7+",
    "pwritev:error=EIO:when=1+", "pwritev:error=EIO:when=25+", "pwritev:error=ENOSPC:when=3+", "pwritev:error=EDQUOT:when=9"])
def test_a_failed_write_or_sync_is_final_and_never_a_false_yes(one_topic, rule):
    waybill = one_topic
    waybill.start()
    waybill.wait_log("disk measured")
    with Injection(waybill.pid, rule, waybill.folder / "strace.log"):
        stored, answer = store_until_refused(waybill)
        assert answer.startswith(b"ERR 0 BROKEN final ")
    assert waybill.wait_log("journal is broken").find("level=error") > 0
    status = waybill.status()
    assert status["state"] == "broken" and status["why"]
    # The disk works again, but nobody knows what became of the pages: only a restart reads them again.
    assert store_until_refused(waybill) == (0, answer)
    with waybill.question() as questioner:
        if stored > 0:
            assert questioner.ask(f"GET_ACK 1-{stored}") == f"ACK 1-{stored}"
        assert questioner.ask(f"GET_ACK {stored + 1}") == f"PENDING {stored + 1}"
    assert len(waybill.tail("all")) == stored if "all" in waybill.topics() else stored == 0
    waybill.stop()
    waybill.start()
    if stored > 0:
        assert_stored(waybill, stored)
    with waybill.produce() as producer:
        assert producer.store("again|1|1000000|x") == 1000000


@pytest.mark.parametrize("call", ["pwritev", "fdatasync"])
@pytest.mark.parametrize("at", [1, 2, 3, 10, 60])
def test_a_kill_at_a_write_or_sync_loses_nothing_acknowledged(one_topic, call, at):
    waybill = one_topic
    waybill.start()
    waybill.wait_log("disk measured")
    with Injection(waybill.pid, f"{call}:signal=KILL:when={at}", waybill.folder / "strace.log"):
        stored, _ = store_until_refused(waybill)
        assert waybill.wait_exit() == -signal.SIGKILL
    waybill.start()
    if stored > 0:
        assert_stored(waybill, stored)
    with waybill.produce() as producer:
        assert producer.store("again|1|1000000|x") == 1000000


# A full disk


@pytest.fixture
def on_small_disk(one_topic):
    """A program whose data directory has room for some small segments; and the disk."""
    waybill = one_topic
    waybill.config.update(log={"segment_size": "1MiB", "size_max": "1GiB"}, limits={"append": "256KiB", "record": "64KiB"})
    waybill.door("produce").update(max_line="64KiB", window=300)
    with SmallDisk(waybill, 24) as disk:
        yield waybill, disk
        waybill.clean_up()


def read_answers(producer, acknowledged, seconds):
    """The last line that is acknowledged when nothing has come for so long."""
    producer.socket.settimeout(seconds)
    try:
        while True:
            acknowledged = int(producer.read().split()[1])
    except TimeoutError:
        return acknowledged


def send_until_full(waybill, producer):
    """Lines in acknowledged mode until the log is full and silent; (sent, acknowledged), with some on their way."""
    sent = acknowledged = 0
    while waybill.status()["state"] == "open" or acknowledged == sent:
        producer.send(*(b"k|1|%d|%s" % (number, BODY) for number in range(sent + 1, sent + 101)))
        sent += 100
        acknowledged = read_answers(producer, acknowledged, 0.1)
    return sent, read_answers(producer, acknowledged, 0.5)


def test_a_full_disk_is_named_loses_nothing_and_is_left_by_itself(on_small_disk):
    waybill, disk = on_small_disk
    waybill.start()
    disk.fill(bytes_left=6 << 20)
    with waybill.produce() as producer:
        sent, acknowledged = send_until_full(waybill, producer)
        assert acknowledged < sent
        status = waybill.status()
        assert status["state"] == "full" and "space" in status["why"]
        assert "level=error" in waybill.wait_log("log is full")
        with waybill.question() as questioner:
            assert questioner.ask(f"GET_ACK 1-{acknowledged}") == f"ACK 1-{acknowledged}"
            assert questioner.ask(f"GET_ACK {sent}") == f"PENDING {sent}"
        assert len(waybill.tail("all")) == acknowledged
        disk.free()
        producer.socket.settimeout(20)
        while acknowledged < sent:
            acknowledged = int(producer.read().split()[1])
    assert waybill.status()["state"] == "open"
    waybill.wait_log("log takes records again")
    for end in (waybill.kill, waybill.stop):
        end()
        waybill.start()
        assert [line.split(b"|")[0] for line in waybill.tail("all")] == [b"%d" % i for i in range(1, sent + 1)]


def test_a_program_starts_on_a_full_disk_and_answers_for_what_it_has(on_small_disk):
    waybill, disk = on_small_disk
    waybill.start()
    disk.fill(bytes_left=6 << 20)
    with waybill.produce() as producer:
        _, acknowledged = send_until_full(waybill, producer)
    waybill.kill()
    disk.fill_rest()
    waybill.start()
    with waybill.question() as questioner:
        assert questioner.ask(f"GET_ACK 1-{acknowledged}") == f"ACK 1-{acknowledged}"
    assert len(waybill.tail("all")) >= acknowledged
    with waybill.produce() as producer:
        send_until_full(waybill, producer)
    disk.free()
    with waybill.produce() as producer:
        assert producer.store("k|1|1000000|x") == 1000000


# Data that cannot be used


def test_a_data_directory_in_use_is_refused_and_named(waybill):
    waybill.start()
    second = waybill.run("serve", "-c", waybill.config_path)
    assert second.returncode == 2
    assert "is in use by another process" in second.stderr and str(waybill.data) in second.stderr
    with waybill.produce() as producer:
        producer.store("a|1|1|x")


@pytest.mark.parametrize("data, text", [
    ("/proc/nowhere/data", "/proc/nowhere/data"), ("/dev/null", "/dev/null"), ("a-file", "a-file"),
    ("missing/one/level", "missing/one/level")])
def test_a_data_directory_that_cannot_be_made_is_refused_and_named(waybill, data, text):
    (waybill.folder / "a-file").write_text("something else")
    waybill.config["data"] = data
    waybill.start(wait=False)
    assert waybill.wait_exit() == 2
    assert text in waybill.log() and "level=fatal" in waybill.log()


def segments_of(waybill):
    return sorted((waybill.data / "journal").glob("*.segment"))


def content_of(waybill):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (waybill.data / "journal").iterdir()}


def change_headers(path, position, value):
    """Writes a number of 8 bytes into both copies of a segment's header, with a checksum that fits."""
    with open(path, "r+b") as file:
        for at in (0, 2048):
            file.seek(at)
            header = bytearray(file.read(256))
            header[position:position + len(value)] = value
            header[12:16] = bytes(4)
            header[12:16] = struct.pack("<I", calc_crc32c(bytes(header)))
            file.seek(at)
            file.write(header)


@pytest.mark.parametrize("position, value, text", [
    (8, struct.pack("<I", 2), "version"), (24, struct.pack("<Q", 1 << 40), "feature")])
def test_a_journal_from_a_newer_version_is_refused_by_name_and_left_alone(waybill, position, value, text):
    waybill.start()
    with waybill.produce() as producer:
        producer.store("a|1|1|x")
    waybill.stop()
    change_headers(segments_of(waybill)[0], position, value)
    before = content_of(waybill)
    waybill.start(wait=False)
    assert waybill.wait_exit() in (1, 2)
    assert re.search(r"level=fatal .*newer", waybill.log()) and text in waybill.log()
    assert content_of(waybill) == before


def store_many(waybill, count=4000, step=1):
    """Enough for several segments of 1 MiB; the numbers are step, 2 * step ..."""
    waybill.config.update(log={"segment_size": "1MiB", "size_max": "1GiB"}, limits={"append": "256KiB", "record": "64KiB"})
    waybill.door("produce").update(max_line="64KiB", topic="all")
    waybill.start()
    with waybill.produce() as producer:
        for first in range(1, count, 100):
            producer.send(*(b"k|1|%d|%s" % (number * step, BODY) for number in range(first, first + 100)))
            producer.wait_settled(first + 99)
    waybill.stop()
    assert len(segments_of(waybill)) > 3
    return count


def flip(path, position):
    with open(path, "r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 0x40]))


def test_a_flipped_byte_in_a_record_is_found_named_and_costs_its_batch_alone(waybill):
    count = store_many(waybill)
    flip(segments_of(waybill)[1], 500_000)
    verified = waybill.run("journal", "verify", waybill.data)
    assert verified.returncode == 1 and "damage segment=2 " in verified.stdout
    waybill.start()
    numbers = [int(line.partition(b"|")[0]) for line in waybill.tail("all")]
    missing = sorted(set(range(1, count + 1)) - set(numbers))
    assert 0 < len(missing) <= 100 and numbers == sorted(set(numbers))
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert "topic=all" in waybill.wait_log('msg="damage')
    with waybill.produce() as producer:
        producer.store(f"k|1|{count + 1}|x")


def test_damage_is_reported_with_the_records_that_it_costs(waybill):
    count = store_many(waybill)
    flip(segments_of(waybill)[1], 500_000)
    verified = waybill.run("journal", "verify", waybill.data)
    first, last = re.search(r"^damage segment=2 topic=all partition=0 missing_offsets=(\d+)-(\d+)$", verified.stdout,
                            re.MULTILINE).groups()
    assert " damaged=1 " in verified.stdout
    rows = [json.loads(line) for line in waybill.run("journal", "verify", waybill.data, "--json").stdout.splitlines()]
    assert [row for row in rows if "topic" in row] == [
        {"finding": "damage", "segment": 2, "topic": "all", "partition": 0, "missing_offsets": f"{first}-{last}"}]
    waybill.start()
    numbers = {int(line.partition(b"|")[0]) for line in waybill.tail("all")}
    assert set(range(1, count + 1)) - numbers == set(range(int(first) + 1, int(last) + 2))


@pytest.mark.parametrize("index", [1, -1])
def test_a_segment_without_a_readable_header_costs_itself_at_most(waybill, index):
    count = store_many(waybill)
    begun = [path for path in segments_of(waybill) if path.read_bytes()[:8] == b"WAYBILL\n"]
    number = int(begun[index].stem)
    for at in (0, 2048):
        flip(begun[index], at + 60)
    verified = waybill.run("journal", "verify", waybill.data)
    assert verified.returncode == 1 and f"segment={number}" in verified.stdout
    for start in range(2):
        waybill.start()
        numbers = [int(line.partition(b"|")[0]) for line in waybill.tail("all")]
        assert set(numbers) >= set(range(1, count + 1 - 1100)) - set(range(900 * (number - 1), 1100 * number))
        with waybill.produce() as producer:
            producer.store(f"other|1|{1000000 + start}|x")
        waybill.kill()
    assert index != -1 or f"segment={number}" in waybill.log(is_all=True)


def test_index_files_that_are_gone_are_made_again_while_many_ask(waybill):
    count = store_many(waybill, step=2)
    waybill.config["threads"] = {"loops": 3}
    for _ in range(5):
        for path in (waybill.data / "journal").glob("*.index"):
            path.unlink()
        waybill.start()
        questioners = [waybill.question() for _ in range(12)]
        for questioner in questioners:
            questioner.send("GET_ACK 999-1002", f"GET_ACK {count}", f"GET_ACK {2 * count}", "GET_ACK 4001")
            questioner.end()
        for questioner in questioners:
            with questioner:
                assert questioner.read_all() == [b"MISSING 999,1001", b"ACK %d" % count, b"ACK %d" % (2 * count),
                                                 b"PENDING 4001"]
        waybill.kill()


def test_a_missing_segment_is_noticed(waybill):
    count = store_many(waybill)
    segments_of(waybill)[1].unlink()
    waybill.start()
    waybill.wait_log("level=error")
    assert 0 < len(waybill.tail("all")) < count
