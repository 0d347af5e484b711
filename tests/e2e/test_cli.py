"""The command line: each verb, its output and its exit codes. Budget: 30 s.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import pty
import re
import signal
import subprocess

import pytest

from journal_reader import read_journal

VERBS = ["serve", "check", "send", "tail", "topics", "groups", "receipt", "journal", "bench", "version"]

# In a network of its own, because the doors of a program without a file have fixed ports.
ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as lo:
    fcntl.ioctl(lo, 0x8914, struct.pack("16sH14x", b"lo", 1))  # SIOCSIFFLAGS: up
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def running(waybill):
    """A program with three records in orders."""
    waybill.config["topics"] = {"orders": {"partitions": 1}}
    waybill.start()
    with waybill.produce() as producer:
        producer.store("orders|5|1|one", "orders|6|2|two|2", "orders|7|3|three")
    return waybill


# What all verbs share


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(waybill, verb):
    result = waybill.run(verb, "--help")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith(f"usage: waybill {verb}")
    assert re.search(rf"^  {verb} ", waybill.run("--help").stdout, re.MULTILINE)


@pytest.mark.parametrize("words", [
    [], ["bogus"], *([verb, "--bogus"] for verb in VERBS), ["tail"], ["send"], ["check"], ["journal"], ["serve", "file"],
    ["journal", "bogus"], ["journal", "verify"], ["journal", "backup", "one"], ["check", "--markdown"], ["topics", "a"], ["groups", "a"],
    ["tail", "a", "b"], ["tail", "a", "--limit", "0"], ["tail", "a", "--limit", "many"], ["tail", "a/b"],
    *(["tail", "a", "--from", place] for place in ("bogus", "0:x", ":", "-1", "")), ["send", "a", "b", "c"],
    ["send", ".."]])
def test_misuse_is_told_apart_by_its_exit_code(waybill, words):
    result = waybill.run(*words)
    assert result.returncode == 2
    assert result.stdout == "" and result.stderr != ""


@pytest.mark.parametrize("words", [["tail", "a"], ["topics"], ["send", "a"]])
def test_verbs_that_need_a_running_program_say_so(waybill, words):
    result = waybill.run(*words, "--data", waybill.data, stdin="x\n")
    assert result.returncode == 1
    assert str(waybill.data) in result.stderr and "waybill serve" in result.stderr


def test_version_is_printed_for_people_and_programs(waybill):
    version = json.loads(waybill.run("version", "--json").stdout)["version"]
    assert waybill.run("version").stdout == waybill.run("--version").stdout == f"waybill {version}\n"
    assert re.match(r"\d+\.\d+\.\d+", version)


# check


def check(waybill, text):
    waybill.config_path.write_text(text)
    return waybill.run("check", "waybill.yaml")


def test_check_is_content_with_a_good_file(running):
    result = running.run("check", running.config_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{running.config_path}: fine\n", "")


@pytest.mark.parametrize("text, problem", [
    ("dat: x\n", "1:1: `dat` is no key here: did you mean `data`?"),
    ("data: d\nlog:\n  segment_sise: 1MiB\n", "3:3: `segment_sise` is no key here: did you mean `segment_size`?"),
    ("data: d\ndrain: soon\n", "2:8: "), ("data: d\nlog: { ack: maybe }\n", "2:13: "),
    ("data: d\ndoors: [{ kind: line, serve: produce, listen: \"0.0.0.0:1\" }]\n", "2:47: 0.0.0.0 can be reached"),
    ("data: d\ndoors: [{ kind: kafka, listen: \"127.0.0.1:1\" }]\n", "2:17: "), ("proxies: []\n", "1:1: "),
    ("data: [d\n", "2:1: "), ("data: a\ndata: b\n", "2:1: "), ("topics: { a/b: {} }\ndoors: [{ kind: line, serve: acks, listen: \"127.0.0.1:1\" }]\n", "1:11: ")])
def test_check_names_file_line_column_and_what_is_wrong(waybill, text, problem):
    result = check(waybill, text)
    assert result.returncode == 2
    assert f"waybill.yaml:{problem}" in result.stderr
    serve = waybill.run("serve", "-c", "waybill.yaml")
    assert serve.returncode == 2 and f"waybill.yaml:{problem}" in serve.stderr
    assert not (waybill.folder / "d").exists()


def test_check_shows_every_problem_of_a_file(waybill):
    result = check(waybill, "dat: x\nlimts: {}\ndrain: 1\n")
    assert len(result.stderr.splitlines()) >= 3


def test_check_takes_values_from_the_environment(waybill):
    text = ('data: "${PLACE:fallback}"\ndrain: "${DRAIN}"\n'
            'doors: [{ kind: line, serve: acks, listen: "127.0.0.1:1" }]\n')
    waybill.environment["DRAIN"] = "3s"
    assert check(waybill, text).returncode == 0
    waybill.environment["DRAIN"] = "often"
    assert check(waybill, text).returncode == 2


def test_explain_names_every_key_with_its_default(waybill):
    result = waybill.run("check", "--explain")
    assert result.returncode == 0
    for key in ("data", "drain", "log.segment_size", "limits.record", "receipts.keep", "duplicates.count", "threads.loops"):
        assert re.search(rf"^{re.escape(key)}: .*default ", result.stdout, re.MULTILINE), key
    assert "\nproxies\n    Not in this version yet." in result.stdout


def test_a_listener_beyond_loopback_opens_only_when_told_that_it_is_insecure(waybill):
    door = waybill.door("produce")
    door.update(listen=f"0.0.0.0:{waybill.port('produce')}", insecure=True)
    waybill.start()
    with waybill.produce() as producer:
        producer.store("a|1|1|x")


# send, tail, topics


def test_send_stores_lines_of_standard_input_and_of_a_file(running):
    lines = [f"line {number}" for number in range(2000)]
    sent = running.run("send", "words", "-c", running.config_path, stdin="\n".join(lines))
    assert (sent.returncode, sent.stdout) == (0, "2000 stored, 0 refused\n")
    (running.folder / "file").write_text("a|b\n\\n\n")
    sent = running.run("send", "words", "-k", "eu 1", "file", "--json", "--data", running.data)
    assert (sent.returncode, json.loads(sent.stdout)) == (0, {"stored": 2, "refused": 0})
    sent = running.run("send", "words", "-", "--data", running.data, stdin="dash\n")
    assert sent.returncode == 0
    running.kill()
    records = read_journal(running.data)["words"][0]
    assert [record.value.decode() for record in records] == [*lines, "a|b", "\\n", "dash"]
    assert [record.key for record in records[-4:]] == [None, b"eu 1", b"eu 1", None]


def test_send_knows_what_was_stored_when_it_is_cut(running):
    with subprocess.Popen([running.binary, "send", "orders", "-", "--data", running.data], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as send:
        send.stdin.write(b"one\ntwo\nthree\n")
        send.stdin.flush()
        tail = running.run("tail", "orders", "--from", "3", "--limit", "3", "--data", running.data)
        assert tail.returncode == 0 and len(tail.stdout.splitlines()) == 3
        running.stop()
        send.stdin.write(b"four\n")
        send.stdin.close()
        assert (send.wait(10), send.stdout.read()) == (1, b"3 stored, 0 refused\n")


def test_send_tells_which_lines_were_refused(running):
    sent = running.run("send", "words", "-c", running.config_path, stdin="one\n\nthree\n")
    assert (sent.returncode, sent.stdout) == (1, "2 stored, 1 refused\n")
    assert sent.stderr.startswith("line 2: EMPTY final ")
    sent = running.run("send", "words", "--json", "-c", running.config_path, stdin="\nthree\n")
    assert (sent.returncode, json.loads(sent.stdout)) == (1, {"stored": 1, "refused": 1})


def test_send_refuses_lines_beyond_the_limit_of_a_record(waybill):
    waybill.config["limits"] = {"record": "64KiB"}
    waybill.door("produce")["max_line"] = "64KiB"
    waybill.start()
    sent = waybill.run("send", "words", "-c", waybill.config_path, stdin=f"one\n{'x' * 65537}\nthree\n")
    assert (sent.returncode, sent.stdout) == (1, "2 stored, 1 refused\n")
    assert sent.stderr.startswith("line 2: TOO_LONG final ")


@pytest.mark.parametrize("topic, code", [("a/b", 2), ("..", 2), ("waybill.audit", 1), ("x.dlq", 1)])
def test_send_refuses_names_that_are_illegal_or_closed(running, topic, code):
    sent = running.run("send", topic, "-c", running.config_path, stdin="x\n")
    assert sent.returncode == code and sent.stderr != ""
    assert set(running.topics()) == {"orders"}


@pytest.mark.parametrize("words, seqs", [
    (["--from", "start", "--once"], [1, 2, 3]), (["--from", "1", "--once"], [2, 3]), (["--from", "0:2", "--once"], [3]),
    (["--from", "end", "--once"], []), (["--once"], []), (["--from", "start", "--limit", "2"], [1, 2]),
    (["--from", "99", "--once"], [])])
def test_tail_begins_and_ends_where_it_is_told(running, words, seqs):
    result = running.run("tail", "orders", *words, "-c", running.config_path)
    assert result.returncode == 0
    assert [int(line.partition("|")[0]) for line in result.stdout.splitlines()] == seqs


def test_tail_in_base64_is_exact(running):
    assert running.tail("orders", "--base64")[1] == b"2|b3JkZXJz|6|dHdvfDI="


def test_tail_in_json_is_exact(running):
    bodies = [b'{"a":"b|c"}', "grüße\t\\n".encode(), b"\xff\x00\xfe", b"", b"x" * 300000]
    with running.produce() as producer:
        producer.store(*(b"k|7|%d|%s" % (20 + place, body) for place, body in enumerate(bodies)))
        producer.store("no message")
    tail = subprocess.run([running.binary, "tail", "k", "--from", "start", "--once", "--json", "--data", running.data],
                          capture_output=True, timeout=20, check=True)
    records = [json.loads(line) for line in tail.stdout.splitlines()]
    assert [record.get("body", "").encode() or base64.b64decode(record.get("body_base64", "")) for record in records] == bodies
    assert [(record["seq"], record["key"], record["timestamp"]) for record in records] == [(20 + i, "k", 7) for i in range(5)]
    parked = json.loads(running.run("tail", "unrouted.dlq", "--from", "start", "--once", "--json", "--data", running.data).stdout)
    assert parked["place"] == "0:0" and parked["body"] == "no message" and "key" not in parked and "seq" not in parked


@pytest.mark.parametrize("words", [["nowhere"], ["orders", "--from", "7:0"], ["orders", "--from", "9999:0"]])
def test_tail_says_what_it_cannot_find(running, words):
    result = running.run("tail", *words, "--once", "-c", running.config_path)
    assert result.returncode == 1 and result.stdout == "" and result.stderr.startswith("waybill")


def test_tail_shows_records_as_they_come(running):
    tail = subprocess.Popen([running.binary, "tail", "orders", "--from", "2", "--data", running.data],
                            stdout=subprocess.PIPE)
    try:
        assert tail.stdout.readline() == b"3|orders|7|three\n"
        for number in (10, 11):
            with running.produce() as producer:
                producer.store(f"orders|1|{number}|live")
            assert tail.stdout.readline() == b"%d|orders|1|live\n" % number
        running.stop()
        assert tail.wait(10) == 0
    finally:
        tail.kill()
        tail.wait()
        tail.stdout.close()


@pytest.mark.parametrize("end, code, text", [
    (lambda waybill, tail: waybill.kill(), 1, b"the program went away in the middle of the records"),
    (lambda waybill, tail: tail.send_signal(signal.SIGINT), 0, b"")])
def test_tail_tells_a_break_from_an_end(running, end, code, text):
    with subprocess.Popen([running.binary, "tail", "orders", "--from", "2", "--data", running.data],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        assert tail.stdout.readline() == b"3|orders|7|three\n"
        end(running, tail)
        assert tail.wait(10) == code
        assert tail.stdout.read() == b"" and text in tail.stderr.read()


def test_tail_shows_records_above_a_limit_that_was_lowered(waybill):
    waybill.config["limits"] = {"record": "2MiB", "append": "4MiB"}
    waybill.door("produce").update(max_line="2MiB", topic="all")
    waybill.start()
    body = 1500000 * b"x"
    with waybill.produce() as producer:
        producer.store(b"k|1|1|" + body)
        producer.store("k|1|2|behind")
    waybill.stop()
    waybill.config["limits"] = {"record": "64KiB", "append": "256KiB"}
    waybill.door("produce")["max_line"] = "64KiB"
    waybill.start()
    assert waybill.tail("all") == [b"1|k|1|" + body, b"2|k|1|behind"]


def test_topics_lists_what_is_there(running):
    text = running.run("topics", "-c", running.config_path)
    assert text.returncode == 0 and re.search(r"^orders +1 +3 ", text.stdout, re.MULTILINE)
    row, = running.run("topics", "--json", "-c", running.config_path).stdout.splitlines()
    row = json.loads(row)
    assert row["topic"] == "orders" and row["partitions"][0]["start"] == 0 and row["partitions"][0]["end"] == 3


# journal


def test_journal_inspects_and_verifies_a_running_and_a_resting_log(running):
    for _ in range(2):
        inspected = running.run("journal", "inspect", running.data)
        assert inspected.returncode == 0 and re.search(r"^ +1  active ", inspected.stdout, re.MULTILINE)
        rows = [json.loads(line) for line in running.run("journal", "inspect", running.data, "--json").stdout.splitlines()]
        assert rows[0]["segment"] == 1
        verified = running.run("journal", "verify", running.data)
        assert verified.returncode == 0 and "records=3 damaged=0" in verified.stdout
        assert json.loads(running.run("journal", "verify", running.data, "--json").stdout.splitlines()[-1])["records"] == 3
        if running.is_running:
            running.stop()


def test_a_backup_of_a_running_program_opens_and_has_what_was_acknowledged(running, make_waybill):
    copy = make_waybill("copy")
    backed_up = running.run("journal", "backup", running.data, copy.data)
    assert backed_up.returncode == 0, backed_up.stderr
    with running.produce() as producer:
        producer.store("orders|1|4|later")
    assert running.run("journal", "verify", copy.data).returncode == 0
    copy.start()
    assert [line.partition(b"|")[0] for line in copy.tail("orders")] == [b"1", b"2", b"3"]
    with copy.produce() as producer:
        producer.store("orders|1|99|only here")
    copy.stop()
    again = running.run("journal", "backup", running.data, copy.data)
    assert again.returncode == 1 and "choose a directory that is not there yet" in again.stderr
    assert [line.partition(b"|")[0] for line in running.tail("orders")] == [b"1", b"2", b"3", b"4"]
    running.stop()
    running.start()
    assert len(running.tail("orders")) == 4


def test_journal_verify_names_the_damage(running):
    running.stop()
    segment = running.data / "journal" / "0000000000000001.segment"
    content = bytearray(segment.read_bytes())
    content[content.find(b"three")] ^= 1
    segment.write_bytes(content)
    verified = running.run("journal", "verify", running.data)
    assert verified.returncode == 1 and "damage segment=1 from=" in verified.stdout
    assert running.run("journal", "inspect", running.data).returncode == 0


@pytest.mark.parametrize("verb", ["inspect", "verify"])
def test_journal_says_when_there_is_none(waybill, verb):
    result = waybill.run("journal", verb, "nowhere")
    assert result.returncode == 1 and "nowhere" in result.stderr


# Progress: reading is slowed down, so that there is something to show.

SLOW = ["strace", "-f", "-o", "/dev/null", "-e", "trace=preadv2", "-e", "inject=preadv2:delay_enter=100000"]


@pytest.fixture
def long_journal(waybill):
    waybill.config.update(log={"segment_size": "16MiB"}, limits={"append": "4MiB"})
    waybill.door("produce")["topic"] = "all"
    waybill.start()
    with waybill.produce() as producer:
        for first in range(1, 10001, 1000):
            producer.send(*(f"k|1|{number}|{'x' * 1000}" for number in range(first, first + 1000)))
            producer.wait_settled(first + 999)
    waybill.kill()
    return waybill


def test_long_work_shows_log_lines_when_nobody_watches(long_journal):
    verified = subprocess.run([*SLOW, long_journal.binary, "journal", "verify", long_journal.data], capture_output=True,
                              text=True, check=True, timeout=60)
    assert re.search(r"room=progress .*verify.* percent=\d+", verified.stderr) and "\r" not in verified.stderr
    long_journal.wrapper = SLOW
    long_journal.start()
    assert re.search(r"room=progress msg=\"recovery\" .*percent=\d+", long_journal.log())


def test_long_work_shows_a_bar_on_a_terminal(long_journal):
    here, there = pty.openpty()
    with subprocess.Popen([*SLOW, long_journal.binary, "journal", "verify", long_journal.data], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=there) as verify:
        os.close(there)
        shown = b""
        try:
            while piece := os.read(here, 4096):
                shown += piece
        except OSError:
            pass  # how the end of a terminal shows itself
        assert verify.wait(10) == 0
    os.close(here)
    assert re.search(rb"\rverify \[#+ *\] +\d+ %", shown) and b"room=progress" not in shown


# serve without a file


def test_serve_without_a_file_opens_the_line_doors_on_loopback(waybill):
    (waybill.folder / "alone.py").write_text(ALONE)
    wrapper = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"]), "/usr/bin/python3", "alone.py"]
    with subprocess.Popen([*wrapper, waybill.binary, "serve"], cwd=waybill.folder, stderr=subprocess.PIPE, text=True) as serve:
        try:
            doors = []
            for line in serve.stderr:
                doors += re.findall(r'msg="door open" door="(.*)"', line)
                if "msg=\"ready\"" in line:
                    break
            assert doors == ["produce 127.0.0.1:5673", "subscribe 127.0.0.1:5674", "acks 127.0.0.1:5675",
                             "status 127.0.0.1:5676"]
            assert waybill.run("send", "words", stdin="x\n").returncode == 0
            assert waybill.run("topics").returncode == 0
            assert (waybill.folder / "waybill-data").stat().st_mode & 0o777 == 0o700
            assert (waybill.folder / "waybill-data/waybill.sock").stat().st_mode & 0o777 == 0o600
        finally:
            serve.terminate()
            serve.stderr.close()
        assert serve.wait(20) == 0
