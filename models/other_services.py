"""The kind of server at an address, for a check that found something else there than the setting promises.

Sends a request that every kind answers or ends in its own way. It changes nothing on any of them.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
from contextlib import closing

GREETING_SECONDS, ANSWER_SECONDS = 0.25, 0.5
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
# PostgreSQL's SSLRequest (Frontend/Backend Protocol, 53.7): answered by S, N or an error message.
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
HTTP, REDIS, SMTP, POSTGRESQL = "a web server", "a Redis", "a mail server", "a PostgreSQL"
TLS = "a server that expects TLS"
# In this order: the beginning of a greeting, or of the answer to the request.
KINDS = (
    (rb"HTTP/", HTTP),
    (rb"-[A-Z]+ ", REDIS),
    (rb"220[ -].*(SMTP|mail)", SMTP),
    (rb"[\x15\x16]\x03", TLS),
    (rb"SSH-", "an SSH server"),
    (rb".\x00\x00\x00[\x0a\xff]", "a MySQL or MariaDB"),
    (rb"\* OK|\+OK", "a mailbox server (IMAP or POP3)"),
    (rb"220[ -]", "a mail or FTP server"),
    (rb"AMQP", "a RabbitMQ"),
)


def what_answers(host: str, port: int) -> str | None:
    """`a web server`, and so on; None if it is not one of the known kinds. Blocking (two seconds)."""
    told = _ask(host, port, REQUEST)
    if told is None:
        return None
    for pattern, kind in KINDS:
        if re.match(pattern, told, re.DOTALL | re.IGNORECASE):
            return kind
    if told:
        return None
    if _ask(host, port, SSL_REQUEST, wait=False) in (b"S", b"N"):
        return POSTGRESQL
    return TLS if _shakes_hands(host, port) else None


def _shakes_hands(host: str, port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            closing(socket.create_connection((host, port), ANSWER_SECONDS)) as plain,
            closing(context.wrap_socket(plain)),
        ):
            return True
    except OSError:
        return False


def _ask(host: str, port: int, request: bytes, *, wait: bool = True) -> bytes | None:
    """The greeting, or the answer to `request`; empty if the connection ends, None if there is none."""
    try:
        with closing(socket.create_connection((host, port), ANSWER_SECONDS)) as connection:
            if wait and (greeting := _received(connection, GREETING_SECONDS)):
                return greeting
            connection.sendall(request)
            return _received(connection, ANSWER_SECONDS)
    except (OSError, UnicodeError):
        return None


def _received(connection: socket.socket, seconds: float) -> bytes | None:
    """Empty if the connection ends, None if nothing comes in time."""
    connection.settimeout(seconds)
    try:
        return connection.recv(256)
    except TimeoutError:
        return None
    except OSError:
        return b""
