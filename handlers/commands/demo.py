"""`python server.py demo`: the site with robots that are online, answer and talk. Needs no keys.

The demo keeps its own data (`DATA_DIR/demo`), apart from those of a real site: robots are written to no other
database, and no demo replaces a backup. A site that may have real users is refused unless ALLOW_DEMO is set.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from handlers.commands.check import CannotStart
from models.processes.robots_process import has_robots
from models.processes.service_urls import Urls
from models.settings.config import DATA, Config
from models.settings.faults import Faults
from models.settings.reader import SettingsReader
from models.wiring import Models

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}
# Where a real site keeps its data.
SITES_DATA = frozenset({"DATABASE_URL", "REDIS_URL", "BACKUP_DIR"})
NOT_ALLOWED = "ALLOW_DEMO: the demo shows robots among the users. Set it to true to run the demo on this site"
NO_ROBOTS = "The demo needs the libraries of requirements-demo.txt: pip install -r requirements-demo.txt"


def own_data(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings with data of the demo's own; with ALLOW_DEMO the operator's servers and backups too."""
    data_dir = environment.get("DATA_DIR", "").strip() or str(DATA)
    own = {**environment, "DATA_DIR": f"{data_dir}/demo"}
    if SettingsReader(environment, Faults()).flag("ALLOW_DEMO"):
        return own
    return {name: value for name, value in own.items() if name not in SITES_DATA}


def check_allowed(config: Config) -> None:
    """Raises: Refused, on a site that may have real users, unless ALLOW_DEMO is set."""
    if not has_robots():
        raise CannotStart([NO_ROBOTS])
    if config.allow_demo:
        return
    if config.is_production:
        raise CannotStart([f"{NOT_ALLOWED}, which is in production."])
    if (config.stripe_secret_key or "").startswith(("sk_live_", "rk_live_")):
        raise CannotStart([f"{NOT_ALLOWED}, which has a live STRIPE_SECRET_KEY."])
    if not config.is_loopback:
        raise CannotStart([f"{NOT_ALLOWED}, whose BASE_URL is public."])


async def plan_of(config: Config, urls: Urls) -> dict[str, object]:
    """What the robots' process must know: where the site listens, and who they are."""
    models = await Models.open(config, urls.database, urls.redis)
    try:
        robots = await models.robots.seed()
    finally:
        await models.close()
    cast = [msgspec.structs.asdict(one) | {"rings": place == 0} for place, one in enumerate(robots)]
    return {"url": local_url(config), "robots": cast}


def local_url(config: Config) -> str:
    """Where this machine reaches the site without a proxy."""
    host = WILDCARDS.get(config.host, f"[{config.host}]" if ":" in config.host else config.host)
    return f"http://{host}:{config.port}"
