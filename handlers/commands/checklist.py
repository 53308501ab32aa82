"""`python server.py checklist WHICH`: what the operator does at go-live, every day, week and month.

The doctor's checks tick what a machine can check; the rest is printed with an empty box. Exit code 1 if a
ticked item fails.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from handlers.commands.doctor import doctor, examine
from models.checks.lines import Line


class Item(NamedTuple):
    """`checks` are those of the doctor that tick it; without any it is for the operator."""

    text: str
    checks: tuple[str, ...] = ()


MACHINE = Item("The servers answer, and have room and the right policies", ("database", "redis", "disk"))
ADDRESS = Item(
    "The name, the certificate and the proxy are right",
    ("dns", "authority", "certificate", "address", "upgrade", "headers"),
)
CALL = Item("A real call works, direct and relayed", ("turn", "direct", "relayed", "call"))
MONEY = Item("Stripe's key, price and webhook are right", ("stripe", "webhook"))
SERVICES = Item(
    "The other services that are set answer (mail, alerts, age, matching of pictures)",
    ("mail", "alerts", "age", "matching"),
)
LISTS: dict[str, tuple[Item, ...]] = {
    "go-live": (
        Item("Every setting is valid", ("settings",)),
        MACHINE,
        ADDRESS,
        Item("The site sees the addresses of its users", ("forwarding",)),
        Item("Uploads of full size arrive", ("upload",)),
        SERVICES,
        MONEY,
        CALL,
        Item("ENVIRONMENT=production, and SECRET_KEY is set and stored elsewhere too"),
        Item("Terms and privacy pages name the operator (TERMS_FILE, PRIVACY_FILE)"),
        Item("Two admins exist, and both have signed in (python server.py admin list)"),
        Item("A backup was made, copied to another machine, and restored once for practice"),
        Item("Alerts reach a person (the doctor sends a test alert; deploy/prometheus/alerts.yml)"),
        Item("Two phones on two networks have called each other"),
        Item("A payment was made with a real card, and refunded"),
    ),
    "daily": (
        MACHINE,
        ADDRESS,
        Item("Reports, appeals and payments to review are decided (the console)"),
        Item("No alert is open"),
    ),
    "weekly": (
        MACHINE,
        ADDRESS,
        CALL,
        SERVICES,
        MONEY,
        Item("Our payments agree with Stripe's (python server.py reconcile)"),
        Item("The newest backup is less than a day old, and a copy is on another machine"),
        Item("The audit log is intact (python server.py audit verify); its last hash is stored elsewhere"),
        Item("The log has no new kind of warning"),
    ),
    "monthly": (
        MACHINE,
        Item("A backup was restored on another machine"),
        Item("The operating system, the image and the site are up to date"),
        Item("Accounts of staff who have left are disabled (python server.py admin list)"),
        Item("Disk, memory and relay traffic have room for the next month"),
    ),
}


async def checklist(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    parser = argparse.ArgumentParser(prog="python server.py checklist")
    parser.add_argument("which", choices=LISTS)
    which = parser.parse_args(arguments).which
    items = LISTS[which]
    has_call = any("call" in item.checks for item in items)
    lines = await examine(environment, has_call=has_call)
    texts = [marked(item, lines) for item in items]
    print("\n".join(texts))
    return 1 if any(text.startswith("[!]") for text in texts) else 0


def marked(item: Item, lines: Sequence[Line]) -> str:
    """`[x]` checked and fine, `[!]` wrong with the reasons, `[ ]` for the operator or not checked."""
    found = [line for line in lines if line.check in item.checks]
    wrong = [line for line in found if line.state == "wrong"]
    if wrong:
        return "\n".join([f"[!] {item.text}", *(f"      {line.text}" for line in wrong)])
    if any(line.state == "fine" for line in found):
        return f"[x] {item.text}"
    skipped = [line.text for line in found if line.state == "skipped"]
    return f"[ ] {item.text}" + (f" (not checked: {skipped[0]})" if skipped else "")


# The commands that look at the running site from outside.
LOOKS = {"doctor": doctor, "checklist": checklist}
