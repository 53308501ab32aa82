"""The paywall, the checkout, codes and the return from payment: as JSON, as a form, with htmx."""

from __future__ import annotations

import asyncio
import re

import pytest

from models.ids import new_code
from tests.support.billing.stripe_events import deliver, event
from tests.support.clients import Socket
from tests.support.people.guests import guest_browser, newcomer, own_code

# -- paywall --


async def test_the_paywall_is_for_signed_in_users_without_access(site, person) -> None:
    stranger = await site.browser().get("/paywall")
    assert (stranger.status, stranger.headers["Location"]) == (303, "/onboarding")
    inside = await person("Anna")
    answer = await site.client.get("/paywall", token=inside.token)
    assert (answer.status, answer.headers["Location"]) == (303, "/room")
    unseen = await person("Ben", selfie=False)
    answer = await site.client.get("/paywall", token=unseen.token)
    assert answer.headers["Location"] == "/onboarding"


async def test_the_paywall_shows_who_invites(site, person) -> None:
    code = await own_code(site, await person("Anna"))
    browser = await guest_browser(site)
    page = await browser.get(f"/paywall?inviteCode={code}")
    assert "Anna opened the door" in page.text
    assert f'value="{code}"' in page.text


async def test_the_paywall_shows_why_a_code_does_not_work(site, person) -> None:
    browser = await guest_browser(site)
    page = await browser.get(f"/paywall?inviteCode={new_code()}")
    assert page.status == 200
    assert "No such code" in page.text


async def test_the_paywall_states_that_nothing_was_charged(site) -> None:
    browser = await guest_browser(site)
    assert "Nothing was charged" in (await browser.get("/paywall?cancelled=1")).text


async def test_sign_up_shows_why_a_code_does_not_work(site, person) -> None:
    code = await own_code(site, await person("Anna"))
    async with site.models.db.link() as link:
        await link.execute("update invite_codes set uses = uses_limit")
    for sent, words in ((code, "has been used up"), (new_code(), "No such code")):
        page = await site.browser().get(f"/onboarding?inviteCode={sent}")
        assert words in page.text
        assert 'name="inviteCode"' not in page.text


# -- the checkout --


async def test_a_checkout_as_json(paying_site, stripe) -> None:
    token, _ = await newcomer(paying_site)
    answer = await paying_site.client.post("/payment/create-checkout", {}, token=token)
    assert answer.status == 200
    assert set(answer.json) == {"checkoutUrl", "sessionId"}
    assert answer.json["checkoutUrl"] == stripe.sessions[answer.json["sessionId"]]["url"]


async def test_a_checkout_by_form_and_with_htmx(paying_site, stripe) -> None:
    browser = await guest_browser(paying_site)
    plain = await browser.post("/payment/create-checkout")
    assert (plain.status, plain.headers["Location"]) == (303, next(iter(stripe.sessions.values()))["url"])
    by_htmx = await browser.post("/payment/create-checkout", htmx=True)
    assert (by_htmx.status, by_htmx.headers["HX-Redirect"]) == (200, plain.headers["Location"])


async def test_a_checkout_needs_a_session_and_the_form_its_token(paying_site) -> None:
    answer = await paying_site.client.post("/payment/create-checkout", {})
    assert (answer.status, answer.code) == (401, "not_signed_in")
    browser = await guest_browser(paying_site)
    browser.xsrf = "wrong"
    assert (await browser.post("/payment/create-checkout")).status == 403


async def test_a_forged_host_header_is_not_used_in_urls(paying_site, stripe) -> None:
    token, _ = await newcomer(paying_site)
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    await paying_site.client.post("/payment/create-checkout", {}, token=token, headers=evil)
    assert "evil" not in str(stripe.sessions)


async def test_an_outage_of_stripe_is_reported(paying_site, stripe) -> None:
    token, _ = await newcomer(paying_site)
    stripe.faults.append("429")
    answer = await paying_site.client.post("/payment/create-checkout", {}, token=token)
    assert (answer.status, answer.code) == (503, "unavailable")
    assert "Nothing was charged" in answer.json["error"]["message"]
    assert answer.headers["Retry-After"]


