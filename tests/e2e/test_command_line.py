"""The subcommands as a person meets them: what they print, where, and their exit codes.

SPDX-License-Identifier: Apache-2.0
"""
import json

import pytest

COMMANDS = ["serve", "check", "send", "tail", "topics", "journal", "version"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(waybill, command):
    result = waybill.run(command, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"usage: waybill {command}")
    assert result.stderr == ""


@pytest.mark.parametrize("words", [[], ["fly"], ["serve", "--fly"], ["serve", "file"], ["check"], ["tail"], ["send"],
                                   ["topics", "all"], ["journal"], ["journal", "verify"], ["journal", "burn", "x"],
                                   ["tail", "t", "--limit", "none"]])
def test_misuse_is_told_on_standard_error_with_code_2(waybill, words):
    result = waybill.run(*words)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr != ""


def test_version_is_one_line(waybill):
    text = waybill.run("version").stdout
    assert text.startswith("waybill ") and text.count("\n") == 1
    assert json.loads(waybill.run("version", "--json").stdout)["version"] == text.split()[1]


def test_check_names_file_line_column_and_the_nearest_key(waybill):
    file = waybill.folder / "bad.yaml"
    file.write_text("data: x\nlog:\n  segment_sise: 1MiB\n", encoding="utf-8")
    result = waybill.run("check", file)
    assert result.returncode == 2
    assert f"{file}:3:3: `segment_sise` is no key here: did you mean `segment_size`?" in result.stderr


def test_check_accepts_what_serve_starts_with(waybill):
    waybill.write_config()
    result = waybill.run("check", waybill.config_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_reference_names_what_is_not_built(waybill):
    text = waybill.run("check", "--explain").stdout
    assert "log.segment_size: a size from 256KiB to 1GiB; default 64MiB; restart\n" in text
    assert "deliveries\n    Not in this version yet." in text


@pytest.mark.parametrize("words", [["topics"], ["tail", "t"], ["send", "t"]])
def test_verbs_say_when_no_program_runs(waybill, words):
    waybill.write_config()
    result = waybill.run(*words, "-c", waybill.config_path, stdin="")
    assert result.returncode == 1
    assert "no program runs on" in result.stderr


def test_sent_lines_are_listed_and_read_back(waybill):
    waybill.start()
    options = ["-c", waybill.config_path]
    sent = waybill.run("send", "notes", "-k", "k", *options, stdin="one\ntwo|three\nlast without end")
    assert (sent.returncode, sent.stdout) == (0, "3 stored, 0 refused\n")
    listed = [json.loads(line) for line in waybill.run("topics", "--json", *options).stdout.splitlines()]
    notes = next(topic for topic in listed if topic["topic"] == "notes")
    assert notes["partitions"][0]["end"] == 3
    assert "notes" in waybill.run("topics", *options).stdout
    read = waybill.run("tail", "notes", "--from", "start", "--once", *options)
    bodies = [line.split("|", 3)[3] for line in read.stdout.splitlines()]
    keys = {line.split("|", 3)[1] for line in read.stdout.splitlines()}
    assert (bodies, keys) == (["one", "two|three", "last without end"], {"k"})
    waybill.stop()


def test_refused_lines_are_named_and_the_others_stored(waybill):
    waybill.start()
    result = waybill.run("send", "notes", "--json", "-c", waybill.config_path, stdin="one\n\nthree\n")
    assert result.returncode == 1
    assert json.loads(result.stdout) == {"stored": 2, "refused": 1}
    assert result.stderr.startswith("line 2:")


def test_unknown_topic_is_refused_by_tail(waybill):
    waybill.start()
    result = waybill.run("tail", "nowhere", "--once", "-c", waybill.config_path)
    assert result.returncode == 1
    assert result.stdout == "" and result.stderr != ""


def test_journal_is_verified_and_backed_up_while_it_runs(waybill):
    waybill.start()
    waybill.run("send", "notes", "-c", waybill.config_path, stdin="one\ntwo\n")
    copy = waybill.folder / "copy"
    assert waybill.run("journal", "backup", waybill.data, copy).returncode == 0
    again = waybill.run("journal", "backup", waybill.data, copy)
    assert again.returncode == 1 and "choose a directory that is not there yet" in again.stderr
    waybill.run("send", "notes", "-c", waybill.config_path, stdin="three\n")
    waybill.stop()
    for folder, records in ((waybill.data, 3), (copy, 2)):
        result = waybill.run("journal", "verify", folder, "--json")
        assert result.returncode == 0
        end = json.loads(result.stdout.splitlines()[-1])
        assert (end["records"], end["damaged"]) == (records, 0)


def test_damage_is_found_and_named(waybill):
    waybill.start()
    waybill.run("send", "notes", "-c", waybill.config_path, stdin="a message to be damaged\n")
    waybill.stop()
    segment = waybill.data / "journal" / "0000000000000001.segment"
    content = bytearray(segment.read_bytes())
    at = content.find(b"a message to be damaged")
    content[at] ^= 1
    segment.write_bytes(content)
    result = waybill.run("journal", "verify", waybill.data)
    assert result.returncode == 1
    assert "damage segment=1 from=" in result.stdout
    assert waybill.run("journal", "inspect", waybill.data).returncode == 0
