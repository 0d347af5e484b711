"""What every pytest run here shares: on CI nothing is skipped in silence.

SPDX-License-Identifier: Apache-2.0
"""
import os

import pytest

IS_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def refuse_skip(report):
    """On CI a skipped test is a failed one: its reason, usually a missing tool, is to be mended."""
    if IS_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but on CI nothing is skipped: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    refuse_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report():
    outcome = yield
    refuse_skip(outcome.get_result())
