"""The figures of dead letters: giving up, and handing out again, 100,000 messages.

SPDX-License-Identifier: Apache-2.0
"""
import json
import time

from report import Row, short_count

LETTERS = 100_000
DEAD = "bench.dlq"


def subscribe(server):
    connection = server.connect("subscribe", 60)
    connection.sendall(f"SUBSCRIBE bench GROUP bench WINDOW {LETTERS}\n".encode())
    return connection


def take(connection, count):
    """So many lines, whatever they say."""
    while count > 0:
        piece = connection.recv(1 << 20)
        assert piece, "the connection ended"
        count -= piece.count(b"\n")


def finish(connection):
    """Until everything that was said is synced."""
    connection.shutdown(1)
    while connection.recv(1 << 16):
        pass
    connection.close()


def give_up(server, first):
    connection = subscribe(server)
    take(connection, LETTERS)
    began = time.monotonic()
    connection.sendall(b"".join(b"FAIL %d bad\n" % number for number in range(first, first + LETTERS)))
    finish(connection)
    return time.monotonic() - began


def replay(server, first):
    """Seconds from the order to the end of the replay."""
    connection = subscribe(server)
    began = time.monotonic()
    number = server.run("deadletters", "replay", DEAD, "--detach", "--data", server.data).stdout.strip()
    take(connection, LETTERS)
    connection.sendall(f"DONE {first}-{first + LETTERS - 1}\n".encode())
    while True:
        said = server.run("deadletters", "replays", number, "--json", "--data", server.data).stdout
        if json.loads(said)["state"] == "done":
            break
    took = time.monotonic() - began
    assert json.loads(said)["settled"] == LETTERS, said
    connection.close()
    return took


def dead_letters(plan):
    with plan.server() as server:
        server.start()
        first = server.next_seq
        server.produce("--count", LETTERS, "--time", "60s")
        failed = give_up(server, first)
        yield Row("100,000 messages given up, their dead letters synced", f"{failed:.2f} s, {short_count(LETTERS / failed)}/s")
        replayed = replay(server, first)
        yield Row("100,000 dead letters replayed", f"{replayed:.2f} s", "<= 5 s", replayed <= 5)


DEADLETTER_FIGURES = {"deadletters": dead_letters}
