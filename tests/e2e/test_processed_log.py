"""Files that consumers append to, as docs/protocols/line.md describes processed_log. Budget: 40 s.

SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import subprocess

import pytest

from waybill import wait_until

COUNT = 2000


@pytest.fixture
def follower(waybill):
    """A program that has stored 1..COUNT over three partitions and follows processed.log, which is not there yet."""
    waybill.processed = waybill.folder / "processed.log"
    waybill.add_door("status", "status", processed_log=str(waybill.processed))
    waybill.config["topics"] = {"orders": {"partitions": 3}}
    waybill.door("produce")["topic"] = "orders"
    waybill.start()
    with waybill.produce() as producer:
        producer.store(*(f"key{number % 7}|1|{number}|x" for number in range(1, COUNT + 1)))
    return waybill


def append(waybill, text, path=None):
    with open(path or waybill.processed, "a", encoding="utf-8") as file:
        file.write(text)


def mark(waybill, *numbers, path=None):
    append(waybill, "".join(f"{number}|key|1|x|2\n" for number in numbers), path)


def pending(waybill, first, last):
    """The numbers of a range that are not processed."""
    with waybill.question("status") as client:
        answer = client.ask(f"GET_STATUS {first}-{last}")
    assert not answer.startswith("ERR")
    runs = [] if answer == "PROCESSED" else [run.split("-") for run in answer.split()[1].split(",")]
    return {number for run in runs for number in range(int(run[0]), int(run[-1]) + 1)}


def wait_processed(waybill, first, last=None):
    last = last or first
    wait_until(lambda: not pending(waybill, first, last), what=f"processed {first}-{last}")


def wait_read(waybill):
    """All that is in the file has had its effect, but for a torn last line."""
    def is_read():
        text = waybill.processed.read_bytes() if waybill.processed.exists() else b""
        return waybill.metric("waybill_processed_log_behind_bytes") <= len(text) - (text.rfind(b"\n") + 1)
    wait_until(is_read, what="the file read")


def test_lines_in_any_order_are_done_and_others_stay_pending(follower):
    numbers = list(range(1, COUNT + 1, 2))
    random.Random(7).shuffle(numbers)
    mark(follower, *numbers)
    wait_until(lambda: pending(follower, 1, COUNT) == set(range(2, COUNT + 1, 2)), what="every second one done")
    assert follower.metric("waybill_processed_log_lines_total") == len(numbers)


def test_a_torn_last_line_counts_once_it_ends(follower):
    mark(follower, 1)
    append(follower, "123")
    wait_processed(follower, 1)
    wait_read(follower)
    assert pending(follower, 12, 123) == set(range(12, 124))
    append(follower, "4|key|1|x\n")
    wait_processed(follower, 1234)
    assert 123 in pending(follower, 1, 200)


def test_a_torn_last_line_stays_torn_over_sigkill(follower):
    append(follower, "5\n12")
    wait_processed(follower, 5)
    follower.kill()
    append(follower, "3|x\n")
    follower.start()
    wait_processed(follower, 123)
    assert 12 in pending(follower, 1, 200)


def test_numbers_that_were_never_stored_are_counted_and_hold_up_nothing(follower):
    append(follower, f"{COUNT + 1}\nwhat\n|\n0\n{COUNT + 2}|x\n7\n")
    wait_processed(follower, 7)
    wait_until(lambda: follower.metric("waybill_processed_log_unknown_total") == 2, what="both given up")
    assert follower.metric("waybill_processed_log_refused_total") == 3
    follower.wait_log("msg=\"processed log names a message that is not stored\"")


def test_a_number_that_is_stored_a_moment_later_is_done(follower):
    mark(follower, COUNT + 1)
    wait_until(lambda: follower.metric("waybill_processed_log_lines_total") == 1, what="the line read")
    with follower.produce() as producer:
        producer.store(f"key|1|{COUNT + 1}|x")
    wait_processed(follower, COUNT + 1)
    assert follower.metric("waybill_processed_log_unknown_total") == 0


def test_a_rotated_file_is_read_to_its_end_then_the_next(follower):
    mark(follower, *range(1, 101))
    wait_processed(follower, 1, 100)
    with open(follower.processed, "a", encoding="utf-8") as writer:  # holds on to the file under its new name
        os.rename(follower.processed, follower.folder / "processed.log.1")
        writer.write("101\n102\n")
        writer.flush()
        mark(follower, 103)
        wait_processed(follower, 101, 103)
        writer.write("104\n")
        writer.flush()
        wait_processed(follower, 104)


def test_logrotate_s_copytruncate_is_followed(follower):
    for first in range(1, 301, 100):
        mark(follower, *range(first, first + 100))
        wait_processed(follower, first, first + 99)
        wait_read(follower)
        subprocess.run(["cp", follower.processed, follower.folder / "processed.log.1"], check=True)
        os.truncate(follower.processed, 0)
    mark(follower, *range(301, 700))  # more than was there before
    wait_processed(follower, 301, 699)


def test_a_removed_or_replaced_file_is_begun_anew(follower):
    mark(follower, 1, 2)
    wait_processed(follower, 1, 2)
    follower.processed.unlink()
    mark(follower, 3)
    wait_processed(follower, 3)
    other = follower.folder / "other"
    mark(follower, 4, 5, path=other)
    os.replace(other, follower.processed)
    wait_processed(follower, 4, 5)
    wait_until(lambda: pending(follower, 1, 6) == {6}, what="1 to 5")


def test_what_happened_to_the_file_while_the_program_was_down_is_made_up_for(follower):
    mark(follower, 1, 2)
    wait_processed(follower, 1, 2)
    follower.kill()
    mark(follower, 3)
    os.rename(follower.processed, follower.folder / "processed.log.1")
    mark(follower, 4)
    follower.start()
    wait_processed(follower, 3, 4)
    follower.kill()
    follower.processed.unlink()
    (follower.folder / "processed.log.1").unlink()
    mark(follower, 5)
    follower.start()
    wait_processed(follower, 5)
    assert pending(follower, 1, 6) == {6}


def test_a_pipe_in_the_place_of_the_file_stops_nobody(follower):
    os.mkfifo(follower.processed)
    follower.wait_log("msg=\"processed log cannot be read\".*err=NOT_SUPPORTED")
    follower.processed.unlink()
    mark(follower, 1)
    wait_processed(follower, 1)


def test_sigkill_between_any_two_lines_loses_none_and_invents_none(follower):
    chance = random.Random(11)
    numbers = list(range(1, COUNT + 1))
    chance.shuffle(numbers)
    written = []
    rotations = 0
    for _ in range(8):
        for _ in range(chance.randrange(1, 5)):
            some, numbers = numbers[:chance.randrange(1, 60)], numbers[chance.randrange(1, 60):]
            written += some
            mark(follower, *some)
        if chance.random() < 0.4:
            wait_until(lambda: not pending(follower, 1, COUNT) & set(written), what="all before the rotation")
            rotations += 1
            os.rename(follower.processed, follower.folder / f"processed.log.{rotations}")
        follower.kill()
        follower.start()
    wait_until(lambda: not pending(follower, 1, COUNT) & set(written), what="all that was written")
    assert pending(follower, 1, COUNT) == set(range(1, COUNT + 1)) - set(written)


def test_a_line_as_long_as_a_message_counts(follower):
    append(follower, "9|key|1|" + 3_000_000 * "x")
    mark_after = "|end\n10\n"
    append(follower, mark_after)
    wait_processed(follower, 9, 10)


def test_a_large_file_is_read_beside_the_questions_of_others(follower):
    numbers = [number for _ in range(100) for number in range(1, COUNT + 1)]
    mark(follower, *numbers)
    with follower.question("status") as client:
        asked = 0
        while client.ask(f"GET_STATUS {COUNT}") != "PROCESSED":
            asked += 1
    wait_until(lambda: follower.metric("waybill_processed_log_lines_total") == len(numbers), what="all lines")
    assert not pending(follower, 1, COUNT)


def test_a_group_may_be_named_and_one_file_be_shared_by_the_twins_of_a_door(waybill):
    waybill.processed = waybill.folder / "processed.log"
    for name in ("status", "twin"):
        waybill.add_door(name, "status", processed_log=str(waybill.processed), group="billing")
    waybill.start()
    with waybill.produce() as producer:
        producer.store("a|1|1|x")
    mark(waybill, 1)
    wait_processed(waybill, 1)
    for door in ("status", "twin"):
        with waybill.question(door) as client:
            assert " group.billing=done " in client.ask("GET_RECEIPT 1")
    assert waybill.metric("waybill_processed_log_lines_total") == 1


def test_a_file_whose_folder_is_missing_refuses_the_start(waybill):
    waybill.add_door("status", "status", processed_log=str(waybill.folder / "nowhere" / "processed.log"))
    waybill.start(wait=False)
    assert waybill.wait_exit() == 2
    assert "nowhere/processed.log" in waybill.log()
