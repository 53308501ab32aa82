"""docs/operations.md is compared with the code: settings, metrics, events, commands, and all links."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from handlers.commands import cli
from handlers.http import metrics
from handlers.http.logs import JsonLines
from models.billing.provider.stripe_events import EVENTS
from models.settings.config import Config, ConfigError
from models.settings.environment import read_config
from tests.conftest import Running
from tests.support.markdown import section, table

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs" / "operations.md").read_text()
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
SETTINGS = {row[0].strip("`"): row[1:] for row in table(DOCUMENT, "setting")}
RANGES = {
    name: (int(found[1]), int(found[2]))
    for name, (_, reach, _) in SETTINGS.items()
    if (found := re.fullmatch(r"(\d+) to (\d+)", reach))
}


class Asked(Mapping[str, str]):
    """An environment without any setting that records which settings were read."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def faults_of(name: str, value: str) -> list[str]:
    """The faults of this one setting, without its effects on others."""
    try:
        read_config({name: value})
    except ConfigError as error:
        return [fault for fault in error.faults if fault.startswith(f"{name} must be a whole number")]
    return []


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    asked = Asked()
    read_config(asked)
    assert set(SETTINGS) == asked.names


def test_without_any_setting_the_dataclass_defaults_apply() -> None:
    assert read_config({}) == Config()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_documented_default_is_the_default(name: str) -> None:
    default = SETTINGS[name][0]
    if default == "not set":
        assert read_config({name: ""}) == Config()
    else:
        assert read_config({name: default.strip("`")}) == Config()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_default_that_is_not_set_has_no_value(name: str) -> None:
    fields = {"STRIPE_WEBHOOK_SECRET": "stripe_webhook_secrets"}
    value = getattr(Config(), fields.get(name, name.lower()))
    assert (SETTINGS[name][0] == "not set") == (value is None or value == ())


@pytest.mark.parametrize("name", RANGES)
def test_a_documented_range_is_the_range(name: str) -> None:
    least, most = RANGES[name]
    assert not faults_of(name, str(least))
    assert not faults_of(name, str(most))
    assert faults_of(name, str(least - 1))
    assert faults_of(name, str(most + 1))


def test_every_number_has_a_range() -> None:
    numbers = {name for name, row in SETTINGS.items() if row[0].strip("`").isdigit()}
    assert set(RANGES) == numbers


def test_what_the_image_sets_is_documented() -> None:
    image = dict(re.findall(r"^(?:ENV)? +(HOST|DATA_DIR)=(\S+)", (ROOT / "Dockerfile").read_text(), re.M))
    assert set(image) == {"HOST", "DATA_DIR"}
    for name, value in image.items():
        assert f"`{value}` in the image" in SETTINGS[name][2]


def test_metrics_are_those_that_are_served() -> None:
    ours = [family for family in metrics.REGISTRY.collect() if family.name.startswith("napalmsky_")]
    served = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in ours
        if not family.name.endswith("_created")
    }
    assert {row[0].strip("`") for row in table(DOCUMENT, "metric")} == served


def test_stripe_events_are_those_that_are_read() -> None:
    listed = re.findall(
        r"`((?:checkout|payment_intent|charge|refund|radar)\.[a-z_.]+)`", section(DOCUMENT, "## Stripe")
    )
    assert set(listed) == set(EVENTS)


async def test_readiness_names_its_checks(site: Running) -> None:
    answer = await site.client.get("/readyz")
    for check in answer.json["checks"]:
        assert f"`{check}`" in section(DOCUMENT, "## Health, metrics, logs")


def test_a_log_record_has_the_documented_fields() -> None:
    record = logging.makeLogRecord({"msg": "It is up", "name": "napalmsky"})
    for name in json.loads(JsonLines().format(record)):
        assert f"`{name}`" in section(DOCUMENT, "## Health, metrics, logs")


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_links_have_targets(file: Path) -> None:
    text = re.sub(r"```.*?```", "", file.read_text(), flags=re.S)
    for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", text):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (file.parent / path).resolve() if path else file
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim), target


def anchors(file: Path) -> set[str]:
    """The ids of headings: lower case, spaces as dashes, only letters and digits otherwise."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_commands_exist(file: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    for target in re.findall(r"`make ([a-z]+)", file.read_text()):
        assert target in targets
    for command in re.findall(r"server\.py ([a-z]+)", file.read_text()):
        assert command in ("serve", "demo", "migrate", "check", "doctor", "checklist", *cli.COMMANDS)
