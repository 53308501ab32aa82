"""A banned user's pages: the reason, the end, and the appeal without a session."""

from __future__ import annotations

from models.safety.bans import NewBan
from tests.conftest import MakePerson, Person, Running
from tests.support.people.account_holders import PASSWORD, upgraded
from tests.support.people.reports import MODERATOR, OTHER_MODERATOR, browser_of


async def ban(site: Running, one: Person) -> str:
    """Bans a user; returns the URL for the appeal."""
    new = NewBan(user_id=one.user_id, rule="harassment", reason="You shouted at people.")
    standing = await site.models.bans.decide(new, MODERATOR)
    return (await site.models.ban_notices.notice(standing)).appeal_url


async def test_every_response_contains_the_reason(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    browser = await browser_of(site, ben)
    url = await ban(site, ben)
    for path in ("/room", "/history", "/settings", "/onboarding", "/paywall"):
        page = await browser.get(path)
        assert page.status == 403, path
        assert "You shouted at people." in page.text
        assert url in page.text.replace("&#43;", "+")
    for path in ("/room/queue", "/user/me", "/history"):
        answer = await site.client.get(path, token=ben.token)
        assert (answer.status, answer.code) == (403, "banned")
        assert answer.json["error"]["fields"]["appealUrl"] == url


async def test_signing_in_shows_the_reason(site: Running, person: MakePerson) -> None:
    ben = await upgraded(site, await person("Ben"), "ben@example.com")
    await ban(site, ben.person)
    answer = await site.client.post("/auth/login", {"email": ben.email, "password": PASSWORD})
    assert (answer.status, answer.code) == (403, "banned")
    assert answer.json["error"]["fields"]["reason"] == "You shouted at people."
    wrong = await site.client.post("/auth/login", {"email": ben.email, "password": "something else entirely"})
    assert wrong.status == 401


async def test_signing_in_by_form_redirects_to_the_page_of_the_ban(site: Running, person: MakePerson) -> None:
    ben = await upgraded(site, await person("Ben"), "ben@example.com")
    url = await ban(site, ben.person)
    browser = site.browser()
    await browser.get("/login")
    plain = await browser.post("/auth/login", email=ben.email, password=PASSWORD)
    assert (plain.status, "You shouted at people." in plain.text) == (403, True)
    swapped = await browser.post("/auth/login", htmx=True, email=ben.email, password=PASSWORD)
    assert swapped.headers["HX-Redirect"] == url
    (standing,) = await site.models.bans.of_user(ben.person.user_id)
    await site.models.bans.lift(standing.ban_id, OTHER_MODERATOR, "We were wrong.")
    assert 'href="/login">Sign in' in (await browser.get(url)).text


async def test_an_appeal_by_form_is_decided_by_another_moderator(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    url = await ban(site, ben)
    token = url.partition("=")[2]
    visitor = site.browser()
    page = await visitor.get(url)
    assert "You shouted at people." in page.text
    assert (await visitor.post("/appeal", token=token, text=" ")).status == 422
    sent = await visitor.post("/appeal", token=token, text="It was <i>not</i> me.")
    assert sent.status == 303
    page = await visitor.get(url)
    assert "It was &lt;i&gt;not&lt;/i&gt; me." in page.text
    assert (await visitor.post("/appeal", token=token, text="Once more")).status == 409
    (open_appeal,) = await site.models.appeals.queue()
    await site.models.appeals.decide(open_appeal.ban_id, OTHER_MODERATOR, "overturned", "We were wrong.")
    page = await visitor.get(url)
    assert "This ban is over" in page.text
    assert "We were wrong." in page.text
    assert (await site.client.get("/user/me", token=ben.token)).status == 200


async def test_an_appeal_by_json(site: Running, person: MakePerson) -> None:
    url = await ban(site, await person("Ben"))
    token = url.partition("=")[2]
    before = (await site.client.get(url)).json
    assert before == {
        "rule": "harassment", "clause": "Clause 2.2 of the terms: No harassment, no threats, no hate.",
        "isAutomatic": False, "reason": "You shouted at people.", "until": None, "isOver": False,
        "filedAt": None, "verdict": None, "reply": None,
    }  # fmt: skip
    assert (await site.client.post("/appeal", {"token": token, "text": "Not me."})).status == 201
    assert (await site.client.post("/appeal", {"token": token, "text": "Not me."})).status == 409
    assert (await site.client.get(url)).json["filedAt"] is not None


async def test_the_pages_name_the_clause_who_decided_and_where_else_to_turn(
    site: Running, person: MakePerson
) -> None:
    ben, mia = await person("Ben"), await person("Mia")
    browser = await browser_of(site, ben)
    url = await ban(site, ben)
    for page in (await browser.get("/room"), await site.browser().get(url)):
        assert 'href="/terms#clause-2-2">Terms, clause 2.2</a>: No harassment' in page.text
        assert "<dd>a moderator</dd>" in page.text
        assert "A ban without an end." in page.text
    assert "certified body for the settlement of disputes" in (await site.browser().get(url)).text
    automatic = await site.models.db.transact(
        lambda on: site.models.bans.suspend(mia.user_id, "spam", (), on=on)
    )
    assert automatic is not None
    page = await site.browser().get((await site.models.ban_notices.notice(automatic)).appeal_url)
    assert "Terms, clause 2.3" in page.text
    assert "without a person" in page.text
    assert "or until a moderator decides if that is sooner" in page.text


async def test_an_unknown_token_is_404(site: Running) -> None:
    for path in ("/appeal", "/appeal?token=", "/appeal?token=AAAA"):
        assert (await site.client.get(path)).status == 404
    assert (await site.client.post("/appeal", {"token": "AAAA", "text": "x"})).status == 404


async def test_a_banned_browser_is_redirected_to_its_link(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    browser = await browser_of(site, ben)
    url = await ban(site, ben)
    assert (await browser.get("/appeal")).headers["Location"] == url


async def test_the_link_of_a_replaced_ban_redirects_to_the_active_one(
    site: Running, person: MakePerson
) -> None:
    ben = await person("Ben")
    old, new = await ban(site, ben), await ban(site, ben)
    browser = site.browser()
    assert (await browser.get(old)).headers["Location"] == new
    (_, standing) = sorted(await site.models.bans.of_user(ben.user_id), key=lambda one: one.created_at)
    await site.models.bans.lift(standing.ban_id, OTHER_MODERATOR, "We were wrong.")
    assert "This ban is over" in (await browser.get(old)).text


async def test_pages_about_a_ban_are_not_cached(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    browser = await browser_of(site, ben)
    url = await ban(site, ben)
    for path in (url, "/room", "/onboarding"):
        assert (await browser.get(path)).headers["Cache-Control"] == "no-store", path
    assert (await site.browser().get(url)).headers["Cache-Control"] == "no-store"


async def test_a_banned_browser_may_sign_out(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    browser = await browser_of(site, ben)
    await ban(site, ben)
    assert (await browser.post("/auth/logout")).status == 303
    assert not browser.cookies["session"]
