"""One's own reports: reference, outcome, and no more than that."""

from __future__ import annotations

import pytest

from models.safety.decisions.own_reports import OwnReport
from models.wiring import Models
from tests.conftest import MakePerson, Running
from tests.support.people.reports import MODERATOR, browser_of, met, report


@pytest.mark.parametrize(("verdict", "outcome"), [("upheld", "action"), ("dismissed", "none")])
async def test_the_outcome(models: Models, person: MakePerson, verdict: str, outcome: str) -> None:
    ann, bad = await person("Ann"), await person("Bad")
    await met(models, ann, bad)
    reference = await report(models, ann, bad)
    (own,) = await models.decisions.own_reports.of(ann.user_id)
    assert isinstance(own, OwnReport)
    assert (own.reference, own.name, own.outcome, own.decided_at) == (reference, "Bad", None, None)
    (filed,) = await models.report_reviews.queue()
    await models.report_reviews.judge(filed.report_id, MODERATOR, verdict)  # type: ignore[arg-type]
    (own,) = await models.decisions.own_reports.of(ann.user_id)
    assert (own.outcome, own.decided_at is not None) == (outcome, True)
    assert await models.decisions.own_reports.of(bad.user_id) == []


async def test_a_deleted_user_has_no_name(models: Models, person: MakePerson) -> None:
    ann, bad = await person("Ann"), await person("Bad")
    await met(models, ann, bad)
    await report(models, ann, bad)
    assert (await models.decisions.own_reports.of(ann.user_id))[0].name == "Bad"
    await models.deletions.delete(bad.user_id)
    (own,) = await models.decisions.own_reports.of(ann.user_id)
    assert own.name is None


async def test_the_page_and_json(site: Running, person: MakePerson) -> None:
    ann, bad = await person("Ann"), await person("Bad <b>")
    await met(site.models, ann, bad)
    browser = await browser_of(site, ann)
    assert "You have not reported anyone." in (await browser.get("/reports")).text
    sent = await browser.post("/report", userId=bad.user_id, reason="spam", next="/room")
    page = (await browser.get(sent.headers["Location"])).text
    (listed,) = (await site.client.get("/reports", token=ann.token)).json["reports"]
    assert listed["reference"] in page
    assert "Bad &lt;b&gt;" in page
    assert 'href="/room">Back' in page
    assert (listed["reason"], listed["outcome"], listed["decidedAt"]) == ("spam", None, None)
