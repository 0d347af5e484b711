"""Makes certificates with the openssl command: an authority of the test's own, and what it signs.

SPDX-License-Identifier: Apache-2.0

    authority = Authority(tmp_path)
    server = authority.issue("server", names=["DNS:localhost", "IP:127.0.0.1"])    # server.cert, server.key
    old = authority.issue("old", begin=-20, end=-10)                                # days from now
    context = authority.client()                                                    # trusts it, shows nothing
"""
import ssl
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

SETTINGS = """
[ca]
default_ca = here
[here]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = optional
"""


class Certificate(NamedTuple):
    cert: Path
    key: Path


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {' '.join(map(str, words))}: {done.stderr}"
    return done.stdout


def asn1_time(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Authority:
    """An authority in a folder of its own."""

    def __init__(self, folder, name="authority"):
        self.folder = Path(folder) / name
        self.folder.mkdir(parents=True)
        self.cert = self.folder / "ca.pem"
        self._key = self.folder / "ca.key"
        self._settings = self.folder / "settings"
        self._settings.write_text(SETTINGS.format(folder=self.folder), encoding="ascii")
        (self.folder / "index").touch()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30,
                "-keyout", self._key, "-out", self.cert, "-subj", f"/CN={name}")

    def issue(self, name, names=(), begin=-1, end=30, kind="ec"):
        """A certificate for CN=name, good from `begin` to `end` days from now."""
        issued = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request = self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.extensions"
        extensions.write_text(f"subjectAltName={','.join(names)}\n" if names else "", encoding="ascii")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["-newkey", kind]
        openssl("req", *key, "-nodes", "-keyout", issued.key, "-out", request, "-subj", f"/CN={name}")
        openssl("ca", "-batch", "-notext", "-config", self._settings, "-cert", self.cert, "-keyfile", self._key,
                "-startdate", asn1_time(begin), "-enddate", asn1_time(end), "-extfile", extensions,
                "-in", request, "-out", issued.cert)
        return issued

    def client(self, shown=None, version=None):
        """What a client uses that trusts this authority and shows that certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.cert)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if shown is not None:
            context.load_cert_chain(shown.cert, shown.key)
        return context
