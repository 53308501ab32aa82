"""`python server.py check`: every setting checked by the code that will use it; also run at a start.

Exit codes: 0 if the site can start, 2 otherwise. Errors go to standard error, notes to standard output.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from handlers.commands.surroundings import look_around
from handlers.http.listening import try_to_listen
from models.checks.host import check_data_dir, check_host, consequences
from models.checks.services import check_services
from models.processes.own_servers import missing_programs
from models.settings.config import Config, ConfigError
from models.settings.environment import read_config
from models.settings.faults import Faults
from models.settings.names import misspelled

logger = logging.getLogger(__name__)


class CannotStart(Exception):
    """The site cannot start; the text has one line per cause."""

    def __init__(self, faults: tuple[str, ...] | list[str]) -> None:
        super().__init__("These settings cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults))


def check(environment: Mapping[str, str]) -> int:
    """Reads the settings, connects to PostgreSQL and Redis, and prints the findings."""
    faults: list[str] = []
    try:
        config = read_config(environment)
    except ConfigError as error:
        # Invalid settings have their defaults here, so that the others are checked too.
        config, faults = error.config, error.faults
    services = check_services(config.database_url, config.redis_url, config.database_connections)
    found = services.with_(look_around(environment)).with_(check_host(config)).with_(try_to_listen(config))
    found = found.with_(missing_programs(config))
    notes = [note for note in found.notes if not Faults(faults).concerns(note)]
    for note in (*misspelled(environment), *notes):
        print(f"Note: {note}")
    if faults := [*faults, *found.refused, *found.to_mend]:
        print(CannotStart(faults), file=sys.stderr)
        return 2
    print("The settings can be used.")
    return 0


def check_start(config: Config, environment: Mapping[str, str]) -> None:
    """Checks before anything is opened; logs what will fail later. Raises: Refused."""
    services = check_services(config.database_url, config.redis_url, config.database_connections)
    found = services.with_(look_around(environment)).with_(check_data_dir(config))
    for note in (*misspelled(environment), *found.to_mend, *found.notes, *consequences(config)):
        logger.warning(note)
    if found.refused:
        raise CannotStart(found.refused)
