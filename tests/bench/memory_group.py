"""A control group with a limit on memory, page cache included; needs root and a mounted controller.

SPDX-License-Identifier: Apache-2.0
"""
import os
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")


class MemoryGroup:
    """with MemoryGroup(limit) as group: a process starts in it behind group.wrapper. OSError: not on this machine."""

    def __init__(self, limit):
        self.limit = limit
        is_second_version = (MOUNT / "cgroup.controllers").exists()
        parent = MOUNT if is_second_version else MOUNT / "memory"
        self.folder = parent / f"waybill-bench-{os.getpid()}"
        self._limit_file = "memory.max" if is_second_version else "memory.limit_in_bytes"
        self._peak_file = "memory.peak" if is_second_version else "memory.max_usage_in_bytes"

    def __enter__(self):
        self.folder.mkdir()
        try:
            (self.folder / self._limit_file).write_text(str(self.limit), encoding="ascii")
        except OSError:
            self.folder.rmdir()
            raise
        return self

    def __exit__(self, *exception):
        self.folder.rmdir()  # its processes have ended

    @property
    def wrapper(self):
        """Words before a command that move it into the group; the process stays the same."""
        return ["/bin/sh", "-c", f'echo $$ >"{self.folder}/cgroup.procs" && exec "$@"', "sh"]

    def peak(self):
        """The most that was ever counted, or None where the kernel does not tell."""
        try:
            return int((self.folder / self._peak_file).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
