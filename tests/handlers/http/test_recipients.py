"""Recipients of personal data: each by its name, and none without its setting."""

from __future__ import annotations

import pytest

from handlers.http.recipients import recipients
from models.settings.config import Config
from tests.conftest import MakeSite


def test_a_site_of_its_own_has_none() -> None:
    assert recipients(Config()) == []


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"stripe_secret_key": "sk_live_1"}, "Stripe"),
        ({"twilio_account_sid": "AC1"}, "Twilio"),
        (
            {"turn_urls": ("turn:relay.example:3478", "turns:relay.example:443?transport=tcp")},
            "relay.example",
        ),
        ({"stun_urls": ("stun:a.example", "stun:b.example:3478")}, "a.example, b.example"),
        ({"stun_urls": ("stun:[2001:db8::1]:3478",)}, "[2001:db8::1]"),
        ({"smtp_url": "smtps://user:secret@mail.example:465"}, "mail.example"),
        ({"minimum_age_check": "provider", "age_provider_url": "https://age.example"}, "age.example"),
    ],
)
async def test_each_is_named_on_the_privacy_page(
    make_site: MakeSite, settings: dict[str, object], name: str
) -> None:
    (one,) = recipients(Config(**settings))  # type: ignore[arg-type]
    assert one.name == name
    site = await make_site(**settings)
    text = (await site.browser().get("/privacy")).text
    assert f"<strong>{name}</strong>" in text
    assert "secret" not in text
    assert "No third party" not in text


async def test_who_is_responsible_and_where_to_complain(make_site: MakeSite) -> None:
    site = await make_site(operator_name="Sky & Co", operator_contact="hello@sky.example")
    text = (await site.browser().get("/privacy")).text
    for words in ("Sky &amp; Co", "mailto:hello@sky.example", "data protection authority", "No third party"):
        assert words in text
    plain = (await (await make_site()).browser().get("/privacy")).text
    assert "names no operator" in plain
