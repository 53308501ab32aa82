"""Which ICE servers a user gets, and for how long."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from models.calls.turn import IceServers
from models.clock import Clock
from models.redis import keys
from models.redis.client import Bus
from tests.models.calls.conftest import (
    ANNA,
    BEN,
    CALL,
    COTURN,
    LIFE,
    NOW,
    SECRET,
    STUN,
    URLS,
    MakeTurn,
    ask,
    names,
)
from tests.support.fake_twilio import TwilioStandIn
from tests.support.servers import Servers

# -- STUN and coturn --


async def test_without_turn_there_is_stun(make_turn: MakeTurn) -> None:
    assert await ask(make_turn()) == IceServers(ice_servers=[STUN], ttl=600)
    assert await ask(make_turn(stun_urls=())) == IceServers(ice_servers=[], ttl=600)


async def test_a_check_without_turn_also_lasts_a_minute(make_turn: MakeTurn) -> None:
    assert await make_turn().for_check("198.51.100.7") == IceServers(ice_servers=[STUN], ttl=60)
    short = make_turn(stun_urls=(), turn_check_seconds=20)
    assert await short.for_check("198.51.100.7") == IceServers(ice_servers=[], ttl=20)


async def test_own_coturn_comes_first_with_credentials_that_it_accepts(make_turn: MakeTurn) -> None:
    answer = await ask(make_turn(**COTURN))
    own, stun = answer.ice_servers
    assert (own.urls, stun, answer.ttl) == (list(URLS), STUN, LIFE)
    end, _, user = (own.username or "").partition(":")
    assert int(end) == NOW.timestamp() + LIFE
    assert user.startswith("call-")
    signed = hmac.new(SECRET.encode(), (own.username or "").encode(), hashlib.sha1).digest()
    assert own.credential == base64.b64encode(signed).decode()


async def test_credentials_are_per_user_and_call_and_do_not_identify_the_user(make_turn: MakeTurn) -> None:
    turn = make_turn(**COTURN)
    of_anna = names(await ask(turn))[0]
    assert names(await ask(turn))[0] == of_anna
    assert names(await ask(turn, BEN))[0] != of_anna
    assert names(await ask(turn, call_id="call-2"))[0] != of_anna
    assert names(await ask(make_turn(**COTURN | {"turn_secret": SECRET + "2"})))[0] != of_anna
    assert ANNA not in of_anna
    assert CALL not in of_anna


async def test_what_needs_no_other_site_is_there_at_once(make_turn: MakeTurn, twilio: TwilioStandIn) -> None:
    for settings in ({}, {"stun_urls": ()}, COTURN):
        turn = make_turn(**settings)  # type: ignore[arg-type]
        assert turn.at_once(CALL, ANNA, 300_000) == await ask(turn)
    assert make_turn(**COTURN, **twilio.settings).at_once(CALL, ANNA, 300_000) is None


@pytest.mark.parametrize(("seconds", "life"), [(300, 420), (299.001, 420), (10, 130), (0, 120), (1800, 1920)])
async def test_credentials_end_with_the_call(make_turn: MakeTurn, seconds: float, life: int) -> None:
    assert (await ask(make_turn(**COTURN), seconds=seconds)).ttl == life


async def test_the_setting_limits_the_lifetime_of_credentials(make_turn: MakeTurn) -> None:
    answer = await ask(make_turn(**COTURN, turn_ttl_seconds=600), seconds=1800)
    assert answer.ttl == 600
    assert names(answer)[0].startswith(f"{int(NOW.timestamp()) + 600}:")


async def test_a_check_has_short_lived_credentials_and_its_own_user_names(make_turn: MakeTurn) -> None:
    turn = make_turn(**COTURN)
    answer = await turn.for_check("198.51.100.7")
    assert answer.ttl == 60
    end, _, user = names(answer)[0].partition(":")
    assert int(end) == NOW.timestamp() + 60
    assert user.startswith("check-")
    assert "198.51.100.7" not in names(answer)[0]
    assert names(await turn.for_check("198.51.100.8"))[0] != names(answer)[0]


async def test_relay_only_uses_no_stun_server(make_turn: MakeTurn) -> None:
    answer = await ask(make_turn(**COTURN, relay_only=True))
    assert [server.urls for server in answer.ice_servers] == [list(URLS)]


# -- Twilio --


async def test_twilio_gives_a_token_for_as_long_as_the_call_can_last(
    make_turn: MakeTurn, twilio: TwilioStandIn
) -> None:
    answer = await ask(make_turn(**twilio.settings))
    turn, stun = answer.ice_servers
    assert turn.urls == ["turn:twilio.test:3478?transport=udp", "turn:twilio.test:3478?transport=tcp"]
    assert (turn.username, turn.credential) == ("user-1", "credential-1")
    assert (stun, answer.ttl, twilio.asked) == (STUN, LIFE, [LIFE])


async def test_with_both_coturn_comes_first(make_turn: MakeTurn, twilio: TwilioStandIn) -> None:
    answer = await ask(make_turn(**COTURN, **twilio.settings))
    assert [server.urls[0] for server in answer.ice_servers] == [
        URLS[0],
        "turn:twilio.test:3478?transport=udp",
        *STUN.urls,
    ]


async def test_a_token_is_cached_per_user_and_call(make_turn: MakeTurn, twilio: TwilioStandIn) -> None:
    one, other = make_turn(**twilio.settings), make_turn(**twilio.settings)
    assert names(await ask(one)) == names(await ask(other)) == ["user-1", ""]
    assert names(await ask(one, BEN)) == ["user-2", ""]
    assert names(await ask(one, call_id="call-2")) == ["user-3", ""]


async def test_a_cached_token_is_used_in_the_first_half_of_its_lifetime(
    make_turn: MakeTurn, twilio: TwilioStandIn, still_clock: Clock
) -> None:
    turn = make_turn(**twilio.settings)
    await ask(turn)
    still_clock.advance(seconds=LIFE / 2 - 1)
    again = await ask(turn)
    assert (names(again), again.ttl) == (["user-1", ""], LIFE / 2 + 1)
    still_clock.advance(seconds=1)
    anew = await ask(turn, seconds=90)
    assert (names(anew), anew.ttl) == (["user-2", ""], 210)


async def test_a_cached_token_expires_in_redis(
    make_turn: MakeTurn, twilio: TwilioStandIn, servers: Servers
) -> None:
    await ask(make_turn(**twilio.settings))
    bus = Bus(servers.redis_url, process_id="looking")
    kept = await bus.command("ttl", keys.ice(CALL, ANNA))
    await bus.close()
    assert 0 < kept <= LIFE


async def test_a_check_requests_a_short_lived_token_and_caches_none(
    make_turn: MakeTurn, twilio: TwilioStandIn
) -> None:
    turn = make_turn(**twilio.settings)
    assert (await turn.for_check("198.51.100.7")).ttl == 60
    assert names(await turn.for_check("198.51.100.7")) == ["user-2", ""]
    assert twilio.asked == [60, 60]
