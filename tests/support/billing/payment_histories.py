"""Random payment histories, checked against the fake Stripe's books.

Three users pay, redeem codes, get refunds and disputes; events are delivered twice, late, concurrently and
out of order; processes die between any two statements. One seed, one history. At its end Stripe has delivered
everything at least once, as it does.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar
from random import Random
from typing import Any

from models.errors import Problem
from models.postgres.pool import PoolConnection
from models.postgres.statements import RunningStatements
from models.wiring import Models
from tests.conftest import MakePerson, Person
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.stripe_events import event, object_event, receive

STEPS = 14
PEOPLE = 3


class Crashed(Exception):
    """The process has died here: the rest of the transaction is not executed."""


# The number of statements before this process dies; None: unlimited.
to_live: ContextVar[int | None] = ContextVar("to_live", default=None)
crashes: list[int] = []
really = RunningStatements.execute


async def execute_or_die(
    under_way: RunningStatements, link: PoolConnection, sql: str, values: dict[str, object] | None = None
) -> None:
    """Replaces `RunningStatements.execute`. A dead process rolls nothing back; preparing does not count."""
    if sql == "rollback" or sql.startswith("prepare "):
        await really(under_way, link, sql, values)
        return
    left = to_live.get()
    if left == 0:
        crashes.append(1)
        raise Crashed
    to_live.set(None if left is None else left - 1)
    await really(under_way, link, sql, values)


class History:
    def __init__(self, models: Models, stripe: StripeStandIn, seed: int) -> None:
        self.models, self.stripe, self.random = models, stripe, Random(seed)
        self.people: list[Person] = []
        self.sessions: dict[str, Person] = {}
        self.undelivered: list[bytes] = []
        self.delivered: list[bytes] = []
        self.said_at = 0

    async def play(self, person: MakePerson) -> None:
        for number in range(PEOPLE):
            self.people.append(await person(f"Guest {number}", access=None, selfie=False))
        steps = [self.check_out, self.pay, self.deliver, self.deliver, self.redeem, self.go_back, self.look]
        for _ in range(STEPS):
            await self.random.choice(steps)()
        await self.settle_down()

    # -- what may happen --

    async def maybe_die(self, *work: Any) -> None:
        """Runs everything concurrently, each in a process that may die between two statements."""

        async def live(one: Any) -> None:
            to_live.set(self.random.randrange(11) if self.random.random() < 0.25 else None)
            with contextlib.suppress(Crashed, Problem):
                await one

        await asyncio.gather(*(live(one) for one in work))

    async def check_out(self) -> None:
        someone = self.random.choice(self.people)
        await self.maybe_die(self.models.checkouts.create_checkout(someone.user_id))
        own = [s for s in self.stripe.sessions.values() if s["client_reference_id"] == someone.user_id]
        self.sessions |= {session["id"]: someone for session in own}

    async def pay(self) -> None:
        """Open sessions at Stripe are paid, given up, or paid by a method that takes days."""
        is_open = [one for one in self.sessions if self.stripe.sessions[one]["payment_status"] == "unpaid"]
        is_open = [one for one in is_open if self.stripe.sessions[one]["status"] != "expired"]
        if not is_open:
            return
        session_id, fate = self.random.choice(is_open), self.random.random()
        if fate < 0.15:
            self.undelivered.append(event("expired", dict(self.stripe.expire(session_id))))
        elif fate < 0.25:
            self.undelivered.append(event("completed", dict(self.stripe.pay_later(session_id))))
        else:
            self.undelivered.append(event("completed", dict(self.stripe.pay(session_id))))
            self.undelivered.append(object_event("payment_intent.succeeded", self.stripe.intent(session_id)))

    async def deliver(self) -> None:
        """Delivers some of the new events, in any order, and some of the old ones again."""
        some = self.random.sample(self.undelivered, min(len(self.undelivered), self.random.randrange(1, 4)))
        again = self.random.sample(self.delivered, min(len(self.delivered), self.random.randrange(2)))
        await self.maybe_die(*(self.send(payload) for payload in [*some, *again]))

    async def send(self, payload: bytes) -> None:
        await receive(self.models, payload)
        if payload in self.undelivered:
            self.undelivered.remove(payload)
            self.delivered.append(payload)

    async def redeem(self) -> None:
        """All users redeem codes at once."""
        code = await self.models.invite_codes.find_own(self.random.choice(self.people).user_id)
        if code is not None:
            redeem = self.models.invite_codes.redeem
            await self.maybe_die(*(redeem(code.code, someone.user_id) for someone in self.people))

    async def go_back(self) -> None:
        """A refund here or in Stripe's dashboard, full or partial; a dispute, and its outcome."""
        is_paid = [one for one in self.sessions if self.charge(one)]
        if not is_paid:
            return None
        session_id, fate = self.random.choice(is_paid), self.random.random()
        if fate < 0.3:
            await self.maybe_die(self.refund(session_id))
        elif fate < 0.45 and self.charge(session_id)["amount_refunded"] < 30:
            self.stripe.give_back(session_id, 10)
        elif fate < 0.6:
            self.stripe.give_back(session_id)
        elif fate < 0.75:
            return self.fail_refund(session_id)
        else:
            return self.dispute(session_id)
        payment = self.stripe.sessions[session_id]["payment_intent"]
        made = [dict(one) for one in self.stripe.refunds.values() if one["payment_intent"] == payment]
        self.undelivered += [
            object_event("refund.created", one) for one in made if one["status"] == "succeeded"
        ]
        return self.undelivered.append(object_event("charge.refunded", dict(self.charge(session_id))))

    def fail_refund(self, session_id: str) -> None:
        """The bank returns the money of a refund to us."""
        payment = self.stripe.sessions[session_id]["payment_intent"]
        for one in list(self.stripe.refunds.values()):
            if one["payment_intent"] == payment and one["status"] == "succeeded":
                self.undelivered.append(object_event("refund.failed", self.stripe.fail(one["id"])))
                return

    async def refund(self, session_id: str) -> None:
        refunds = self.models.refunds
        await refunds.refund(await refunds.find(session_id))

    def dispute(self, session_id: str) -> None:
        self.said_at += 1
        status = self.random.choice(["needs_response", "won", "lost"])
        kind = "created" if status == "needs_response" else "closed"
        payment = self.stripe.sessions[session_id]["payment_intent"]
        is_decided = self.stripe.disputes.get(payment, {}).get("status") in ("won", "lost")
        if not (is_decided and status == "needs_response"):
            about = self.stripe.dispute(session_id, status)
            self.undelivered.append(object_event(f"charge.dispute.{kind}", about, at=self.said_at))

    async def look(self) -> None:
        for session_id, someone in list(self.sessions.items())[-1:]:
            await self.maybe_die(self.models.checkouts.status(someone.user_id, session_id))

    async def settle_down(self) -> None:
        """Stripe repeats every event until it is received."""
        while self.undelivered:
            waiting = list(self.undelivered)
            self.random.shuffle(waiting)
            await asyncio.gather(*(self.send(payload) for payload in waiting))

    # -- what must be --

    def charge(self, session_id: str) -> dict[str, Any]:
        return self.stripe.charges.get(self.stripe.sessions[session_id]["payment_intent"] or "", {})

    def is_worth_access(self, session_id: str) -> bool:
        charge = self.charge(session_id)
        dispute = self.stripe.disputes.get(charge.get("payment_intent", ""), {})
        return bool(charge) and not charge["refunded"] and dispute.get("status") != "lost"

    async def check(self) -> None:
        """Every user's access is what they paid and did not get back, or a redeemed code; and nothing
        else.
        """
        for someone in self.people:
            own = [one for one, owner in self.sessions.items() if owner is someone]
            worth = sum(map(self.is_worth_access, own))
            held = await grants(self.models, someone)
            assert held["payment"] == worth, f"{held} for {worth} payments"
            access = "paid" if worth else "invited" if held["code"] else "unpaid"
            assert await self.models.grants.of(someone.user_id) == access
            code = await self.models.invite_codes.find_own(someone.user_id)
            assert (code is not None and not code.stopped) is bool(worth)


async def grants(models: Models, someone: Person) -> dict[str, int]:
    """The number of grants in force of each kind; a use of a code is a grant of its own."""
    async with models.db.link() as link:
        await link.execute(
            "select (select count(*) from access_grants where user_id = %(u)s and reason = 'payment' and "
            "ended_at is null), (select count(*) from access_grants where user_id = %(u)s and reason = "
            "'code' and ended_at is null), (select count(*) from invite_code_uses where user_id = %(u)s)",
            {"u": someone.user_id},
        )
        payment, code, uses = link.cursor.fetchone()
    assert code == uses <= 1
    return {"payment": payment, "code": code}


async def faults_of_codes(models: Models) -> list[tuple[Any, ...]]:
    """Codes with more uses than their limit or than users who used them, and working codes of users who lost
    access.
    """
    async with models.db.link() as link:
        await link.execute(
            "select code, uses, uses_limit from invite_codes c where uses > uses_limit "
            "or uses <> (select count(*) from invite_code_uses u where u.code = c.code) "
            "or (stopped_at is null and not exists (select from access_grants g "
            "where g.user_id = c.owner_id and g.reason = 'payment' and g.ended_at is null))"
        )
        return list(link.cursor.fetchall())
