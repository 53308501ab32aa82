"""The fault proxy: each fault behaves as documented, seen by a plain client of a plain server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.machines.faults.fault_proxy import FaultProxy

SECONDS = 0.2


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """In front of a server that echoes."""
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=[server], daemon=True).start()
    with FaultProxy(("127.0.0.1", server.getsockname()[1])) as opened:
        yield opened
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def _serve(server: socket.socket) -> None:
    while True:
        try:
            one, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_echo, args=[one], daemon=True).start()


def _echo(one: socket.socket) -> None:
    with one:
        try:
            while data := one.recv(100):
                one.sendall(data)
        except OSError:
            pass


def connect(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), SECONDS)


def says(one: socket.socket, text: bytes = b"x") -> bytes:
    one.settimeout(5)
    one.sendall(text)
    return one.recv(100)


def is_silent(one: socket.socket) -> bool:
    one.settimeout(SECONDS)
    try:
        one.recv(100)
    except TimeoutError:
        return True
    return False


def test_without_a_fault_everything_is_passed_on(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        assert (proxy.open_connections, proxy.accepted) == (1, 1)


def test_refused(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        with proxy.fault("refused"):
            assert one.recv(100) == b""
            with pytest.raises(ConnectionRefusedError):
                connect(proxy)
    with connect(proxy) as one:
        assert says(one) == b"x"


def test_reset(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        with proxy.fault("reset"):
            with pytest.raises(ConnectionResetError):
                one.recv(100)
            with pytest.raises(ConnectionResetError), connect(proxy) as late:
                late.recv(100)
    with connect(proxy) as one:
        assert says(one) == b"x"


def test_silent_is_delivered_late(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        with proxy.fault("silent"):
            one.sendall(b"y")
            late = connect(proxy)
            late.sendall(b"z")
            assert is_silent(one)
            assert is_silent(late)
        one.settimeout(5)
        late.settimeout(5)
        assert (one.recv(100), late.recv(100)) == (b"y", b"z")
        late.close()


def test_silent_and_lost(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        with proxy.fault("silent", lost=True):
            one.sendall(b"y")
            assert is_silent(one)
        one.settimeout(5)
        with pytest.raises(ConnectionResetError):
            one.recv(100)


def test_deaf_lets_new_connections_work(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        with proxy.fault("deaf"):
            one.sendall(b"y")
            assert is_silent(one)
            with connect(proxy) as late:
                assert says(late) == b"x"


def test_unreachable(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        with proxy.fault("unreachable"):
            assert is_silent(one)
            with pytest.raises(TimeoutError):
                connect(proxy)
    with connect(proxy) as one:
        assert says(one) == b"x"


def test_answers_can_be_held(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        proxy.hold_answers()
        one.sendall(b"y")
        assert is_silent(one)
        proxy.hold_answers(is_held=False)
        one.settimeout(5)
        assert one.recv(100) == b"y"


def test_a_cut_ends_what_is_open(proxy: FaultProxy) -> None:
    with connect(proxy) as one:
        assert says(one) == b"x"
        proxy.cut(reset=False)
        assert one.recv(100) == b""
    with connect(proxy) as one:
        assert says(one) == b"x"


def test_a_connection_accepted_while_it_stops_is_closed(proxy: FaultProxy) -> None:
    """Otherwise the garbage collector would find it during another test."""
    stopped = FaultProxy(proxy.target)
    stopped.start()
    has_begun, may_go_on = threading.Event(), threading.Event()

    def block() -> None:
        has_begun.set()
        may_go_on.wait()

    stopped._loop.call_soon_threadsafe(block)
    has_begun.wait()
    stopping = threading.Thread(target=stopped.stop)
    with connect(stopped) as one:
        stopping.start()
        while not stopped._loop._ready:  # type: ignore[attr-defined]
            threading.Event().wait(0.001)
        may_go_on.set()
        stopping.join()
        one.settimeout(5)
        with pytest.raises(ConnectionResetError):
            one.recv(1)
