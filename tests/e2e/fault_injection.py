"""Makes the world around a program fail: its system calls, and the space of its file system.

SPDX-License-Identifier: Apache-2.0
"""
import os
import shutil
import signal
import subprocess
from pathlib import Path

from waybill import wait_until

SECONDS = 20


class Injection:
    """From its beginning to its end, strace tampers with a running program: Injection(pid, "fdatasync:error=EIO")."""

    def __init__(self, pid, rule, log_path):
        call = rule.partition(":")[0]
        self.log_path = Path(log_path)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["strace", "-f", "-p", str(pid), "-e", f"trace={call}", "-e", f"inject={rule}"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        wait_until(self._is_attached, SECONDS, "strace")

    def _is_attached(self):
        is_over = self.process.poll() is not None  # asked first: it may have killed the program already
        is_attached = b"attached" in self.log_path.read_bytes()
        assert is_attached or not is_over, self.log_path.read_text(errors="replace")
        return is_attached

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(SECONDS)


HANGING_SYNC = """
#include <sys/syscall.h>
#include <unistd.h>
int fdatasync(int fd)
{
    while (access("%s", F_OK) == 0)
        usleep(10000);
    return (int)syscall(SYS_fdatasync, fd);
}
"""


class HangingDisk:
    """
    Syncs of a program that starts while this object lives do not return while it hangs. (strace can delay a call, but then
    holds on to the dying program until the delay is over.)
    """

    def __init__(self, waybill):
        self.mark = waybill.folder / "hangs"
        library = waybill.folder / "hanging_sync.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, "-xc", "-"], input=HANGING_SYNC % self.mark, text=True, check=True)
        waybill.environment["LD_PRELOAD"] = str(library)

    def hang(self):
        self.mark.touch()

    def go_on(self):
        self.mark.unlink()


class SmallDisk:
    """
    A file system of a few mebibytes at a program's data directory, mounted for that program alone, through as many of
    its starts as happen while this object lives.
    """

    def __init__(self, waybill, mebibytes):
        is_root = os.geteuid() == 0
        path = waybill.data
        path.mkdir()
        mount = 'mount -t tmpfs -o size="$1"m none "$2" && echo mounted && exec sleep infinity'
        # In a chroot the root is no mount of its own, and its propagation cannot be changed: there it is private already.
        for propagation in ("private", "unchanged"):
            self.holder = subprocess.Popen(
                ["unshare", "--mount", "--propagation", propagation, *([] if is_root else ["--map-root-user"]),
                 "sh", "-c", mount, "sh", str(mebibytes), str(path)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            is_mounted = self.holder.stdout.readline() == "mounted\n"
            if is_mounted:
                break
        assert is_mounted, "a private mount needs root or user namespaces"
        waybill.wrapper = ["nsenter", "--target", str(self.holder.pid), "--mount", "--root",
                           *([] if is_root else ["--user", "--preserve-credentials"])]
        # A short path, because the name of a socket is at most 107 bytes long.
        self.path = waybill.seen_data = waybill.folder / "seen"
        self.path.symlink_to(f"/proc/{self.holder.pid}/root{path}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait(SECONDS)
        self.holder.stdout.close()

    def fill(self, bytes_left, name="ballast"):
        """Takes all but so many bytes; free() gives them back."""
        free = shutil.disk_usage(self.path).free
        with open(self.path / name, "wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, free - bytes_left)

    def fill_rest(self):
        self.fill(0, "more ballast")

    def free(self):
        for path in self.path.glob("*ballast"):
            path.unlink()
