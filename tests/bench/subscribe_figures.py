"""The figures of subscribers: plain streams, groups, and the whole loop of a message.

SPDX-License-Identifier: Apache-2.0
"""
import threading
import time

from bench_server import run_generator
from report import Row, fill_costs, short_count, short_time

WINDOW = 1_000_000


class Beside:
    """Another run of the generator at the same time; `result` is there when the block has ended."""

    def __init__(self, server, *words):
        self.server = server
        self.words = words
        self.result = None
        self.error = None

    def __enter__(self):
        before = self.server.metrics()["waybill_subscribers"]
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        deadline = time.monotonic() + 20
        while self.server.metrics()["waybill_subscribers"] == before and self.thread.is_alive():
            assert time.monotonic() < deadline, "no subscriber came"
            time.sleep(0.01)
        return self

    def _run(self):
        try:
            self.result = run_generator(self.server.binary, *self.words)[0]
        except Exception as error:  # told by the one who waits
            self.error = error

    def __exit__(self, *_):
        self.thread.join()
        if self.error:
            raise self.error


def subscribe_words(server, *words):
    return ["subscribe", "bench", "--address", server.address("subscribe"), *words]


def many_readers(plan):
    """One plain subscriber from the start, one group, ten groups."""
    count = 2_000_000 if plan.is_quick else 10_000_000
    with plan.server(log_size_max="20GiB") as server:
        server.start()
        server.produce("--count", count, "--time", "300s")
        whole = ["--count", count, "--time", "120s"]
        server.load(*subscribe_words(server, *whole))  # warms the page cache
        alone = server.load(*subscribe_words(server, *whole))
        yield fill_costs(Row("one subscriber from the start", f"{short_count(alone.rate)} lines/s", ">= 3 million lines/s",
                             alone.rate >= 3e6), alone)
        group = server.load(*subscribe_words(server, "--group", "one", "--window", WINDOW, *whole))
        yield fill_costs(Row("one member of a group, DONE of all synced", f"{short_count(group.rate)} lines/s"), group)
        ten = server.load(*subscribe_words(server, "--group", "ten", "--groups", 10, "--window", WINDOW, "--count", 10 * count,
                                           "--time", "120s"))
        ratio = ten.rate / alone.rate
        yield fill_costs(Row("ten groups on one topic, in sum", f"{short_count(ten.rate)} lines/s = {ratio:.2f} x one subscriber",
                             ">= 0.5 x one subscriber", ratio >= 0.5), ten)


def beside_producers(plan):
    """What a subscriber at the tail costs those who produce."""
    for name, words in (("64 senders, 1 line open each", ["--connections", 64, "--window", 1]),
                        ("window 10,000", ["--window", 10000])):
        with plan.recycling_server() as server:
            server.start()
            server.produce("--count", 1_000_000, "--time", "60s")
            words = [*words, "--size", "100B", "--time", f"{plan.seconds}s"]
            alone = server.produce(*words)
            with Beside(server, *subscribe_words(server, "--from-end", "--time", f"{plan.seconds + 2}s")) as reader:
                beside = server.produce(*words)
            ratio = beside.rate / alone.rate
            yield fill_costs(Row(f"a subscriber at the tail; {name}", f"{short_count(beside.rate)} lines/s = {ratio:.2f} x without",
                                 ">= 0.85 x without", ratio >= 0.85,
                                 notes=[f"without: {short_count(alone.rate)} lines/s; the subscriber read "
                                        f"{reader.result['count'] / max(beside.result['count'], 1):.2f} of them"]), beside)


def whole_loop(plan):
    """A message from its line to PROCESSED, one after the other, and all three parts at once."""
    with plan.recycling_server() as server:
        server.start()
        server.produce("--count", 1_000_000, "--time", "60s")
        floor = plan.floor()["latency_ns"]
        loop = server.produce("bench", "--subscribe", server.address("subscribe"), "--status", server.address("status"),
                              "--time", f"{plan.seconds}s", verb="loop")
        ratio = loop.result["latency_ns"]["p50"] / floor["p50"]
        yield fill_costs(Row("one message: produced, subscribed, DONE, known as processed",
                             f"{short_time(loop.result['latency_ns']['p50'])} = {ratio:.2f} x one sync", "<= 2.5 x one sync",
                             ratio <= 2.5, notes=[f"one write and sync just before: {short_time(floor['p50'])}"]), loop)
        server.next_seq += 1  # the first round is not counted
        count = 3_000_000 if plan.is_quick else 20_000_000
        words = subscribe_words(server, "--from-end", "--group", "all", "--window", WINDOW, "--count", count, "--time", "300s")
        with Beside(server, *words) as reader:
            load = server.produce("--count", count, "--time", "300s")
        rate = reader.result["count"] * 1e9 / reader.result["took_ns"]
        yield fill_costs(Row("produced, subscribed and DONE of every message at once", f"{short_count(rate)} messages/s",
                             ">= 1 million messages/s", rate >= 1e6), load)


SUBSCRIBE_FIGURES = {"subscribe": many_readers, "beside": beside_producers, "loop": whole_loop}
