"""SMTP_URL and MAIL_FROM: what is wrong with them, by real mail servers and others."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from models.mail.mail_server import reach
from tests.models.checks.conftest import free_port

Serve = Callable[..., str]


class OneSender:
    """Accepts e-mails of one sender."""

    async def handle_MAIL(
        self, _server: Any, _session: Any, envelope: Any, sender: str, _options: Any
    ) -> str:
        if sender != "hello@sky.example":
            return "553 not yours"
        envelope.mail_from = sender
        return "250 OK"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(ssl_context=…)`: host and port of a mail server with these options."""
    running: list[Controller] = []

    def start(**options: Any) -> str:
        running.append(Controller(OneSender(), hostname="127.0.0.1", port=free_port(), **options))
        running[-1].start()
        return f"127.0.0.1:{running[-1].port}"

    yield start
    for one in running:
        one.stop()


def cause(url: str, sender: str | None = None) -> str:
    found = reach(url, sender)
    assert found is not None
    assert "sky" not in found
    assert "127.0.0.1" not in found
    return found


def only_ann(_server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:
    return AuthResult(success=data.login == b"ann" and data.password == b"word", handled=False)


def test_a_server_that_can_be_used(serve: Serve) -> None:
    place = serve(authenticator=only_ann, auth_require_tls=False)
    assert reach(f"smtp://ann:word@{place}", "hello@sky.example") is None


def test_a_password_or_a_sender_that_the_server_rejects(serve: Serve) -> None:
    place = serve(authenticator=only_ann, auth_require_tls=False)
    assert cause(f"smtp://ann:other@{place}") == "SMTP_URL: the server rejects the user or the password"
    assert cause(f"smtp://{place}", "else@sky.example").startswith("MAIL_FROM: the server does not accept it")


def test_no_sign_in_or_no_tls(serve: Serve) -> None:
    place = serve()
    assert "offers no sign-in" in cause(f"smtp://ann:word@{place}")
    elsewhere = place.replace("127.0.0.1", "127.1")
    assert "offers no TLS" in cause(f"smtp://ann:word@{elsewhere}")


def test_the_other_kind_of_tls(serve: Serve, certificate: ssl.SSLContext) -> None:
    assert "does not begin with TLS: use smtp://" in cause(f"smtps://{serve()}")
    assert "expects TLS from the start: use smtps://" in cause(f"smtp://{serve(ssl_context=certificate)}")


@pytest.mark.parametrize(("scheme", "option"), [("smtp", "tls_context"), ("smtps", "ssl_context")])
def test_a_certificate_of_an_unknown_authority(
    serve: Serve, certificate: ssl.SSLContext, scheme: str, option: str
) -> None:
    found = cause(f"{scheme}://{serve(**{option: certificate})}")
    assert found.startswith("SMTP_URL: the server's certificate is not accepted: it is not signed")


def test_another_service_at_the_port(web_server: int, greeting: Callable[[bytes], int]) -> None:
    assert cause(f"smtps://127.0.0.1:{web_server}").startswith("SMTP_URL: a web server answers")
    assert "an SSH server answers" in cause(f"smtp://127.0.0.1:{greeting(b'SSH-2.0-x')}")
    assert "answer 554" in cause(f"smtp://127.0.0.1:{greeting(b'554 no' + bytes((13, 10)))}")


def test_no_server() -> None:
    assert "nothing listens" in cause(f"smtp://127.0.0.1:{free_port()}")
    assert "cannot be found by name" in cause("smtp://no.such.name.invalid")
