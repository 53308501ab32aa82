"""Sign-in to the console, enrolment, and management of staff."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from tests.conftest import MakeSite, Running
from tests.support.people.staff import PASSWORD, at_work, digits, enrolled, link_of
from tests.support.scenes import stand_still


async def test_enrolment_by_link(site: Running) -> None:
    stand_still(site.models)
    url = await site.models.staff.add("Mia", "admin", "operator")
    browser, link = site.browser(), link_of(url)
    page = await browser.get(url.removeprefix(site.base_url))
    secret = re.findall(r"<code>([A-Z2-7]{32})</code>", page.text)[0]
    qr = await browser.get(f"/admin/enrol/qr.svg?link={link}")
    assert qr.headers["Content-Type"] == "image/svg+xml"
    assert b"<path" in qr.body
    again = await browser.post("/admin/enrol", link=link, password="short", code="000000")
    assert again.status == 422
    assert secret in again.text
    code = digits(secret, site.models)
    done = await browser.post("/admin/enrol", link=link, password=PASSWORD, code=code)
    assert (done.status, done.headers["Location"]) == (303, "/admin")
    assert "Right now" in (await browser.get("/admin")).text
    for path in (f"/admin/enrol?link={link}", f"/admin/enrol/qr.svg?link={link}", "/admin/enrol"):
        assert (await browser.get(path)).status == 404


async def test_sign_in_with_two_steps_and_sign_out(site: Running) -> None:
    stand_still(site.models)
    worker, _ = await enrolled(site.models, "Mia")
    browser = site.browser()
    assert (await browser.get("/admin/second-factor")).headers["Location"] == "/admin/sign-in"
    await browser.get("/admin/sign-in")
    wrong = await browser.post("/admin/sign-in", name="Mia", password="wrong")
    assert (wrong.status, "staff" in browser.cookies) == (422, False)
    assert "do not match" in wrong.text
    assert (await browser.post("/admin/sign-in", name="mia", password=PASSWORD)).status == 303
    half = browser.cookies["staff"]
    assert (await browser.get("/admin/sign-in")).headers["Location"] == "/admin/second-factor"
    assert (await browser.post("/admin/second-factor", code="000000")).status == 422
    right = await browser.post("/admin/second-factor", code=worker.digits(site.models, 1))
    assert right.headers["Location"] == "/admin"
    assert browser.cookies["staff"] != half
    assert (await browser.get("/admin/second-factor")).headers["Location"] == "/admin"
    token = browser.cookies["staff"]
    assert (await browser.post("/admin/sign-out")).headers["Location"] == "/admin/sign-in"
    browser.cookies["staff"] = token
    assert (await browser.get("/admin")).headers["Location"] == "/admin/sign-in"


async def test_the_cookie_is_not_readable_by_scripts(site: Running) -> None:
    await enrolled(site.models, "Mia")
    browser = site.browser()
    await browser.get("/admin/sign-in")
    answer = await browser.post("/admin/sign-in", name="Mia", password=PASSWORD)
    (cookie,) = answer.headers.get_list("Set-Cookie")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "expires" not in cookie.lower()


async def test_behind_tls_the_cookie_is_bound_to_the_host(make_site: MakeSite) -> None:
    """It is set and accepted; a plain `staff` cookie, which another subdomain could set, is ignored."""
    site = await make_site(base_url="https://napalmsky.example")
    worker, _ = await enrolled(site.models, "Mia")
    html = {"Accept": "text/html", "Origin": "https://napalmsky.example"}
    page = await site.client.get("/admin/sign-in", headers=html)
    (xsrf,) = [morsel for morsel in page.headers.get_list("Set-Cookie") if morsel.startswith("__Host-xsrf=")]
    kept = xsrf.partition(";")[0]
    token = re.findall(r'name="_xsrf" value="([^"]+)"', page.text)[0]
    sent = html | {"Cookie": kept, "Content-Type": "application/x-www-form-urlencoded"}
    form = {"_xsrf": token, "name": "Mia", "password": PASSWORD}
    answer = await site.client.send("POST", "/admin/sign-in", body=urlencode(form).encode(), headers=sent)
    (line,) = answer.headers.get_list("Set-Cookie")
    assert line.startswith("__Host-staff=")
    assert {part.strip() for part in line.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}
    half = line.partition(";")[0]
    form = {"_xsrf": token, "code": worker.digits(site.models, 1)}
    sent |= {"Cookie": f"{kept}; {half}"}
    done = await site.client.send("POST", "/admin/second-factor", body=urlencode(form).encode(), headers=sent)
    whole = done.headers.get_list("Set-Cookie")[0].partition(";")[0]
    assert (await site.client.get("/admin", headers=html | {"Cookie": whole})).status == 200
    for cookie in (whole.removeprefix("__Host-"), half):
        assert (await site.client.get("/admin", headers=html | {"Cookie": cookie})).status == 303


async def test_sign_ins_and_sign_outs_are_logged(site: Running) -> None:
    stand_still(site.models)
    worker, browser = await at_work(site, "Mia")
    await browser.post("/admin/sign-out")
    await browser.post("/admin/sign-in", name="Mia", password=PASSWORD)
    await browser.post("/admin/second-factor", code=worker.digits(site.models, 1))
    await browser.post("/admin/sign-out")
    await browser.post("/admin/sign-in", name="Mia", password=PASSWORD)
    await browser.post("/admin/sign-out")  # half a sign-in
    acts = [one.action for one in reversed(await site.models.audit.page())]
    assert acts[1:] == ["staff.enrol", "staff.sign_out", "staff.sign_in", "staff.sign_out"]


async def test_the_sixth_wrong_password_is_rate_limited(site: Running) -> None:
    await enrolled(site.models, "Mia")
    browser = site.browser()
    await browser.get("/admin/sign-in")
    for _ in range(5):
        assert (await browser.post("/admin/sign-in", name="Mia", password="wrong")).status == 422
    answer = await browser.post("/admin/sign-in", name="Mia", password=PASSWORD)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_an_admin_adds_and_disables_staff(site: Running) -> None:
    _, ada = await at_work(site, "Ada", "admin")
    for faulty in ({"name": "Noah", "role": "moderator"}, {"name": "", "role": "admin", "reason": "x"}):
        assert (await ada.post("/admin/staff", **faulty)).status == 422
    new = {"name": "Noah", "role": "moderator", "reason": "Helps out."}
    answer = await ada.post("/admin/staff", **new)
    assert answer.status == 201
    (url,) = re.findall(r"<code>(http[^<]+)</code>", answer.text)
    assert (await site.models.staff.enrolment(link_of(url))).name == "Noah"
    assert "/admin/enrol?link=" not in (await ada.get("/admin/staff")).text
    assert (await ada.post("/admin/staff", **new)).status == 422
    noah = await site.models.staff.named("noah")
    path = f"/admin/staff/{noah.staff_id}"
    assert (await ada.post(path, action="role", role="admin", reason="Trusted.")).status == 303
    assert "/admin/enrol?link=" in (await ada.post(path, action="reset", reason="Lost phone.")).text
    assert (await ada.post(path, action="disable", reason="Left.")).status == 303
    assert (await ada.post(path, action="sack", reason="x")).status == 422
    me = await site.models.staff.named("Ada")
    assert (await ada.post(f"/admin/staff/{me.staff_id}", action="disable", reason="x")).status == 409
    acts = [one.action for one in reversed(await site.models.audit.page())]
    assert acts[2:] == ["staff.add.moderator", "staff.role.admin", "staff.reset", "staff.disable"]
