"""Whether a TURN server grants an allocation (RFC 8656) over the transport that its URL names, and whether a
STUN server answers (RFC 8489).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import cast

from aioice import stun
from aioice.turn import create_turn_endpoint

from robots.client import SiteMessage
from robots.ice_urls import IceUrl

SECONDS = 5.0
NO_ANSWER = "no answer: nothing listens there, or a firewall drops it"
REFUSED = {
    401: "the server refuses the credentials: TURN_SECRET is not its static-auth-secret",
    403: "the server forbids this client",
    438: "the server calls its own nonce stale",
    442: "the server relays no UDP",
    486: "the server has reached its quota (user-quota, total-quota)",
    508: "the server has no capacity (its port range min-port to max-port is used up)",
}


class _Allocation(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.is_gone = asyncio.Event()

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_gone.set()


async def fault_of(url: str, server: SiteMessage) -> str | None:
    """Why the URL cannot be used, or None. The allocation is given back at once."""
    parsed = IceUrl.of(url)
    try:
        async with asyncio.timeout(SECONDS):
            transport, allocation = await create_turn_endpoint(
                _Allocation,
                (parsed.host, parsed.port),
                username=server.get("username"),
                password=server.get("credential"),
                lifetime=60,
                ssl=parsed.is_tls or None,
                transport=parsed.transport,
            )
    except stun.TransactionFailed as error:
        return REFUSED.get(error.response.error_code or 0, "the server refuses to relay")
    except ssl.SSLCertVerificationError as error:
        return f"browsers will reject its certificate ({error.verify_message})"
    except ssl.SSLError:
        return "the port does not answer in TLS"
    except (TimeoutError, stun.TransactionTimeout):
        return NO_ANSWER
    except (ConnectionError, OSError) as error:
        return f"it cannot be reached ({error.strerror or type(error).__name__})"
    transport.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await allocation.is_gone.wait()
    return None


class _Binding(asyncio.DatagramProtocol):
    """One request, repeated until it is answered."""

    def __init__(self, address: tuple[str, int]) -> None:
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        self.transaction = stun.Transaction(request, address, self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        self._transport.sendto(bytes(message))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        with contextlib.suppress(ValueError):
            self.transaction.response_received(stun.parse_message(data), addr)


async def stun_fault_of(url: str) -> str | None:
    """Why the STUN server cannot be used, or None. `stuns:` is not asked: no browser uses it for calls."""
    parsed = IceUrl.of(url)
    if parsed.is_tls:
        return None
    address = (parsed.host, parsed.port)
    transport: asyncio.DatagramTransport | None = None
    try:
        async with asyncio.timeout(SECONDS):
            transport, binding = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Binding(address), remote_addr=address
            )
            await binding.transaction.run()
    except stun.TransactionFailed:
        return "the server refuses to answer"
    except (TimeoutError, stun.TransactionTimeout):
        return NO_ANSWER
    except OSError as error:
        return f"it cannot be reached ({error.strerror or type(error).__name__})"
    finally:
        if transport is not None:
            transport.close()
    return None
