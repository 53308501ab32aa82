"""QR codes over HTTP: only for the owner, in two formats, cached only by the owner's browser."""

from __future__ import annotations

import pytest

from models.ids import new_code
from tests.support.people.guests import own_code


@pytest.mark.parametrize(("kind", "content_type"), [("svg", "image/svg+xml"), ("png", "image/png")])
async def test_the_owner_gets_the_qr_code(site, person, kind, content_type) -> None:
    anna = await person("Anna")
    code = await own_code(site, anna)
    answer = await site.client.get(f"/invite-codes/{code}/qr.{kind}", token=anna.token)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Cache-Control"].startswith("private")
    assert answer.body


async def test_the_owner_gets_the_poster(site, person) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    code = await own_code(site, anna)
    answer = await site.client.get(f"/invite-codes/{code}/poster.svg", token=anna.token)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert f"inviteCode={code}" in answer.text
    for token in (ben.token, None):
        answer = await site.client.get(f"/invite-codes/{code}/poster.svg", token=token)
        assert (answer.status, answer.code) == (404, "not_found")


async def test_other_users_get_no_qr_code(site, person) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    code = await own_code(site, anna)
    for path, token in (
        (f"/invite-codes/{code}/qr.svg", ben.token),
        (f"/invite-codes/{code}/qr.svg", None),
        (f"/invite-codes/{new_code()}/qr.svg", anna.token),
        (f"/invite-codes/{code}/qr.gif", anna.token),
        (f"/invite-codes/{code.lower()}/qr.svg", anna.token),
    ):
        answer = await site.client.get(path, token=token)
        assert (answer.status, answer.code) == (404, "not_found")
