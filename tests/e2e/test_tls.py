"""TLS on the line doors, with Python's, OpenSSL's and socat's clients. Budget: 40 s.

SPDX-License-Identifier: Apache-2.0
"""
import re
import socket
import ssl
import subprocess

import pytest

from certificates import Authority
from line_client import LineSocket, Producer, Questioner
from subscriber import Subscriber
from tls_client import TlsConnection
from waybill import wait_until

NAMES = ["DNS:localhost", "IP:127.0.0.1"]
SECONDS = 20


class Doors:
    """A program with a plain pair of doors and an encrypted one, over the same topics."""

    def __init__(self, waybill, folder):
        self.waybill = waybill
        self.authority = Authority(folder)
        self.server = self.authority.issue("server", names=NAMES)

    def add(self, name, serve, certificate=None, **settings):
        certificate = certificate or self.server
        self.waybill.add_door(name, serve, tls={"cert": str(certificate.cert), "key": str(certificate.key)}, **settings)

    def start(self):
        self.add("produce tls", "produce")
        self.add("acks tls", "acks")
        self.waybill.start()
        return self

    def connect(self, door, shown=None, version=None, authority=None):
        context = (authority or self.authority).client(shown, version)
        return TlsConnection(self.waybill.connect(door), context)

    def produce(self, **options):
        return Producer(self.connect("produce tls", **options))

    def question(self, **options):
        return Questioner(self.connect("acks tls", **options))

    def refused(self, reason, door="produce tls"):
        """The log line of a client that was not let in."""
        return self.waybill.wait_log(f'level=warn room=door msg="TLS handshake failed" door="\\w+ '
                                     f'{self.waybill.address(door)}" peer=127.0.0.1:\\d+ reason="{reason}')


@pytest.fixture
def doors(waybill, tmp_path):
    return Doors(waybill, tmp_path / "certificates")


