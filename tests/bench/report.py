"""The table of figures: for the terminal while they come, and for docs/benchmarks.md.

SPDX-License-Identifier: Apache-2.0
"""
import datetime
import os
import subprocess
from dataclasses import dataclass, field

BUSY = 0.10  # of a core: what is busier than this is worth a word


@dataclass
class Row:
    """One figure. `bound` is the sentence of the requirement; holds is None when there is none."""
    name: str
    value: str
    bound: str = ""
    holds: bool | None = None
    latency: str = ""
    limited: str = ""
    cpu: str = ""  # CPU seconds per million messages
    written: str = ""  # bytes written per byte stored
    memory: str = ""  # peak of private memory
    notes: list = field(default_factory=list)

    @property
    def verdict(self):
        return "" if self.holds is None else "pass" if self.holds else "MISS"


HEAD = ["figure", "value", "required", "", "p50 / p99 / p99.9", "limited by", "CPU s per million", "written per stored",
        "RssAnon peak"]


def cells(row):
    return [row.name, row.value, row.bound, row.verdict, row.latency, row.limited, row.cpu, row.written, row.memory]


def print_row(row):
    verdict = f"  [{row.verdict}: {row.bound}]" if row.bound else ""
    print(f"{row.name}: {row.value}{verdict}")
    details = [(label, text) for label, text in zip(HEAD[4:], cells(row)[4:]) if text]
    if details:
        print("    " + "; ".join(f"{label} {text}" for label, text in details))
    for note in row.notes:
        print(f"    {note}")


def markdown(rows):
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    lines += [f"\n{row.name}: {note}" for row in rows for note in row.notes]
    return "\n".join(lines)


def describe_limit(shares):
    """The busiest part by name, then all that were busy: `disk (disk 78 %, loop 41 %)`."""
    busy = sorted(((share, name) for name, share in shares.items() if share >= BUSY), reverse=True)
    own = [name for share, name in busy if name != "others"]
    listed = ", ".join(f"{name} {share:.0%}" for share, name in busy)
    return f"{own[0]} ({listed})" if own else "nothing was busy"


def fill_costs(row, load):
    """What every load of lines tells beside its figure."""
    latency = load.result["latency_ns"]
    if latency["samples"]:
        row.latency = " / ".join(short_time(latency[name]) for name in ("p50", "p99", "p99.9"))
    row.limited = describe_limit(load.shares())
    row.cpu = f"{load.cpu_per_million():.2f}"
    written = load.written_per_stored()
    row.written = f"{written:.2f}" if written is not None else ""
    row.memory = short_size(load.sample.private_peak)
    return row


def short_time(ns):
    for limit, unit in ((1e3, "ns"), (1e6, "us"), (1e9, "ms")):
        if ns < limit:
            value = ns * 1e3 / limit
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.2g} {unit}"
    return f"{ns / 1e9:.2f} s"


def short_size(count):
    return f"{count / 1048576:.1f} MiB"


def short_count(value):
    if value >= 1e6:
        return f"{value / 1e6:.2f} million"
    return f"{value:,.0f}"


def commit():
    """The short name of the commit, with a + when files differ from it."""
    words = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"


def describe_machine(folder):
    """Cores and file system of the folder: `2 cores, ext4 on /dev/vda`."""
    words = ["df", "--output=fstype,source", str(folder)]
    kind, device = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[-2:]
    return f"{os.cpu_count()} cores, {kind} on {device}, Linux {os.uname().release}"


def record(path, rows, heading):
    """Adds a section to the page, the newest last."""
    section = f"\n## {datetime.date.today().isoformat()}, {commit()}\n\n{heading}\n\n{markdown(rows)}\n"
    with open(path, "a", encoding="utf-8") as page:
        page.write(section)
