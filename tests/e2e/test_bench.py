"""waybill bench: it stores what it says, and leaves nothing behind. Budget: 20 s.

SPDX-License-Identifier: Apache-2.0
"""
import json
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from waybill import free_port, wait_until

ROWS_OF_THE_TOUR = 8


def bench(waybill, *words):
    done = waybill.run("bench", *words, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def stored(waybill):
    done = waybill.run("topics", "--data", waybill.data, "--json")
    topics = (json.loads(line) for line in done.stdout.splitlines())
    return sum(part["end"] - part["start"] for topic in topics for part in topic["partitions"])


@pytest.fixture
def running(waybill):
    waybill.config["doors"] = [door for door in waybill.config["doors"] if door["serve"] in ("produce", "acks")]
    waybill.door("produce")["topic"] = "bench"
    return waybill.start()


@pytest.mark.parametrize("words", [["--window", "1"], ["--connections", "8", "--window", "1"], [], ["--plain"],
                                   ["--connections", "3", "--window", "7", "--size", "1KiB"]])
def test_every_line_it_counts_is_stored(running, words):
    result, = bench(running, "produce", "--address", running.address("produce"), "--count", "1000", *words)
    assert (result["count"], result["refused"]) == (1000, 0)
    assert stored(running) == 1000


def test_numbers_it_asks_for_are_found_and_others_are_not(running):
    bench(running, "produce", "--address", running.address("produce"), "--count", "1000")
    words = ["acks", "--address", running.address("acks"), "--time", "100ms"]
    assert bench(running, *words, "--count", "1000")[0]["refused"] == 0
    absent, = bench(running, *words, "--count", "1000", "--depth", "1", "--first-seq", "1000001001")
    assert absent["count"] == absent["refused"] > 0


def test_tail_counts_every_line(running):
    bench(running, "produce", "--address", running.address("produce"), "--count", "1000")
    assert bench(running, "tail", "bench", "--data", str(running.data))[0]["count"] == 1000


def test_statuses_it_asks_for_are_told_apart(subscribed):
    bench(subscribed, "produce", "--address", subscribed.address("produce"), "--count", "1000")
    words = ["status", "--address", subscribed.address("status"), "--time", "100ms", "--count", "1000"]
    before, = bench(subscribed, *words)
    assert before["count"] == before["refused"] > 0
    bench(subscribed, "subscribe", "bench", "--address", subscribed.address("subscribe"), "--group", "g", "--count", "1000")
    assert bench(subscribed, *words, "--depth", "1")[0]["refused"] == 0


@pytest.fixture
def subscribed(waybill):
    waybill.add_door("subscribe", "subscribe")
    waybill.add_door("status", "status")
    waybill.door("produce")["topic"] = "bench"
    return waybill.start()


def test_subscribers_count_every_line_and_members_of_groups_are_done_with_all(subscribed):
    bench(subscribed, "produce", "--address", subscribed.address("produce"), "--count", "1000")
    words = ["subscribe", "bench", "--address", subscribed.address("subscribe")]
    assert bench(subscribed, *words, "--count", "1000")[0]["count"] == 1000
    assert bench(subscribed, *words, "--group", "g", "--groups", "3", "--window", "100", "--count", "3000")[0]["count"] == 3000
    assert subscribed.metric("waybill_records_settled_total") == 3000
    with subscribed.question("status") as status:
        assert status.ask("GET_STATUS 1000000001-1000001000") == "PROCESSED"


def test_the_loop_ends_with_every_message_processed(subscribed):
    words = ["--address", subscribed.address("produce"), "--subscribe", subscribed.address("subscribe"), "--status",
             subscribed.address("status")]
    result, = bench(subscribed, "loop", "bench", *words, "--count", "20")
    assert result["count"] == result["latency_ns"]["samples"] == 20
    with subscribed.question("status") as status:
        assert status.ask("GET_STATUS 1000000001-1000000021") == "PROCESSED"


def test_slow_sender_is_measured_alone_and_beside_a_flood(running):
    alone, beside, flood = bench(running, "flood", "--address", running.address("produce"), "--time", "200ms", "--plain")
    assert alone["latency_ns"]["samples"] == alone["count"] > 0
    assert beside["count"] > 0
    assert stored(running) == alone["count"] + beside["count"] + flood["count"]


@pytest.fixture
def folder():
    """One with a short name: a control socket's is bounded."""
    with tempfile.TemporaryDirectory(prefix="waybill-") as name:
        yield Path(name)


def test_without_a_verb_it_measures_a_server_of_its_own_and_removes_it(waybill, folder):
    results = bench(waybill, str(folder), "--time", "100ms")
    assert len(results) == ROWS_OF_THE_TOUR
    assert all(result["count"] > 0 for result in results)
    assert not list(folder.iterdir())


def test_server_that_does_not_start_is_reported_in_its_own_words(waybill, folder):
    deep = folder / ("deep" * 30)
    deep.mkdir()
    done = waybill.run("bench", str(deep))
    assert done.returncode == 1
    assert "unix socket" in done.stderr
    assert not list(deep.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_removes_its_files(waybill, folder, number):
    with subprocess.Popen([str(waybill.binary), "bench", str(folder), "--time", "60s"],
                          stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: list(folder.glob("*/data/waybill.sock")))
        process.send_signal(number)
        process.wait(20)
    assert not list(folder.iterdir())


def test_where_nobody_listens_it_says_what_to_do(waybill):
    done = waybill.run("bench", "produce", "--address", f"127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "waybill serve" in done.stderr


@pytest.mark.parametrize("words", [["--window", "0"], ["--size", "100"], ["--time", "2h"], ["one", "two"], ["--nonsense"]])
def test_wrong_words_are_refused(waybill, words):
    assert waybill.run("bench", "produce", *words).returncode == 2
