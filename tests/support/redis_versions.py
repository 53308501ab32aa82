"""The Redis version that the commands of a test run need; the built-in Valkey is newer than the oldest."""

from __future__ import annotations

from typing import Any

import redis

OLDEST = (6, 2)
# redis-py sends it and ignores a refusal.
OPTIONAL = {"client|setinfo"}


def newer_commands(url: str) -> list[str]:
    """The commands that were sent since the server's start and that Redis 6.2 does not have."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        used = {name.removeprefix("cmdstat_") for name in client.info("commandstats")} - OPTIONAL
        return sorted(name for name in used if _since(client, name) > OLDEST)


def _since(client: redis.Redis, name: str) -> tuple[int, ...]:
    """The version that introduced the command or subcommand (`client|id`)."""
    container, _, sub = name.partition("|")
    fields = _pairs(_pairs(client.execute_command("COMMAND DOCS", container))[container])
    if sub:
        fields = _pairs(_pairs(fields["subcommands"])[name])
    return tuple(int(part) for part in fields["since"].split(".")[:2])


def _pairs(found: Any) -> dict[str, Any]:
    """A map, which RESP2 sends as a flat list."""
    return found if isinstance(found, dict) else dict(zip(found[::2], found[1::2], strict=True))
