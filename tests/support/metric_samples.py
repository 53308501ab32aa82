"""The samples of /metrics, and how they grow."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Running

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def samples(site: Running) -> Samples:
    text = (await site.client.get("/metrics")).text
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


class Growth:
    """The growth of a sample since the first look."""

    def __init__(self, before: Samples, after: Samples) -> None:
        self._before, self._after = before, after

    def of(self, name: str, **labels: str) -> float:
        key = (f"napalmsky_{name}", tuple(sorted(labels.items())))
        return self._after.get(key, 0.0) - self._before.get(key, 0.0)
