"""Names and ports of BASE_URL: the same that a real Chromium resolves and opens.

Chromium resolves every name below `localhost` itself, so that the names are judged without a name server.
"""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from models.settings.site_addresses import BLOCKED_PORTS, site_origin
from tests.journeys.stage import House

LABELS = ["a_b", "_a", "a_", "-a", "a-", "a--b", "xn--bcher-kva", "a" * 63, "a" * 64, "a." * 121 + "a",
          "a." * 122 + "a", *(f"a{sign}b" for sign in "!$&'()*+,;=~`{}\"")]  # fmt: skip
# Other browsers block these as well.
ONLY_IN_THE_STANDARD = (4190, 6679)
ASK = """urls => Promise.all(urls.map(url => fetch(url, {mode: "no-cors"}).catch(() => null)))"""


@pytest.mark.journey
def test_the_same_as_chromium(house: House) -> None:
    async def failures_of(urls: list[str]) -> dict[str, str]:
        page = await house.browsers[0].new_page(bypass_csp=True)
        failures: dict[str, str] = {}
        page.on(
            "requestfailed", lambda request: failures.update({unquote(request.url): str(request.failure)})
        )
        try:
            await page.goto(f"{house.server.url}/healthz")
            await page.evaluate(ASK, urls)
        finally:
            await page.close()
        return failures

    port = house.server.url.rpartition(":")[2]
    named = [f"http://{label}.localhost:{port}/healthz" for label in LABELS]
    failures = house.loop.run(failures_of(named))
    unknown = [url for url in named if failures.get(url) == "net::ERR_NAME_NOT_RESOLVED"]
    assert unknown == [url for url in named if not _is_usable(url.removesuffix("/healthz"))]
    assert 0 < len(unknown) < len(named)

    blocked = [f"http://localhost:{number}/" for number in sorted(BLOCKED_PORTS)]
    failures = house.loop.run(failures_of([*blocked, "http://localhost:26/"]))
    assert failures.pop("http://localhost:26/") == "net::ERR_CONNECTION_REFUSED"
    opened = {url for url in blocked if failures[url] != "net::ERR_UNSAFE_PORT"}
    assert opened <= {f"http://localhost:{number}/" for number in ONLY_IN_THE_STANDARD}


def _is_usable(origin: str) -> bool:
    try:
        site_origin(origin)
    except ValueError:
        return False
    return True
