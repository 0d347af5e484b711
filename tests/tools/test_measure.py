"""tools/measure refuses what is over a hard limit, unless a comment says why.

SPDX-License-Identifier: Apache-2.0
"""
import subprocess
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools/measure"


@pytest.fixture
def measure(tmp_path):
    """Measures a tree whose one file is given, and gives back (is it well, what it said)."""

    def measure_one(text, name="noun.c"):
        (tmp_path / "src/base").mkdir(parents=True, exist_ok=True)
        (tmp_path / "src/base/ground.c").write_text("int ground(void)\n{\n    return 1;\n}\n", encoding="utf-8")
        (tmp_path / "src/base" / name).write_text(text, encoding="utf-8")
        result = subprocess.run([TOOL, "--root", tmp_path], capture_output=True, text=True, check=False)
        assert result.stderr == ""
        return result.returncode == 0, result.stdout

    return measure_one


def function_of(lines):
    return "int noun_verb(int a)\n{\n" + "    a++;\n" * (lines - 4) + "    return a;\n}\n"


def test_a_function_of_70_lines_passes_and_one_of_71_does_not(measure):
    assert measure(function_of(70))[0]
    is_well, words = measure(function_of(71))
    assert not is_well
    assert "src/base/noun.c:1: noun_verb has 71 lines, the limit is 70" in words


def test_a_reason_excuses_a_long_function_and_is_listed(measure):
    is_well, words = measure("/* Rule zero: one table of states reads best in one piece. */\n" + function_of(80))
    assert is_well
    assert "excused: src/base/noun.c:2: noun_verb has 80 lines" in words


@pytest.mark.parametrize("name, most", [("noun.c", 600), ("noun.h", 150)])
def test_a_file_over_its_limit_is_refused(measure, name, most):
    assert measure("/* one */\n" * most, name)[0]
    is_well, words = measure("/* one */\n" * (most + 1), name)
    assert not is_well
    assert f"the file has {most + 1} lines, the limit is {most}" in words


def test_the_third_mutable_global_is_refused_and_constants_are_free(measure):
    constants = "static const int a[] = {1};\nstatic const char *const b = \"\";\n"
    assert measure(constants * 3 + "static int c;\nstatic const char *d;\n")[0]
    is_well, words = measure(constants + "static int c;\nstatic const char *d;\nint e;\n")
    assert not is_well
    assert "more than 2 mutable globals" in words


def test_a_forest_of_conditionals_is_refused_and_include_guards_are_free(measure):
    assert measure("#ifndef BASE_NOUN_H\n#define BASE_NOUN_H\n" + "#ifdef ONE\n#endif\n" * 3 + "#endif\n", "noun.h")[0]
    is_well, words = measure("#ifdef ONE\n#endif\n" * 4, "noun.h")
    assert not is_well
    assert "4 #if in" in words
