"""ICE servers when Twilio or Redis fails."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.calls.turn import IceServers
from models.calls.turn_tokens import TokenServer, TurnToken
from models.calls.twilio import TwilioApi
from models.clock import Clock
from models.redis import keys
from models.redis.client import Bus
from tests.models.calls.conftest import ANNA, BEN, CALL, COTURN, LIFE, STUN, URLS, MakeTurn, ask, names
from tests.support.fake_twilio import GARBAGE, SID, TOKEN, TwilioStandIn
from tests.support.pace import within
from tests.support.servers import Servers

ROOT = Path(__file__).parent.parent.parent.parent
FAULTS = ["401", "403", "404", "429", "500", "503", "reset", *GARBAGE]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failure_of_twilio_is_logged_without_secrets_and_the_rest_is_returned(
    make_turn: MakeTurn, twilio: TwilioStandIn, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    twilio.faults.extend([fault] * 2)
    turn = make_turn(**twilio.settings)
    assert await ask(turn) == IceServers(ice_servers=[STUN], ttl=30)
    lines = [record for record in caplog.records if record.name == "models.calls.twilio"]
    assert len(lines) == 1
    written = "\n".join(str(vars(record)) for record in caplog.records)
    assert not [secret for secret in (SID, TOKEN, "credential-", twilio.api_base) if secret in written]


async def test_coturn_is_returned_when_twilio_fails(make_turn: MakeTurn, twilio: TwilioStandIn) -> None:
    twilio.faults.append("500")
    answer = await ask(make_turn(**COTURN, **twilio.settings))
    assert [server.urls for server in answer.ice_servers] == [list(URLS), STUN.urls]
    assert answer.ttl == LIFE


@pytest.mark.parametrize(("settings", "patience"), [({}, 3.0), (COTURN, 1.0)], ids=["alone", "beside coturn"])
async def test_a_request_to_twilio_times_out(
    make_turn: MakeTurn, twilio: TwilioStandIn, settings: dict[str, object], patience: float
) -> None:
    twilio.faults.append("hang")
    before = time.monotonic()
    assert STUN in (await ask(make_turn(**settings, **twilio.settings))).ice_servers
    assert patience <= time.monotonic() - before < patience + within(0.9)


async def test_twilio_is_unreachable(make_turn: MakeTurn, twilio: TwilioStandIn) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        answer = await ask(make_turn(**twilio.settings | {"twilio_api_base": address}))
    assert answer == IceServers(ice_servers=[STUN], ttl=30)


async def test_after_a_failure_twilio_is_not_called_for_half_a_minute(
    make_turn: MakeTurn, twilio: TwilioStandIn, still_clock: Clock
) -> None:
    twilio.faults.append("500")
    turn = make_turn(**twilio.settings)
    await ask(turn)
    still_clock.advance(seconds=29)
    assert (await ask(turn, BEN)).ice_servers == [STUN]
    assert len(twilio.asked) == 1
    still_clock.advance(seconds=1)
    assert names(await ask(turn, BEN)) == ["user-2", ""]


async def test_a_cached_token_is_used_while_twilio_is_down(
    make_turn: MakeTurn, twilio: TwilioStandIn
) -> None:
    turn = make_turn(**twilio.settings)
    await ask(turn)
    twilio.faults.append("500")
    assert names(await ask(turn, BEN)) == [""]
    assert names(await ask(turn)) == ["user-1", ""]


async def test_servers_are_returned_without_redis(make_turn: MakeTurn, twilio: TwilioStandIn) -> None:
    away = "redis://127.0.0.1:1/0"
    assert len((await ask(make_turn(away, **COTURN, **twilio.settings))).ice_servers) == 3


async def test_malformed_cached_tokens_are_ignored(
    make_turn: MakeTurn, twilio: TwilioStandIn, servers: Servers
) -> None:
    bus = Bus(servers.redis_url, process_id="looking")
    await bus.command("set", keys.ice(CALL, ANNA), b"{}")
    await bus.close()
    assert names(await ask(make_turn(**twilio.settings))) == ["user-1", ""]


async def test_a_token_holds_the_turn_servers(twilio: TwilioStandIn, still_clock: Clock) -> None:
    api = TwilioApi(SID, TOKEN, twilio.api_base, still_clock)
    servers = [
        TokenServer(f"turn:twilio.test:3478?transport={way}", "user-1", "credential-1")
        for way in ("udp", "tcp")
    ]
    assert await api.token(600, 3.0) == TurnToken(servers, 600)
    await api.close()


def test_a_site_without_twilio_does_not_import_its_library() -> None:
    """It takes a tenth of a second of each start."""
    names = "{name.partition('.')[0] for name in sys.modules}"
    code = f"import sys, server; print(*({names} & {{'twilio', 'aiohttp', 'tornado'}}))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.stdout.split() == ["tornado"]
