"""Clients of the line doors, as a stranger would write them: a socket that reads lines, a producer, a questioner.

SPDX-License-Identifier: Apache-2.0
"""
import re
import socket

READ_SIZE = 65536


class LineSocket:
    """A connected socket from which whole lines are read; gives back bytes without their LF, None at the end."""

    def __init__(self, connection):
        self.socket = connection
        self._pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *lines):
        """Each word becomes a line."""
        self.send_bytes(b"".join(as_bytes(line) + b"\n" for line in lines))

    def send_bytes(self, data):
        self.socket.sendall(data)

    def end(self):
        """Says that nothing more comes; answers still do."""
        self.socket.shutdown(socket.SHUT_WR)

    def read(self):
        while b"\n" not in self._pending:
            data = self.socket.recv(READ_SIZE)
            if not data:
                assert self._pending == b"", f"the peer ended within a line: {self._pending!r}"
                return None
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def read_all(self):
        """Every line up to the end of the connection."""
        pieces = [self._pending]
        while data := self.socket.recv(READ_SIZE):
            pieces.append(data)
        self._pending = b""
        text = b"".join(pieces)
        assert text == b"" or text.endswith(b"\n"), f"the peer ended within a line: {text[-80:]!r}"
        return text.split(b"\n")[:-1]

    def is_ended(self):
        """Whether the peer ends the connection now, in order or not, without another word."""
        try:
            return self.read() is None
        except ConnectionResetError:
            return True


class Producer(LineSocket):
    """A producer in acknowledged mode."""

    READY = re.compile(rb"READY window=(\d+) max_line=(\d+)(?: last=(\d+))?$")
    ACK = re.compile(rb"ACK (\d+) (\d+)$")

    def __init__(self, connection, name=None):
        super().__init__(connection)
        self.send("HELLO 1" if name is None else f"HELLO 1 producer={name}")
        answer = self.read()
        ready = self.READY.match(answer or b"")
        assert ready, answer
        self.window, self.max_line = int(ready[1]), int(ready[2])
        self.last = None if ready[3] is None else int(ready[3])

    def wait_settled(self, count):
        """Reads until line number `count` is settled; gives back all answers on the way."""
        answers = []
        settled = 0
        while settled < count:
            answer = self.read()
            assert answer is not None, f"the peer ended after {answers}, before line {count} was settled"
            answers.append(answer)
            word, number = answer.split()[:2]
            assert word in (b"ACK", b"ERR"), answer
            assert int(number) > settled, f"{answer} after {settled} lines were settled"
            settled = int(number)
        return answers

    def store(self, *lines):
        """Sends lines as the first of this connection and waits until all are stored; gives back the last number."""
        self.send(*lines)
        answers = self.wait_settled(len(lines))
        assert all(self.ACK.match(answer) for answer in answers), answers
        return int(self.ACK.match(answers[-1])[2])


class Questioner(LineSocket):
    """A client of the acks port."""

    def ask(self, request):
        self.send(request)
        return self.read().decode()


def as_bytes(line):
    return line if isinstance(line, bytes) else line.encode()
