"""`python server.py demo`: where it may run, and with whose data."""

from __future__ import annotations

import pytest

from handlers.commands import demo
from handlers.commands.check import CannotStart
from models.settings.config import DATA, Config

PUBLIC = "https://meet.example.org"


def test_it_runs_on_this_machine() -> None:
    demo.check_allowed(Config())


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        (Config(base_url=PUBLIC), "BASE_URL is public"),
        (Config(stripe_secret_key="sk_live_12345678"), "live STRIPE_SECRET_KEY"),
        (Config(environment="production"), "in production"),
    ],
)
def test_a_site_of_real_users_is_refused(config: Config, cause: str) -> None:
    with pytest.raises(CannotStart, match=rf"ALLOW_DEMO: .*{cause}"):
        demo.check_allowed(config)


def test_the_operator_may_allow_it() -> None:
    demo.check_allowed(Config(environment="production", base_url=PUBLIC, allow_demo=True))


def test_its_data_are_its_own() -> None:
    assert demo.own_data({})["DATA_DIR"] == f"{DATA}/demo"
    assert demo.own_data({"DATA_DIR": "/data"})["DATA_DIR"] == "/data/demo"


SITES = {"DATABASE_URL": "postgresql://db/site", "REDIS_URL": "redis://cache", "BACKUP_DIR": "/backups"}


@pytest.mark.parametrize("allow", ["", "false", "maybe"])
def test_a_real_database_is_not_written(allow: str) -> None:
    own = demo.own_data({**SITES, "ALLOW_DEMO": allow, "PORT": "80"})
    assert not own.keys() & SITES.keys()
    assert own["PORT"] == "80"


def test_the_operator_may_allow_it_on_the_real_database() -> None:
    assert demo.own_data({**SITES, "ALLOW_DEMO": "true"}).items() >= SITES.items()


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("fd00::1", "[fd00::1]"), ("10.0.0.2",) * 2]
)
def test_robots_connect_without_a_proxy(host: str, url: str) -> None:
    assert demo.local_url(Config(host=host, port=80)) == f"http://{url}:80"
