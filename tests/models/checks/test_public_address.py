"""BASE_URL as this machine reaches it: each fault of a real address has its own cause."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from models.checks.public_address import (
    PublicAddress,
    Unreachable,
    check_answer,
    check_certificate,
    check_name,
)
from models.settings.config import Config
from tests.models.checks.conftest import free_port

TlsServer = Callable[[ssl.SSLContext], int]
NAME = "meet.example.org"


@pytest.fixture
def tls_server() -> Iterator[TlsServer]:
    """`tls_server(context)`: the port of a server that shakes hands with each client and then ends."""
    listening: list[socket.socket] = []

    def start(context: ssl.SSLContext) -> int:
        one = socket.create_server(("127.0.0.1", 0))
        listening.append(one)
        threading.Thread(target=serve, args=(one, context), daemon=True).start()
        return int(one.getsockname()[1])

    def serve(one: socket.socket, context: ssl.SSLContext) -> None:
        with suppress(OSError):
            while True:
                client, _ = one.accept()
                with client, suppress(OSError):
                    context.wrap_socket(client, server_side=True).close()

    yield start
    for one in listening:
        one.shutdown(socket.SHUT_RDWR)
        one.close()


def states(base_url: str) -> dict[str, tuple[str, str]]:
    config, at = Config(base_url=base_url), PublicAddress(base_url)
    found = [check_name(config, at), check_certificate(config, at), *check_answer(config, at)]
    return {line.check: (line.state, line.text) for line in found}


def cause(base_url: str) -> str:
    with pytest.raises(Unreachable) as raised:
        PublicAddress(base_url).ask("GET", "/healthz")
    return str(raised.value)


def test_the_causes_of_no_answer(web_server: int, greeting: Callable[[bytes], int]) -> None:
    assert "nothing listens" in cause(f"http://127.0.0.1:{free_port()}")
    assert "not in the DNS" in cause("http://no-such-name.invalid")
    assert "does not answer in TLS" in cause(f"https://127.0.0.1:{web_server}")
    assert "no usable answer" in cause(f"http://127.0.0.1:{greeting(b'SSH-2.0-x')}")


def test_a_certificate_that_is_not_accepted(certificate: ssl.SSLContext, tls_server: TlsServer) -> None:
    url = f"https://localhost:{tls_server(certificate)}"
    assert "certificate is not accepted" in cause(url)
    assert states(url)["certificate"][0] == "wrong"


def test_another_server_at_the_address(web_server: int) -> None:
    found = states(f"http://127.0.0.1:{web_server}")
    assert found["dns"][0] == "fine"
    assert found["certificate"][0] == "skipped"
    assert found["address"][0] == "wrong"
    assert "something else answers" in found["address"][1]


def test_a_public_address_without_tls() -> None:
    state, text = states("http://no-such-name.invalid")["certificate"]
    assert (state, text[:9]) == ("wrong", "BASE_URL:")


def test_a_proxy_that_asks_for_a_password(greeting: Callable[[bytes], int]) -> None:
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    state, text = states(f"http://127.0.0.1:{greeting(refusal)}")["address"]
    assert (state, text.partition(",")[0]) == ("wrong", "proxy: it asks for a password")


def test_an_address_of_the_name_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an AAAA record of an earlier machine: one person opens the site, and the next cannot."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (1, 2)]
        look_up = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *more, **options: both if host == NAME else look_up(host, *more, **options),
        )
        base_url = f"http://{NAME}:{port}"
        line = check_name(Config(base_url=base_url), PublicAddress(base_url))
    assert line.state == "wrong"
    assert line.text.startswith("BASE_URL: meet.example.org is also 127.0.0.2 in the DNS")
