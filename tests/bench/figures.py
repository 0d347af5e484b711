"""The figures: each runs its loads on a server of its own, beside the disk's own rate, and gives back rows.

SPDX-License-Identifier: Apache-2.0
"""
import os
import socket
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from bench_server import FIRST_SEQ, GIB, MIB, LoadFailed, ServerFolder, run_generator
from deadletter_figures import DEADLETTER_FIGURES
from memory_group import MemoryGroup
from process_sample import ProcessSample, private_bytes
from report import Row, describe_limit, fill_costs, short_count, short_size, short_time
from subscribe_figures import SUBSCRIBE_FIGURES
from tls_figures import secured

BYTES_ENOUGH = 10_000_000_000  # a load may end before its time when it has moved so much
IDLE_MAX = 8 * MIB
LOADED_MAX = 64 * MIB
GROUP_LIMIT = 128 * MIB
RETAINED = {"size": "256MiB", "age": "0"}
STARTS = 3


@dataclass
class Plan:
    """How thoroughly to measure, and where."""
    binary: Path
    folder: Path
    is_quick: bool
    sealed_bytes: int

    @property
    def seconds(self):
        return 3 if self.is_quick else 30

    @property
    def floor_seconds(self):
        return 1 if self.is_quick else 5

    @property
    def long_seconds(self):
        return 20 if self.is_quick else 600

    @property
    def recycled_bytes(self):
        """`log.size_max` of loads that shall meet recycled segments."""
        return 512 * MIB if self.is_quick else GIB

    def server(self, **settings):
        return ServerFolder(self.folder, self.binary, **settings)

    def recycling_server(self, **settings):
        return self.server(log_size_max=f"{self.recycled_bytes // MIB}MiB", retention=RETAINED, **settings)

    def floor(self, size="4KiB"):
        """Writes and syncs the disk can do one after the other, just now."""
        words = ["disk", self.folder, "--size", size, "--time", f"{self.floor_seconds}s"]
        return run_generator(self.binary, *words)[0]

    def as_long(self, line_size=100, seconds=None):
        return ["--size", f"{line_size}B", "--time", f"{seconds or self.seconds}s", "--count",
                BYTES_ENOUGH // line_size]


def rate_of(result):
    return result["count"] * 1e9 / max(result["took_ns"], 1)


def say_floor(floor):
    latency = floor["latency_ns"]
    return f"floor just before: {rate_of(floor):,.0f} syncs/s, {short_time(latency['p50'])} / {short_time(latency['p99'])}"


def warm_up(plan, server, spread=False):
    """Fills the log half more than it may hold, so that every segment from now on is a recycled one."""
    count = plan.recycled_bytes * 3 // 2 // 1024
    server.produce("--size", "1024B", "--count", count, "--time", "600s", spread=spread)


def small_lines(plan):
    """One line open at a time: 1 and 64 senders, as multiples of the disk's own rate."""
    for name, connections, least in (("1 sender, 1 line open", 1, 0.75), ("64 senders, 1 line open each", 64, 10)):
        with plan.recycling_server() as server:
            server.start()
            warm_up(plan, server)
            floor = plan.floor()
            load = server.produce("--connections", connections, "--window", 1, *plan.as_long())
            ratio = load.rate / rate_of(floor)
            row = Row(name, f"{short_count(load.rate)} lines/s = {ratio:.2f} x floor", f">= {least} x floor",
                      ratio >= least, notes=[say_floor(floor)])
            row.notes.append(f"{load.metrics['waybill_journal_commits_total']:,} commits, "
                             f"{load.metrics['waybill_journal_inline_commits_total']:,} inline")
            yield fill_costs(row, load)


def wide_window(plan):
    """One connection with 10,000 lines open: lines of 100 B and 1 KiB, then 64 topics x 4 partitions."""
    with plan.recycling_server() as server:
        server.start()
        warm_up(plan, server)
        floor = plan.floor("1MiB")
        one = server.produce("--window", 10000, *plan.as_long())
        yield fill_costs(Row("window 10,000, 100 B", f"{short_count(one.rate)} lines/s, {one.bytes_rate / 1e6:.0f} MB/s",
                             ">= 4 million lines/s", one.rate >= 4e6,
                             notes=[f"floor of 1 MiB just before: {rate_of(floor) * MIB / 1e6:.0f} MB/s"]), one)
        large = server.produce("--window", 10000, *plan.as_long(1024))
        yield fill_costs(Row("window 10,000, 1 KiB", f"{short_count(large.rate)} lines/s, "
                             f"{large.bytes_rate / 1e6:.0f} MB/s", ">= 550 MB/s", large.bytes_rate >= 550e6), large)
        warm_up(plan, server, spread=True)
        narrow = server.produce("--window", 10000, *plan.as_long(), spread="narrow")
        many = server.produce("--window", 10000, *plan.as_long(), spread=True)
        ratio = many.rate / narrow.rate
        yield fill_costs(Row("64 topics x 4 partitions, random keys", f"{short_count(many.rate)} lines/s = {ratio:.2f} x "
                             "the same lines to one topic", ">= 0.7 x one topic", ratio >= 0.7,
                             notes=[f"the same lines to one topic: {short_count(narrow.rate)} lines/s; without the field that "
                                    f"names the topic: {short_count(one.rate)}"]), many)
        plain = server.produce("--plain", *plan.as_long())
        yield fill_costs(Row("plain mode, 100 B", f"{short_count(plain.rate)} lines/s"), plain)


def long_run(plan):
    """The same for ten minutes while retention retires segments: does it tire?"""
    with plan.recycling_server() as server:
        server.start()
        warm_up(plan, server)
        load = server.produce("--window", 10000, "--time", f"{plan.long_seconds}s")
        part = plan.long_seconds // 10
        seconds = load.result["by_second"]
        second, last = sum(seconds[part:2 * part]), sum(seconds[9 * part:10 * part])
        ratio = last / max(second, 1)
        name = "10 minutes with retention" if part == 60 else f"{plan.long_seconds} s with retention"
        row = Row(name, f"{short_count(last / part)} lines/s in the last tenth = {ratio:.2f} x the second",
                  ">= 0.9 x", ratio >= 0.9)
        row.notes.append(f"{load.metrics['waybill_journal_segments_retired_total']:,} segments retired")
        yield fill_costs(row, load)


def questions(plan):
    """GET_ACK with few and with many messages stored, one by one and pipelined."""
    few, many = 10_000, 1_000_000 if plan.is_quick else 10_000_000
    with plan.server(log_size_max="20GiB") as server:
        server.start()
        server.produce("--count", few, "--time", "60s", spread=True)
        before = server.acks("--depth", 1, "--time", f"{plan.seconds}s")
        server.produce("--count", many - few, "--time", "600s", spread=True)
        after = server.acks("--depth", 1, "--time", f"{plan.seconds}s")
        piped = server.acks("--depth", 1000, "--time", f"{plan.seconds}s")
        # Half of them: an idle core that falls asleep between two questions says nothing about the log.
        ratio = after.latency_us("p50") / before.latency_us("p50")
        name = f"GET_ACK at {short_count(many)} stored"
        missing = sum(load.result["refused"] for load in (before, after, piped))
        notes = [f"{missing} of the numbers were not found"] if missing else []
        row = Row(name, f"{after.latency_us('p50'):.1f} us = {ratio:.2f} x that at 10,000", "<= 1.5 x", ratio <= 1.5,
                  notes=notes)
        yield fill_costs(row, after)
        yield fill_costs(Row("GET_ACK, 1,000 in flight", f"{short_count(piped.rate)} answers/s", ">= 100,000/s",
                             piped.rate >= 1e5), piped)


def statuses(plan):
    """GET_STATUS with few and with many messages stored and processed in random order, one by one and pipelined."""
    few, many = 10_000, 1_000_000 if plan.is_quick else 10_000_000
    with plan.server(log_size_max="20GiB") as server:
        server.start()
        server.produce("--count", few, "--time", "60s")
        server.mark_processed(FIRST_SEQ, few)
        before = server.status("--depth", 1, "--time", f"{plan.seconds}s")
        server.produce("--count", many - few, "--time", "600s")
        marked = server.mark_processed(FIRST_SEQ + few, many - few)
        after = server.status("--depth", 1, "--time", f"{plan.seconds}s")
        piped = server.status("--depth", 1000, "--time", f"{plan.seconds}s")
        ratio = after.latency_us("p50") / before.latency_us("p50")
        pending = sum(load.result["refused"] for load in (before, after, piped))
        notes = [f"read from the processed log: {short_count(marked)} lines/s"]
        if pending:
            notes.append(f"{pending} of the numbers were said to be pending")
        row = Row(f"GET_STATUS at {short_count(many)} processed", f"{after.latency_us('p50'):.1f} us = {ratio:.2f} x that at 10,000",
                  "<= 1.5 x", ratio <= 1.5 and not pending, notes=notes)
        yield fill_costs(row, after)
        yield fill_costs(Row("GET_STATUS, 1,000 in flight", f"{short_count(piped.rate)} answers/s", ">= 100,000/s",
                             piped.rate >= 1e5), piped)


def drop_page_cache():
    """True when it could be done: it takes root."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")
    except OSError:
        return False
    return True


def repeated_tail(server, topics, seconds, before_each=lambda: None):
    """Reads one topic after the other from its start until the time is over; the lines per second of it all, and the last load."""
    lines = spent_ns = 0
    deadline = time.monotonic() + seconds
    load = None
    for topic in topics:
        before_each()
        load = server.tail(topic, "--time", "60s")
        lines += load.result["count"]
        spent_ns += load.result["took_ns"]
        if time.monotonic() > deadline:
            break
    return lines * 1e9 / max(spent_ns, 1), load


def reading(plan):
    """tail from the start: a warm topic, and one topic of 64 that is on the disk alone."""
    count = 2_000_000 if plan.is_quick else 20_000_000
    with plan.server(log_size_max="20GiB") as server:
        server.start()
        server.produce("--count", count, "--time", "600s")
        warm, load = repeated_tail(server, ["bench"] * 1000, plan.seconds)
        yield fill_costs(Row("tail from the start, warm", f"{short_count(warm)} lines/s", ">= 3 million lines/s",
                             warm >= 3e6), load)
        server.produce("--count", count, "--time", "600s", spread=True)
        topics = [f"topic-{number:02}" for number in range(64)]
        is_cold = drop_page_cache()
        cold, load = repeated_tail(server, topics, plan.seconds, drop_page_cache)
        row = Row("tail of one topic of 64, cold", f"{short_count(cold)} lines/s = {cold / warm:.2f} x warm", ">= 0.3 x",
                  cold >= 0.3 * warm)
        if not is_cold:
            row.notes.append("the page cache could not be dropped: it takes root")
        yield fill_costs(row, load)


def restarts(server, count):
    """Kills and starts the program; the seconds of each start, sorted."""
    times = []
    for _ in range(count):
        server.kill()
        drop_page_cache()
        times.append(server.timed_start())
    return sorted(times)


def start_after_kill(plan):
    """Ready after SIGKILL with 1 million messages stored."""
    with plan.server(log_size_max="20GiB") as server:
        server.start()
        server.produce("--count", 1_000_000, "--time", "600s")
        times = restarts(server, STARTS)
        middle = statistics.median(times)
        yield Row("start after SIGKILL, 1 million messages", f"{middle:.3f} s", "<= 0.3 s", middle <= 0.3,
                  notes=["all starts: " + ", ".join(f"{took:.3f} s" for took in times)])


def start_with_sealed(plan):
    """The start with much sealed against the start with 1 GiB."""
    much = plan.sealed_bytes
    free = os.statvfs(plan.folder)
    if free.f_bavail * free.f_frsize < much + 8 * GIB:
        yield Row("start with much sealed", f"not measured: the disk has no room for {much // GIB} GiB")
        return
    with plan.server(log_size_max=f"{much // GIB + 10}GiB") as server:
        server.start()
        server.produce("--size", "1024B", "--count", GIB // 1024, "--time", "3600s")
        few = restarts(server, STARTS)
        server.produce("--size", "1024B", "--count", (much - GIB) // 1024, "--time", "3600s")
        many = restarts(server, STARTS)
        ratio = statistics.median(many) / statistics.median(few)
        yield Row(f"start with {much // GIB} GiB sealed", f"{statistics.median(many):.3f} s = {ratio:.2f} x that with 1 GiB",
                  "<= 1.5 x", ratio <= 1.5,
                  notes=[f"{name}: " + ", ".join(f"{took:.3f} s" for took in times)
                         for name, times in (("1 GiB", few), (f"{much // GIB} GiB", many))])


def flood(plan):
    """A slow sender alone, and beside one that sends all it can."""
    for name, words in (("plain", ["--plain"]), ("acknowledged", ["--window", 10000])):
        with plan.recycling_server() as server:
            server.start()
            warm_up(plan, server)
            load = server.produce("--time", f"{plan.seconds}s", *words, verb="flood")
            alone, beside, _ = (result["latency_ns"] for result in load.results)
            ratio = beside["p99"] / max(alone["p99"], 1)
            row = Row(f"a slow sender beside a flood ({name})", f"p99 {short_time(beside['p99'])} = {ratio:.2f} x alone",
                      "<= 4 x", ratio <= 4)
            for who, latency in (("alone", alone), ("beside", beside)):
                row.notes.append(f"{who}: " + " / ".join(short_time(latency[part]) for part in ("p50", "p99", "p99.9")))
            row.notes.append(f"the flood meanwhile: {short_count(rate_of(load.results[2]))} lines/s")
            row.limited = describe_limit(load.shares())
            row.memory = short_size(load.sample.private_peak)
            yield row


def idle_memory(plan):
    """Private memory of a program that nobody speaks to."""
    with plan.server() as server:
        server.start()
        time.sleep(1)
        used = private_bytes(server.pid)
        yield Row("private memory, idle", short_size(used), f"<= {short_size(IDLE_MAX)}", used <= IDLE_MAX)


def many_connections(plan):
    """Ten thousand connections that say nothing."""
    with plan.server() as server:
        server.start()
        held = []
        with ProcessSample(server.pid) as sample:
            try:
                for _ in range(10_000):
                    held.append(socket.create_connection(("127.0.0.1", server.port("produce"))))
                time.sleep(0.5)
            finally:
                for connection in held:
                    connection.close()
        yield Row("private memory, 10,000 idle connections", short_size(sample.private_peak),
                  f"<= {short_size(LOADED_MAX)}", sample.private_peak <= LOADED_MAX)


def small_group(plan):
    """The heaviest loads in a control group that counts the page cache too."""
    name = f"window 10,000 in a cgroup of {GROUP_LIMIT // MIB} MiB"
    try:
        with MemoryGroup(GROUP_LIMIT) as group, plan.recycling_server() as server:
            server.wrapper = group.wrapper
            server.start()
            warm_up(plan, server)
            load = server.produce("--window", 10000, *plan.as_long())
            spread = server.produce("--window", 10000, *plan.as_long(), spread=True)
            peak = max(load.sample.private_peak, spread.sample.private_peak)
            row = Row(name, f"{short_count(load.rate)} lines/s, 64 x 4: {short_count(spread.rate)}", "alive, RssAnon <= 64 MiB",
                      server.is_running and peak <= LOADED_MAX, notes=[f"most ever counted: {short_size(group.peak() or 0)}"])
            yield fill_costs(row, load)
            server.kill()
    except OSError as error:
        yield Row(name, f"not measured: {error.strerror or error} (takes root and a memory controller)")


FIGURES = {
    "small": small_lines,
    "window": wide_window,
    "long": long_run,
    "acks": questions,
    "status": statuses,
    "tail": reading,
    "start": start_after_kill,
    "sealed": start_with_sealed,
    "flood": flood,
    "idle": idle_memory,
    "connections": many_connections,
    "cgroup": small_group,
    "tls": secured,
    **SUBSCRIBE_FIGURES,
    **DEADLETTER_FIGURES,
}


def memory_over_all(rows):
    """The largest peak of all loads, as a row of its own."""
    peaks = [float(row.memory.split()[0]) for row in rows if row.memory]
    if not peaks:
        return None
    return Row("private memory, most under any load", f"{max(peaks):.1f} MiB", f"<= {short_size(LOADED_MAX)}",
               max(peaks) * MIB <= LOADED_MAX)


__all__ = ["FIGURES", "LoadFailed", "Plan", "memory_over_all"]
