"""The URL space: unique names, one handler per URL, and 404 for everything else."""

from __future__ import annotations

from collections import Counter

import pytest

from handlers.base.handler import NotFoundHandler
from handlers.routes import routes
from tests.conftest import Running


def test_names_and_patterns_are_unique() -> None:
    for values in ([spec.name for spec in routes()], [spec.regex.pattern for spec in routes()]):
        assert [one for one, count in Counter(values).items() if count > 1] == []


@pytest.mark.parametrize("path", ["/nowhere", "/calls", "/ws", "/room/queue/x"])
async def test_an_unknown_url_is_not_found(site: Running, path: str) -> None:
    assert NotFoundHandler not in {spec.handler_class for spec in routes()}
    assert (await site.client.get(path)).status == 404
