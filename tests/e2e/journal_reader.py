"""Reads the records of a data directory from its files, by docs/formats/journal.md and a Kafka client library alone.

SPDX-License-Identifier: Apache-2.0

It trusts the batches' own checksums and the order of the frames, not the checksums of the frames: the program's own
verification is tested elsewhere.
"""
import struct
from collections import defaultdict
from pathlib import Path

from kafka.record.memory_records import MemoryRecords

SEGMENT_HEADER = struct.Struct("<8sII8sQQQQI")
FRAME = struct.Struct("<IIBBHIQ")
BATCH_AT = FRAME.size + 24  # of a BATCH frame: where the record batch begins
FRAMES_AT = 4096
BATCH, TOPIC, CHECKPOINT = 2, 3, 7
CHECKPOINT_TOPIC = 2


def read_journal(data):
    """{topic: {partition: [record in the order of offsets]}} of a program at rest."""
    names, batches = {}, []
    for path in sorted(Path(data, "journal").glob("*.segment")):
        for kind, frame in frames_of(path):
            if kind == TOPIC:
                _note_topic(names, frame[FRAME.size:])
            elif kind == CHECKPOINT:
                _note_checkpoint(names, frame[FRAME.size:])
            elif kind == BATCH:
                batches.append(frame)
    records = defaultdict(lambda: defaultdict(list))
    for frame in batches:
        topic, partition = struct.unpack_from("<II", frame, FRAME.size)
        batch = MemoryRecords(frame[BATCH_AT:]).next_batch()
        assert batch.validate_crc()
        records[names[topic]][partition] += list(batch)
    return records


def frames_of(path):
    """(kind, bytes without the pad) of each frame of a segment, up to its end."""
    content = path.read_bytes()
    magic, version, _, _, _, number, _, lsn, incarnation = SEGMENT_HEADER.unpack_from(content)
    if magic != b"WAYBILL\n" or number != int(path.stem):
        return  # it has not begun
    assert version == 1
    at = FRAMES_AT
    while at + FRAME.size <= len(content):
        _, length, kind, _, _, lived, found, = FRAME.unpack_from(content, at)
        if length < FRAME.size or at + length > len(content) or found != lsn or lived < incarnation:
            return
        yield kind, content[at:at + length]
        incarnation, lsn = lived, lsn + 1
        at += (length + 7) // 8 * 8


def headers_of(record):
    return {name: value.decode() for name, value in record.headers}


def _note_topic(names, body):
    names[struct.unpack_from("<I", body)[0]] = body[16:].decode()


def _note_checkpoint(names, body):
    at = 0
    while at + 8 <= len(body):
        kind, length = struct.unpack_from("<B3xI", body, at)
        if kind == CHECKPOINT_TOPIC:
            _note_topic(names, body[at + 8:at + 8 + length])
        at += 8 + length
