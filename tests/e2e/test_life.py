"""Start and end of the program, as a service manager and its clients see them. Budget: 20 s.

SPDX-License-Identifier: Apache-2.0
"""
import resource
import signal
import socket
import subprocess

import pytest

from fault_injection import HangingDisk, Injection, SmallDisk
from line_client import LineSocket
from waybill import wait_until


def refuses_connections(waybill, door):
    try:
        waybill.connect(door).close()
    except ConnectionRefusedError:
        return True
    return False


SMALL = {"log": {"segment_size": "1MiB", "size_max": "1GiB"}, "limits": {"append": "256KiB", "record": "64KiB"}}


def test_an_orderly_end_finishes_what_is_in_flight_and_takes_nothing_new(waybill):
    waybill.config.update(SMALL)
    waybill.door("produce")["max_line"] = "64KiB"
    waybill.start()
    waybill.wait_log("disk measured")
    producers = [waybill.produce() for _ in range(3)]
    idle = [waybill.connect("produce"), waybill.connect("acks"), waybill.produce()]
    with Injection(waybill.pid, "fdatasync:delay_enter=1000000", waybill.folder / "strace.log"):
        for index, producer in enumerate(producers):
            producer.send(*(f"a|1|{100 * index + i}|x" for i in range(1, 11)))
        wait_until(lambda: waybill.metric("waybill_lines_received_total") >= 30)
        waybill.signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(waybill, "produce") and refuses_connections(waybill, "acks"))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            waybill.signal(number)  # they change nothing
        for index, producer in enumerate(producers):
            answers = producer.read_all()
            assert answers[-2] == b"ACK 10 %d" % (100 * index + 10)
            assert answers[-1].startswith(b"ERR 0 DRAINING retry ")
        assert waybill.wait_exit() == 0
    assert "msg=\"stopped\"" in waybill.log() and "drain time is over" not in waybill.log()
    for connection in [*idle, *producers]:
        connection.close()
    waybill.start()
    with waybill.question() as questioner:
        assert questioner.ask("GET_ACK 1-10") == "ACK 1-10"
        assert questioner.ask("GET_ACK 201-210") == "ACK 201-210"


def test_a_disk_that_hangs_does_not_hold_up_the_end(waybill):
    disk = HangingDisk(waybill)
    waybill.config["drain"] = "100ms"
    waybill.start()
    waybill.wait_log("disk measured")
    with waybill.produce() as producer:
        producer.store("a|1|1|x")
        disk.hang()
        producer.send("a|1|2|hangs")
        waybill.signal(signal.SIGTERM)
        assert waybill.wait_exit() == 0
    assert "the disk does not answer" in waybill.log()
    disk.go_on()
    waybill.start()
    with waybill.question() as questioner:
        assert questioner.ask("GET_ACK 1") == "ACK 1"


def test_what_is_left_when_the_drain_time_is_over_is_cut_with_a_log_line(waybill):
    waybill.config["drain"] = "500ms"
    waybill.start()
    with waybill.produce() as producer:
        producer.send(*(f"a|1|{2 * i}|x" for i in range(1, 20001)))
        producer.wait_settled(20000)
    with waybill.question() as stalled:
        stalled.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):  # it sends and never reads: in the end nobody takes its requests
            while True:
                stalled.send_bytes(b"GET_ACK 1-40000\n" * 1000)
        waybill.stop()
    assert "msg=\"drain time is over" in waybill.log() and "connection cut" in waybill.log()


def test_a_full_log_does_not_keep_the_program_from_ending(waybill):
    waybill.config.update(SMALL, drain="500ms")
    waybill.door("produce").update(max_line="64KiB", topic="all")
    with SmallDisk(waybill, 12) as disk:
        waybill.start()
        disk.fill(bytes_left=2 << 20)
        with waybill.connect("produce") as client:
            client.settimeout(0.5)
            with pytest.raises(TimeoutError):
                while True:
                    client.sendall(b"k|1|1|%s\n" % (b"x" * 1000))
            assert waybill.status()["state"] == "full"
            waybill.stop()
        waybill.clean_up()


def test_a_service_manager_is_told_of_the_beginning_and_the_end(waybill):
    path = waybill.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        waybill.environment["NOTIFY_SOCKET"] = str(path)
        waybill.start()
        assert b"READY=1" in manager.recv(4096).split(b"\n")
        waybill.stop()
        assert b"STOPPING=1" in manager.recv(4096).split(b"\n")


def test_the_limit_of_open_files_is_raised_to_the_hard_limit(waybill):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    waybill.wrapper = ["sh", "-c", 'ulimit -S -n 200 && exec "$@"', "sh"]
    waybill.start()
    assert resource.prlimit(waybill.pid, resource.RLIMIT_NOFILE) == (hard, hard)


def test_doors_open_when_recovery_is_over_and_the_disk_is_measured_beside(waybill):
    waybill.start()
    assert all(not refuses_connections(waybill, door) for door in ("produce", "acks"))
    line = waybill.wait_log("msg=\"disk measured\"")
    assert "syncs=100" in line and "expect=" in line
    assert not list((waybill.data / "journal").glob("sync-probe*"))


def test_a_port_that_is_taken_is_named(waybill):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        waybill.door("produce")["listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
        waybill.start(wait=False)
        assert waybill.wait_exit() in (1, 2)
        assert str(taken.getsockname()[1]) in waybill.log() and "level=fatal" in waybill.log()


def test_a_socket_file_that_a_kill_left_behind_is_no_obstacle(waybill):
    for _ in range(3):
        waybill.start()
        waybill.kill()
        assert (waybill.data / "waybill.sock").exists()
    waybill.start()
    waybill.stop()
    assert not (waybill.data / "waybill.sock").exists()


def test_the_end_of_the_reader_of_the_log_does_not_end_the_program(waybill):
    waybill.write_config()
    serve = subprocess.Popen([waybill.binary, "serve", "-c", waybill.config_path], stderr=subprocess.PIPE)
    try:
        while b'msg="ready"' not in serve.stderr.readline():
            pass
        serve.stderr.close()
        with LineSocket(waybill.connect("produce")) as client:
            client.send_bytes(b"GET / HTTP/1.1\r\n\r\n")
            assert client.is_ended()
        with waybill.produce() as producer:
            producer.store("a|1|1|x")
    finally:
        serve.terminate()
    assert serve.wait(20) == 0