def run(*words, stdin=b"", seconds=SECONDS):
    return subprocess.run(list(map(str, words)), input=stdin, capture_output=True, timeout=seconds, check=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_is_sent_over_tls_is_stored_and_asked_for_over_tls(doors, version):
    doors.start()
    with doors.produce(version=version) as producer:
        assert producer.store(*(f"orders|1|{number}|{number * 'x'}" for number in range(1, 2001))) == 2000
        assert producer.socket.tls.version() == version.name.replace("_", ".")
    with doors.question(version=version) as questioner:
        assert questioner.ask("GET_ACK 1-2000") == "ACK 1-2000"
        assert questioner.ask("GET_ACK 2001") == "PENDING 2001"
    assert doors.waybill.tail("orders")[1999] == b"2000|orders|1|" + 2000 * b"x"


def test_a_client_that_has_ended_gets_all_its_answers(doors):
    doors.start()
    with doors.produce() as producer:
        producer.send(*(f"orders|1|{number}|x" for number in range(1, 5001)))
        producer.end()
        assert producer.read_all()[-1] == b"ACK 5000 5000"
    with LineSocket(doors.connect("acks tls")) as client:
        client.send(*["GET_ACK 17"] * 20000)
        client.send_bytes(b"GET_ACK")  # the last request may do without its end
        client.end()
        assert client.read_all() == 20000 * [b"ACK 17"] + [b"ACK 5000"]


def test_a_line_that_may_have_been_cut_short_is_not_stored(doors):
    doors.start()
    with LineSocket(doors.connect("produce tls")) as whole:
        whole.send_bytes(b"orders|1|1|whole\norders|1|2|whole too")
        whole.end()
        assert whole.read_all() == []
    client = doors.connect("produce tls")
    client.sendall(b"orders|1|3|whole\norders|1|4|pay 10")
    client.socket.shutdown(socket.SHUT_WR)  # by somebody between, who cannot say close_notify
    assert client.recv(1) == b""
    client.close()
    assert doors.waybill.tail("orders") == [b"1|orders|1|whole", b"2|orders|1|whole too", b"3|orders|1|whole"]


def test_a_client_that_only_sends_and_never_reads_loses_nothing(doors):
    doors.start()
    for number in range(1, 31):
        context = doors.authority.client()
        with context.wrap_socket(doors.waybill.connect("produce tls"), server_hostname="localhost") as client:
            client.sendall(b"orders|1|%d|x\n" % number)
    with doors.question() as questioner:
        wait_until(lambda: questioner.ask("GET_ACK 1-30") == "ACK 1-30")


def test_a_subscriber_gets_every_message_over_tls_also_when_it_reads_late(doors):
    doors.add("subscribe tls", "subscribe")
    doors.start()
    with LineSocket(doors.connect("subscribe tls")) as late, LineSocket(doors.connect("subscribe tls")) as live:
        for subscriber in (late, live):
            subscriber.send("SUBSCRIBE orders FROM_START")
        with doors.produce() as producer:
            for first in range(1, 100_001, 5000):
                producer.send(*(f"orders|1|{number}|{100 * 'x'}" for number in range(first, first + 5000)))
            producer.wait_settled(100_000)
        for subscriber in (live, late):
            for number in range(1, 100_001):
                assert subscriber.read() == b"%d|orders|1|%s" % (number, 100 * b"x")


def test_the_openssl_command_sends_and_asks(doors):
    doors.start()
    sent = run("openssl", "s_client", "-connect", doors.waybill.address("produce tls"), "-CAfile", doors.authority.cert,
               "-verify_return_error", "-verify_hostname", "localhost", "-quiet", "-no_ign_eof",
               stdin=b"orders|1|7|seven\norders|1|8|eight\n")
    assert sent.returncode == 0, sent.stderr
    with doors.question() as questioner:
        wait_until(lambda: questioner.ask("GET_ACK 7-8") == "ACK 7-8")
    command = ["openssl", "s_client", "-connect", doors.waybill.address("acks tls"), "-CAfile", str(doors.authority.cert),
               "-verify_return_error", "-quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        asking.stdin.write(b"GET_ACK 8\n")
        asking.stdin.flush()
        assert asking.stdout.readline() == b"ACK 8\n"
        asking.terminate()


def test_socat_sends_and_asks_and_gets_its_answers_after_its_end(doors):
    doors.waybill.config["doors"][0]["topic"] = "plain"
    doors.add("kmq", "acks", mode="kmq")
    doors.start()
    options = f"cafile={doors.authority.cert},commonname=localhost"
    sent = run("socat", "-t10", "-", f"OPENSSL:{doors.waybill.address('produce tls')},{options}",
               stdin=b"HELLO 1\norders|1|1|x\norders|1|2|y\n")
    assert sent.stdout.splitlines()[-1] == b"ACK 2 2", sent.stderr
    asked = run("socat", "-t10", "-", f"OPENSSL:{doors.waybill.address('acks tls')},{options}", stdin=b"GET_ACK 2\nGET_ACK\n")
    assert asked.stdout == b"ACK 2\nACK 2\n", asked.stderr
    asked = run("socat", "-t10", "-", f"OPENSSL:{doors.waybill.address('kmq')},{options}", stdin=b"GET_ACK 2\n")
    assert asked.stdout == b"ACK 2\n", asked.stderr


def test_clients_are_asked_for_certificates_and_only_good_ones_get_in(doors, tmp_path):
    stranger = Authority(tmp_path / "certificates", "stranger")
    doors.add("closed", "acks", client_ca=str(doors.authority.cert))
    doors.add("ajar", "acks", client_ca=str(doors.authority.cert), client_cert="optional")
    doors.start()
    good = doors.authority.issue("till-7")
    bad = {"certificate has expired": doors.authority.issue("old", begin=-20, end=-10),
           "certificate is not yet valid": doors.authority.issue("early", begin=10, end=20),
           "unable to get local issuer certificate": stranger.issue("unknown")}
    for door, shown in (("closed", good), ("ajar", good), ("ajar", None)):
        with Questioner(doors.connect(door, shown=shown)) as questioner:
            assert questioner.ask("GET_ACK") == "ACK 0"

    def expect_refusal(door, shown):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            with Questioner(doors.connect(door, shown=shown)) as questioner:
                questioner.ask("GET_ACK")

    for reason, shown in bad.items():
        expect_refusal("closed", shown)
        doors.refused(f"the client's certificate is refused: {reason}", "closed")
    expect_refusal("closed", None)
    doors.refused("the client showed no certificate, and this door demands one", "closed")
    for shown in bad.values():
        expect_refusal("ajar", shown)
    wait_until(lambda: doors.waybill.metric("waybill_tls_handshakes_failed_total") == 7)


def test_what_a_client_settles_is_recorded_under_the_name_in_its_certificate(doors):
    doors.add("subscribe tls", "subscribe", client_ca=str(doors.authority.cert))
    doors.start()
    with doors.produce() as producer:
        producer.store("orders|1|17|x")
    with LineSocket(doors.connect("subscribe tls", shown=doors.authority.issue("till-7"))) as member:
        member.send("SUBSCRIBE orders GROUP billing")
        assert member.read() == b"17|orders|1|x"
        member.send("DONE 17")
        said = wait_until(lambda: re.search(r'"by":"[^"]*"', doors.waybill.run(
            "receipt", "--seq", 17, "--json", "--data", doors.waybill.data).stdout))
        assert said[0] == '"by":"till-7"'


def test_a_client_that_trusts_another_authority_is_named(doors, tmp_path):
    doors.start()
    with pytest.raises(ssl.SSLCertVerificationError):
        doors.connect("produce tls", authority=Authority(tmp_path, "stranger"))
    doors.refused("the client does not trust this door's certificate")


def test_old_versions_of_tls_are_refused(doors):
    doors.start()
    for version in ("-tls1", "-tls1_1"):
        said = run("openssl", "s_client", "-connect", doors.waybill.address("produce tls"), version, "-cipher",
                   "ALL:@SECLEVEL=0")
        assert b"New, (NONE)" in said.stdout, said.stdout
    doors.refused("the client speaks no TLS 1.2 or 1.3")


def test_plain_words_on_a_tls_port_and_tls_on_a_plain_port_are_named_and_nothing_is_stored(doors):
    doors.start()
    with LineSocket(doors.waybill.connect("produce tls")) as plain:
        plain.send("orders|1|1|x")
        assert plain.is_ended()
    doors.refused("this is a TLS port, and the client speaks plain lines")
    with LineSocket(doors.waybill.connect("acks tls")) as plain:
        plain.send_bytes(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert plain.is_ended()
    doors.refused("this is a TLS port, and the client speaks HTTP", "acks tls")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        doors.connect("produce")
    doors.waybill.wait_log("a peer speaks TLS to a plain line port")
    assert doors.waybill.topics() == {}


def test_a_peer_that_shakes_no_hands_is_cut_and_those_that_come_and_go_are_not_worth_a_line(doors):
    doors.start()
    doors.waybill.connect("produce tls").close()
    with doors.waybill.connect("acks tls") as silent:
        assert silent.recv(1) == b""
    doors.refused("the client has not begun its handshake in time", "acks tls")
    assert doors.waybill.log().count("TLS handshake failed") == 1


def test_many_handshakes_leave_no_memory_behind(doors):
    doors.start()
    before = doors.waybill.memory_kib()
    held = [doors.connect("produce tls") for _ in range(300)]
    while_held = doors.waybill.memory_kib()
    for client in held:
        client.close()
    for _ in range(300):
        doors.connect("acks tls").close()
    wait_until(lambda: doors.waybill.metric("waybill_connections_open") == 1)  # the one that asks
    assert doors.waybill.memory_kib() - before < 16 * 1024
    assert (while_held - before) / 300 < 64, "KiB a connection"


def test_a_subscriber_that_has_been_told_something_costs_no_more_than_one_that_waits(doors):
    doors.add("subscribe tls", "subscribe")
    doors.start()
    with doors.produce() as producer:
        producer.send("orders|1|1|first")
        producer.wait_settled(1)
    before = doors.waybill.memory_kib()
    told = [Subscriber(doors.connect("subscribe tls"), "orders FROM_START") for _ in range(300)]
    for subscriber in told:
        assert subscriber.next().body == b"first"
    assert (doors.waybill.memory_kib() - before) / 300 < 24, "KiB a connection"
    for subscriber in told:
        subscriber.close()


def test_an_orderly_end_of_the_program_says_so_to_its_clients(doors):
    doors.start()
    shaking = doors.waybill.connect("produce tls")
    with doors.produce() as producer, doors.question() as questioner:
        producer.store("orders|1|1|x")
        assert questioner.ask("GET_ACK 1") == "ACK 1"
        doors.waybill.stop()
        assert producer.read_all()[-1].startswith(b"ERR 0 DRAINING retry ")
        assert questioner.read() is None
    shaking.close()


def test_a_door_beyond_loopback_opens_when_certificates_are_demanded_and_not_otherwise(doors):
    host = "0.0.0.0"
    tls = {"cert": str(doors.server.cert), "key": str(doors.server.key)}
    door = {"kind": "line", "serve": "acks", "listen": f"{host}:{doors.waybill.port('wide')}", "tls": tls}
    doors.waybill.config["doors"] = [door]
    doors.waybill.write_config()
    said = doors.waybill.run("check", doors.waybill.config_path)
    assert said.returncode == 2 and "demand client certificates" in said.stderr
    door["client_ca"] = str(doors.authority.cert)
    doors.waybill.start()
    with Questioner(doors.connect("wide", shown=doors.authority.issue("till-7"))) as questioner:
        assert questioner.ask("GET_ACK") == "ACK 0"


@pytest.mark.parametrize("cert, key, place, words", [
    ("absent.pem", "server.key", "6:10", "`cert`: .*absent.pem cannot be read: not found"),
    ("old.pem", "old.key", "6:10", "`cert`: .*old.pem expired at 20.*: renew the certificate"),
    ("server.pem", "old.key", "7:10", "`key`: .*old.key is not the key of the certificate in `cert`")])
def test_bad_certificates_are_refused_with_their_place(doors, cert, key, place, words):
    doors.authority.issue("old", begin=-20, end=-10)
    folder = doors.authority.folder
    doors.waybill.config = (f"data: {doors.waybill.data}\ndoors:\n- kind: line\n  serve: acks\n"
                            f"  listen: {doors.waybill.address('acks')}\n  tls: {{ cert: {folder / cert},\n"
                            f"         key: {folder / key} }}\n")
    doors.waybill.write_config()
    for said in (doors.waybill.run("check", doors.waybill.config_path),
                 doors.waybill.run("serve", "-c", doors.waybill.config_path)):
        assert said.returncode == 2
        pattern = f"{doors.waybill.config_path}:{place}: {words}"
        assert re.search(pattern, said.stderr), said.stderr


def test_subscribers_get_the_same_over_tls(doors):
    doors.add("subscribe tls", "subscribe")
    doors.waybill.add_door("status", "status")
    doors.waybill.door("produce")["topic"] = "orders"
    doors.start()
    with doors.waybill.produce() as producer:
        producer.store(*[f"k|{i}|{i}|{i % 7 * 5000 * 'x'}" for i in range(1, 201)])
    with Subscriber(doors.connect("subscribe tls"), "orders FROM_START", hello=True) as subscriber:
        assert [record.seq for record in subscriber.take(200)] == [str(i) for i in range(1, 201)]
        subscriber.end()  # close_notify; a plain stream goes on
        with doors.waybill.produce() as producer:
            producer.store("k|201|201|more")
        assert subscriber.next().body == b"more"
    with Subscriber(doors.connect("subscribe tls"), "orders GROUP billing") as subscriber:
        subscriber.take(201)
        subscriber.done("1-201")
        assert subscriber.finish() == []
    with doors.waybill.question("status") as status:
        assert status.ask("GET_STATUS 1-201") == "PROCESSED"
