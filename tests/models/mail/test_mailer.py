"""E-mails: queued at once, delivered through the operator's server, never blocking a caller."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import replace

import pytest

from models.mail import mailer
from models.mail.mailer import MOST_WAITING, Mailer
from models.settings.config import Config
from models.wiring import Models
from tests.support.people.account_holders import QUICK
from tests.support.servers import Servers
from tests.support.smtp_server import Mailbox


def mail_to(url: str | None) -> Mailer:
    return Mailer(Config(smtp_url=url, mail_from="hello@napalmsky.example" if url else None))


async def test_an_e_mail_arrives(mailbox: Mailbox) -> None:
    mail = mail_to(mailbox.url)
    mail.send("ann@example.com", "A subject", "Some words.\n")
    assert await mailbox.letter() == "Some words.\n"
    assert mailbox.recipients == ["ann@example.com"]
    await mail.close()


async def test_an_e_mail_has_a_sender(mailbox: Mailbox) -> None:
    mail = mail_to(mailbox.url)
    mail.send("ann@example.com", "Ümlaut", "x\n")
    mail._thread.submit(lambda: None).result()
    (letter,) = mailbox.letters
    assert letter["From"] == "Napalm Sky <hello@napalmsky.example>"
    assert (letter["To"], letter["Subject"]) == ("ann@example.com", "Ümlaut")
    assert letter["Message-ID"].endswith("@napalmsky.example>")
    await mail.close()


async def test_without_a_server_there_is_no_mail() -> None:
    mail = mail_to(None)
    assert not mail.is_on
    mail.send("ann@example.com", "A subject", "Some words.")
    await mail.close()


async def test_a_failure_is_logged_once_without_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        mail = mail_to(f"smtp://user:secret-word@127.0.0.1:{taken.getsockname()[1]}")
        with caplog.at_level(logging.INFO):
            mail.send("ann@example.com", "A subject", "Some words.")
            mail._thread.submit(lambda: None).result()
    assert [record.getMessage() for record in caplog.records] == [
        "an e-mail could not be sent: ConnectionRefusedError"
    ]
    assert vars(caplog.records[0])["cause"].startswith("SMTP_URL: the server cannot be reached")
    await mail.close()


async def test_a_password_is_not_sent_to_another_machine_without_tls(
    mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    port = mailbox.url.rpartition(":")[2]
    mail = mail_to(f"smtp://user:secret-word@127.1:{port}")
    mail.send("ann@example.com", "A subject", "Some words.")
    mail._thread.submit(lambda: None).result()
    assert "SMTPNotSupportedError" in caplog.text
    assert any("offers no TLS" in vars(record).get("cause", "") for record in caplog.records)
    assert mailbox.letters == []
    await mail.close()


async def test_too_many_e_mails_are_dropped_without_waiting(
    mailbox: Mailbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = mail_to(mailbox.url)
    for _ in range(MOST_WAITING):
        assert mail._room.acquire(blocking=False)
    mail.send("ann@example.com", "A subject", "Some words.")
    assert "32 are waiting already" in caplog.text
    mail._room.release()
    mail.send("ann@example.com", "A subject", "There is room again.\n")
    assert await mailbox.letter() == "There is room again.\n"
    await mail.close()


async def test_close_waits_for_queued_messages(mailbox: Mailbox, servers: Servers) -> None:
    config = replace(QUICK, smtp_url=mailbox.url, mail_from="hello@napalmsky.example")
    models = await Models.open(config, servers.database_url, servers.redis_url)
    for n in range(8):
        models.mail.send("ann@example.com", f"Letter {n}", "Some words.\n")
    await models.close()
    assert [letter["Subject"] for letter in mailbox.letters] == [f"Letter {n}" for n in range(8)]


async def test_a_silent_server_does_not_block_close(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "CLOSE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mail = mail_to(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(2):
            mail.send("ann@example.com", "A subject", "Some words.")
        async with asyncio.timeout(30):
            await mail.close()
    assert "e-mails were dropped" in caplog.text


def test_the_server_s_password_is_not_shown() -> None:
    assert "secret-word" not in repr(Config(smtp_url="smtp://user:secret-word@mail.example"))