async def test_users_who_have_paid_are_not_asked_again(site, person) -> None:
    anna = await person("Anna", access="payment")
    answer = await site.client.post("/payment/create-checkout", {}, token=anna.token)
    assert (answer.status, answer.code) == (409, "conflict")


# -- coming back --


async def test_the_return_page_before_and_after_the_webhook(paying_site, stripe) -> None:
    token, _ = await newcomer(paying_site)
    client = paying_site.client
    session_id = (await client.post("/payment/create-checkout", {}, token=token)).json["sessionId"]
    url = f"/payment-success?session_id={session_id}"
    assert (await client.get(url, token=token)).json == {"access": "pending"}
    assert (await deliver(client, event("completed", stripe.pay(session_id)))).status == 200
    after = (await client.get(url, token=token)).json
    assert (after["access"], after["usesRemaining"]) == ("paid", 4)
    assert set(after) == {"access", "inviteCode", "usesRemaining"}


async def test_the_return_page_is_for_the_checkouts_owner(paying_site) -> None:
    token, _ = await newcomer(paying_site)
    other, _ = await newcomer(paying_site, "Otto")
    client = paying_site.client
    session_id = (await client.post("/payment/create-checkout", {}, token=token)).json["sessionId"]
    not_mine = await client.get(f"/payment-success?session_id={session_id}", token=other)
    nowhere = await client.get("/payment-success?session_id=cs_test_nowhere", token=other)
    assert (not_mine.status, not_mine.body) == (nowhere.status, nowhere.body)
    assert not_mine.status == 404
    assert (await client.get(f"/payment-success?session_id={session_id}")).status == 401


def without_token(page: str) -> str:
    """The page without the XSRF token, which is masked differently in every response."""
    return re.sub(r'name="_xsrf" value="[^"]*"', "", page)


async def test_the_return_page_updates_automatically(paying_site, stripe) -> None:
    browser = await guest_browser(paying_site)
    await browser.post("/payment/create-checkout")
    (session_id,) = stripe.sessions
    url = f"/payment-success?session_id={session_id}"
    assert "Waiting for the payment" in (await browser.get(url)).text
    await deliver(paying_site.client, event("completed", stripe.pay(session_id)))
    fragment = await browser.get(url, htmx=True)
    assert "You can invite 4 friends" in fragment.text
    assert "<html" not in fragment.text
    assert without_token(fragment.text).strip() in without_token((await browser.get(url)).text)


async def test_new_access_is_sent_to_the_socket(paying_site, stripe) -> None:
    token, _ = await newcomer(paying_site)
    client = paying_site.client
    session_id = (await client.post("/payment/create-checkout", {}, token=token)).json["sessionId"]
    socket = await Socket.connect(paying_site.base_url, "/ws/invites", token)
    assert (await socket.receive("state"))["access"] == "unpaid"
    payload = event("completed", stripe.pay(session_id))
    await asyncio.gather(*(deliver(client, payload) for _ in range(5)))
    assert (await socket.receive("access:changed"))["access"] == "paid"
    assert "access:changed" not in await socket.quiet()
    socket.close()
    await socket.closed()


# -- codes --


async def test_a_code_as_json(site, person) -> None:
    code = await own_code(site, await person("Anna"))
    token, _ = await newcomer(site)
    answer = await site.client.post("/payment/apply-code", {"inviteCode": code}, token=token)
    assert (answer.status, answer.json) == (200, {"access": "invited"})
    again = await site.client.post("/payment/apply-code", {"inviteCode": code}, token=token)
    assert (again.status, again.code) == (409, "conflict")


async def test_codes_that_do_not_work_as_json(site, person) -> None:
    anna = await person("Anna", access=None)
    own = await own_code(site, anna)
    for sent, status in (({"inviteCode": new_code()}, 404), ({"inviteCode": own}, 409), ({}, 422)):
        answer = await site.client.post("/payment/apply-code", sent, token=anna.token)
        assert answer.status == status
    odd = await site.client.post("/payment/apply-code", {"inviteCode": 5}, token=anna.token)
    assert (odd.status, set(odd.json["error"]["fields"])) == (422, {"inviteCode"})


