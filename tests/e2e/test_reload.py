"""SIGHUP: what changes while the program runs, and what does not. Budget: 30 s.

SPDX-License-Identifier: Apache-2.0
"""
import shutil
import signal
import ssl
import threading

import pytest

from certificates import Authority
from line_client import LineSocket, Producer, Questioner
from tls_client import TlsConnection
from waybill import wait_until

NAMES = ["DNS:localhost"]


class Secured:
    """A program with doors for TLS, whose certificate lies where the test may replace it."""

    def __init__(self, waybill, folder):
        self.waybill = waybill
        self.authority = Authority(folder)
        self.cert = folder / "cert.pem"
        self.key = folder / "key.pem"
        self.install("first")
        self.tls = {"cert": str(self.cert), "key": str(self.key)}
        for serve in ("produce", "acks"):
            waybill.door(serve)["tls"] = self.tls

    def install(self, name, **settings):
        issued = self.authority.issue(name, names=NAMES, **settings)
        shutil.copy(issued.cert, self.cert)
        shutil.copy(issued.key, self.key)

    def connect(self, door, shown=None):
        return TlsConnection(self.waybill.connect(door), self.authority.client(shown))

    def shown_name(self):
        """The name in the certificate that a new client is shown."""
        connection = self.connect("acks")
        subject = connection.tls.getpeercert()["subject"]
        connection.close()
        return dict(part[0] for part in subject)["commonName"]


@pytest.fixture
def secured(waybill, tmp_path):
    return Secured(waybill, tmp_path / "certificates")


def test_new_connections_see_the_new_certificate_and_open_ones_go_on(secured):
    secured.waybill.start()
    with Producer(secured.connect("produce")) as producer:
        producer.store("orders|1|1|before")
        assert secured.shown_name() == "first"
        secured.install("second")
        assert secured.shown_name() == "first"
        secured.waybill.reload()
        wait_until(lambda: secured.shown_name() == "second")
        producer.send("orders|1|2|after")
        assert producer.read() == b"ACK 2 2"
        producer.end()
        assert producer.read_all() == []


def test_reloads_under_load_lose_no_connection_and_no_message(secured):
    secured.waybill.config["threads"] = {"loops": 3}
    secured.waybill.start()
    is_over = threading.Event()
    stored = []

    def produce(name):
        with Producer(secured.connect("produce")) as producer:
            count = 0
            while not is_over.is_set() or count == 0:
                producer.send(*(f"orders|1|{name * 1_000_000 + count + i + 1}|x" for i in range(50)))
                count += 50
                while (settled := int(producer.read().split()[1])) < count:
                    assert settled > count - 50
            stored.append(count)

    threads = [threading.Thread(target=produce, args=[name]) for name in range(4)]
    for thread in threads:
        thread.start()
    for number in range(25):
        secured.install(f"certificate-{number}")
        secured.waybill.signal(signal.SIGHUP)
        wait_until(lambda count=number: secured.waybill.metric("waybill_reloads_total") > count)
    is_over.set()
    for thread in threads:
        thread.join()
    assert len(stored) == 4
    assert secured.shown_name() == "certificate-24"
    assert len(secured.waybill.tail("orders")) == sum(stored)


def test_certificates_of_clients_may_be_demanded_from_now_on(secured):
    secured.waybill.start()
    shown = secured.authority.issue("till-7")
    with Questioner(secured.connect("acks")) as open_before:
        secured.waybill.door("acks")["client_ca"] = str(secured.authority.cert)
        log = secured.waybill.reload()
        assert 'msg="these keys have changed" keys="doors[1].client_ca:' in log

        def is_refused():
            try:
                with Questioner(secured.connect("acks")) as questioner:
                    return questioner.ask("GET_ACK") != "ACK 0"
            except (ssl.SSLError, ConnectionResetError):
                return True

        wait_until(is_refused)
        with Questioner(secured.connect("acks", shown)) as questioner:
            assert questioner.ask("GET_ACK") == "ACK 0"
        assert open_before.ask("GET_ACK") == "ACK 0"


