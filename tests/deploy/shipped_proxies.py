"""Caddy and nginx with the files that we ship, changed only in what is each operator's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from models.processes.caddy import caddy_binary
from tests.conftest import ROOT
from tests.turn.coturn import Tls, free_port

NGINX_DIRECTORIES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class PublicPorts:
    http: int = field(default_factory=free_port)
    https: int = field(default_factory=free_port)


@contextmanager
def nginx(home: Path, domain: str, ports: PublicPorts, site_port: int) -> Iterator[Path]:
    """The path of its log, while it runs."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program is not None, "nginx is missing: apt install nginx-light"
    Tls(home)
    text = (ROOT / "deploy/nginx/napalmsky.conf").read_text()
    text = re.sub(r"/etc/letsencrypt\S+fullchain.pem", str(home / "cert.pem"), text)
    text = re.sub(r"/etc/letsencrypt\S+privkey.pem", str(home / "key.pem"), text)
    text = re.sub(r"listen 80;", f"listen 127.0.0.1:{ports.http};", text)
    text = re.sub(r"listen 443 ", f"listen 127.0.0.1:{ports.https} ", text)
    text = re.sub(r"\n *listen \[::\].*", "", text)
    text = text.replace("meet.example.org", domain).replace("127.0.0.1:8080", f"localhost:{site_port}")
    places = " ".join(f"{name}_temp_path {home};" for name in NGINX_DIRECTORIES)
    file = home / "nginx.conf"
    file.write_text(f"pid {home}/pid; daemon off; events {{}} http {{ access_log off; {places}\n{text}\n}}")
    with _running([program, "-e", "stderr", "-c", str(file)], home) as log:
        yield log


@contextmanager
def caddy(home: Path, domain: str, ports: PublicPorts, site_port: int) -> Iterator[Path]:
    """The path of its log, while it runs."""
    text = (ROOT / "deploy/caddy/Caddyfile").read_text()
    own = (f"http_port {ports.http}", f"https_port {ports.https}", "local_certs", "skip_install_trust")
    file = home / "Caddyfile"
    file.write_text(text.replace("{", "\n\t".join(["{", *own, "default_bind 127.0.0.1"]), 1))
    names = {"DOMAIN": domain, "UPSTREAM_NAME": "localhost", "UPSTREAM_PORT": str(site_port)}
    with _running([str(caddy_binary()), "run", "--config", str(file)], home, **names) as log:
        yield log


@contextmanager
def _running(command: list[str], home: Path, **environment: str) -> Iterator[Path]:
    with (home / "log").open("wb") as log:
        known = {"PATH": os.defpath, "HOME": str(home), **environment}
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, env=known)
    try:
        yield home / "log"
    finally:
        process.terminate()
        process.wait(60)