async def test_a_code_by_form_redirects_to_the_next_step(site, person) -> None:
    code = await own_code(site, await person("Anna"))
    browser = await guest_browser(site)
    answer = await browser.post("/payment/apply-code", inviteCode=code)
    assert (answer.status, answer.headers["Location"]) == (303, "/onboarding")
    inside = await person("Ben", access=None)
    by_client = await site.client.post("/payment/apply-code", {"inviteCode": code}, token=inside.token)
    assert by_client.json == {"access": "invited"}


@pytest.mark.parametrize("htmx", [True, False])
async def test_an_invalid_code_is_shown_in_the_form_again(site, htmx) -> None:
    browser = await guest_browser(site)
    answer = await browser.post("/payment/apply-code", htmx=htmx, inviteCode="NOT A CODE")
    assert answer.status == 422
    assert "No such code" in answer.text
    assert 'value="NOT A CODE"' in answer.text
    assert ("<html" in answer.text) is not htmx


async def test_five_unknown_codes_per_hour(site) -> None:
    token, _ = await newcomer(site)
    for _ in range(5):
        answer = await site.client.post("/payment/apply-code", {"inviteCode": new_code()}, token=token)
        assert answer.status == 404
    answer = await site.client.post("/payment/apply-code", {"inviteCode": new_code()}, token=token)
    assert (answer.status, answer.code) == (429, "too_many")
    assert int(answer.headers["Retry-After"]) > 3000


async def test_after_wrong_guesses_from_one_address_a_valid_code_or_link_works(site, person) -> None:
    """All clients of this test share one address."""
    code = await own_code(site, await person("Anna"))
    token, _ = await newcomer(site)
    for _ in range(7):
        await site.client.post("/payment/apply-code", {"inviteCode": new_code()}, token=token)
    page = await site.browser().get(f"/onboarding?inviteCode={code}")
    assert "Anna invited you" in page.text
    browser = await guest_browser(site)
    assert "Anna opened the door" in (await browser.get(f"/paywall?inviteCode={code}")).text
    guest = {"name": "Cy", "gender": "unspecified", "adult": True}
    again = await site.client.post("/auth/guest", guest | {"inviteCode": new_code()})
    assert again.status == 429
    pasted = f"Napalm Sky: {site.base_url}/onboarding?utm_source=x&inviteCode={code}."
    signed_up = await site.client.post("/auth/guest", guest | {"inviteCode": pasted})
    assert (signed_up.status, signed_up.json["access"]) == (201, "invited")
    answer = await site.client.post(
        "/payment/apply-code", {"inviteCode": f"Code: {code.lower()}"}, token=token
    )
    assert (answer.status, answer.json) == (200, {"access": "invited"})


async def test_text_without_a_code_is_an_invalid_field(site) -> None:
    token, _ = await newcomer(site)
    for _ in range(6):
        answer = await site.client.post("/payment/apply-code", {"inviteCode": "abc"}, token=token)
        assert (answer.status, set(answer.json["error"]["fields"])) == (422, {"inviteCode"})
    answer = await site.client.post("/payment/apply-code", {"inviteCode": new_code()}, token=token)
    assert answer.status == 404


async def test_fifty_users_compete_for_the_last_use_on_two_processes(site, make_site, person) -> None:
    other = await make_site()
    code = await own_code(site, await person("Anna"))
    async with site.models.db.link() as link:
        await link.execute("update invite_codes set uses = uses_limit - 1")
    tokens = [(await newcomer(site, f"Guest {n}"))[0] for n in range(50)]
    answers = await asyncio.gather(
        *(
            (site, other)[n % 2].client.post("/payment/apply-code", {"inviteCode": code}, token=token)
            for n, token in enumerate(tokens)
        )
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 49
