"""One allocation on a TURN server (RFC 8656) with credentials of our own: whether it relays for our users.

Blocking, with a time limit; for a thread. The allocation is released at once.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import socket
import struct
from contextlib import suppress
from typing import Literal, NamedTuple

MAGIC = 0x2112A442
ALLOCATE, REFRESH, SUCCESS, ERROR = 0x003, 0x004, 0x100, 0x110
USERNAME, INTEGRITY, ERROR_CODE, LIFETIME, REALM, NONCE, TRANSPORT = 6, 8, 9, 13, 0x14, 0x15, 0x19
UDP = bytes([17, 0, 0, 0])
SECONDS = 3.0
UNAUTHORIZED = (401, 403, 441)
URL = re.compile(r"turn:(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?")
AllocationResult = Literal["relays", "silent", "refused"]


class TurnServer(NamedTuple):
    host: str
    port: int
    is_tcp: bool

    @classmethod
    def of(cls, url: str) -> TurnServer | None:
        """None for `turns:`, whose certificate is checked elsewhere."""
        found = URL.fullmatch(url)
        return cls(found[1].strip("[]"), int(found[2] or 3478), found[3] == "tcp") if found else None


def allocate(server: TurnServer, username: str, password: str) -> AllocationResult:
    """`silent`: no answer. `refused`: the credentials are not accepted, or the server relays nothing."""
    try:
        with _connected(server) as connection:
            return _allocate(connection, username, password)
    except (OSError, ValueError, struct.error, KeyError):
        return "silent"


def _connected(server: TurnServer) -> socket.socket:
    kind = socket.SOCK_STREAM if server.is_tcp else socket.SOCK_DGRAM
    family, _, _, _, address = socket.getaddrinfo(server.host, server.port, type=kind)[0]
    connection = socket.socket(family, kind)
    try:
        connection.settimeout(SECONDS)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _allocate(connection: socket.socket, username: str, password: str) -> AllocationResult:
    _, challenge = _ask(connection, ALLOCATE, _attribute(TRANSPORT, UDP))
    realm, nonce = challenge[REALM], challenge[NONCE]
    key = hashlib.md5(b":".join((username.encode(), realm, password.encode()))).digest()
    who = [(USERNAME, username.encode()), (REALM, realm), (NONCE, nonce)]
    signed = b"".join(_attribute(kind, value) for kind, value in who)
    kind, _ = _ask(connection, ALLOCATE, _attribute(TRANSPORT, UDP) + signed, key)
    if kind != ALLOCATE | SUCCESS:
        return "refused"
    with suppress(OSError, ValueError):
        _ask(connection, REFRESH, _attribute(LIFETIME, bytes(4)) + signed, key)
    return "relays"


def _ask(
    connection: socket.socket, method: int, body: bytes, key: bytes | None = None
) -> tuple[int, dict[int, bytes]]:
    """The type and the attributes of the response. Raises: OSError, ValueError."""
    transaction = os.urandom(12)
    if key is not None:
        head = struct.pack("!HHI", method, len(body) + 24, MAGIC) + transaction
        body += _attribute(INTEGRITY, hmac.digest(key, head + body, hashlib.sha1))
    connection.sendall(struct.pack("!HHI", method, len(body), MAGIC) + transaction + body)
    told = connection.recv(2048)
    kind, length, _ = struct.unpack("!HHI", told[:8])
    if told[8:20] != transaction:
        raise ValueError("not an answer to this request")
    return kind, _attributes(told[20 : 20 + length])


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(data) >= 4:
        kind, size = struct.unpack("!HH", data[:4])
        found[kind] = data[4 : 4 + size]
        data = data[4 + size + -size % 4 :]
    return found


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
