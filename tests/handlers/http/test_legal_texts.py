"""The operator's own terms and privacy page, and the built-in texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.http.legal_texts import rendered
from tests.conftest import MakeSite


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Terms\n\nBe *kind*.", "<h1>Terms</h1>\n<p>Be <em>kind</em>.</p>\n"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a <img src=x onerror=alert(1)> b", "<p>a &lt;img src=x onerror=alert(1)&gt; b</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>\n"),
        ("[a](https://example.com/?a=1&b=2)", '<p><a href="https://example.com/?a=1&amp;b=2">a</a></p>\n'),
        ("{{ site.base_url }}", "<p>{{ site.base_url }}</p>\n"),
    ],
)
def test_nothing_in_it_becomes_a_script(text: str, shown: str) -> None:
    assert shown in rendered(text)


async def test_the_operator_s_own_pages_replace_ours(make_site: MakeSite, tmp_path: Path) -> None:
    text = "# Our rules\n\nWe are *kind* here — always."
    (tmp_path / "terms.md").write_text(text, encoding="utf-8-sig")
    site = await make_site(terms_file=tmp_path / "terms.md")
    text = (await site.browser().get("/terms")).text
    assert "<h1>Our rules</h1>" in text
    assert "<em>kind</em> here — always" in text
    assert "No promises" not in text
    assert "What is kept" in (await site.browser().get("/privacy")).text


async def test_our_privacy_page_has_the_numbers_of_the_settings(make_site: MakeSite) -> None:
    site = await make_site(
        chat_days=41,
        report_days=42,
        invite_days=43,
        address_days=44,
        guest_unused_days=45,
        ended_session_days=1,
    )
    text = (await site.browser().get("/privacy")).text
    for number in (41, 42, 43, 44, 45, 46):
        assert f"{number} days" in text
    assert "date of birth" not in text
    asking = await make_site(minimum_age_check="dob")
    assert "date of birth" in (await asking.browser().get("/privacy")).text


async def test_numbered_clauses_of_the_operator_can_be_linked_to(make_site: MakeSite, tmp_path: Path) -> None:
    (tmp_path / "terms.md").write_text("2.3 Be <b>kind</b>.\n\n2024 was fine.")
    site = await make_site(terms_file=tmp_path / "terms.md")
    text = (await site.browser().get("/terms")).text
    assert '<p id="clause-2-3"><strong class="clause">2.3</strong> Be &lt;b&gt;kind' in text
    assert "<p>2024 was fine" in text
