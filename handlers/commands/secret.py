"""The operator's commands for the site's secret: `python server.py secret rotate | replace`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from models.security.audit_log import OPERATOR
from models.wiring import Models

ROTATED = (
    "The site's secret is encrypted with SECRET_KEY now. SECRET_KEY_PREVIOUS can go after the next restart."
)
ALREADY = "The site's secret is encrypted with SECRET_KEY already. SECRET_KEY_PREVIOUS can go."
REPLACED = (
    "The site has a new secret. Restart all processes now. Every member of staff needs a new second factor "
    "(python server.py admin reset NAME); marks of addresses are gone; links of appeals have changed."
)


def add_to(add_command: Callable[..., argparse.ArgumentParser]) -> None:
    secret = add_command("secret", help="after a change of SECRET_KEY, or when it has leaked")
    secret.add_argument("action", choices=("rotate", "replace"))


async def secret(asked: argparse.Namespace, models: Models) -> int:
    if asked.action == "rotate":
        print(ROTATED if await models.site_secret.rotate(OPERATOR) else ALREADY)
    else:
        await models.site_secret.replace(OPERATOR)
        await models.ban_notices.renew_links()
        print(REPLACED)
    return 0
