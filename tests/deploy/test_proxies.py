"""The examples for Caddy and nginx: the real programs run them in front of the real site."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from tornado.ioloop import IOLoop
from websockets.asyncio.client import connect

from models.settings.own_servers import LOOPBACK_NETWORKS
from tests.conftest import MakePerson, MakeSite, Running
from tests.deploy.shipped_proxies import PublicPorts, caddy, nginx
from tests.turn.stun import trusting

DOMAIN = "meet.example.org"


@pytest.fixture
def site(io_loop: IOLoop, make_site: MakeSite) -> Running:
    behind = {"base_url": f"https://{DOMAIN}", "trusted_proxies": LOOPBACK_NETWORKS}
    return io_loop.run_sync(lambda: make_site(**behind))


async def answer(url: str, host: str, **headers: str) -> httpx.Response:
    """The first answer, once the proxy listens."""
    async with httpx.AsyncClient(verify=trusting()) as client:
        while True:
            try:
                request = client.build_request("GET", url, headers={"Host": host, **headers})
                request.extensions["sni_hostname"] = host
                return await client.send(request)
            except httpx.TransportError:
                await asyncio.sleep(0.01)


async def check(site: Running, person: MakePerson, https: int) -> None:
    """A page, a socket, the client's address, and no metrics, through the proxy."""
    base = f"https://127.0.0.1:{https}"
    assert (await answer(base, DOMAIN)).status_code == 200
    assert (await answer(f"{base}/metrics", DOMAIN)).status_code == 404
    anna = await person("Anna")
    await answer(f"{base}/user/me", DOMAIN, **{"X-Forwarded-For": "203.0.113.7"})
    warned = (await site.client.get("/readyz")).json.get("warnings", {})
    assert warned == {}
    bearer = {"Authorization": f"Bearer {anna.token}"}
    url = f"wss://{DOMAIN}:{https}/ws/invites"
    async with connect(url, host="127.0.0.1", ssl=trusting(), additional_headers=bearer) as socket:
        assert '"state"' in str(await socket.recv())


async def test_nginx(site: Running, person: MakePerson, tmp_path: Path) -> None:
    ports = PublicPorts()
    with nginx(tmp_path, DOMAIN, ports, site.config.port):
        await check(site, person, ports.https)
        moved = await answer(f"https://127.0.0.1:{ports.https}/room", f"www.{DOMAIN}")
        assert (moved.status_code, moved.headers["Location"]) == (301, f"https://{DOMAIN}/room")
        plain = await answer(f"http://127.0.0.1:{ports.http}/room", DOMAIN)
        assert plain.headers["Location"] == f"https://{DOMAIN}/room"


async def test_caddy(site: Running, person: MakePerson, tmp_path: Path) -> None:
    ports = PublicPorts()
    with caddy(tmp_path, DOMAIN, ports, site.config.port):
        await check(site, person, ports.https)
        moved = await answer(f"https://127.0.0.1:{ports.https}/room", f"www.{DOMAIN}")
        assert (moved.status_code, moved.headers["Location"]) == (301, f"https://{DOMAIN}/room")
