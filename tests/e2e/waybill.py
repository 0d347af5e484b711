"""Drives the real program: owns its configuration, ports, data, log and process.

SPDX-License-Identifier: Apache-2.0

    waybill.config["topics"] = {"orders": {"partitions": 4}}
    waybill.start()                                     # returns when the program is ready
    with waybill.produce() as producer: ...             # acknowledged; connect("produce") is a bare socket
    waybill.wait_log("msg=\\"topic created\\"")
    waybill.kill(); waybill.start()                     # same folder: what survives, survives
    waybill.stop()                                      # asks for an orderly end and exit code 0

Every wait has a deadline, and what fails shows the end of the program's log.
"""
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from line_client import LineSocket, Producer, Questioner

READY = 'msg="?ready"?( |$)'
START_SECONDS = 20
STOP_SECONDS = 20
WAIT_SECONDS = 20
LOG_LINES_SHOWN = 40

# Sanitized programs end with this code when they have found something, so that no test takes it for an ordinary end.
SANITIZER_EXIT_CODE = 99
SANITIZER_OPTIONS = f"exitcode={SANITIZER_EXIT_CODE}:abort_on_error=0"

_ports_given = set()


def find_binary():
    """The program named by WAYBILL_BINARY, else the one of the ordinary build."""
    root = Path(__file__).resolve().parents[2]
    binary = root / os.environ.get("WAYBILL_BINARY", "build/waybill")
    if not binary.is_file():
        raise FileNotFoundError(f"{binary} is not there: run make, or set WAYBILL_BINARY")
    return binary