def test_a_file_with_faults_changes_nothing_and_each_is_named(secured):
    secured.waybill.start()
    good = secured.waybill.config
    secured.install("second")
    secured.waybill.config = {**good, "drain": "soon", "limits": {"auto_create": False, "topics": "many"}}
    log = secured.waybill.reload("not reloaded")
    wait_until(lambda: secured.waybill.log().count('msg="not reloaded"') == 2)
    log = secured.waybill.log()
    assert "`drain: soon`: this takes a duration" in log and "`topics: many`: this takes a whole number" in log
    secured.waybill.config = "doors: [ {"
    assert "waybill.yaml:" in secured.waybill.reload("not reloaded")
    secured.waybill.config = good
    secured.key.write_text("no key", encoding="ascii")
    assert "holds no private key" in secured.waybill.reload("not reloaded")
    secured.install("old", begin=-20, end=-10)
    assert "expired at" in secured.waybill.reload("not reloaded")
    assert secured.shown_name() == "first"
    with Producer(secured.connect("produce")) as producer:
        producer.store("a-new-topic|1|1|x")
    secured.install("third")
    secured.waybill.reload()
    wait_until(lambda: secured.shown_name() == "third")


def test_keys_that_need_a_restart_are_named_and_left_as_they_are(waybill):
    waybill.config["log"] = {"segment_size": "1MiB", "scrub_rate": "8MiB"}
    waybill.config["limits"] = {"append": "256KiB", "record": "64KiB"}
    waybill.door("produce")["max_line"] = "64KiB"
    waybill.start()
    waybill.config["log"] = {"segment_size": "2MiB", "scrub_rate": "1MiB", "ack": "written"}
    waybill.door("produce")["window"] = 17
    waybill.add_door("more", "acks")
    log = waybill.reload()
    line = next(line for line in log.splitlines() if "these keys need a restart and were left as they are" in line)
    for key in ("log.segment_size", "log.ack", "doors[0].window", "doors"):
        assert f"{key}:" in line
    line = next(line for line in log.splitlines() if "these keys have changed" in line)
    assert 'keys="log.scrub_rate:' in line and "segment_size" not in line
    with waybill.produce() as producer:
        assert producer.window == 10000
    with pytest.raises(ConnectionRefusedError):
        waybill.connect("more")
    assert "these keys have changed" not in waybill.reload()  # they have, and no more since


def test_input_may_be_kept_from_creating_topics_and_named_ones_appear(waybill):
    waybill.start()
    with waybill.produce() as producer:
        producer.store("free|1|1|x")
        waybill.config["limits"] = {"auto_create": False}
        waybill.config["topics"] = {"named": {"partitions": 3}}
        waybill.reload()
        assert len(waybill.topics()["named"]) == 3
        producer.send("other|1|2|x", "named|1|3|x", "free|1|4|x")
        assert producer.wait_settled(4)[-1] == b"ACK 4 4"
        assert "other" not in waybill.topics()
        waybill.config["limits"] = {"auto_create": True}
        waybill.reload()
        producer.send("other|1|5|x")
        assert producer.wait_settled(5) == [b"ACK 5 5"]
        assert "other" in waybill.topics()


def test_retention_of_a_topic_may_become_tighter(waybill):
    waybill.config.update(log={"segment_size": "256KiB"}, limits={"append": "64KiB", "record": "32KiB"})
    waybill.door("produce").update(max_line="32KiB", topic="all")
    waybill.start()
    with waybill.produce() as producer:
        for batch in range(20):
            producer.send(*(f"all|1|{batch * 100 + i + 1}|{1000 * 'x'}" for i in range(100)))
        producer.wait_settled(2000)
    assert waybill.topics()["all"] == [(0, 2000)]
    waybill.config["topics"] = {"all": {"retention": {"size": "300KiB"}}}
    waybill.reload()
    wait_until(lambda: waybill.topics()["all"][0][0] > 0)
    assert waybill.topics()["all"][0][1] == 2000


def test_a_shorter_drain_holds_for_the_next_end(waybill):
    waybill.config["drain"] = "10m"
    waybill.start()
    with LineSocket(waybill.connect("produce")) as reader:
        # Nobody reads the answers: a connection that would hold up the end.
        reader.send("HELLO 1")
        waybill.config["drain"] = "1s"
        waybill.reload()
        waybill.stop(seconds=10)


def test_certificates_that_end_soon_are_named_at_start_and_after_a_reload(secured):
    secured.install("soon", end=5)
    secured.waybill.start()
    line = secured.waybill.wait_log('msg="a certificate expires soon" door="produce ')
    assert "level=warn" in line and "days_left=4" in line and 'cert="' in line
    assert 4 * 86400 < secured.waybill.metric("waybill_tls_certificate_expires_seconds") <= 5 * 86400
    secured.install("later", end=25)
    assert "expires soon" not in secured.waybill.reload()
    wait_until(lambda: secured.waybill.metric("waybill_tls_certificate_expires_seconds") > 24 * 86400)
