"""What TLS costs: each figure beside the same load on a plain door, in the same run.

SPDX-License-Identifier: Apache-2.0
"""
import re
import statistics
import subprocess
import time
from contextlib import contextmanager

from bench_server import LoadFailed
from certificates import Authority
from process_sample import ProcessSample, private_bytes
from report import Row, fill_costs, short_count, short_size
from waybill import free_port, wait_until

ROUNDS = 3
NAMES = ["DNS:localhost", "IP:127.0.0.1"]
KINDS = {"P-256": "ec", "RSA 2048": "rsa:2048"}
IDLE_MAX = 8 << 20


class Twins:
    """A server each of whose doors has a twin with TLS: `produce tls`, `acks tls`; `rsa` has a key of another kind."""

    def __init__(self, server):
        self.server = server
        self.authority = Authority(server.folder)
        self.certificates = {name: self.authority.issue(name.replace(" ", "-"), NAMES, kind=kind)
                             for name, kind in KINDS.items()}
        self.add("produce tls", "produce", "P-256", topic="bench")
        self.add("acks tls", "acks", "P-256")
        self.add("rsa", "acks", "RSA 2048")

    def add(self, name, serve, kind, **settings):
        certificate = self.certificates[kind]
        self.server.add_door(name, serve, tls={"cert": str(certificate.cert), "key": str(certificate.key)}, **settings)

    @property
    def words(self):
        return ["--tls", "--ca", self.authority.cert]


def in_turn(plain, tls):
    """Both loads, one after the other, some times; the median rates, and the last load over TLS."""
    rates = []
    for _ in range(ROUNDS):
        before, load = plain(), tls()
        rates.append((before.rate, load.rate))
    return statistics.median(rate for rate, _ in rates), statistics.median(rate for _, rate in rates), load


def compare(name, what, plain, tls):
    plain_rate, rate, load = in_turn(plain, tls)
    ratio = rate / plain_rate
    return fill_costs(Row(name, f"{short_count(rate)} {what} = {ratio:.2f} x plain", ">= 0.6 x plain", ratio >= 0.6,
                          notes=[f"plain in the same run: {short_count(plain_rate)} {what}; medians of {ROUNDS} rounds"]),
                      load)


def count_handshakes(address, seconds):
    """Full handshakes a second of OpenSSL's own client, one after the other."""
    said = subprocess.run(["openssl", "s_time", "-connect", address, "-new", "-time", str(seconds)], capture_output=True,
                          text=True, check=False)
    found = re.search(r"^(\d+) connections in (\d+) real seconds", said.stdout, re.MULTILINE)
    if not found:
        raise LoadFailed(f"openssl s_time: {said.stdout}{said.stderr}")
    return int(found[1]), int(found[1]) / seconds


@contextmanager
def openssl_server(certificate):
    """OpenSSL's own server; gives its address."""
    port = free_port()
    with subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate.cert, "-key",
                           certificate.key, "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        listening = f":{port:04X} 00000000:0000 0A"
        wait_until(lambda: listening in open("/proc/net/tcp", encoding="ascii").read(), 10, "openssl s_server")
        try:
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def handshakes(plan, twins, kind, door):
    seconds = 2 if plan.is_quick else 10
    server = twins.server
    with openssl_server(twins.certificates[kind]) as address:
        _, reference = count_handshakes(address, seconds)
    with ProcessSample(server.pid) as sample:
        count, rate = count_handshakes(server.address(door), seconds)
    per_core = count / max(sample.cpu, 0.001)
    ratio = rate / max(reference, 1)
    return Row(f"TLS handshakes, {kind}", f"{short_count(per_core)}/s and core; {rate:,.0f}/s one by one = {ratio:.2f} x s_server",
               ">= 1,000/s and core, or 0.8 x s_server", per_core >= 1000 or ratio >= 0.8,
               notes=[f"openssl s_time against openssl s_server: {reference:,.0f}/s"])


def secured(plan):
    """TLS 1.3 against plain: lines, answers, handshakes, memory."""
    with plan.recycling_server() as server:
        twins = Twins(server)
        server.start()
        time.sleep(1)
        used = private_bytes(server.pid)
        yield Row("private memory, idle, with doors for TLS", short_size(used), f"<= {short_size(IDLE_MAX)}", used <= IDLE_MAX)
        server.produce("--size", "1024B", "--count", plan.recycled_bytes * 3 // 2 // 1024, "--time", "600s")
        each = plan.as_long(seconds=max(plan.seconds // ROUNDS, 2))
        yield compare("TLS, window 10,000, 100 B", "lines/s", lambda: server.produce("--window", 10000, *each),
                      lambda: server.produce("--window", 10000, *each, *twins.words, door="produce tls"))
        ask = ["--depth", 1000, "--time", f"{max(plan.seconds // ROUNDS, 2)}s"]
        yield compare("TLS, GET_ACK, 1,000 in flight", "answers/s", lambda: server.acks(*ask),
                      lambda: server.acks(*ask, *twins.words, door="acks tls"))
        yield handshakes(plan, twins, "P-256", "acks tls")
        yield handshakes(plan, twins, "RSA 2048", "rsa")
