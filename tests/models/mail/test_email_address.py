"""E-mail addresses: validation and comparison."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Invalid
from models.mail.email_address import read


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann.B+tag@Example.COM ", "ann.b+tag@example.com"),
        ("o'neil_1@mail.example.co.uk", "o'neil_1@mail.example.co.uk"),
        ("Jörg@Müller.de", "jörg@xn--mller-kva.de"),
        ("Jo\u0308rg@mu\u0308ller.de", "jörg@xn--mller-kva.de"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("ann@example.com.", "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("ａｎｎ＠example。com", "ann@example.com"),
        ("\u2068ann@example.com\u2069\u200f", "ann@example.com"),
        ("\ufeffa\u200bnn@exam\u00adple.com", "ann@example.com"),
    ],
)
def test_an_address_and_its_key(typed: str, key: str) -> None:
    assert read(typed).key == key


def test_the_address_for_sending_is_as_typed() -> None:
    assert read(" Ann@Example.com").text == "Ann@Example.com"


def test_invisible_characters_are_removed() -> None:
    assert read("\u2068Ann＠EXAMPLE。\u00adcom.\u2069").text == "Ann@EXAMPLE.com"


@given(
    st.text(
        st.sampled_from("aB9.-_+@ü。．＠ａ\u200b\u200d\u2068\u2069\u202e\u00ad\ufeff:,<> \n\0"), max_size=40
    )
)
def test_parsing_is_idempotent(typed: str) -> None:
    try:
        email = read(f"{typed}@example.com")
    except Invalid:
        return
    assert read(email.text) == email
    assert email.text.isprintable()


@pytest.mark.parametrize(
    "typed",
    ["", "ann", "@example.com", "ann@", "ann@localhost", "ann@example", "ann@@example.com", "a b@example.com",
     "ann@exa mple.com", "ann@example..com", ".ann@example.com", "ann.@example.com", "ann@-example.com",
     "ann@192.168.0.1", "ann@[::1]", "ann@example.com\r\nBcc: all@example.com", "ann@example.com\0",
     "<ann@example.com>", "ann@example.com,bo@example.com", "a" * 65 + "@example.com",
     "a@" + "b." * 125 + "example.com", "\ud800@example.com", "ann@ex\u202eample.com",
     "\u202eann@example.com", "ann@\ud800.com"],
)  # fmt: skip
def test_invalid_addresses_are_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(typed)
    assert set(refused.value.fields or {}) == {"email"}
