"""Groups on the subscribe port: who gets what, and what becomes of it. Budget: 60 s.

SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest

from ledger import seed_from
from line_client import LineSocket
from subscriber import Subscriber
from waybill import wait_until

CONSUMERS = Path(__file__).parent / "consumers"
CEILING_KIB = 64 * 1024


def configure(waybill, lease="60s", partitions=2):
    waybill.add_door("subscribe", "subscribe", lease=lease)
    waybill.add_door("status", "status")
    waybill.door("produce")["topic"] = "orders"
    waybill.config["topics"] = {"orders": {"partitions": partitions}, "invoices": {"partitions": 1}}


@pytest.fixture
def running(waybill):
    configure(waybill)
    return waybill.start()


def join(waybill, words="GROUP billing", topic="orders", **options):
    return Subscriber(waybill.connect("subscribe"), f"{topic} {words}", **options)


def store(waybill, first, count, keys=10):
    with waybill.produce() as producer:
        producer.store(*[f"k{i % keys}|{i}|{i}|body {i}" for i in range(first, first + count)])


def ask(waybill, request):
    with LineSocket(waybill.connect("status")) as client:
        client.send(request)
        return client.read().decode()


def wait_processed(waybill, numbers):
    """Until the status port says of each that it is processed."""
    for number in numbers:
        wait_until(lambda number=number: ask(waybill, f"GET_STATUS {number}") == "PROCESSED", what=f"{number} processed")


def numbers_of(records):
    return [int(record.seq) for record in records]


def pending_of(waybill, last):
    """The numbers up to `last` that the status port does not call processed."""
    answer = ask(waybill, f"GET_STATUS 1-{last}")
    if answer == "PROCESSED":
        return set()
    pending = set()
    for run in answer.removeprefix("PENDING ").split(","):
        first, _, end = run.partition("-")
        pending.update(range(int(first), int(end or first) + 1))
    return pending


def test_a_group_goes_on_where_it_is_whatever_the_order_of_done(running):
    store(running, 1, 100)
    with join(running) as subscriber:
        given = numbers_of(subscriber.take(100))
        assert sorted(given) == list(range(1, 101))
        chosen = [number for number in given if number % 3]
        random.Random(1).shuffle(chosen)
        subscriber.done(*chosen)
        assert subscriber.finish() == []
    running.kill()
    running.start()
    with join(running, "GROUP billing FROM_END") as subscriber:
        rest = [number for number in range(1, 101) if number % 3 == 0]
        assert sorted(numbers_of(subscriber.take(len(rest)))) == rest
        assert subscriber.nothing_comes()
    with join(running, "GROUP other") as subscriber:
        assert sorted(numbers_of(subscriber.take(100))) == list(range(1, 101))


def test_a_place_beyond_the_end_is_the_end_and_troubles_no_other_group(running):
    store(running, 1, 100)
    with join(running, "GROUP other") as other:
        other.take(100)
        for place in (101, 1000, 2**63 - 1, 2**64 - 1):
            with join(running, f"GROUP late{place} FROM {place}") as late:
                assert late.nothing_comes()
        other.done("1-100")
        with join(running, f"GROUP later FROM {2**63}") as later:
            assert later.nothing_comes()
            store(running, 101, 1)
            assert numbers_of(later.take(1)) == [101]
        assert numbers_of(other.take(1)) == [101]
        other.done(101)
        assert other.finish() == []
    with join(running, "GROUP other") as again:
        assert again.nothing_comes()
    assert "level=error" not in running.log()


def test_connections_share_records_by_key_and_each_key_keeps_its_order(running):
    members = [join(running) for _ in range(3)]
    given = [[], [], []]
    total = threading.Semaphore(0)

    def consume(which):
        try:
            while line := members[which].read():
                number = int(line.split(b"|")[0])
                given[which].append(number)
                members[which].done(number)
                total.release()
        except OSError:
            pass

    threads = [threading.Thread(target=consume, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: running.metric("waybill_subscribers") == 3)
    for first in range(1, 3001, 100):
        store(running, first, 100, keys=60)
    for _ in range(3000):
        assert total.acquire(timeout=20)
    for member in members:
        member.end()
    for thread in threads:
        thread.join()
    assert sorted(sum(given, [])) == list(range(1, 3001))
    assert all(len(numbers) > 300 for numbers in given)
    for numbers in given:
        by_key = defaultdict(list)
        for number in numbers:
            by_key[number % 60].append(number)
        assert all(numbers == sorted(numbers) for numbers in by_key.values())


def test_what_one_had_open_when_it_died_comes_to_the_others_at_once(running):
    store(running, 1, 100)
    with join(running, "GROUP billing WINDOW 200") as subscriber:
        assert len(subscriber.take(100)) == 100
        wait_until(lambda: running.metric("waybill_records_open") == 100)
    with join(running, "GROUP billing WINDOW 200") as other:
        assert sorted(numbers_of(other.take(100))) == list(range(1, 101))
    wait_until(lambda: running.metric("waybill_records_returned_total") == 200)


def test_settling_what_is_not_held_is_an_error_and_changes_nothing(running):
    store(running, 1, 4, keys=1)
    with join(running) as one, join(running) as two:
        holder, other = (one, two) if not one.nothing_comes() else (two, one)
        assert numbers_of(holder.take(4)) == [1, 2, 3, 4]
        other.send("DONE 1", "DONE 1-4", "FAIL 2 not mine", "RETRY 3", "DONE 0:0")
        for word in ("1", "1-4", "2", "3", "0:0"):
            assert other.read().decode() == f"ERR NOT_OPEN {word} no such record is open on this connection"
        assert ask(running, "GET_STATUS 1-4") == "PENDING 1-4"
        holder.done("1-2")
        holder.done(2, 7)
        for word in ("2", "7"):
            assert holder.read().decode() == f"ERR NOT_OPEN {word} no such record is open on this connection"
        wait_processed(running, [1, 2])
        assert ask(running, "GET_STATUS 1-4") == "PENDING 3-4"


def test_a_record_that_fails_stands_among_the_dead_letters_with_the_reason(running):
    store(running, 1, 3, keys=1)
    with join(running) as subscriber:
        assert numbers_of(subscriber.take(3)) == [1, 2, 3]
        subscriber.send("FAIL 2 no such customer")
        subscriber.done(1, 3)
        assert subscriber.finish() == []
    assert ask(running, "GET_STATUS 1-3") == "PENDING 2"
    assert "state=dead_lettered" in ask(running, "GET_RECEIPT 2")
    assert [line.split(b"|")[0] for line in running.tail("orders.dlq")] == [b"2"]
    with join(running) as subscriber:
        assert subscriber.nothing_comes()


def test_members_of_one_group_may_name_different_topics(running):
    assert running.run("send", "invoices", "--data", running.data, stdin="one\n").returncode == 0
    store(running, 1, 1)
    with join(running) as orders, join(running, topic="invoices") as invoices:
        assert orders.next().seq == "1"
        record = invoices.next()
        assert record.body == b"one"
        orders.send("DONE 0:5")
        assert orders.read().startswith(b"ERR NOT_OPEN")
        invoices.done(record.seq)
        assert invoices.finish() == []
        orders.done(1)
        assert orders.finish() == []


def test_a_window_of_one_gives_one_after_the_other(running):
    store(running, 1, 20, keys=1)
    with join(running, "GROUP billing WINDOW 1") as subscriber:
        for number in range(1, 21):
            assert subscriber.next().seq == str(number)
            if number < 4:
                assert subscriber.nothing_comes(0.05)
            subscriber.done(number)
    wait_processed(running, [20])


def test_a_retried_record_comes_before_later_ones_of_its_key(running):
    store(running, 1, 1, keys=1)
    with join(running, "GROUP billing WINDOW 2") as subscriber:
        assert subscriber.next().seq == "1"
        began = time.monotonic()
        subscriber.send("RETRY 1 700ms")
        store(running, 2, 2, keys=1)
        assert numbers_of(subscriber.take(2)) == [1, 2]
        assert time.monotonic() - began > 0.6
        subscriber.done("1-2")
        assert subscriber.next().seq == "3"


def test_records_go_back_when_a_lease_is_over_and_the_connection_stays(waybill):
    configure(waybill, lease="1s")
    waybill.start()
    store(waybill, 1, 3, keys=1)
    with join(waybill) as slow:
        assert numbers_of(slow.take(3)) == [1, 2, 3]
        for _ in range(4):  # any line is a sign of life
            time.sleep(0.4)
            slow.send("DONE 99")
            assert slow.read().startswith(b"ERR NOT_OPEN 99")
        slow.done(1)
        waybill.wait_log('msg="a lease is over" group=billing records=2')
        with join(waybill) as other:
            assert numbers_of(other.take(2)) == [2, 3]
            slow.done(2)
            assert slow.read().decode() == "ERR NOT_OPEN 2 no such record is open on this connection"
            other.done("2-3")
            wait_processed(waybill, [1, 2, 3])


def test_a_member_that_never_reads_does_not_stop_another_group(running):
    with running.produce() as producer:
        producer.store(*[f"k{i % 50}|1|{i}|{10000 * 'x'}" for i in range(1, 1001)])
    stalled = [join(running, f"GROUP stalled-{i}") for i in range(20)]
    try:
        with join(running) as subscriber:
            for _ in range(10):
                subscriber.done(*numbers_of(subscriber.take(100)))
            assert subscriber.finish() == []
        wait_processed(running, [])
        assert running.memory_kib() < CEILING_KIB
    finally:
        for each in stalled:
            each.close()


def test_tail_in_a_group_does_not_print_twice(running):
    store(running, 1, 30, keys=1)
    first = running.run("tail", "orders", "--group", "readers", "--limit", "10", "--data", running.data)
    second = running.run("tail", "orders", "--group", "readers", "--limit", "20", "--data", running.data)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    lines = first.stdout.splitlines() + second.stdout.splitlines()
    assert [int(line.split("|")[0]) for line in lines] == list(range(1, 31))
    result = running.run("tail", "orders", "--group", "readers", "--once", "--data", running.data)
    assert result.returncode == 2 and "--once" in result.stderr


@pytest.fixture(scope="session")
def consumers(tmp_path_factory):
    """The command lines of consumers in three languages."""
    binary = tmp_path_factory.mktemp("consumers") / "consumer"
    subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-o", binary, CONSUMERS / "consumer.c"], check=True)
    return [[binary], ["bash", CONSUMERS / "consumer.sh"], [sys.executable, CONSUMERS / "consumer.py"]]


class Said:
    """What consumers wrote down before they said DONE: an oracle outside the program."""

    def __init__(self, waybill, commands):
        self.waybill = waybill
        self.commands = commands
        self.paths = [waybill.folder / f"said-{i}" for i in range(len(commands))]
        self.running = []

    def start(self):
        for command, path in zip(self.commands, self.paths):
            with open(path, "ab") as file:
                self.running.append(subprocess.Popen([*command, str(self.waybill.port("subscribe")), "orders", "billing"],
                                                     stdout=file, stderr=subprocess.DEVNULL))

    def stop(self):
        for process in self.running:
            process.kill()
            process.wait()
        self.running = []

    def numbers(self):
        return {int(number) for path in self.paths for number in re.findall(r"^([0-9]+)\n", path.read_text("ascii"), re.MULTILINE)}


def settle(waybill):
    """Until all that consumers said before they died is heard, and synced."""
    wait_until(lambda: waybill.metric("waybill_subscribers") == 0)
    with join(waybill) as subscriber:
        subscriber.finish()


def kill_and_examine(waybill, commands, seed, kills):
    """Kills the program, or its consumers, at random moments, and holds its answers against what the consumers wrote down."""
    print(f"WAYBILL_SEED={seed}")
    chance = random.Random(seed)
    configure(waybill)
    waybill.start()
    said = Said(waybill, commands)
    stored, processed = 0, set()
    try:
        for _ in range(kills):
            said.start()
            for _ in range(chance.randrange(1, 4)):
                store(waybill, stored + 1, 200)
                stored += 200
                time.sleep(chance.random() * 0.1)
            known = set(range(1, stored + 1)) - pending_of(waybill, stored)
            if chance.random() < 0.7:
                waybill.kill()
                said.stop()
                waybill.start()
            else:
                said.stop()
            processed |= known
            now = set(range(1, stored + 1)) - pending_of(waybill, stored)
            assert processed <= now, "what was processed is so no more"
            assert sorted(now - said.numbers()) == [], "processed, though nobody said so"
        settle(waybill)
        rest = pending_of(waybill, stored)
        with join(waybill, f"GROUP billing WINDOW {len(rest) + 10}") as last:
            assert set(numbers_of(last.take(len(rest)))) == rest
            assert last.nothing_comes()
    finally:
        said.stop()


def test_outcomes_survive_kills_with_consumers_in_three_languages(waybill, consumers):
    kill_and_examine(waybill, consumers, seed_from(os.environ.get("WAYBILL_SEED")), 8)


@pytest.mark.crash
@pytest.mark.timeout(0)
def test_outcomes_survive_as_many_kills_as_asked_for(make_waybill, consumers):
    rounds = int(os.environ.get("WAYBILL_CRASH_ROUNDS", "200"))
    seed = seed_from(os.environ.get("WAYBILL_SEED"))
    for done in range(0, rounds, 20):
        kill_and_examine(make_waybill(f"kills-from-{done}"), consumers, seed + done, min(20, rounds - done))
