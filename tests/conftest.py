"""Fixtures: real PostgreSQL and Redis, the real site on a real port, signed-in users.

    async def test_something(site, person):
        anna = await person("Anna")
        answer = await site.client.get("/room/queue", token=anna.token)

Async tests run on pytest-tornado's loop. Nothing sleeps: `site.models.clock.freeze(…)`, `advance`, `await
site.models.sweep.once()`.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import io
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from handlers.base.application import Site
from handlers.http.server import SiteServer
from models.postgres.migrations import migrate
from models.processes.embedded import Embedded
from models.profiles.decoded import Decoded
from models.settings.config import Config
from models.wiring import Models
from server import MAX_BODY
from server import make_site as new_site
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.clients import Browser, Client, Socket
from tests.support.fake_twilio import TwilioStandIn
from tests.support.redis_versions import newer_commands
from tests.support.secret_leaks import overheard
from tests.support.servers import RunningServers, Servers
from tests.support.smtp_server import Mailbox

TEST_SECONDS = 240
# Tests that look for faults in the log want no business events there.
logging.getLogger("napalmsky.events").setLevel(logging.WARNING)
# docs/decisions/development/two-at-a-time.md: the longest groups run first, each sequentially.
GROUPS = {
    "journeys": "browsers",
    "engines": "browsers",
    "turn": "browsers",
    "webrtc": "browsers",
    "networks": "browsers",
    "machines": "machines",
}
ORDER = ["browsers", "machines", ""]
LONGEST_ID = 100


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A short id for long bytes or text: xdist sends every id several times, and pictures have megabytes."""
    is_long = isinstance(val, bytes | str) and len(val) > LONGEST_ID
    return f"{argname}-{len(val)}" if is_long else None  # type: ignore[arg-type]


@pytest.hookimpl(tryfirst=True)  # Before pytest-xdist looks for groups.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: ORDER.index(GROUPS.get(item.path.parent.name, "")))
    for item in items:
        if group := GROUPS.get(item.path.parent.name):
            item.add_marker(pytest.mark.xdist_group(group))
        # docs/decisions/development/browser-tests-are-retried.md: a race that shows once must fail the run.
        if item.get_closest_marker("journey"):
            item.add_marker(pytest.mark.flaky(reruns=2))
        if item.get_closest_marker("gen_test"):
            continue  # It declares its own time limit.
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            seconds = 600 if item.get_closest_marker("prove") else TEST_SECONDS
            item.add_marker(pytest.mark.gen_test(timeout=seconds))


@pytest.fixture(autouse=True)
def leftovers() -> Iterator[None]:
    """An unclosed socket or transport is an error of the test that left it, not of one that runs later.

    Set up first, so that it collects last. What survives is not looked at again: that keeps this cheap.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture
def place() -> Iterator[Path]:
    """The directory of PostgreSQL. Pytest's own directory is made private again by each run that begins."""
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as path:
        yield Path(path)


