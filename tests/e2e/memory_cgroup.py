"""A cgroup with a limit of memory, page cache counted, of version 2 or 1.

SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
KNOWN_TO_LACK = os.environ.get("WAYBILL_NO_CGROUP") == "1"


def mounted_parent():
    """The folder to make a cgroup in, of version 2 or 1, where the memory controller is mounted; else None."""
    controllers = ROOT / "cgroup.controllers"
    if controllers.exists() and "memory" in controllers.read_text(encoding="ascii").split():
        return ROOT
    return ROOT / "memory" if (ROOT / "memory" / "memory.limit_in_bytes").exists() else None


class MemoryCgroup:
    """Lives as long as its `with` block; is_there tells whether it could be made, reason why not."""

    def __init__(self, size):
        self.folder = None
        self.mount = None  # of ours, where the machine has none
        self.inside = []  # words before a command that is to run in it
        self.reason = ""
        try:
            self.make(mounted_parent() or self.mount_controller(), size)
        except OSError as error:
            self.reason = str(error)
            self.unmount()

    @property
    def is_there(self):
        return self.folder is not None

    def mount_controller(self):
        """Version 1's, for as long as this lives."""
        self.mount = Path(tempfile.mkdtemp(prefix="waybill-cgroup-"))
        mounted = subprocess.run(["mount", "-t", "cgroup", "-o", "memory", "cgroup", self.mount], capture_output=True,
                                 text=True, check=False)
        if mounted.returncode != 0:
            self.mount.rmdir()
            self.mount = None
            raise OSError(mounted.stderr.strip())
        return self.mount

    def unmount(self):
        if self.mount is not None:
            subprocess.run(["umount", self.mount], check=True)
            self.mount.rmdir()
            self.mount = None

    def make(self, parent, size):
        is_version_2 = (parent / "cgroup.controllers").exists()
        limit = "memory.max" if is_version_2 else "memory.limit_in_bytes"
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
        self.unmount()
