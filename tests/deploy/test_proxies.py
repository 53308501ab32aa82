"""The examples for Caddy and nginx: the real programs run them in front of the real site."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tornado.ioloop import IOLoop
from websockets.asyncio.client import connect

from models.processes.caddy import caddy_binary
from models.settings.own_servers import LOOPBACK_NETWORKS
from tests.conftest import ROOT, MakePerson, MakeSite, Running
from tests.turn.coturn import Tls, free_port
from tests.turn.stun import trusting


@pytest.fixture
def site(io_loop: IOLoop, make_site: MakeSite) -> Running:
    behind = {"base_url": "https://meet.example.org", "trusted_proxies": LOOPBACK_NETWORKS}
    return io_loop.run_sync(lambda: make_site(**behind))


@contextmanager
def running(command: list[str], home: Path, **environment: str) -> Iterator[None]:
    with (home / "log").open("wb") as log:
        known = {"PATH": os.defpath, "HOME": str(home), **environment}
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, env=known)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


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
    assert (await answer(base, "meet.example.org")).status_code == 200
    assert (await answer(f"{base}/metrics", "meet.example.org")).status_code == 404
    anna = await person("Anna")
    await answer(f"{base}/user/me", "meet.example.org", **{"X-Forwarded-For": "203.0.113.7"})
    warned = (await site.client.get("/readyz")).json.get("warnings", {})
    assert warned == {}
    bearer = {"Authorization": f"Bearer {anna.token}"}
    url = f"wss://meet.example.org:{https}/ws/invites"
    async with connect(url, host="127.0.0.1", ssl=trusting(), additional_headers=bearer) as socket:
        assert '"state"' in str(await socket.recv())


def certificate(home: Path) -> tuple[Path, Path]:
    Tls(home)
    return home / "cert.pem", home / "key.pem"


async def test_nginx(site: Running, person: MakePerson, tmp_path: Path) -> None:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program is not None, "nginx is missing: apt install nginx-light"
    http, https = free_port(), free_port()
    cert, key = certificate(tmp_path)
    text = (ROOT / "deploy/nginx/napalmsky.conf").read_text()
    text = re.sub(r"/etc/letsencrypt\S+fullchain.pem", str(cert), text)
    text = re.sub(r"/etc/letsencrypt\S+privkey.pem", str(key), text)
    text = re.sub(r"listen 80;", f"listen 127.0.0.1:{http};", text)
    text = re.sub(r"listen 443 ", f"listen 127.0.0.1:{https} ", text)
    text = re.sub(r"\n *listen \[::\].*", "", text)
    text = text.replace("127.0.0.1:8080", f"localhost:{site.config.port}")
    file = tmp_path / "nginx.conf"
    places = " ".join(
        f"{name}_temp_path {tmp_path};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file.write_text(
        f"pid {tmp_path}/pid; daemon off; events {{}} http {{ access_log off; {places}\n{text}\n}}"
    )
    with running([program, "-e", "stderr", "-c", str(file)], tmp_path):
        await check(site, person, https)
        moved = await answer(f"https://127.0.0.1:{https}/room", "www.meet.example.org")
        assert (moved.status_code, moved.headers["Location"]) == (301, "https://meet.example.org/room")
        plain = await answer(f"http://127.0.0.1:{http}/room", "meet.example.org")
        assert plain.headers["Location"] == "https://meet.example.org/room"


async def test_caddy(site: Running, person: MakePerson, tmp_path: Path) -> None:
    http, https = free_port(), free_port()
    text = (ROOT / "deploy/caddy/Caddyfile").read_text()
    own = (f"http_port {http}", f"https_port {https}", "local_certs", "skip_install_trust")
    ports = "\n\t".join(["{", *own, "default_bind 127.0.0.1"])
    file = tmp_path / "Caddyfile"
    file.write_text(text.replace("{", ports, 1))
    names = {
        "DOMAIN": "meet.example.org",
        "UPSTREAM_NAME": "localhost",
        "UPSTREAM_PORT": str(site.config.port),
    }
    with running([str(caddy_binary()), "run", "--config", str(file)], tmp_path, **names):
        await check(site, person, https)
        moved = await answer(f"https://127.0.0.1:{https}/room", "www.meet.example.org")
        assert (moved.status_code, moved.headers["Location"]) == (301, "https://meet.example.org/room")
