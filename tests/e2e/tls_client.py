"""A TLS client whose two directions end one by one, which Python's own sockets cannot.

SPDX-License-Identifier: Apache-2.0
"""
import ssl

READ_SIZE = 65536


class TlsConnection:
    """Looks like a socket to LineSocket; shutdown() says close_notify and goes on reading."""

    def __init__(self, connection, context, name="localhost"):
        self.socket = connection
        self._coming = ssl.MemoryBIO()
        self._going = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._coming, self._going, server_hostname=name)
        self._do(self.tls.do_handshake)

    def _push(self):
        if data := self._going.read():
            self.socket.sendall(data)

    def _do(self, call, *arguments):
        while True:
            try:
                return call(*arguments)
            except ssl.SSLWantReadError:
                self._push()
                data = self.socket.recv(READ_SIZE)
                if not data:
                    raise ConnectionResetError("the server ended without saying so") from None
                self._coming.write(data)
            finally:
                self._push()

    def sendall(self, data):
        self._do(self.tls.write, data)

    def recv(self, size):
        """b"" at an orderly end; an end without close_notify is an error."""
        try:
            return self._do(self.tls.read, size)
        except ssl.SSLZeroReturnError:
            return b""

    def shutdown(self, _how):
        """Says that nothing more comes."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._push()

    def close(self):
        self.socket.close()
