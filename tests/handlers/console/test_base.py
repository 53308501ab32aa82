"""The console: every URL for every kind of visitor, and what the pages show."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from handlers.routes import console_routes
from models.ids import new_id
from models.messages import instant
from tests.conftest import MakePerson, Person, Running
from tests.support.clients import Answer, Browser
from tests.support.factories import older
from tests.support.media.clips import clip
from tests.support.people.reports import met, report
from tests.support.people.staff import at_work, enrolled
from tests.support.scenes import in_call, rows

ID = new_id()
# (method, path, admins only). Existing ids are filled in where a page needs them.
ADDRESSES = [
    ("GET", "/admin", False),
    ("GET", "/admin/reports", False),
    ("GET", "/admin/reports/{report}", False),
    ("POST", "/admin/reports/{report}", False),
    ("GET", "/admin/reports/{report}/evidence", False),
    ("GET", "/admin/reports/{report}/frame.jpg", False),
    ("GET", "/admin/reports/{report}/media/{media}", False),
    ("GET", "/admin/people", False),
    ("GET", "/admin/people/{user}", False),
    ("POST", "/admin/people/{user}", False),
    ("GET", "/admin/people/{user}/selfie.jpg", False),
    ("GET", "/admin/people/{user}/video", False),
    ("POST", "/admin/people/{user}/remove", False),
    ("POST", "/admin/people/{user}/access", True),
    ("POST", "/admin/bans/{ban}", False),
    ("GET", "/admin/appeals", False),
    ("POST", "/admin/appeals/{ban}", False),
    ("POST", "/admin/removals/{ban}", False),
    ("GET", "/admin/removals/{media}/file", False),
    ("GET", "/admin/transparency", False),
    ("GET", "/admin/notices", False),
    ("POST", "/admin/notices/{ban}", False),
    ("GET", "/admin/codes", True),
    ("POST", "/admin/codes", True),
    ("POST", "/admin/codes/0123456789ABCDEF", True),
    ("GET", "/admin/payments", True),
    ("POST", "/admin/payments/{ban}", True),
    ("GET", "/admin/payments/{payment}/evidence.zip", True),
    ("GET", "/admin/staff", True),
    ("POST", "/admin/staff", True),
    ("POST", "/admin/staff/{staff}", True),
    ("GET", "/admin/audit", True),
]
OPEN = {"staff_sign_in", "second_factor", "staff_sign_out", "enrol", "enrol_qr"}


def test_the_table_has_every_url() -> None:
    def pattern(path: str) -> str:
        return re.sub(r"\{\w+\}", ID, path)

    guarded = [spec for spec in console_routes() if spec.name not in OPEN]
    known = {spec.name for spec in guarded for _, path, _ in ADDRESSES if spec.regex.match(pattern(path))}
    assert known == {spec.name for spec in guarded}


@dataclass
class Scene:
    site: Running
    anna: Person
    ben: Person
    report_id: str
    payment_id: str

    def path(self, path: str, *, real: bool = False) -> str:
        """The path with unknown ids, or (`real`) with existing ones."""
        user, filed = (self.ben.user_id, self.report_id) if real else (ID, ID)
        payment = self.payment_id if real else ID
        return path.format(report=filed, user=user, ban=ID, staff=ID, media=ID, payment=payment)


@pytest.fixture
def scene(io_loop, site: Running, person: MakePerson) -> Scene:
    async def make() -> Scene:
        anna, ben = await person("Anna"), await person("Ben <b>")
        await met(site.models, anna, ben)
        await report(site.models, anna, ben, "spam")
        await site.client.upload("/media/video", "video", clip(), token=ben.token)
        (filed,) = await site.models.report_reviews.queue()
        payer = (await person("Pia", access=None, selfie=False)).user_id
        offered = await site.models.checkouts.create_checkout(payer)
        payment = await site.models.refunds.find(offered.session_id)
        return Scene(site, anna, ben, filed.report_id, payment.attempt_id)

    return io_loop.run_sync(make)


async def ask(browser: Browser, method: str, path: str, **fields: str) -> Answer:
    return await (browser.get(path) if method == "GET" else browser.post(path, **fields))


async def test_only_staff_have_access(scene: Scene) -> None:
    nobody, member = scene.site.browser(), scene.site.browser()
    member.cookies["session"] = member.cookies["staff"] = scene.anna.token
    _, token = await enrolled(scene.site.models, "Half")
    half = scene.site.browser()
    half.cookies["staff"] = await scene.site.models.staff_sign_in.first(
        "Half", "four quiet purple lanterns", "::1"
    )
    for browser in (nobody, member, half):
        await browser.get("/terms")
        for method, path, _ in ADDRESSES:
            answer = await ask(browser, method, scene.path(path, real=True), reason="x")
            if method == "POST":
                assert answer.status == 401, path
            else:
                aim = "/admin/second-factor" if browser is half else "/admin/sign-in"
                assert (answer.status, answer.headers["Location"]) == (303, aim), path
    for method, path, _ in ADDRESSES:
        if method == "GET":
            told = await scene.site.client.get(scene.path(path, real=True), token=token)
            assert told.code == "not_signed_in", path


async def test_moderators_have_no_access_to_payments_codes_and_staff(scene: Scene) -> None:
    _, browser = await at_work(scene.site, "Mia")
    for method, path, is_for_admins in ADDRESSES:
        answer = await ask(browser, method, scene.path(path, real=True), reason="x")
        assert (answer.status == 403) == is_for_admins, path
        assert answer.headers["Cache-Control"] == "no-store"
    assert "Payments" not in (await browser.get("/admin")).text
    assert "payments today" not in (await browser.get("/admin")).text


async def test_an_admin_sees_every_page_and_unknown_ids_are_not_found(scene: Scene) -> None:
    _, browser = await at_work(scene.site, "Ada", "admin")
    for method, path, _ in ADDRESSES:
        if method == "GET" and "frame" not in path and "{media}" not in path:
            assert (await browser.get(scene.path(path, real=True))).status == 200, path
        if "{" in path or "0123" in path:
            # The request is valid, but the id is unknown.
            words = {
                "reason": "x",
                "reply": "x",
                "verdict": "upheld",
                "kind": "permanent",
                "action": "disable",
            }
            words |= {"mediaId": ID} | ({"kind": "selfie"} if "remove" in path else {})
            words["action"] = "lift" if "bans" in path else "disable"
            answer = await ask(browser, method, scene.path(path), **words)
            assert answer.status == 404, path


async def test_every_change_requires_the_token(scene: Scene) -> None:
    _, browser = await at_work(scene.site, "Ada", "admin")
    for method, path, _ in ADDRESSES:
        if method == "POST":
            browser.xsrf = "wrong"
            assert (await browser.post(scene.path(path, real=True), reason="x")).status == 403, path
    assert await scene.site.models.audit.page() != []
    assert len(await scene.site.models.bans.of_user(scene.ben.user_id)) == 0


async def test_a_foreign_origin_is_rejected(scene: Scene) -> None:
    _, browser = await at_work(scene.site, "Ada", "admin")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Origin": "https://evil.example", "Cookie": cookie, "X-XSRFToken": browser.xsrf}
    answer = await scene.site.client.post("/admin/codes", json={"label": "x"}, headers=headers)
    assert answer.status == 403
    headers["Origin"] = scene.site.base_url
    assert (await scene.site.client.post("/admin/codes", json={"label": "x"}, headers=headers)).status == 204


async def test_a_missing_page_links_back_to_the_console(scene: Scene) -> None:
    _, browser = await at_work(scene.site, "Mia")
    for path in (f"/admin/people/{new_id()}", "/admin/codes"):
        told = await browser.get(path)
        assert (told.status in (403, 404), 'href="/admin">Back to the console' in told.text) == (True, True)


async def test_people_are_found_by_id_name_and_e_mail(scene: Scene) -> None:
    member = await scene.site.models.sessions.find(scene.anna.token)
    assert member is not None
    await scene.site.models.accounts.upgrade(member, "Anna@Example.com", "four quiet purple lanterns", "::1")
    _, browser = await at_work(scene.site, "Mia")
    for query in (scene.anna.user_id.upper(), "nn", "anna@example.COM"):
        told = (await browser.get(f"/admin/people?q={query}")).text
        assert f"/admin/people/{scene.anna.user_id}" in told, query
        assert scene.ben.user_id not in told
    assert "Nobody was found" in (await browser.get("/admin/people?q=%25_")).text
    page = await browser.get("/admin/people?q=ben")
    assert "Ben &lt;b&gt;" in page.text


async def test_every_view_of_a_member_or_a_report_is_logged(scene: Scene) -> None:
    worker, browser = await at_work(scene.site, "Mia")
    person, report = f"/admin/people/{scene.ben.user_id}", f"/admin/reports/{scene.report_id}"
    for path in ("/admin/people?q=ben", "/admin/people", person, report, f"/admin/people/{new_id()}"):
        await browser.get(path)
    await browser.post(person, kind="permanent")  # an invalid form does not count as another view
    looks = [(one.actor, one.action, one.target, one.reason) for one in await scene.site.models.audit.page()]
    assert looks[:-2] == [
        (worker.staff_id, "report.look", f"report {scene.report_id}", ""),
        (worker.staff_id, "person.look", f"user {scene.ben.user_id}", ""),
        (worker.staff_id, "people.search", "people", "1 found"),
    ]


async def test_the_page_of_a_member_shows_everything_to_decide_on(scene: Scene) -> None:
    _, browser = await at_work(scene.site, "Mia")
    told = (await browser.get(f"/admin/people/{scene.ben.user_id}")).text
    for part in ("Reports about Ben", scene.report_id, "Brought by", "No calls", "spam", "comp"):
        assert part in told
    assert 'id="paid-title"' not in told
    picture = await browser.get(f"/admin/people/{scene.ben.user_id}/selfie.jpg")
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.body.startswith(b"\xff\xd8")


async def test_invitations_are_shown_as_a_tree(scene: Scene, person: MakePerson) -> None:
    models, cleo = scene.site.models, await person("Cleo", access=None)
    dora = await person("Dora", access=None)
    for inviter, guest in ((scene.ben, cleo), (cleo, dora)):
        async with models.db.transaction() as on:
            await models.invite_codes.ensure_own(inviter.user_id, on=on)
        own = await models.invite_codes.find_own(inviter.user_id)
        assert own is not None
        await models.invite_codes.redeem(own.code, guest.user_id)
    _, browser = await at_work(scene.site, "Mia")
    tree = [(one.depth, one.name) for one in await models.members.brought(scene.ben.user_id)]
    assert tree == [(0, "Cleo"), (1, "Dora")]
    top, middle = [(await browser.get(f"/admin/people/{one.user_id}")).text for one in (scene.ben, cleo)]
    assert f'↳ <a href="/admin/people/{dora.user_id}"' in top
    assert f'<dd><a href="/admin/people/{scene.ben.user_id}"' in middle
    assert cleo.user_id not in (await browser.get(f"/admin/people/{scene.anna.user_id}")).text


async def test_the_figures_are_current(scene: Scene) -> None:
    _, browser = await at_work(scene.site, "Mia")
    before = await cookie_get(scene, browser, "/admin")
    since = (await rows(scene.site.models, "select created_at from reports"))[0][0]
    assert before.json["figures"] == {
        "callsNow": 0, "callsToday": 0, "endedToday": 0, "goodToday": 0, "reports": 1,
        "reportsSince": instant(since), "appeals": 0, "appealsSince": None,
        "notices": 0, "noticesSince": None, "paymentsToday": None, "online": 0,
    }  # fmt: skip
    assert len(before.json["hours"]) == 24
    socket = await scene.site.invites(scene.anna)
    fragment = await browser.get("/admin", htmx=True)
    assert fragment.text.lstrip().startswith('<section id="figures"')
    assert (await cookie_get(scene, browser, "/admin")).json["figures"]["online"] == 1
    socket.close()


async def test_live_and_ended_calls_are_counted(scene: Scene, person: MakePerson) -> None:
    models = scene.site.models
    call = await in_call(scene.site, person)
    figures = await models.dashboard.figures(with_money=True)
    assert (figures.calls_now, figures.calls_today, figures.success_percent) == (1, 1, None)
    for connected_ms, percent in ((29_999, 0), (30_000, 100)):
        sql = (
            "update calls set state = 'ended', ended_at = now(), ended_reason = 'hung_up', due_at = null, "
            "connected_ms = %s where call_id = %s"
        )
        await rows(models, sql, connected_ms, call.call_id)
        figures = await models.dashboard.figures(with_money=True)
        assert (figures.calls_now, figures.calls_today, figures.success_percent) == (0, 1, percent)
    assert figures.payments_today == 0
    await older(models, "calls.started_at", days=1)
    assert (await models.dashboard.figures(with_money=False)).calls_today == 0
    _, browser = await at_work(scene.site, "Mia")
    assert call.people.anna.name in (await browser.get(f"/admin/people/{call.people.ben.user_id}")).text


async def cookie_get(scene: Scene, browser: Browser, path: str) -> Answer:
    headers = {"Cookie": f"staff={browser.cookies['staff']}"}
    return await scene.site.client.get(path, headers=headers)


async def test_polling_does_not_extend_a_session(scene: Scene) -> None:
    worker, browser = await at_work(scene.site, "Mia")
    models, when = scene.site.models, "select seen_at from staff_sessions"
    await older(models, "staff_sessions.seen_at", minutes=20)
    before = await rows(models, when)
    await browser.get("/admin", htmx=True)
    assert await rows(models, when) == before
    await browser.get("/admin/reports")
    assert await rows(models, when) != before
    await models.staff.disable(worker.staff_id, "operator")
    answer = await browser.get("/admin", htmx=True)
    assert answer.headers["HX-Redirect"] == "/admin/sign-in"


async def test_the_audit_log_is_shown_and_verified(scene: Scene) -> None:
    worker, browser = await at_work(scene.site, "Ada", "admin")
    for number in range(101):
        await scene.site.models.audit.note(worker.staff_id, f"test.{number}", f"user {scene.ben.user_id}")
    page = (await browser.get("/admin/audit?verify=1")).text
    assert "Intact: 103 rows" in page
    assert "Ada" in page
    assert f"/admin/people/{scene.ben.user_id}" in page
    (older,) = re.findall(r'href="(/admin/audit\?before=\d+)"', page)
    assert "staff.enrol" in (await browser.get(older)).text
    assert (await browser.get("/admin/audit?before=x")).status == 422
