"""Response times do not reveal which addresses have an account."""

from __future__ import annotations

import statistics
import time

import pytest

from models.settings.environment import read_config
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.smtp_server import Mailbox

pytestmark = pytest.mark.usefixtures("mailbox")

PAIRS = 150
PROXY = read_config({"TRUSTED_PROXIES": "127.0.0.1,::1"}).trusted_proxies


KNOWN = """
with known as (
    insert into users (user_id, name, gender, adult_at, created_at)
    select gen_random_uuid(), 'Known', gender, adult_at, created_at
    from users, generate_series(1, %s) where user_id = %s
    returning user_id
), numbered as (
    select user_id, 'known' || row_number() over () || '@example.com' as email from known
)
insert into accounts (user_id, email, email_key, password_hash, created_at, password_at, email_confirmed_at)
select user_id, email, email, 'x', now(), now(), now() from numbered
"""


async def accounts(site: Running, person: MakePerson) -> None:
    """Many accounts, because each may be asked about three times an hour."""
    ann = await person("Ann", selfie=False)
    async with site.models.db.link() as link:
        await link.execute(KNOWN, (PAIRS, ann.user_id))


async def seconds(site: Running, email: str, address: str) -> float:
    began = time.perf_counter()
    headers = {"X-Forwarded-For": address}
    answer = await site.client.post("/auth/recovery-link", {"email": email}, headers=headers)
    assert answer.status == 204
    return time.perf_counter() - began


@pytest.mark.prove
async def test_asking_for_a_link_takes_the_same_time_for_known_and_unknown(
    make_site: MakeSite, person: MakePerson, mailbox: Mailbox
) -> None:
    """In pairs, each kind first in half of them. The median difference must be within the noise."""
    site = await make_site(trusted_proxies=PROXY)
    await accounts(site, person)
    differences: list[float] = []
    for n in range(PAIRS):
        emails = [f"known{n + 1}@example.com", f"other{n + 1}@example.com"]
        kinds = [0, 1] if n % 2 else [1, 0]
        took = {kind: await seconds(site, emails[kind], f"2001:db8:{n:x}:{kind}::1") for kind in kinds}
        differences.append(took[0] - took[1])
    low, middle, high = statistics.quantiles(differences, n=4)
    noise = 3 * 1.25 * (high - low) / 1.35 / len(differences) ** 0.5
    assert abs(middle) < noise, f"median {middle * 1000:.2f} ms, three standard errors {noise * 1000:.2f} ms"
    print(f"\nknown - unknown: median {middle * 1000:.2f} ms, three standard errors {noise * 1000:.2f} ms")