def free_port():
    """A loopback port that nobody listens on, and that is given to nobody else in this test run."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _ports_given:
            _ports_given.add(port)
            return port


def wait_until(holds, seconds=WAIT_SECONDS, what="the condition"):
    """Asks again and again, gives back the first true answer; for what announces itself nowhere else."""
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come true within {seconds} s")
        time.sleep(0.01)


class Waybill:
    """One program on one folder, through as many starts as a test likes."""

    def __init__(self, folder, binary, config=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.binary = Path(binary)
        self.data = self.folder / "data"
        self.seen_data = self.data  # where the test finds it, when the program has mounts of its own
        self.config_path = self.folder / "waybill.yaml"
        self.log_path = self.folder / "waybill.log"
        self.environment = {}  # added to the program's environment
        self.wrapper = []  # words before the program, e.g. ["strace", "-f", ...]
        self.process = None
        self.pid = None  # of the program itself, also behind a wrapper
        self.ports = {}
        self._log_start = 0  # where the log of the latest start, or reload, begins
        self.config = self.default_config() if config is None else config

    # Configuration

    def port(self, name):
        """The port of that name, the same in every start."""
        if name not in self.ports:
            self.ports[name] = free_port()
        return self.ports[name]

    def address(self, name):
        return f"127.0.0.1:{self.port(name)}"

    def default_config(self):
        """The line doors; a test changes what it is about. May also be replaced by YAML text."""
        doors = [{"kind": "line", "serve": name, "listen": self.address(name)} for name in ("produce", "acks")]
        return {"data": str(self.data), "doors": doors}

    def add_door(self, name, serve, **settings):
        """One more line door, reached as connect(name)."""
        self.config["doors"].append({"kind": "line", "serve": serve, "listen": self.address(name), **settings})

    def door(self, serve):
        """The line door that serves `serve`, to change it before the start."""
        return next(door for door in self.config["doors"] if door.get("serve") == serve)

    def write_config(self):
        """YAML text as it stands, anything else as JSON, which is YAML too."""
        is_text = isinstance(self.config, str)
        self.config_path.write_text(self.config if is_text else json.dumps(self.config, indent=2) + "\n", encoding="utf-8")

    # Life

    def start(self, wait=True, seconds=START_SECONDS):
        """Starts the program and, unless told otherwise, waits until it is ready."""
        assert self.process is None, "it runs already"
        self.write_config()
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        # The search for leaks cannot work under strace.
        address_options = SANITIZER_OPTIONS + (":detect_leaks=0" if self.wrapper else "")
        environment = {**os.environ, "ASAN_OPTIONS": address_options, "TSAN_OPTIONS": SANITIZER_OPTIONS,
                       "UBSAN_OPTIONS": SANITIZER_OPTIONS, **self.environment}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, str(self.binary), "serve", "-c", str(self.config_path)], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self.pid = self._find_pid(seconds) if self.wrapper else self.process.pid
        if wait:
            self.wait_ready(seconds)
        return self

    def _find_pid(self, seconds):
        """Behind a wrapper the program is the process that we started, or a child of it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")

        def program_among_children():
            for pid in [self.process.pid, *children.read_text().split()]:
                try:
                    if os.path.samefile(f"/proc/{pid}/exe", self.binary):
                        return int(pid)
                except OSError:
                    continue  # it ended, or has not become the program yet
            return None

        return wait_until(program_among_children, seconds, "the program behind the wrapper")

    def wait_ready(self, seconds=START_SECONDS):
        return self.wait_log(READY, seconds)

    def kill(self):
        """SIGKILL, as a power cut of the process alone; gives back when it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._reap(STOP_SECONDS)

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM, and the program has to end in order and in time."""
        self.signal(signal.SIGTERM)
        code = self.wait_exit(seconds)
        assert code == 0, f"exit code {code} after SIGTERM\n{self.log_end()}"

    def signal(self, number):
        os.kill(self.pid, number)

    def reload(self, outcome="reloaded"):
        """Has the configuration as it is now read again; gives back what was logged until the outcome was told."""
        self.write_config()
        self._log_start = self.log_path.stat().st_size
        self.signal(signal.SIGHUP)
        self.wait_log(f'msg="?{outcome}"? ')
        return self.log()

    def wait_exit(self, seconds=STOP_SECONDS):
        """Waits for the end of the program and gives back its exit code (-9: killed)."""
        try:
            return self._reap(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"it still runs after {seconds} s\n{self.log_end()}") from None

    def _reap(self, seconds):
        code = self.process.wait(seconds)
        self.process = self.pid = None
        return code

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def clean_up(self):
        """Ends what a test left running; a program that ended badly by itself fails the test."""
        if self.process is None:
            return
        code = self.process.poll()
        if code is None:
            self.kill()
        else:
            self._reap(STOP_SECONDS)
            assert code == 0, f"the program ended by itself with exit code {code}\n{self.log_end()}"

    def run(self, *words, stdin=None, seconds=WAIT_SECONDS, is_text=True):
        """Another subcommand of the same program: run("check", path); gives back its CompletedProcess."""
        return subprocess.run([str(self.binary), *map(str, words)], input=stdin, capture_output=True, text=is_text,
                              timeout=seconds, cwd=self.folder, env={**os.environ, **self.environment}, check=False)

    # Observation

    def connect(self, name, seconds=WAIT_SECONDS):
        """A connected socket to the door of that name; its reads and writes have a deadline."""
        return socket.create_connection(("127.0.0.1", self.port(name)), timeout=seconds)

    def produce(self, name=None, door="produce", seconds=WAIT_SECONDS):
        """A producer in acknowledged mode, greeted."""
        return Producer(self.connect(door, seconds), name)

    def question(self, door="acks", seconds=WAIT_SECONDS):
        """A client of the acks port."""
        return Questioner(self.connect(door, seconds))

    def control(self, **request):
        """One request over the control socket; gives back the objects of its answer."""
        with socket.socket(socket.AF_UNIX) as connection, LineSocket(connection) as client:
            connection.settimeout(WAIT_SECONDS)
            connection.connect(str(self.seen_data / "waybill.sock"))
            client.send(json.dumps(request))
            answers = [json.loads(client.read())]
            while "ok" not in answers[-1]:
                answers.append(json.loads(client.read()))
            return answers

    def status(self):
        return self.control(op="status")[0]

    def metric(self, name):
        return self.control(op="metrics")[0]["metrics"][name]

    def tail(self, topic, *words, start="start", seconds=WAIT_SECONDS):
        """The lines of a topic up to its end; start="1:0" is partition 1 alone."""
        result = self.run("tail", topic, "--from", start, "--once", "--data", self.seen_data, *words, seconds=seconds,
                          is_text=False)
        assert result.returncode == 0, result.stderr
        return result.stdout.split(b"\n")[:-1]

    def topics(self):
        """{topic: [(start, end) of each partition]}"""
        return {each["topic"]: [(part["start"], part["end"]) for part in each["partitions"]]
                for each in self.control(op="topics")[:-1]}

    def memory_kib(self, name="RssAnon"):
        """What the kernel says of the program: RssAnon is what it allocated."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)[1])

    def log(self, is_all=False):
        """What the program wrote since its latest start, or since its first."""
        with open(self.log_path, "rb") as file:
            file.seek(0 if is_all else self._log_start)
            return file.read().decode("utf-8", "replace")

    def log_end(self):
        return f"{self.log_path} ends with:\n" + "\n".join(self.log(is_all=True).splitlines()[-LOG_LINES_SHOWN:])

    def wait_log(self, pattern, seconds=WAIT_SECONDS):
        """Waits for a log line since the latest start in which the regular expression is found, and gives it back."""
        expression = re.compile(pattern)

        def line_or_end():
            is_over = not self.is_running  # asked first: what a program wrote before its end counts
            whole_lines = self.log().rpartition("\n")[0].split("\n")
            line = next((line for line in whole_lines if expression.search(line)), None)
            assert line is not None or not is_over, f"it ended before a log line {pattern!r}\n{self.log_end()}"
            return line

        try:
            return wait_until(line_or_end, seconds)
        except TimeoutError:
            raise TimeoutError(f"no log line {pattern!r} within {seconds} s\n{self.log_end()}") from None
