"""A network of its own: DNS, a certificate authority (ACME, RFC 8555), and our Caddy on ports 80 and 443.

Run by test_certificate.py in a new network namespace: `python acme_scene.py HOME CHALLENGE`. Prints the names
of the certificate that a client gets for https://meet.example.org.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from models.checks.public_address import check_authority
from models.processes.caddy import Doors, caddy_binary, settings
from models.processes.coturn import certificate_of
from models.settings.config import Config
from models.settings.own_servers import runs_caddy

SECONDS = 60.0
DIRECTORY = "https://ca.test:9443/acme/local/directory"
CONFIG = Config(base_url="https://meet.example.org", tls="auto", host="0.0.0.0", acme_directory=DIRECTORY)
NOBODY = 65534


def answer_names() -> None:
    """A DNS server: every name is 127.0.0.1, and no name has an IPv6 address."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    while True:
        query, asker = server.recvfrom(512)
        end = query.index(b"\0", 12)
        is_address = query[end + 1 : end + 3] == b"\0\1"
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
        head = query[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, is_address, 0, 0)
        server.sendto(head + query[12 : end + 5] + (record if is_address else b""), asker)


def authority(home: Path, challenge: str) -> dict[str, object]:
    """Caddy as a certificate authority that validates with this challenge."""
    acme = {"handler": "acme_server", "host": "ca.test", "resolvers": ["udp/127.0.0.1:53"]}
    server = {
        "listen": ["127.0.0.1:9443"],
        "automatic_https": {"disable": True},
        "tls_connection_policies": [{"default_sni": "ca.test"}],
        "routes": [{"handle": [acme | {"challenges": [challenge]}]}],
    }
    own = {"subjects": ["ca.test"], "issuers": [{"module": "internal"}]}
    tls = {"certificates": {"automate": ["ca.test"]}, "automation": {"policies": [own]}}
    pki = {"certificate_authorities": {"local": {"install_trust": False}}}
    return {
        "admin": {"disabled": True},
        "storage": {"module": "file_system", "root": str(home / "ca")},
        "apps": {"pki": pki, "tls": tls, "http": {"servers": {"ca": server}}},
    }


def ours(home: Path, doors: Doors, root: Path) -> dict[str, object]:
    """The site's configuration for TLS=auto, with this authority instead of Let's Encrypt."""
    assert runs_caddy(CONFIG)
    found = settings(CONFIG, doors, "127.0.0.1:8080", home / "ours")
    (policy,) = found["apps"]["tls"]["automation"]["policies"]
    assert policy["issuers"] == [{"module": "acme", "ca": DIRECTORY}]
    policy["issuers"][0]["trusted_roots_pem_files"] = [str(root)]
    return found


def caddy(
    home: Path, name: str, settings: object, *before: str, fds: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    file = home / f"{name}.json"
    file.write_text(json.dumps(settings))
    with (home / f"{name}.log").open("wb") as log:
        command = [*before, str(caddy_binary()), "run", "--config", str(file)]
        return subprocess.Popen(command, env={"HOME": str(home / name)}, pass_fds=fds, stderr=log)


def certified(root: Path) -> list[str]:
    """The names in the certificate, as soon as a client accepts it."""
    trusting = ssl.create_default_context(cafile=str(root))
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with (
                socket.create_connection(("127.0.0.1", 443), timeout=2) as plain,
                trusting.wrap_socket(plain, server_hostname="meet.example.org") as secure,
            ):
                certificate = secure.getpeercert()
                assert certificate
                return [str(name) for _, name in certificate["subjectAltName"]]
        except OSError:
            assert time.monotonic() < deadline, "no certificate"
            time.sleep(0.1)


def judge_authority(root: Path) -> None:
    """The doctor knows the authority from another web server."""
    os.environ["SSL_CERT_FILE"] = str(root)
    (found,) = check_authority(CONFIG)
    assert found.state == "fine", found
    (found,) = check_authority(replace(CONFIG, acme_directory="https://ca.test:9443/elsewhere"))
    assert found.text.startswith("ACME_DIRECTORY: ")
    assert "no ACME directory" in found.text


def main(home: Path, challenge: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    threading.Thread(target=answer_names, daemon=True).start()
    for name in ("ca", "ours"):
        (home / name).mkdir()
    os.chown(home / "ours", NOBODY, NOBODY)
    running = [caddy(home, "ca", authority(home, challenge))]
    try:
        made, root = home / "ca/pki/authorities/local/root.crt", home / "root.crt"
        while not made.exists() or made.stat().st_size == 0:
            time.sleep(0.02)
        shutil.copy(made, root)
        root.chmod(0o644)
        doors = Doors([socket.create_server(("0.0.0.0", 80))], [socket.create_server(("0.0.0.0", 443))])
        fds = (doors.http[0].fileno(), doors.https[0].fileno())
        # Without any privilege: it could not open these ports itself.
        drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        running.append(caddy(home, "ours", ours(home, doors, root), *drop, fds=fds))
        print(*certified(root))
        judge_authority(root)
        # coturn takes the certificate from there.
        assert (home / "ours" / certificate_of(CONFIG, home).relative_to(home / "caddy")).exists()
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
