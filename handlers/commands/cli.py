"""The operator's commands: `python server.py payments | codes | refund | reconcile | admin | audit | …`.

Parses the arguments, calls a model, prints. Exit codes: 0; 1 if `reconcile` finds a difference or a command
fails, with a one-line message.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from handlers.commands import backups, privacy, secret, staff
from models.console.invite_codes import AdminCode
from models.currencies import amount_text
from models.errors import Problem
from models.security.audit_log import OPERATOR
from models.wiring import Models

COMMANDS = (
    "payments",
    "codes",
    "refund",
    "reconcile",
    "admin",
    "audit",
    "tombstones",
    "delete",
    "export",
    "transparency",
    "secret",
    *backups.COMMANDS,
)
STANDARD_OUTPUT = Path("-")
CommandRun = Callable[[argparse.Namespace, Models], Awaitable[int]]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Exits with 2 and the usage if the arguments are invalid."""
    parser = argparse.ArgumentParser(prog="python server.py")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("payments", "list payments"), ("reconcile", "compare with Stripe, change nothing")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--days", type=_days, default=30)
    command = commands.add_parser("refund", help="refund a payment through Stripe")
    command.add_argument("reference", help="our attempt, Stripe's session (cs_…) or payment (pi_…)")
    command.add_argument("--reason", default="", help="for the audit log")
    staff.add_to(commands.add_parser)
    privacy.add_to(commands.add_parser)
    secret.add_to(commands.add_parser)
    backups.add_to(commands.add_parser)
    command = commands.add_parser("codes", help="list, make, print and switch off invite codes")
    actions = command.add_subparsers(dest="action", required=True)
    for action in ("list", "tree"):
        actions.add_parser(action)
    create = actions.add_parser("create")
    create.add_argument("--label", required=True)
    create.add_argument("--uses", type=int, help="without it there is no limit")
    stop, poster = actions.add_parser("stop"), actions.add_parser("poster")
    for code in (stop, poster):
        code.add_argument("code")
    poster.add_argument("file", type=Path, help="an SVG to print; - for standard output")
    return parser.parse_args(arguments)


def _days(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text[:5]) <= 3650):
        raise argparse.ArgumentTypeError("must be a number of days from 1 to 3650")
    return int(text)


async def run(args: argparse.Namespace, models: Models) -> int:
    """Runs the command and returns the exit code, after the published events have been sent."""
    work: dict[str, CommandRun] = {
        "payments": _payments,
        "codes": _codes,
        "refund": _refund,
        "reconcile": _reconcile,
    }
    work |= {"admin": staff.admin, "audit": staff.audit}
    work |= {"tombstones": privacy.tombstones, "delete": privacy.delete}
    work |= {"secret": secret.secret, "export": privacy.export}
    work |= {"transparency": privacy.transparency}
    try:
        code = await work[args.command](args, models)
        if is_look(args):
            await models.audit.note(OPERATOR, f"command.{args.command}", getattr(args, "action", "list"))
        await models.bus.flush()
        print(end="", flush=True)
        return code
    except Problem as problem:
        errors = "; ".join((problem.fields or {"": problem.message}).values())
        print(errors, file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1


def is_look(args: argparse.Namespace) -> bool:
    """Whether the command only reads. Commands that change something write their own audit row; reading
    commands get one too, except for the check of the log.
    """
    looks = ("list", "tree", "poster")
    return (
        args.command in ("payments", "reconcile", "tombstones", "transparency")
        or getattr(args, "action", "") in looks
    )


async def _payments(args: argparse.Namespace, models: Models) -> int:
    for one in await models.reconciliation.payments(args.days):
        back = f"-{one.refunded_text}" if one.refunded_cents else ""
        dispute = f"dispute {one.dispute}" if one.dispute else ""
        ids = one.session_id or one.attempt_id, one.payment_intent or ""
        _row(
            _time(one.created_at),
            one.state,
            one.amount_text,
            back,
            dispute,
            "to be given back" if one.is_owed else "",
            f"not as created: {', '.join(one.review)}" if one.review else "",
            "a refund failed" if one.has_failed_refund and one.state == "paid" else "",
            f"fraud warning {one.warning}" if one.warning else "",
            one.kind,
            one.name,
            one.user_id,
            *ids,
        )
    return 0


async def _refund(args: argparse.Namespace, models: Models) -> int:
    checkout = await models.refunds.find(args.reference)
    await models.refunds.refund(checkout, OPERATOR, args.reason)
    print(f"Refunded {amount_text(checkout.amount_cents, checkout.currency)} of {checkout.payment_intent}.")
    return 0


async def _reconcile(args: argparse.Namespace, models: Models) -> int:
    found = await models.reconciliation.differences(args.days)
    for one in found:
        _row(one.what, f"here: {one.here}", f"Stripe: {one.there}", one.stripe_id, one.attempt_id)
    print(f"{len(found) or 'No'} difference{'' if len(found) == 1 else 's'} in {args.days} days.")
    return 1 if found else 0


async def _codes(args: argparse.Namespace, models: Models) -> int:
    codes = models.admin_codes
    if args.action == "list":
        _show(*await codes.all())
    elif args.action == "create":
        code = await codes.create(args.label, args.uses)
        _show(code)
        print(models.invite_codes.invite_url(code.code))
    elif args.action == "stop":
        _show(await codes.stop(args.code))
    elif args.action == "poster":
        code = await codes.get(args.code)
        _write(args.file, await models.invite_codes.poster(code.code, code.label))
    else:
        for branch in await codes.tree():
            _row("  " * branch.depth + branch.name, branch.own_code or "", _time(branch.came_at))
    return 0


def _write(file: Path, page: bytes) -> None:
    if file == STANDARD_OUTPUT:
        sys.stdout.buffer.write(page)
        return
    file.write_bytes(page)
    print(f"Written to {file}: open it and print it.")


def _show(*codes: AdminCode) -> None:
    for code in codes:
        uses = f"{code.uses} of {code.uses_limit or 'any'}"
        state = f"off since {_time(code.stopped_at)}" if code.stopped_at else "on"
        _row(code.code, uses, state, code.label or code.owner_name or "", _time(code.created_at))


def _row(*cells: str) -> None:
    print("  ".join(cell for cell in cells if cell))


def _time(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else ""
