"""The pages that `make docs` writes say today what their sources say.

SPDX-License-Identifier: Apache-2.0
"""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from waybill import find_binary  # noqa: E402 (the folder has to be known first)


def assert_is_up_to_date(page, *words):
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == printed, "run `make docs` and commit what it writes"


def test_the_page_of_the_configuration_is_what_the_tables_print():
    assert_is_up_to_date("configuration.md", find_binary(), "check", "--explain", "--markdown")


def test_the_page_of_the_rooms_is_what_the_build_obeys():
    assert_is_up_to_date("rooms.md", ROOT / "tools" / "check-rooms", "--picture")
