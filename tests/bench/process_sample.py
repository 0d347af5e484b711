"""What a running process costs: CPU time by thread, private memory at its peak, both read from /proc.

SPDX-License-Identifier: Apache-2.0
"""
import os
import threading
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MEMORY_EVERY_SECONDS = 0.1


def cpu_fields(text):
    """User and system ticks of a stat file; the name in it may hold blanks."""
    fields = text.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def thread_seconds(pid):
    """CPU seconds of each thread, under its name; threads of one name are added up."""
    seconds = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text(encoding="ascii").strip()
            ticks = cpu_fields((task / "stat").read_text(encoding="ascii"))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        seconds[name] = seconds.get(name, 0) + ticks / TICKS_PER_SECOND
    return seconds


def machine_seconds():
    """CPU seconds that the whole machine has worked."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, first[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def private_bytes(pid):
    """RssAnon, or None when the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return None
    line = next((line for line in status.splitlines() if line.startswith("RssAnon:")), None)
    return int(line.split()[1]) * 1024 if line else None


class ProcessSample:
    """with ProcessSample(pid) as sample: ...  - afterwards what the process used meanwhile."""

    def __init__(self, pid):
        self.pid = pid
        self.seconds = 0.0
        self.threads = {}  # name: CPU seconds
        self.others = 0.0  # CPU seconds of everything else on the machine
        self.private_peak = 0
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch_memory, daemon=True)

    def __enter__(self):
        self._threads_before = thread_seconds(self.pid)
        self._machine_before = machine_seconds()
        self._started = time.monotonic()
        self._watcher.start()
        return self

    def __exit__(self, *exception):
        self._is_over.set()
        self._watcher.join()
        self.seconds = time.monotonic() - self._started
        if not Path(f"/proc/{self.pid}").exists():
            return
        now = thread_seconds(self.pid)
        self.threads = {name: used - self._threads_before.get(name, 0) for name, used in now.items()}
        self.others = machine_seconds() - self._machine_before - self.cpu

    def _watch_memory(self):
        while True:
            self.private_peak = max(self.private_peak, private_bytes(self.pid) or 0)
            if self._is_over.wait(MEMORY_EVERY_SECONDS):
                return

    @property
    def cpu(self):
        return sum(self.threads.values())
