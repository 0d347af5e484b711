"""A cgroup with a limit of memory, page cache counted, of version 2 or 1.

SPDX-License-Identifier: Apache-2.0
"""
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class MemoryCgroup:
    """Lives as long as its `with` block; is_there tells whether it could be made, reason why not."""

    def __init__(self, size):
        self.folder = None
        self.inside = []  # words before a command that is to run in it
        self.reason = ""
        try:
            self.make(size)
        except OSError as error:
            self.reason = str(error)

    @property
    def is_there(self):
        return self.folder is not None

    def make(self, size):
        is_version_2 = (ROOT / "cgroup.controllers").exists()
        parent, limit = (ROOT, "memory.max") if is_version_2 else (ROOT / "memory", "memory.limit_in_bytes")
        if is_version_2:
            (parent / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
        folder = parent / f"waybill-test-{os.getpid()}"
        folder.mkdir()
        try:
            (folder / limit).write_text(str(size), encoding="ascii")
        except OSError:
            folder.rmdir()
            raise
        self.folder = folder
        self.inside = ["sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"', "sh"]

    def kills(self):
        """How often the kernel had to kill in it."""
        if not self.is_there:
            return 0
        events = next(path for name in ("memory.events", "memory.oom_control") if (path := self.folder / name).exists())
        counts = dict(line.split() for line in events.read_text(encoding="ascii").splitlines())
        return int(counts.get("oom_kill", 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_there:
            self.folder.rmdir()
