"""SIGKILL under load, again and again: nothing acknowledged is lost. Budget: 40 s.

SPDX-License-Identifier: Apache-2.0

WAYBILL_SEED repeats a run as far as the machine lets it; WAYBILL_CRASH_ROUNDS kills happen in the long form.
"""
import os
import random
import time

import pytest

from journal_reader import read_journal
from ledger import PARTITIONS, Ledger, seed_from

KILLS = 40
KILLS_OF_ONE_FOLDER = 30


def kill_and_examine(waybill, seed, kills):
    """Kills a loaded program at random moments, and examines it after each restart."""
    print(f"WAYBILL_SEED={seed}")
    chance = random.Random(seed)
    Ledger.configure(waybill)
    # Small segments, so that kills hit their beginnings and ends too.
    waybill.config.update(log={"segment_size": "1MiB", "size_max": "1GiB"},
                          limits={"append": "256KiB", "record": "64KiB"})
    waybill.door("produce")["max_line"] = "64KiB"
    waybill.start()
    with Ledger(waybill, seed) as ledger:
        for _ in range(kills):
            ledger.go_on()
            ledger.wait_acknowledged(chance.choice([1, 30, 300, 1500]))
            waybill.kill()
            ledger.pause()
            if chance.random() < 0.3:
                kill_while_it_recovers(waybill, chance)
            waybill.start()
            found = ledger.examine()
        compare_with_files(waybill, found)
        assert 'level=error' not in waybill.log(is_all=True)


def kill_while_it_recovers(waybill, chance):
    waybill.start(wait=False)
    time.sleep(chance.random() * 0.2)  # any moment will do
    waybill.kill()


def compare_with_files(waybill, found):
    """What the program's readers gave is what stands in its files."""
    result = waybill.run("journal", "verify", waybill.data, seconds=60)
    assert result.returncode == 0, result.stdout + result.stderr
    waybill.stop()
    records = read_journal(waybill.data)
    assert sum(len(part) for topic in PARTITIONS for part in records[topic].values()) == sum(found.values())
    for topic in PARTITIONS:
        for part in records[topic].values():
            assert [record.offset for record in part] == list(range(len(part)))


def test_nothing_acknowledged_is_lost_over_many_kills(waybill):
    kill_and_examine(waybill, seed_from(os.environ.get("WAYBILL_SEED")), KILLS)


@pytest.mark.crash
@pytest.mark.timeout(0)
def test_nothing_acknowledged_is_lost_over_as_many_kills_as_asked_for(make_waybill):
    rounds = int(os.environ.get("WAYBILL_CRASH_ROUNDS", "200"))
    seed = seed_from(os.environ.get("WAYBILL_SEED"))
    for done in range(0, rounds, KILLS_OF_ONE_FOLDER):
        waybill = make_waybill(f"kills-from-{done}")
        kill_and_examine(waybill, seed + done, min(KILLS_OF_ONE_FOLDER, rounds - done))
