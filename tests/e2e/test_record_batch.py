"""Record batches of ours, read by a real Kafka client library, and theirs read by us. Budget: 5 s.

SPDX-License-Identifier: Apache-2.0
"""
import os
import pathlib
import subprocess

import pytest
from kafka.record.memory_records import MemoryRecords

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests/vectors/record_batch"
BUILD = (ROOT / os.environ.get("WAYBILL_BINARY", "build/waybill")).parent
PROGRAM = BUILD / "tests/vectors/record_batch_text"
TIME = 1795334400123


def run(*arguments, data):
    return subprocess.run([PROGRAM, *arguments], input=data, stdout=subprocess.PIPE, check=True, timeout=30).stdout


def word(data):
    return "-" if data is None else "x" + data.hex()


def as_text(batch_bytes):
    """What kafka-python reads in the batch, in the form of tests/support/record_text.h."""
    batch = MemoryRecords(batch_bytes).next_batch()
    assert batch.validate_crc()
    lines = [" ".join([str(r.timestamp), word(r.key), word(r.value)]
                      + [f"{word(name.encode())}={word(value)}" for name, value in r.headers]) + "\n" for r in batch]
    return "".join(lines)


@pytest.mark.parametrize("name", sorted(path.stem for path in VECTORS.glob("*.txt")))
def test_a_client_library_reads_what_we_encode(name):
    lines = (VECTORS / f"{name}.txt").read_text().splitlines()
    ours_have_one_time = "".join(" ".join([str(TIME), *line.split()[1:]]) + "\n" for line in lines)
    batch = run("encode", str(TIME), data=ours_have_one_time.encode())
    assert as_text(batch) == ours_have_one_time


def test_a_client_library_counts_our_offsets_up():
    batch = run("encode", str(TIME), data=b"".join(b"%d - x%02x\n" % (TIME, i) for i in range(200)))
    assert [record.offset for record in MemoryRecords(batch).next_batch()] == list(range(200))


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.bin")), ids=lambda path: path.stem)
def test_we_read_what_a_client_library_encoded(path):
    expected = (VECTORS / (path.stem.split(".")[-1] + ".txt")).read_text()
    assert run("decode", data=path.read_bytes()).decode() == expected
