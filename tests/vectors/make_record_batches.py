#!/usr/bin/env python3
"""Writes record batches as real Kafka client libraries encode them, for the decoder's tests.

Run by hand, not by the tests; the files it writes stay in the tree. It uses what it finds:
python3-kafka (apt) or kafka-python and aiokafka (pip), and kafkajs (npm, in the current directory).

    tests/vectors/make_record_batches.py            # with each python that has one of the libraries
"""
# SPDX-License-Identifier: Apache-2.0
import base64
import json
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).parent / "record_batch"
TIME = 1795334400123

# name: records of (timestamp, key, value, headers)
BATCHES = {
    "one": [(TIME, b"key", b"value", [])],
    "nulls": [(TIME, None, b"value", []), (TIME, b"key", None, []), (TIME, None, None, [])],
    "empty": [(TIME, b"", b"", [("", b"")])],
    "headers": [(TIME, b"key", b"value", [("seq", b"17"), ("timestamp", b"1795334400100"), ("a", b"\x00\xff\n")])],
    "many": [(TIME + i * 7, b"key-%d" % (i % 37), bytes([i % 256]) * (i % 300), [("i", b"%d" % i)]) for i in range(300)],
    "time_runs_back": [(TIME, b"a", b"first", []), (TIME - 5000, b"b", b"second", [])],
}


def encode_python_kafka(records):
    """kafka-python, as packaged by Debian (2.0) or from PyPI (3.0)."""
    from kafka.record.default_records import DefaultRecordBatchBuilder
    arguments = [2, 0, 0, -1, -1, -1, 1 << 20]
    try:
        builder = DefaultRecordBatchBuilder(*arguments)
    except TypeError:
        builder = DefaultRecordBatchBuilder(magic=2, compression_type=0, is_transactional=0, producer_id=-1,
                                            producer_epoch=-1, base_sequence=-1, batch_size=1 << 20)
    for offset, (time, key, value, headers) in enumerate(records):
        assert builder.append(offset, time, key, value, headers) is not None
    return bytes(builder.build())


def encode_aiokafka(records):
    from aiokafka.record.default_records import DefaultRecordBatchBuilder
    builder = DefaultRecordBatchBuilder(magic=2, compression_type=0, is_transactional=0, producer_id=-1,
                                        producer_epoch=-1, base_sequence=-1, batch_size=1 << 20)
    for offset, (time, key, value, headers) in enumerate(records):
        assert builder.append(offset, time, key, value, headers) is not None
    return bytes(builder.build())


KAFKAJS = """
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0')
const record = require('kafkajs/src/protocol/recordBatch/record/v0')
const bytes = text => text === null ? null : Buffer.from(text, 'base64')
const input = JSON.parse(require('fs').readFileSync(0))
const base = input[0].timestamp
const records = input.map((r, i) => record({ offsetDelta: i, timestampDelta: r.timestamp - base,
  key: bytes(r.key), value: bytes(r.value),
  headers: Object.fromEntries(r.headers.map(([n, v]) => [n, bytes(v)])) }))
RecordBatch({ firstTimestamp: base, maxTimestamp: Math.max(...input.map(r => r.timestamp)), records,
  lastOffsetDelta: input.length - 1 }).then(e => process.stdout.write(e.buffer))
"""


def encode_kafkajs(records):
    done = subprocess.run(["node", "-e", KAFKAJS], input=json.dumps(describe(records)).encode(),
                          stdout=subprocess.PIPE, check=True)
    return done.stdout


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def describe(records):
    return [{"timestamp": time, "key": text(key), "value": text(value), "headers": [[n, text(v)] for n, v in headers]}
            for time, key, value, headers in records]


def expected(records):
    """The form of tests/support/record_text.h: hexadecimal, "-" for null."""
    def word(data):
        return "-" if data is None else "x" + data.hex()
    lines = [" ".join([str(time), word(key), word(value)] + [f"{word(n.encode())}={word(v)}" for n, v in headers])
             for time, key, value, headers in records]
    return "".join(line + "\n" for line in lines)


def libraries():
    try:
        import kafka
        yield f"kafka-python-{kafka.__version__.split('.')[0]}", encode_python_kafka
    except ImportError:
        pass
    try:
        import aiokafka  # noqa: F401
        yield "aiokafka", encode_aiokafka
    except ImportError:
        pass
    if pathlib.Path("node_modules/kafkajs").is_dir():
        yield "kafkajs", encode_kafkajs


def main():
    FOLDER.mkdir(exist_ok=True)
    found = 0
    for library, encode in libraries():
        found += 1
        for name, records in BATCHES.items():
            (FOLDER / f"{library}.{name}.bin").write_bytes(encode(records))
            (FOLDER / f"{name}.txt").write_text(expected(records))
        print(f"{library}: {len(BATCHES)} batches")
    return 0 if found else "no Kafka library found"


if __name__ == "__main__":
    sys.exit(main())
