"""The fixtures of the end-to-end tests.

SPDX-License-Identifier: Apache-2.0
"""
import shutil

import pytest

pytest.register_assert_rewrite("certificates", "journal_reader", "ledger", "line_client", "tls_client", "waybill")  # they say what they compared

from waybill import Waybill, find_binary


@pytest.fixture(scope="session")
def waybill_binary():
    """The program under test, as an absolute path."""
    return find_binary()


@pytest.fixture
def make_waybill(waybill_binary, tmp_path):
    """Makes as many programs as a test needs: make_waybill("one"), each in a folder of its own, all ended afterwards."""
    made = []

    def make(name="waybill", config=None):
        made.append(Waybill(tmp_path / name, waybill_binary, config))
        return made[-1]

    yield make
    try:
        for each in made:
            each.clean_up()
    finally:
        for each in made:  # a log takes 200 MB and more: hundreds of tests would fill a small /tmp
            shutil.rmtree(each.data, ignore_errors=True)


@pytest.fixture
def waybill(make_waybill):
    """A program that is configured but not started yet: change waybill.config, then waybill.start()."""
    return make_waybill()
