"""MAIL_FROM and SMTP_URL: what the library sends, and what no mail server takes."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage

import pytest

from models.settings.faults import Faults
from models.settings.reader import SettingsReader
from models.settings.urls import Unusable, is_host, mail_address, mail_server

USABLE = ["a@b.c", "hello@sky.example", "a+b@c.com", "a'b@c.com", "a.b@xn--bcher-kva.example", "a/b@c.com",
          "x" * 64 + "@c.com", "a@" + "x" * 63 + ".com"]  # fmt: skip
REFUSED = [
    "a@b", "a@b..com", "a@.b.com", "a@b.com.", "a@-b.com", "a@b-.com", "a b@c.com", "a..b@c.com", ".a@c.com",
    "a.@c.com", "a@c.com,b@d.com", "Sky <a@b.com>", "<a@b.com>", "é@c.com", "a@bücher.de", "a@[1.2.3.4]",
    "a@1.2.3.4", "a@b_c.com", '"a b"@c.com', "a@" + "x" * 64 + ".com", "x" * 65 + "@c.com", "mailto:a@b.com",
    "a(b)@c.com", "a@b.c:25", "a@${HOST}.com", "${NAME}@b.com", "a@{{x}}.com", "a@%x.com", "root@", "@b.com",
    "a@@b.com", "a@b.com/x", "a;b@c.com",
]  # fmt: skip


@pytest.mark.parametrize("text", USABLE)
def test_the_library_takes_it_as_a_sender(text: str) -> None:
    assert mail_address(text) == text
    assert Address(addr_spec=text).addr_spec == text
    message = EmailMessage()
    message["From"] = f"Napalm Sky <{text}>"
    assert text.encode("ascii") in message.as_bytes().replace(b"\n ", b"")


@pytest.mark.parametrize("text", REFUSED)
def test_no_sender(text: str) -> None:
    with pytest.raises(Unusable, match=r"^must be an? (plain )?e-mail address"):
        mail_address(text)


@pytest.mark.parametrize(
    "host", ["*", "${HOST}", "h%2f", "a" * 64, "h,h2", "a..b", ".h", "%40", "a!b", "a." * 128]
)
def test_a_mail_server_that_cannot_exist(host: str) -> None:
    with pytest.raises(Unusable, match="must have a host name"):
        mail_server(f"smtp://{host}:25")


@pytest.mark.parametrize("host", ["h", "h.", "a_b", "-", "bücher.example", "::1", "fe80::1%eth0", "1.2.3.4"])
def test_hosts_that_can_exist(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize("value", ["${SECRET_KEY}", "${{ secrets.KEY }}", "{{ key }}", "<your secret key>"])
@pytest.mark.parametrize("name", ["SECRET_KEY", "TURN_SECRET"])
def test_a_placeholder_is_no_secret(name: str, value: str) -> None:
    faults = Faults()
    assert SettingsReader({name: value}, faults).secret(name, least=8) is None
    assert faults == [f"{name} must have its real value: a placeholder is there that nothing filled in"]


@pytest.mark.parametrize(
    ("value", "cause"),
    [("whsec_0123456789;whsec_0123456789", "commas between"), ("whsec_0123456789 x", "commas between"),
     ("whsec_...........", "begins with whsec_"), ("whsec_${SECRET_VALUE}", "begins with whsec_")],
)  # fmt: skip
def test_webhook_secrets_with_a_fault(value: str, cause: str) -> None:
    faults = Faults()
    assert SettingsReader({"NAME": value}, faults).webhook_secrets("NAME") == ()
    assert cause in faults[0]