@pytest.fixture(scope="session", autouse=True)
def private_logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end of the run, none of our logs contains a secret that was used in it."""
    with overheard(tmp_path_factory.getbasetemp()) as found:
        yield
    assert not found, found


@pytest.fixture(scope="session")
def running_servers() -> Iterator[RunningServers]:
    # Not in pytest's own directory, see `place`: PostgreSQL's account could not enter it.
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as home:
        embedded = Embedded.start(Path(home), durable=False)
        migrate(embedded.database_url)
        running = RunningServers(Servers(embedded.database_url, embedded.redis_url))
        yield running
        running.close()
        newer = newer_commands(embedded.redis_url)
        embedded.stop()
        assert not newer, newer


@pytest.fixture
def servers(running_servers: RunningServers) -> Servers:
    """PostgreSQL and Redis, empty."""
    return running_servers.empty()


@pytest.fixture
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """The settings; a test that uses `mailbox` can send mail. Override in a test module, or pass changes to
    `make_site`.
    """
    mail = {}
    if "mailbox" in request.fixturenames:
        mail = {"smtp_url": request.getfixturevalue("mailbox").url, "mail_from": "hello@napalmsky.example"}
    return Config(
        stun_urls=(), guests_per_hour=100_000, api_per_minute=1_000_000, turn_per_hour=1000,
        # Cheap hashes: most tests are about who gets in, not about the time it takes.
        bcrypt_cost=4, data_dir=tmp_path, **mail,
    )  # fmt: skip


@pytest.fixture
def stripe(io_loop: IOLoop) -> Iterator[StripeStandIn]:
    yield from StripeStandIn.running(io_loop)


@pytest.fixture
def twilio(io_loop: IOLoop) -> Iterator[TwilioStandIn]:
    yield from TwilioStandIn.running(io_loop)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox().open() as opened:
        yield opened


@pytest.fixture
def models(io_loop: IOLoop, servers: Servers, config: Config) -> Iterator[Models]:
    """The models alone, without a site; events are published without subscribers."""
    opened = io_loop.run_sync(lambda: Models.open(config, servers.database_url, servers.redis_url))
    yield opened
    io_loop.run_sync(opened.close)


@dataclass
class Running:
    """A site on its own port."""

    site: Site
    server: SiteServer
    base_url: str
    client: Client
    browsers: list[Browser] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)

    @property
    def models(self) -> Models:
        return self.site.models

    @property
    def config(self) -> Config:
        return self.site.config

    def browser(self) -> Browser:
        self.browsers.append(Browser(self.base_url))
        return self.browsers[-1]

    async def invites(self, person: Person, *, join: bool = True) -> Socket:
        """The user's invite socket, with its `state` waiting; joined to the queue by default."""
        socket = await self.socket("/ws/invites", person.token)
        # A ring that comes during the look-up of `state` is part of it, and is not sent once more.
        socket.inbox.append(await socket.receive("state"))
        if join:
            socket.send("queue:join", id="join")
            await socket.receive("queue:state", id="join")
        return socket

    async def relay(self, person: Person, call_id: str) -> Socket:
        return await self.socket(f"/ws/calls/{call_id}", person.token)

    async def socket(self, path: str, token: str | None = None, **headers: str) -> Socket:
        """Any socket; headers as `Origin="https://…"`. Closed with the site."""
        self.sockets.append(await Socket.connect(self.base_url, path, token, headers))
        return self.sockets[-1]

    async def stop(self) -> None:
        for closable in [*self.browsers, *self.sockets]:
            closable.close()
        self.client.close()
        self.server.stop()
        await self.site.stop()
        await self.server.close_all_connections()
        await self._drop_sockets()

    async def _drop_sockets(self) -> None:
        """Closes sockets that clients have left open: no transport outlives its loop."""
        for socket in list(self.site.hub.sockets):
            socket.drop()
        await asyncio.sleep(0)


MakeSite = Callable[..., Awaitable[Running]]


@pytest.fixture
def make_site(io_loop: IOLoop, servers: Servers, config: Config) -> Iterator[MakeSite]:
    """`await make_site(ring_seconds=5)`: another process of the site, with these settings, on the same
    servers.
    """
    sites: list[Running] = []

    async def make(**changes: Any) -> Running:
        socket, port = bind_unused_port()
        settings = replace(config, port=port, **({"base_url": f"http://localhost:{port}"} | changes))
        site = new_site(settings, await Models.open(settings, servers.database_url, servers.redis_url))
        await site.hub.open()
        await site.models.sweep.prepare()
        server = SiteServer(site, trusted=settings.trusted_proxies, max_body_size=MAX_BODY)
        server.add_socket(socket)
        sites.append(Running(site, server, f"http://localhost:{port}", Client(f"http://localhost:{port}")))
        return sites[-1]

    yield make
    for running in sites:
        io_loop.run_sync(running.stop)


@pytest.fixture
def site(io_loop: IOLoop, make_site: MakeSite) -> Running:
    """The site. Its sweep runs only when the test calls `await site.models.sweep.once()`."""
    return io_loop.run_sync(make_site)


@dataclass(frozen=True)
class Person:
    """A signed-in user."""

    user_id: str
    name: str
    token: str
    session_id: str


MakePerson = Callable[..., Awaitable[Person]]


@pytest.fixture
def person(request: pytest.FixtureRequest) -> MakePerson:
    """`await person("Anna")`: paid and with a selfie, unless `access=None` or `selfie=False`."""
    name = "site" if "site" in request.fixturenames else "models"
    found = request.getfixturevalue(name)
    models: Models = found.models if isinstance(found, Running) else found

    async def make(
        name: str = "Anna", *, gender: str = "female", access: str | None = "comp", selfie: bool = True
    ) -> Person:
        signed_up = await models.sign_up.guest(
            name, gender, adult=True, invite_code=None, address="127.0.0.1"
        )
        user_id = signed_up.member.user_id
        if access:
            await models.grants.grant(user_id, access, f"test:{user_id}")
        if selfie:
            await models.selfies.keep(user_id, Decoded(jpeg()))
        return Person(user_id, name, signed_up.token, signed_up.member.session_id)

    return make


@cache
def jpeg(width: int = 200, height: int = 200) -> bytes:
    """A small real photograph: the smallest accepted selfie."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


ROOT = Path(__file__).resolve().parent.parent
