"""`python server.py check`: every setting judged by what will use it; and the same at a start.

Exit codes: 0 when the site can start, 2 otherwise. Faults go to standard error, notes to standard output.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from models.checks.host import check_host, consequences
from models.checks.services import check_services
from models.settings.config import Config, ConfigError
from models.settings.environment import read_config
from models.settings.names import misspelled

logger = logging.getLogger(__name__)


class Refused(Exception):
    """The site cannot start; the text has one line for each cause."""

    def __init__(self, faults: tuple[str, ...] | list[str]) -> None:
        super().__init__("These settings cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults))


def check(environment: Mapping[str, str]) -> int:
    """Reads the settings, connects to PostgreSQL and Redis, and prints what it finds."""
    faults: list[str] = []
    try:
        config = read_config(environment)
    except ConfigError as error:
        # The faulty settings have their defaults in it, so that the others are checked all the same.
        config, faults = error.config, error.faults
    services = check_services(config.database_url, config.redis_url, config.workers)
    found = services.with_(check_host(config))
    for note in (*misspelled(environment), *found.notes):
        print(f"Note: {note}")
    if faults := [*faults, *found.refused, *found.to_mend]:
        print(Refused(faults), file=sys.stderr)
        return 2
    print("The settings can be used.")
    return 0


def check_start(config: Config, environment: Mapping[str, str]) -> None:
    """Before anything is opened. Logs what goes wrong later. Raises Refused."""
    found = check_services(config.database_url, config.redis_url, config.workers)
    for note in (*misspelled(environment), *found.to_mend, *found.notes, *consequences(config)):
        logger.warning(note)
    if found.refused:
        raise Refused(found.refused)
