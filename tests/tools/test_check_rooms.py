"""tools/check-rooms refuses each kind of breach in a small tree, and finds nothing in a clean one.

SPDX-License-Identifier: Apache-2.0
"""
import subprocess
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools/check-rooms"
TABLE = """
table_of_rooms = [
  # room   may use    links    owns the headers
  ['base', [],        [isal],  ['isa-l', 'pcre2.h']],
  ['wire', ['base'],  [],      []],
]
"""


@pytest.fixture
def tree(tmp_path):
    """A tree of two rooms in which all is well."""
    return Tree(tmp_path)


class Tree:
    def __init__(self, root):
        self.root = root
        self.write("meson.build", TABLE)
        self.write("src/base/meson.build", "base_sources = files('span.c')")
        self.write("src/base/span.h", "#include <stddef.h>")
        self.write("src/base/span.c", '#include "base/span.h"\n#include <isa-l/crc.h>')
        self.write("src/wire/meson.build", "wire_sources = files('line.c')")
        self.write("src/wire/line.h", '#include "base/span.h"')
        self.write("src/wire/line.c", '#include "wire/line.h"')

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text + "\n", encoding="utf-8")

    def check(self):
        result = subprocess.run([TOOL, "--root", self.root], capture_output=True, text=True, check=False)
        assert result.returncode in (0, 1), result.stderr
        assert (result.returncode == 0) == (result.stdout == "")
        return result.stdout


def test_a_clean_tree_passes(tree):
    assert tree.check() == ""


@pytest.mark.parametrize("path, text, sentence", [
    ("src/base/span.h", '#include "wire/line.h"', "src/base/span.h:1: base may not use wire"),
    ("src/wire/line.c", "\n#include <pcre2.h>", "src/wire/line.c:2: <pcre2.h> belongs to base, not to wire"),
    ("src/wire/line.c", "#include <jansson.h>", "<jansson.h> has no owner"),
    ("src/wire/line.c", '#include "line.h"', 'is not a file of src: write "room/noun.h"'),
    ("src/wire/span.h", "", "the name span is taken twice: src/base, src/wire"),
    ("src/wire/batch.c", "", "src/wire/batch.c:1: is not named in src/wire/meson.build"),
    ("src/attic/old.h", "", "attic is no room of the table"),
    ("tests/unit/wire/line_test.c", "", "is not named in tests/unit/wire/meson.build"),
    ("tests/unit/base/span_test.c", '#include "wire/line.h"', "base may not use wire"),
    ("tests/fuzz/line_fuzz.c", "", "tests/fuzz/line_fuzz.c:1: is in no `<room>_fuzzers`"),
    ("tests/fuzz/line_fuzz.c", "", "has no corpus in tests/fuzz/corpus/line"),
])
def test_a_breach_is_named(tree, path, text, sentence):
    tree.write(path, text)
    assert sentence in tree.check()


def test_another_rooms_private_header_is_refused_and_the_rooms_own_is_not(tree):
    tree.write("src/base/span_impl.h", "")
    tree.write("src/base/span.c", '#include "base/span_impl.h"')
    assert tree.check() == ""
    tree.write("src/wire/line.c", '#include "base/span_impl.h"')
    assert '"base/span_impl.h" is private to base' in tree.check()


def test_files_that_need_each_other_are_named_once(tree):
    tree.write("src/base/list.h", "")
    tree.write("src/base/span.h", '#include "base/list.h"')
    assert tree.check() == ""
    tree.write("src/base/list.c", '#include "base/span.h"')
    tree.write("src/base/meson.build", "base_sources = files('list.c', 'span.c')")
    assert tree.check().count("these need each other: base/list, base/span") == 1


def test_a_room_may_use_only_rooms_that_stand_above_it(tree):
    tree.write("meson.build", TABLE.replace("['base', [],       ", "['base', ['wire'],"))
    assert "room base may use wire, which does not stand above it" in tree.check()
