"""Requests for a link: the same work for every address at once; the e-mail a moment later."""

from __future__ import annotations

import pytest

from models.errors import NotSignedIn
from models.postgres.pool import PoolConnection
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD, confirm_email
from tests.support.smtp_server import Mailbox, link_in

pytestmark = pytest.mark.usefixtures("mailbox")

HOME, AWAY = "203.0.113.7", "198.51.100.9"
ANN, NOBODY = "ann@example.com", "nobody@example.com"


@pytest.fixture
def statements(models: Models, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The text of every statement sent to PostgreSQL from now on."""
    sent: list[str] = []
    real = models.db._running.execute

    async def execute(link: PoolConnection, sql: str, values: dict[str, object] | None = None) -> None:
        sent.append(sql)
        await real(link, sql, values)

    monkeypatch.setattr(models.db._running, "execute", execute)
    return sent


async def keep_ann(models: Models, person: MakePerson) -> None:
    member = await models.sessions.find((await person("Ann")).token)
    assert member is not None
    await models.accounts.upgrade(member, ANN, PASSWORD, AWAY)
    await confirm_email(models, member.user_id)


async def test_known_and_unknown_addresses_run_the_same_statements(
    models: Models, person: MakePerson, statements: list[str], mailbox: Mailbox
) -> None:
    await keep_ann(models, person)
    work = {}
    for email in (ANN, NOBODY):
        statements.clear()
        await models.recovery.send_link(email, HOME)
        work[email] = (list(statements), len(models.recovery._links._tasks))
    assert work[ANN][0] == work[NOBODY][0] != []
    assert (work[ANN][1], work[NOBODY][1]) == (1, 2)
    await mailbox.letter()
    await models.recovery.close()
    assert mailbox.recipients == [ANN]


async def test_the_delayed_work_is_the_same_statement_too(
    models: Models, person: MakePerson, statements: list[str], mailbox: Mailbox
) -> None:
    await keep_ann(models, person)
    work = {}
    for email in (ANN, NOBODY):
        statements.clear()
        await models.recovery._links._send(email)
        work[email] = list(statements)
    assert work[ANN] == work[NOBODY] != []
    await mailbox.letter()


async def test_a_wrong_code_runs_the_same_statements_for_known_and_unknown(
    models: Models, person: MakePerson, statements: list[str]
) -> None:
    await keep_ann(models, person)
    work = {}
    for email in (ANN, NOBODY):
        statements.clear()
        with pytest.raises(NotSignedIn):
            await models.recovery.by_code(email, "0" * 16, OTHER_PASSWORD, HOME, None)
        work[email] = list(statements)
    assert work[ANN] == work[NOBODY] != []


async def test_a_wrong_password_runs_the_same_statements_for_known_and_unknown(
    models: Models, person: MakePerson, statements: list[str]
) -> None:
    await keep_ann(models, person)
    work = {}
    for email in (ANN, NOBODY):
        statements.clear()
        with pytest.raises(NotSignedIn):
            await models.accounts.login(email, OTHER_PASSWORD, HOME, None)
        work[email] = list(statements)
    assert work[ANN] == work[NOBODY] != []


async def test_requested_links_are_sent_on_shutdown(
    models: Models, person: MakePerson, mailbox: Mailbox
) -> None:
    await keep_ann(models, person)
    await models.recovery.send_link(ANN, HOME)
    await models.recovery.close()
    assert "/recover?link=" in link_in(await mailbox.letter())


async def test_a_valid_link_is_accepted_after_failures_from_its_address(
    models: Models, person: MakePerson, mailbox: Mailbox
) -> None:
    await keep_ann(models, person)
    await models.recovery.send_link(ANN, HOME)
    link = link_in(await mailbox.letter()).partition("?link=")[2]
    for n in range(25):
        with pytest.raises(Exception, match="too old" if n < 20 else "too_many"):
            await models.recovery.by_link(f"wrong {n}", OTHER_PASSWORD, HOME, None)
    assert await models.recovery.by_link(link, OTHER_PASSWORD, HOME, None)
