"""How the program starts, refuses to start, and ends.

SPDX-License-Identifier: Apache-2.0
"""
import os
import resource
import select
import signal
import socket
import stat
import time

import pytest


def start_in_vain(waybill):
    """Starts what must refuse; gives back its exit code."""
    waybill.start(wait=False)
    return waybill.wait_exit()


def test_ready_line_says_what_recovery_found(waybill):
    waybill.start()
    line = waybill.wait_log('msg="ready"')
    assert "recovery=" in line and "records=0" in line and "damaged=0" in line
    waybill.run("send", "notes", "-c", waybill.config_path, stdin="one\ntwo\n")
    waybill.kill()
    waybill.start()
    assert "records=2" in waybill.wait_log('msg="ready"')


def test_disk_is_measured_beside(waybill):
    waybill.start()
    line = waybill.wait_log('msg="disk measured"', seconds=60)
    assert "syncs=100" in line and "p50=" in line and "p99=" in line
    assert not (waybill.data / "journal" / "sync-probe.tmp").exists()


def test_data_directory_and_socket_are_for_their_user_alone(waybill):
    waybill.start()
    assert stat.S_IMODE(waybill.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((waybill.data / "waybill.sock").stat().st_mode) == 0o600
    waybill.stop()
    assert not (waybill.data / "waybill.sock").exists()


def test_second_program_on_the_same_data_is_refused(waybill, make_waybill):
    waybill.start()
    other = make_waybill("other")
    other.config["data"] = str(waybill.data)
    assert start_in_vain(other) == 2
    assert "is in use by another process" in other.log()


def test_port_in_use_is_refused(waybill):
    with socket.socket() as other:
        other.bind(("127.0.0.1", waybill.port("acks")))
        other.listen()
        assert start_in_vain(waybill) == 2
    assert f"{waybill.port('acks')}" in waybill.log()


def test_listener_for_all_needs_a_word(waybill):
    waybill.door("acks")["listen"] = f"0.0.0.0:{waybill.port('acks')}"
    assert start_in_vain(waybill) == 2
    assert "0.0.0.0 can be reached from outside and nothing protects it" in waybill.log()
    waybill.door("acks")["insecure"] = True
    waybill.start()


def test_open_files_are_raised_to_the_hard_limit(waybill):
    waybill.wrapper = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
    try:
        waybill.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(waybill.pid, resource.RLIMIT_NOFILE) == (hard, hard)


def test_configured_topics_exist_from_the_start(waybill):
    waybill.config["topics"] = {"orders": {"partitions": 4}}
    waybill.start()
    assert "orders" in waybill.run("topics", "-c", waybill.config_path).stdout
    waybill.stop()
    waybill.config["topics"]["orders"]["partitions"] = 8
    waybill.start()
    assert "topic=orders partitions=4 configured=8" in waybill.wait_log("partitions of an existing topic do not change")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_in_order_however_often_it_comes(waybill, number):
    waybill.start()
    for _ in range(5):
        waybill.signal(number)
    assert waybill.wait_exit() == 0
    assert 'msg="stopped"' in waybill.log()


def test_hangup_is_answered_with_advice(waybill):
    waybill.start()
    waybill.signal(signal.SIGHUP)
    waybill.wait_log("reload is not in this version yet")
    waybill.stop()


def test_idle_connections_do_not_delay_the_end(waybill):
    waybill.start()
    idle = [waybill.connect(name) for name in ("produce", "acks") for _ in range(20)]
    began = time.monotonic()
    waybill.stop()
    assert time.monotonic() - began < 5
    for connection in idle:
        connection.close()


def test_peer_that_never_reads_is_cut_when_the_drain_is_over(waybill):
    waybill.config["drain"] = "500ms"
    waybill.start()
    with waybill.connect("acks") as deaf:
        deaf.setblocking(False)
        # Until the program takes no more, because its answers are not read.
        while select.select([], [deaf], [], 0.5)[1]:
            deaf.send(b"GET_ACK 1-1000000\n" * 1000)
        waybill.stop()
    log = waybill.log()
    assert "drain time is over" in log and "connection cut" in log


def test_systemd_hears_of_readiness_and_stopping(waybill, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        waybill.environment["NOTIFY_SOCKET"] = str(path)
        waybill.start()
        assert manager.recv(100) == b"READY=1"
        waybill.stop()
        assert manager.recv(100) == b"STOPPING=1"


def test_without_a_file_the_doors_that_exist_are_on_loopback(waybill):
    """Its ports are fixed, so this looks only at what it says before it would open them."""
    data = waybill.folder / "waybill-data"
    data.write_text("in the way", encoding="utf-8")
    result = waybill.run("serve")
    assert result.returncode != 0
    assert "./waybill-data" in result.stderr
    assert os.path.isfile(data)
