"""Jinja templates, their filters and globals. The only module that imports Jinja2."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from handlers.http.assets import ROOT, modules, static_url
from handlers.http.legal_texts import own_text, terms_page
from handlers.http.recipients import Recipient, recipients
from models.billing.withdrawals import WORDS
from models.errors import Invalid
from models.mail import email_address
from models.messages import instant
from models.safety.decisions.clauses import CLAUSES, Clause, clause_of
from models.settings.config import Config
from models.settings.terms import Terms, terms_in_force

LOOK_SECONDS = 1.0
ENDED_WORDS = {
    "hung_up": "One of you ended the call",
    "expired": "The time you agreed on was up",
    "dropped": "The connection was lost",
    "failed": "The call never connected",
    "banned": "The call was ended by a moderator",
}
PAYMENT_WORDS = {
    "paid": "Paid",
    "partly_refunded": "Part of it refunded",
    "refunded": "Refunded",
    "disputed": "Paid; your bank is deciding about it",
    "lost": "Taken back by your bank",
    "review": "Being looked at: it is not as it was ordered",
}


LOST_WORDS = {
    "refunded": "Your payment was refunded, so your access has ended.",
    "disputed": "Your bank took your payment back, so your access has ended.",
    "withdrawn": "You withdrew from the purchase, so your access has ended. The money is on its way back.",
    "review": "Your payment arrived, but not as it was ordered. The staff look at it: do not pay again.",
    "test": "This site was a trial when you paid, and no money moved. Now it is open, and the fee is real.",
}


class SiteView(msgspec.Struct, frozen=True):
    """The settings that every page may show."""

    name: str
    base_url: str
    price_text: str
    # What the buyer agrees to under CONSUMER_LAW=eu; None under none.
    withdrawal_words: str | None
    takes_days: bool
    seller: list[str]
    mails: bool
    test_checkout: bool
    min_seconds: int
    max_seconds: int
    default_seconds: int
    ring_seconds: int
    max_extends: int
    code_uses: int
    code_after_calls: int
    success_seconds: int
    relay_only: bool
    chat_days: int
    report_days: int
    address_days: int
    guest_unused_days: int
    ended_session_days: int
    invite_days: int
    asks_birth_date: bool
    age_check: str
    age_refusal_hours: int
    recipients: list[Recipient]
    operator_name: str | None
    operator_contact: str | None
    operator_mail: str | None
    clauses: dict[str, Clause]
    terms: Markup
    terms_version: str
    own_privacy: Markup | None


class Templates:
    def __init__(self, config: Config, terms: Terms | None = None) -> None:
        self._jinja = _environment(auto_reload=not config.is_production)
        self._site = _site_view(config, terms or terms_in_force(config))

    def render(self, template: str, context: Mapping[str, object]) -> str:
        return self._jinja.get_template(template).render(context, site=self._site)


class TemplateFiles(FileSystemLoader):
    """Templates of the folder. Jinja asks before each use whether a file has changed; it is looked at once a
    second.
    """

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, file, is_current = super().get_source(environment, template)
        looked_at = time.monotonic()

        def was_current() -> bool:
            nonlocal looked_at
            now = time.monotonic()
            if now - looked_at < LOOK_SECONDS:
                return True
            looked_at = now
            return is_current()

        return source, file, was_current


@cache
def _environment(*, auto_reload: bool) -> Environment:
    """One per process, so that each template is compiled once, however many sites there are."""
    jinja = Environment(
        loader=TemplateFiles(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=auto_reload,
    )
    jinja.globals.update(static=static_url, modules=modules)
    jinja.filters.update(
        minutes=minutes,
        clock=clock,
        iso=instant,
        when=when,
        ended_words=ENDED_WORDS.__getitem__,
        payment_words=PAYMENT_WORDS.__getitem__,
        lost_words=LOST_WORDS.__getitem__,
        gender_word=gender_word,
    )
    return jinja


def _site_view(config: Config, terms: Terms) -> SiteView:
    return SiteView(
        name="Napalm Sky",
        base_url=config.base_url,
        price_text=config.price_text,
        withdrawal_words=WORDS if config.consumer_law == "eu" else None,
        seller=config.seller_lines,
        takes_days=config.payment_methods == "all",
        mails=config.smtp_url is not None,
        test_checkout=config.has_test_checkout,
        min_seconds=config.call_min_seconds,
        max_seconds=config.call_max_seconds,
        default_seconds=config.call_default_seconds,
        ring_seconds=config.ring_seconds,
        max_extends=config.ring_extends,
        code_uses=config.code_uses,
        code_after_calls=config.code_after_calls,
        success_seconds=config.success_seconds,
        relay_only=config.relay_only,
        chat_days=config.chat_days,
        report_days=config.report_days,
        address_days=config.address_days,
        guest_unused_days=config.guest_unused_days,
        ended_session_days=config.ended_session_days,
        invite_days=config.invite_days,
        asks_birth_date=config.asks_birth_date,
        age_check=config.minimum_age_check,
        age_refusal_hours=config.age_refusal_hours,
        recipients=recipients(config),
        operator_name=config.operator_name,
        operator_contact=config.operator_contact,
        operator_mail=mail_of(config.operator_contact),
        clauses={rule: clause_of(rule, config) for rule in CLAUSES},
        terms=terms_page(terms.text),
        terms_version=terms.version,
        own_privacy=own_text(config.privacy_file),
    )


def mail_of(contact: str | None) -> str | None:
    """The contact, if it is an e-mail address."""
    if contact is None:
        return None
    try:
        return email_address.read(contact).text
    except Invalid:
        return None


def minutes(seconds: int) -> str:
    """300 -> `5 min`, 90 -> `1 min 30 s`, 40 -> `40 s`."""
    whole, rest = divmod(seconds, 60)
    parts = [f"{whole} min" if whole else "", f"{rest} s" if rest or not whole else ""]
    return " ".join(part for part in parts if part)


def clock(seconds: int) -> str:
    """245 -> `4:05`."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def when(at: datetime) -> str:
    """An instant for clients without scripts; scripts show it in the browser's time zone."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def gender_word(gender: str) -> str:
    return {"female": "her", "male": "him"}.get(gender, "them")
