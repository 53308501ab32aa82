"""Why the server cannot listen: the setting and the cause."""

from __future__ import annotations

import gc
import os
import socket
import warnings
from collections.abc import Callable

import pytest

from handlers.http.listening import CAUSES, CannotListen, listen, listen_public
from models.settings.config import Config


def cause_of(listen: Callable[[Config], object] = listen, **settings: object) -> str:
    with warnings.catch_warnings():
        # Tornado leaves a socket that it could not bind to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            listen(Config(**settings))  # type: ignore[arg-type]
        except CannotListen as error:
            told = str(error)
        gc.collect()
    return told


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert cause_of(port=taken.getsockname()[1]).startswith("PORT is in use by another program.")


def test_a_port_of_our_own_proxy_in_use() -> None:
    with socket.socket() as taken, socket.socket() as free:
        for one in (taken, free):
            one.bind(("127.0.0.1", 0))
        taken.listen()
        ports = {"https_port": taken.getsockname()[1], "http_port": free.getsockname()[1]}
        free.close()
        told = cause_of(listen_public, base_url="https://localhost", tls="internal", **ports)
    assert told.startswith("HTTPS_PORT is in use by another program.")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_all_addresses_are_those_of_ipv4_and_ipv6(host: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sockets = listen(Config(host=host, port=port))
    try:
        assert {one.family for one in sockets} == {socket.AF_INET, socket.AF_INET6}
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), timeout=5).close()
    finally:
        for one in sockets:
            one.close()


@pytest.mark.parametrize("host", ["203.0.113.1", "2001:db8::1"])
def test_an_address_of_another_machine(host: str) -> None:
    assert cause_of(host=host, port=8080).startswith("HOST is ")


@pytest.mark.parametrize("host", ["no.such.name.invalid", "a..b", "[::1]", "http://localhost", "x" * 300])
def test_an_unknown_host_name(host: str) -> None:
    told = cause_of(host=host, port=8080)
    assert told == "HOST is neither an address nor a name that this machine can resolve."


@pytest.mark.parametrize("number", CAUSES)
def test_every_refusal_of_the_system_names_the_setting(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a real system refuses it: a low port, a security policy, no more files."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "bind", refuse)
    told = cause_of(host="127.0.0.1", port=80)
    assert told == CAUSES[number]
    assert "PORT" in told or "HOST" in told or "limit" in told
