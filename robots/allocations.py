"""Whether a TURN server grants an allocation (RFC 8656), over the transport that its URL names."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from aioice import stun
from aioice.turn import create_turn_endpoint
from aiortc.rtcicetransport import parse_stun_turn_uri

from robots.client import SiteMessage

SECONDS = 5.0
REFUSED = {
    401: "the server refuses the credentials: TURN_SECRET is not its static-auth-secret",
    403: "the server forbids this client",
    438: "the server calls its own nonce stale",
    442: "the server relays no UDP",
    486: "the server has reached its quota (user-quota, total-quota)",
    508: "the server has no capacity (its port range min-port to max-port is used up)",
}


def turn_urls(servers: list[SiteMessage]) -> list[tuple[str, SiteMessage]]:
    """Each TURN URL with its server."""
    found = []
    for server in servers:
        urls = [server["urls"]] if isinstance(server["urls"], str) else server["urls"]
        found += [(url, server) for url in urls if url.startswith("turn")]
    return found


class _Allocation(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.is_gone = asyncio.Event()

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_gone.set()


async def fault_of(url: str, server: SiteMessage) -> str | None:
    """Why the URL cannot be used, or None. The allocation is given back at once."""
    parsed = parse_stun_turn_uri(url)
    is_tls = parsed["scheme"] == "turns"
    try:
        async with asyncio.timeout(SECONDS):
            transport, allocation = await create_turn_endpoint(
                _Allocation,
                (parsed["host"], parsed["port"]),
                username=server.get("username"),
                password=server.get("credential"),
                lifetime=60,
                ssl=is_tls or None,
                transport=parsed["transport"],
            )
    except stun.TransactionFailed as error:
        return REFUSED.get(error.response.error_code or 0, "the server refuses to relay")
    except ssl.SSLCertVerificationError as error:
        return f"browsers will reject its certificate ({error.verify_message})"
    except ssl.SSLError:
        return "the port does not answer in TLS"
    except (TimeoutError, stun.TransactionTimeout):
        return "no answer: nothing listens there, or a firewall drops it"
    except (ConnectionError, OSError) as error:
        return f"it cannot be reached ({error.strerror or type(error).__name__})"
    transport.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await allocation.is_gone.wait()
    return None
