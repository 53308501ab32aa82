"""Reports of the content security policy."""

from __future__ import annotations

import pytest

from tests.conftest import Running

REPORT = b"""{"csp-report": {"document-uri": "http://localhost/secret-page?token=secret",
"effective-directive": "img-src",
"blocked-uri": "https://ads.example/secret.gif?x=secret"}}"""


async def test_a_policy_report_is_counted_and_little_of_it_is_logged(
    site: Running, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Content-Type": "application/csp-report"}
    answer = await site.client.send("POST", "/csp-report", body=REPORT, headers=headers)
    assert answer.status == 204
    record = next(record for record in caplog.records if record.name == "napalmsky.csp")
    assert (vars(record)["directive"], vars(record)["blocked"]) == ("img-src", "https://ads.example")
    assert "secret" not in str(vars(record))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"x", b'{"csp-report": 1}', b"{" * 20_000])
async def test_a_malformed_report_is_rejected(site: Running, body: bytes) -> None:
    answer = await site.client.send("POST", "/csp-report", body=body)
    assert (answer.status, answer.code) == (400, "bad_request")
