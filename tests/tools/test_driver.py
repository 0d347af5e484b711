"""The driver of the end-to-end tests notices what it has to notice; the program here is a stand-in.

SPDX-License-Identifier: Apache-2.0
"""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from waybill import Waybill, free_port  # noqa: E402 (the folder has to be known first)

STAND_IN = """#!/bin/bash
trap 'exit {code}' TERM
echo 'ts=1 level=info room=app msg={word}' >&2
while :; do sleep 0.01; done
"""


@pytest.fixture
def stand_in(tmp_path):
    """A driven shell script that says one word and ends with one code."""

    def make(word='"ready"', code=0):
        path = tmp_path / "stand-in"
        path.write_text(STAND_IN.format(word=word, code=code), encoding="utf-8")
        path.chmod(0o755)
        return Waybill(tmp_path / "run", path)

    return make


def test_start_waits_for_ready_and_stop_wants_exit_code_0(stand_in):
    waybill = stand_in()
    waybill.start()
    assert waybill.is_running
    waybill.stop()
    assert not waybill.is_running


def test_a_bad_exit_code_after_sigterm_is_a_failure_that_shows_the_log(stand_in):
    waybill = stand_in(code=3)
    waybill.start()
    with pytest.raises(AssertionError, match=r"(?s)exit code 3 after SIGTERM.*level=info"):
        waybill.stop()


def test_a_program_that_is_never_ready_is_a_time_out_that_shows_the_log(stand_in):
    waybill = stand_in(word="steady")
    with pytest.raises(TimeoutError, match=r"(?s)no log line.*msg=steady"):
        waybill.start(seconds=0.3)
    waybill.kill()


def test_a_program_that_ends_before_ready_is_noticed_at_once(tmp_path):
    waybill = Waybill(tmp_path, "/bin/false")
    with pytest.raises(AssertionError, match="it ended before a log line"):
        waybill.start()
    with pytest.raises(AssertionError, match="ended by itself with exit code 1"):
        waybill.clean_up()


def test_the_log_of_an_earlier_start_does_not_count_as_ready(stand_in):
    waybill = stand_in()
    waybill.start()
    waybill.kill()
    waybill.binary = Path("/bin/false")
    with pytest.raises(AssertionError, match="it ended before a log line"):
        waybill.start()
    waybill.wait_exit()


def test_ports_are_given_once():
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == 200
