"""Passwords: nothing is cut off, common ones are refused, and hashing never blocks the event loop."""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from collections.abc import Iterator

import bcrypt
import pytest

from models.errors import Invalid
from models.security.passwords import (
    NO_DIGEST,
    Passwords,
    checked,
    digest,
    dummy_hash,
    fits,
    hashed,
    is_common,
)
from models.settings.config import Config
from tests.support.pace import within
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD


@pytest.fixture
def passwords(io_loop) -> Iterator[Passwords]:
    quick = Passwords(Config(bcrypt_cost=4))
    yield quick
    io_loop.run_sync(quick.close)


async def test_a_password_matches_only_its_own_hash(passwords: Passwords) -> None:
    kept = await passwords.hash(PASSWORD)
    assert PASSWORD not in kept
    assert await passwords.matches(PASSWORD, kept)
    assert not await passwords.matches(PASSWORD + " ", kept)
    assert await passwords.hash(PASSWORD) != kept


async def test_no_byte_is_cut_off(passwords: Passwords) -> None:
    start = "Wm4!" * 18
    lengths = (71, 72, 73, 120)
    tried = [(start + "kq7%" * 20)[:length] for length in lengths]
    kept = [await passwords.hash(one) for one in tried]
    fits = [[await passwords.matches(one, each) for one in tried] for each in kept]
    assert fits == [[one == each for one in lengths] for each in lengths]


async def test_the_last_of_two_hundred_bytes_matters(passwords: Passwords) -> None:
    long = "ü" * 99 + "zß"
    assert len(long.encode()) > 200
    assert digest(long) != digest(long[:-1] + "s")


async def test_the_unicode_form_does_not_matter(passwords: Passwords) -> None:
    composed = "crème brûlée à midi"
    kept = await passwords.hash(unicodedata.normalize("NFD", composed))
    assert await passwords.matches(composed, kept)


@pytest.mark.parametrize(
    "password",
    ["", "elevenchars", "x" * 129, "\ud800" + "lone surrogate here", "e\u0301" * 11],
)
def test_passwords_of_a_wrong_length_or_encoding_are_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(password)
    assert set(refused.value.fields or {}) == {"password"}


def test_the_shortest_and_longest_passwords_are_accepted() -> None:
    assert checked("twelve chars")
    assert checked("x" * 128)


@pytest.mark.parametrize(
    "password",
    ["QWERTY123456", "leavemealone", "password1234", "passwordpassword", "123456789012", "aaaaaaaaaaaa",
     "abcdefghijkl", "iloveyou2024", "p@ssw0rd" * 5, "ann@example.com"],
)  # fmt: skip
async def test_common_passwords_and_variants_are_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(Invalid, match="easy to guess"):
        await passwords.hash(password, "ann@example.com", "Ann")


def test_a_password_that_is_costly_to_judge_takes_little_time() -> None:
    """In CPU time: such a password once took seconds and delayed all sign-ins."""
    began = time.thread_time()
    assert not is_common("4@8({[<36&9#!1|0$57+%2z4@8({[<36&9#!1|0$", ())
    assert time.thread_time() - began < 0.5


def test_a_keyboard_row_with_many_readings_is_common() -> None:
    assert is_common("1234567890!@#$%^", ())


@pytest.mark.parametrize(
    "password", [PASSWORD, "ann@example.org!", "x9" + "password" * 9 + "kW3#vT", "w" * 72]
)
async def test_passwords_that_resemble_common_ones_are_accepted(passwords: Passwords, password: str) -> None:
    assert await passwords.hash(password)


def test_bcrypt_accepts_the_dummy_hash() -> None:
    assert bcrypt.checkpw(digest(PASSWORD), f"$2b$04${NO_DIGEST}".encode()) is False
    assert re.fullmatch(r"[./A-Za-z0-9]{53}", NO_DIGEST)


async def test_the_dummy_hash_costs_as_much_as_a_real_one(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    against: list[bytes] = []
    real = bcrypt.checkpw
    monkeypatch.setattr(
        bcrypt, "checkpw", lambda given, kept: bool(against.append(kept)) or real(given, kept)
    )
    kept = await passwords.hash(PASSWORD)
    assert await passwords.matches(PASSWORD, kept)
    assert not await passwords.matches(PASSWORD, None)
    assert [one[:7] for one in against] == [b"$2b$04$", b"$2b$04$"]


async def test_a_wrong_password_costs_the_same_at_an_older_cost(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rounds of bcrypt add up to those of an unknown account; a correct password needs no extra ones."""
    old, tried = hashed(PASSWORD, 4), []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda given, kept: bool(tried.append(kept)) or real(given, kept))
    assert fits(PASSWORD, old, 6)
    assert [int(one[4:6]) for one in tried] == [4]
    assert not fits(OTHER_PASSWORD, old, 6)
    assert sum(2 ** int(one[4:6]) for one in tried[1:]) == 2**6
    assert not fits(OTHER_PASSWORD, dummy_hash(6), 6)
    assert [int(one[4:6]) for one in tried[4:]] == [6]


async def test_an_address_waits_for_one_hash_of_each_other_address() -> None:
    """With real bcrypt at a noticeable cost, and three addresses with full queues."""
    slow = Passwords(Config(bcrypt_cost=6))
    done: list[str] = []

    async def sign_in(address: str) -> None:
        await slow.matches(PASSWORD, None, address)
        done.append(address)

    flood = [f"203.0.113.{n}" for n in range(3)]
    attack = [asyncio.ensure_future(sign_in(address)) for address in flood for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.wait_for(sign_in("198.51.100.9"), 20)
    assert len(done) <= len(flood) + 2
    assert done[-1] == "198.51.100.9"
    await asyncio.gather(*attack)
    await slow.close()


async def test_an_ipv6_network_is_one_subject_of_the_queue() -> None:
    slow = Passwords(Config(bcrypt_cost=6))
    done: list[str] = []

    async def sign_in(address: str) -> None:
        await slow.matches(PASSWORD, None, address)
        done.append(address)

    attack = [asyncio.ensure_future(sign_in(f"2001:db8::{n:x}")) for n in range(1, 16)]
    await asyncio.sleep(0)
    await sign_in("2001:db8:0:1::1")
    assert len(done) <= 3
    await asyncio.gather(*attack)
    await slow.close()


async def test_the_event_loop_is_free_during_many_sign_ins() -> None:
    """The longest pause of the event loop, in CPU time of its thread."""
    dear = Passwords(Config(bcrypt_cost=8))
    work = [asyncio.ensure_future(dear.matches(PASSWORD, None, f"192.0.2.{n}")) for n in range(50)]
    longest = 0.0
    while not all(one.done() for one in work):
        began = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
    assert longest < within(0.1)
    await dear.close()
