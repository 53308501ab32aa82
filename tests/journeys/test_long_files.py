"""Bodies over the limit: a browser can read the 413, and gets no network error."""

from __future__ import annotations

import pytest

from tests.journeys.stage import Stage, journey

SEND = """async ([path, field, megabytes]) => {
  const body = new FormData();
  body.append(field, new Blob([new Uint8Array(megabytes * 1048576)]), "long");
  const headers = { "X-XSRFToken": document.querySelector("meta[name=xsrf]").content, "HX-Request": "true" };
  const answer = await fetch(path, { method: "POST", body, headers });
  return [answer.status, await answer.text()];
}"""


@pytest.mark.parametrize(
    ("path", "field", "megabytes", "words"),
    [
        ("/media/video", "video", 60, "A video may have at most 50 MB."),
        ("/media/selfie", "selfie", 60, "A photo may have at most 8 MB."),
        ("/media/selfie", "selfie", 9, "A photo may have at most 8 MB."),
        ("/report", "text", 60, "a request may have 1 MB at most"),
    ],
)
@journey
async def test_a_browser_reads_the_refusal(
    stage: Stage, path: str, field: str, megabytes: int, words: str
) -> None:
    vera = await stage.visitor("Vera")
    vera.expect_trouble("status of 413")
    await vera.enrol()
    await vera.go("/settings")
    status, text = await vera.page.evaluate(SEND, [path, field, megabytes])
    assert status == 413
    assert words in text
