"""A small TURN client (RFC 8489, RFC 8656), enough to ask a server what it allows: over UDP, TCP
or TLS.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import socket
import ssl
import struct
from dataclasses import dataclass, field
from typing import Self

MAGIC = 0x2112A442
ALLOCATE, CREATE_PERMISSION, SEND, DATA, BINDING = 0x003, 0x008, 0x016, 0x017, 0x001
REQUEST, INDICATION, SUCCESS, ERROR = 0x000, 0x010, 0x100, 0x110
USERNAME, INTEGRITY, ERROR_CODE, REALM, NONCE = 0x0006, 0x0008, 0x0009, 0x0014, 0x0015
PEER, PAYLOAD, RELAYED, FAMILY, TRANSPORT, SOFTWARE = 0x0012, 0x0013, 0x0016, 0x0017, 0x0019, 0x8022
UDP = 17
SECONDS = 3.0


class Refused(Exception):
    """An error response: its number."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(str(code))


@dataclass(frozen=True)
class Message:
    kind: int
    transaction: bytes
    attributes: dict[int, bytes]

    @property
    def error(self) -> int:
        value = self.attributes.get(ERROR_CODE)
        return value[2] * 100 + value[3] if value else 0


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def header(kind: int, length: int, transaction: bytes) -> bytes:
    return struct.pack("!HHI", kind, length, MAGIC) + transaction


def read_message(data: bytes) -> Message:
    kind, length, _ = struct.unpack("!HHI", data[:8])
    attributes: dict[int, bytes] = {}
    at = 20
    while at < 20 + length:
        name, size = struct.unpack("!HH", data[at : at + 4])
        attributes.setdefault(name, data[at + 4 : at + 4 + size])
        at += 4 + size + (-size % 4)
    return Message(kind, data[8:20], attributes)


def xored(host: str, port: int, transaction: bytes) -> bytes:
    """XOR-PEER-ADDRESS and its like (RFC 8489, 14.2)."""
    address = ipaddress.ip_address(host)
    mask = struct.pack("!I", MAGIC) + transaction
    turned = bytes(one ^ two for one, two in zip(address.packed, mask, strict=False))
    return struct.pack("!BBH", 0, 1 if address.version == 4 else 2, port ^ (MAGIC >> 16)) + turned


def unxored(value: bytes, transaction: bytes) -> tuple[str, int]:
    port = struct.unpack("!H", value[2:4])[0] ^ (MAGIC >> 16)
    mask = struct.pack("!I", MAGIC) + transaction
    packed = bytes(one ^ two for one, two in zip(value[4:], mask, strict=False))
    return str(ipaddress.ip_address(packed)), port


def trusting() -> ssl.SSLContext:
    """Whatever the certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass
class TurnClient:
    """`allocate`, then `permit` a peer, then `send` and `receive`. Raises Refused, TimeoutError."""

    sock: socket.socket
    server: tuple[str, int]
    username: str = ""
    password: str = ""
    realm: bytes = b""
    nonce: bytes = b""
    relayed: tuple[str, int] = ("", 0)
    waiting: list[Message] = field(default_factory=list)

    @classmethod
    def open(
        cls, port: int, username: str = "", password: str = "", *,
        is_tcp: bool = False, tls_port: int | None = None,
    ) -> Self:  # fmt: skip
        """To a server on 127.0.0.1, over TLS where that has a port."""
        address = ("127.0.0.1", tls_port or port)
        is_stream = is_tcp or tls_port is not None
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM)
        sock.settimeout(SECONDS)
        try:
            sock.connect(address)
            sock = trusting().wrap_socket(sock) if tls_port else sock
        except OSError:
            sock.close()
            raise
        return cls(sock, address, username, password)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    @property
    def is_tcp(self) -> bool:
        return self.sock.type == socket.SOCK_STREAM

    def bind(self) -> Message:
        """Asks for our own address, without credentials."""
        return self._ask(BINDING, b"")

    def allocate(self, family: int = 4) -> tuple[str, int]:
        """The relayed address."""
        wanted = attribute(TRANSPORT, bytes([UDP, 0, 0, 0]))
        if family == 6:
            wanted += attribute(FAMILY, bytes([2, 0, 0, 0]))
        answer = self._authorized(ALLOCATE, lambda _: wanted)
        self.relayed = unxored(answer.attributes[RELAYED], answer.transaction)
        return self.relayed

    def permit(self, host: str, port: int = 9) -> None:
        self._authorized(
            CREATE_PERMISSION, lambda transaction: attribute(PEER, xored(host, port, transaction))
        )

    def send(self, peer: tuple[str, int], payload: bytes) -> None:
        transaction = os.urandom(12)
        body = attribute(PEER, xored(*peer, transaction)) + attribute(PAYLOAD, payload)
        self.sock.send(header(SEND | INDICATION, len(body), transaction) + body)

    def receive(self) -> bytes:
        """The payload of the next datagram from a peer."""
        while True:
            message = self.waiting.pop(0) if self.waiting else self._read()
            if message.kind == DATA | INDICATION:
                return message.attributes[PAYLOAD]

    def _authorized(self, method: int, body_for: object) -> Message:
        """As RFC 8489 9.2 says: once without, then with the realm and nonce of the answer."""
        for _ in range(3):
            transaction = os.urandom(12)
            body: bytes = body_for(transaction)  # type: ignore[operator]
            answer = self._ask(method, body, transaction)
            if answer.error not in (401, 438) or (answer.error == 401 and self.nonce and self._was_signed):
                break
            self.realm, self.nonce = answer.attributes[REALM], answer.attributes[NONCE]
        if answer.error:
            raise Refused(answer.error)
        return answer

    _was_signed = False

    def _ask(self, method: int, body: bytes, transaction: bytes | None = None) -> Message:
        transaction = transaction or os.urandom(12)
        self._was_signed = bool(self.nonce)
        if self._was_signed:
            body += attribute(USERNAME, self.username.encode())
            body += attribute(REALM, self.realm) + attribute(NONCE, self.nonce)
            body += attribute(INTEGRITY, self._integrity(method, body, transaction))
        self.sock.send(header(method, len(body), transaction) + body)
        while (answer := self._read()).transaction != transaction:
            self.waiting.append(answer)
        return answer

    def _integrity(self, method: int, body: bytes, transaction: bytes) -> bytes:
        """HMAC-SHA1 over everything before it, the length counting it already (RFC 8489, 14.5)."""
        secret = ":".join((self.username, self.realm.decode(), self.password)).encode()
        key = hashlib.md5(secret, usedforsecurity=False).digest()
        return hmac.new(key, header(method, len(body) + 24, transaction) + body, hashlib.sha1).digest()

    def _read(self) -> Message:
        if not self.is_tcp:
            return read_message(self.sock.recv(65536))
        head = self._exactly(20)
        return read_message(head + self._exactly(struct.unpack("!H", head[2:4])[0]))

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            if not more:
                raise ConnectionError("the server hung up")
            data += more
        return data
