"""A client of the subscribe port, as a stranger would write it.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import re
from typing import NamedTuple

from line_client import LineSocket

ESCAPES = {b"n": b"\n", b"r": b"\r", b"p": b"|", b"\\": b"\\"}


class Record(NamedTuple):
    """A canonical line, taken apart; nothing is resolved."""
    seq: str  # or <partition>:<offset>
    key: bytes
    timestamp: bytes
    body: bytes

    @classmethod
    def parse(cls, line):
        seq, key, timestamp, body = line.split(b"|", 3)
        assert re.fullmatch(rb"[0-9]+(:[0-9]+)?", seq), line
        return cls(seq.decode(), key, timestamp, body)

    def from_base64(self):
        return base64.b64decode(self.key, validate=True), base64.b64decode(self.body, validate=True)


def resolve(escaped):
    """The bytes that an escaped key or body stands for."""
    return re.sub(rb"\\(.)", lambda match: ESCAPES[match[1]], escaped, flags=re.DOTALL)


class Subscriber(LineSocket):
    """One subscription: Subscriber(waybill.connect("subscribe"), "orders GROUP billing")."""

    def __init__(self, connection, words, hello=False):
        super().__init__(connection)
        if hello:
            self.send("HELLO 1")
            assert self.read() == b"READY"
        self.send(f"SUBSCRIBE {words}")

    def next(self):
        line = self.read()
        assert line is not None, "the connection ended"
        return Record.parse(line)

    def take(self, count):
        return [self.next() for _ in range(count)]

    def nothing_comes(self, seconds=0.3):
        """Whether the connection stays silent for so long."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            return self._pending == b"" and self.socket.recv(1, 2) is None  # MSG_PEEK
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(before)

    def done(self, *numbers):
        self.send(*[f"DONE {number}" for number in numbers])

    def finish(self):
        """Says that it has finished, and waits until all that it said is synced; gives back what still came."""
        self.end()
        return self.read_all()
