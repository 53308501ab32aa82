"""Settings as the server reads them at its start."""

from __future__ import annotations

from models.settings.config import ConfigError
from models.settings.environment import read_config


def faults_of(**environment: str) -> list[str]:
    try:
        read_config(environment)
    except ConfigError as error:
        return error.faults
    return []
