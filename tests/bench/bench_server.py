"""The program under load: its configuration for the figures, its generator, its metrics, its starts.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from process_sample import ProcessSample
from waybill import Waybill, wait_until

MIB = 1024 * 1024
GIB = 1024 * MIB
READY_SECONDS = 60
SPREAD_TOPICS = 64
SHUFFLED_TOGETHER = 500_000  # half of what a group may settle above its first open record
SPREAD_FIELDS = "topic|key|timestamp|seq|body"
FIRST_SEQ = 1_000_000_001  # the generator's first number


class LoadFailed(Exception):
    """The generator ended badly; its own words say why."""


def run_generator(binary, *words):
    """One run of `waybill bench`; gives back its results, a dictionary each."""
    command = [str(binary), "bench", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LoadFailed(f"{' '.join(command[1:])}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Load:
    """What came of one load: the generator's result beside what the server used meanwhile."""

    def __init__(self, results, sample, metrics):
        self.results = results
        self.result = results[0]
        self.sample = sample
        self.metrics = metrics  # name: how much it grew

    @property
    def rate(self):
        return self.result["count"] * 1e9 / max(self.result["took_ns"], 1)

    @property
    def bytes_rate(self):
        return self.result["bytes"] * 1e9 / max(self.result["took_ns"], 1)

    def latency_us(self, name):
        return self.result["latency_ns"][name] / 1000

    def cpu_per_million(self):
        return self.sample.cpu * 1e6 / max(self.result["count"], 1)

    def written_per_stored(self):
        stored = self.metrics.get("waybill_stored_bytes_total", 0)
        return self.metrics.get("waybill_journal_written_bytes_total", 0) / stored if stored else None

    def shares(self):
        """How busy each part was, of one core or of the time: loop, writer, disk, loader, others."""
        seconds = max(self.sample.seconds, 0.001)
        shares = {name: used / seconds for name, used in self.sample.threads.items()}
        shares["disk"] = self.metrics.get("waybill_journal_sync_nanoseconds_total", 0) / 1e9 / seconds
        loader = sum(result["cpu_ns"] for result in self.results) / 1e9
        shares["loader"] = loader / seconds
        shares["others"] = max(self.sample.others - loader, 0) / seconds
        return shares


class BenchServer(Waybill):
    """One topic `bench` behind the door `produce`; topics named by the lines, 4 partitions each, behind `spread`.

    The door `narrow` takes the very lines of `spread`, but all into `bench`: what topics cost shows between these two.
    """

    def __init__(self, folder, binary, log_size_max="1GiB", retention=None):
        super().__init__(folder, binary, config={})
        self.processed = self.folder / "processed.log"
        self.config = {
            "data": str(self.data),
            "log": {"size_max": log_size_max},
            "topics": {"defaults": {"partitions": 4, "retention": retention or {"size": "0", "age": "0"}},
                       "bench": {"partitions": 1, "retention": retention or {"size": "0", "age": "0"}}},
            "doors": [
                {"kind": "line", "serve": "produce", "listen": self.address("produce"), "topic": "bench"},
                {"kind": "line", "serve": "produce", "listen": self.address("spread"), "topic": "{topic}",
                 "fields": SPREAD_FIELDS},
                {"kind": "line", "serve": "produce", "listen": self.address("narrow"), "topic": "bench",
                 "fields": SPREAD_FIELDS},
                {"kind": "line", "serve": "subscribe", "listen": self.address("subscribe")},
                {"kind": "line", "serve": "acks", "listen": self.address("acks")},
                {"kind": "line", "serve": "status", "listen": self.address("status"),
                 "processed_log": str(self.processed)},
            ],
        }
        self.next_seq = FIRST_SEQ

    def _find_pid(self, seconds):
        """A control group's wrapper becomes the program instead of starting it."""
        pid = self.process.pid
        wait_until(lambda: os.path.samefile(f"/proc/{pid}/exe", self.binary), seconds, "the program in its group")
        return pid

    def metrics(self):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(20)
            control.connect(str(self.data / "waybill.sock"))
            control.sendall(b'{"op":"metrics"}\n')
            with control.makefile("rb") as lines:
                return json.loads(lines.readline())["metrics"]

    def load(self, *words):
        """Runs the generator with these words and watches the server meanwhile."""
        before = self.metrics()
        with ProcessSample(self.pid) as sample:
            results = run_generator(self.binary, *words)
        after = self.metrics()
        return Load(results, sample, {name: value - before.get(name, 0) for name, value in after.items()})

    def produce(self, *words, spread=False, verb="produce", door="produce"):
        """A load of lines with the next free numbers, to one topic or to all of them with random keys.

        `spread` is True, or the name of the door that takes lines which name their topic.
        """
        words = [verb, *words, "--first-seq", self.next_seq]
        if spread:
            door = "spread" if spread is True else spread
            words += ["--address", self.address(door), "--fields", SPREAD_FIELDS, "--topics", SPREAD_TOPICS,
                      "--keys", 0]
        else:
            words += ["--address", self.address(door)]
        load = self.load(*words)
        self.next_seq += sum(result["count"] for result in load.results)
        return load

    def acks(self, *words, door="acks"):
        return self.load("acks", "--address", self.address(door), "--count", self.next_seq - FIRST_SEQ, *words)

    def status(self, *words):
        return self.load("status", "--address", self.address("status"), "--count", self.next_seq - FIRST_SEQ, *words)

    def mark_processed(self, first, count, seconds=1800):
        """Says in the processed log that these numbers are done, in random order within what a group may hold open."""
        before = self.metrics()["waybill_processed_log_lines_total"]
        chance = random.Random(first)
        with open(self.processed, "a", encoding="ascii") as file:
            for start in range(first, first + count, SHUFFLED_TOGETHER):
                numbers = list(range(start, min(start + SHUFFLED_TOGETHER, first + count)))
                chance.shuffle(numbers)
                file.write("".join(f"{number}\n" for number in numbers))
        began = time.monotonic()

        def is_read():
            metrics = self.metrics()
            is_whole = metrics["waybill_processed_log_lines_total"] - before == count
            return is_whole and metrics["waybill_processed_log_behind_bytes"] == 0

        wait_until(is_read, seconds, "the processed log read")
        return count / (time.monotonic() - began)

    def tail(self, topic, *words):
        return self.load("tail", topic, "--data", self.data, *words)

    def timed_start(self):
        """Starts the program; seconds until a sender is greeted, which is when it takes messages."""
        started = time.monotonic()
        self.start(wait=False)
        deadline = started + READY_SECONDS
        while True:
            try:
                with self.connect("produce", READY_SECONDS) as door, door.makefile("rb") as answers:
                    door.sendall(b"HELLO 1\n")
                    if answers.readline().startswith(b"READY"):
                        return time.monotonic() - started
            except OSError:
                pass
            if time.monotonic() > deadline or not self.is_running:
                raise TimeoutError(f"not ready after {READY_SECONDS} s\n{self.log_end()}")
            time.sleep(0.001)


class ServerFolder:
    """with ServerFolder(parent, binary, ...) as server: a server on a folder that is removed, come what may."""

    def __init__(self, parent, binary, **settings):
        self.path = Path(tempfile.mkdtemp(prefix="waybill-bench-", dir=parent))
        self.server = BenchServer(self.path, binary, **settings)

    def __enter__(self):
        return self.server

    def __exit__(self, *exception):
        try:
            if self.server.process is not None:
                self.server.process.kill()
                self.server.process.wait()
        finally:
            shutil.rmtree(self.path, ignore_errors=True)
