"""Texts of e-mails: a way to undo the change, and no secret but the link."""

from __future__ import annotations

from models.accounts import email_texts

BASE = "https://napalmsky.example"


def test_a_link_is_on_its_own_line() -> None:
    letter = email_texts.recovery_link(f"{BASE}/recover?link=abc", 30)
    assert f"{BASE}/recover?link=abc" in letter.text.splitlines()
    assert "30 minutes" in letter.text


def test_notices_of_changes_say_how_to_undo_them() -> None:
    for letter in (email_texts.password_changed(BASE), email_texts.email_changed(BASE)):
        assert f"{BASE}/recover" in letter.text
        assert "\n" not in letter.subject
