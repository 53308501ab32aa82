"""The operator's commands for the staff and the audit log: `python server.py admin … | audit verify`.

The first admin is created here, since only an admin can create one in the console.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import get_args

from models.console.sessions import StaffRole
from models.security.audit_log import OPERATOR
from models.wiring import Models


def add_to(add_command: Callable[..., argparse.ArgumentParser]) -> None:
    admin = add_command("admin", help="the staff of the console: list, add, switch off, reset")
    actions = admin.add_subparsers(dest="action", required=True)
    actions.add_parser("list")
    for action in ("add", "disable", "reset", "role"):
        one = actions.add_parser(action)
        one.add_argument("name", help="a name or an e-mail address, as it is typed to sign in")
        if action in ("add", "role"):
            one.add_argument("--role", choices=get_args(StaffRole), default="moderator")
    audit = add_command("audit", help="what the staff and the operator did")
    audit.add_argument("action", choices=("verify",))


async def admin(args: argparse.Namespace, models: Models) -> int:
    if args.action == "list":
        return await _list(models)
    if args.action == "add":
        return _show_link(args.name, await models.staff.add(args.name, args.role, OPERATOR))
    who = await models.staff.named(args.name)
    if args.action == "reset":
        return _show_link(who.name, await models.staff.reset(who.staff_id, OPERATOR))
    if args.action == "role":
        await models.staff.set_role(who.staff_id, args.role, OPERATOR)
        print(f"{who.name} is {args.role} now.")
    else:
        await models.staff.disable(who.staff_id, OPERATOR)
        print(f"{who.name} is switched off and signed out.")
    return 0


async def _list(models: Models) -> int:
    for one in await models.staff.all():
        state = "off" if one.is_disabled else "on" if one.is_enrolled else "not enrolled yet"
        print("  ".join((one.name, one.role, state, one.staff_id)))
    return 0


def _show_link(name: str, url: str) -> int:
    print(f"{name} sets a password and the second factor here, once, within 24 hours:\n{url}")
    return 0


async def audit(args: argparse.Namespace, models: Models) -> int:
    """Returns 1 if the chain is broken."""
    assert args.action == "verify"
    found = await models.audit.verify()
    if found.broken is not None:
        print(f"Broken at row {found.broken}: {found.rows} rows before it hold, up to {found.head}.")
        return 1
    print(f"Intact: {found.rows} rows, the last is {found.head}.")
    return 0
