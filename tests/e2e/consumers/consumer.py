"""A member of a group in Python: consumer.py PORT TOPIC GROUP; says what it is done with before it is.

SPDX-License-Identifier: Apache-2.0
"""
import socket
import sys

PORT, TOPIC, GROUP = sys.argv[1:]

with socket.create_connection(("127.0.0.1", int(PORT))) as door:
    try:
        door.sendall(f"SUBSCRIBE {TOPIC} GROUP {GROUP} WINDOW 20\n".encode())
        for line in door.makefile("rb"):
            seq = line.split(b"|", 1)[0].decode()
            print(seq, flush=True)
            door.sendall(f"DONE {seq}\n".encode())
    except (ConnectionResetError, BrokenPipeError):
        pass
