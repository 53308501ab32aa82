"""Figures about moderation in the console: a page, JSON, a file, and an odd period."""

from __future__ import annotations

from tests.conftest import MakePerson, Running
from tests.support.people.reports import report
from tests.support.people.staff import at_work
from tests.support.scenes import rows

PERIOD = "/admin/transparency?from=2026-01-01&to=2026-12-31"


async def test_a_period_as_a_page_and_as_a_file(site: Running, person: MakePerson) -> None:
    _, browser = await at_work(site, "Mia")
    ann, bo = await person("Ann"), await person("Bo")
    assert "Nothing was reported" in (await browser.get(PERIOD)).text
    await report(site.models, ann, bo, "spam")
    await rows(site.models, "update reports set created_at = '2026-03-01 00:00Z'")
    page = await browser.get(PERIOD)
    assert "<td>report</td><td>spam</td><td>1</td>" in page.text
    assert "Ann" not in page.text
    file = await browser.get(f"{PERIOD}&format=csv")
    assert (
        file.headers["Content-Disposition"] == 'attachment; filename="transparency-2026-01-01-2026-12-31.csv"'
    )
    assert file.text.splitlines()[1] == "2026-01-01,2026-12-31,report,spam,1,0,0,1,0,0,,"


async def test_an_odd_period_is_explained(site: Running) -> None:
    _, browser = await at_work(site, "Mia")
    odd = await browser.get("/admin/transparency?from=2026-12-31&to=2026-01-01")
    assert odd.status == 422
    assert "Give two dates such as 2026-01-01" in odd.text
