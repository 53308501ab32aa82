"""The URL space: unique names, one handler per URL, and 404 for everything else."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from handlers.access import invite_codes as access_invite_codes
from handlers.access import paywall
from handlers.accounts import (
    age,
    confirmations,
    credentials,
    deletions,
    exports,
    onboarding,
    recovery,
    sign_up,
    terms,
)
from handlers.accounts import sign_in as accounts_sign_in
from handlers.base.handler import NotFoundHandler
from handlers.billing import checkouts, receipts, sandbox, webhook, withdrawals
from handlers.calls import calls, chat, contacts, end, history, relay, turn
from handlers.console import (
    appeal_reviews,
    audit_log,
    bans,
    dashboard,
    member_access,
    members,
    payments,
    report_reviews,
    staff,
    transparency,
)
from handlers.console import invite_codes as console_invite_codes
from handlers.console import sign_in as console_sign_in
from handlers.profiles import me, media, selfies, settings, videos
from handlers.public import connection, csp_reports, health, home, static
from handlers.ringing import invites
from handlers.room import introductions, room
from handlers.routes import routes
from handlers.safety import appeals, blocks, handovers, removals, reports
from tests.conftest import Running

# The names of the URLs that each module serves.
SERVED = {
    access_invite_codes: {"poster", "qr"},
    paywall: {"paywall", "apply_code"},
    confirmations: {"confirm", "send_confirmation"},
    credentials: {"password", "email", "recovery_codes"},
    deletions: {"delete", "deleted"},
    age: {"age", "age_start", "age_return"},
    exports: {"export", "banned_export"},
    terms: {"accept_terms"},
    onboarding: {"onboarding", "too_young"},
    recovery: {"recover_page", "link_sent", "recover", "recovery_link", "reset"},
    accounts_sign_in: {"login_page", "login", "logout"},
    sign_up: {"guest", "upgrade"},
    checkouts: {"create_checkout", "payment_success"},
    receipts: {"receipt", "refund"},
    sandbox: {"test_checkout"},
    withdrawals: {"withdrawal"},
    webhook: {"stripe_webhook"},
    calls: {"call"},
    chat: {"call_messages"},
    contacts: {"contacts"},
    end: {"call_end"},
    history: {"history"},
    relay: {"relay_socket"},
    turn: {"turn_credentials"},
    appeal_reviews: {"appeal_queue", "appeal_verdict", "removal_appeal_verdict", "removed_file"},
    audit_log: {"audit"},
    transparency: {"transparency"},
    bans: {"ban"},
    dashboard: {"dashboard"},
    console_invite_codes: {"admin_codes", "admin_code"},
    member_access: {"member_access"},
    members: {"people", "person", "person_media", "removal"},
    payments: {"admin_payments", "admin_refund", "bundle"},
    report_reviews: {"report_queue", "report_review", "evidence", "frame", "held_media"},
    console_sign_in: {"staff_sign_in", "second_factor", "staff_sign_out", "enrol", "enrol_qr"},
    staff: {"staff", "staff_member"},
    me: {"me"},
    media: {"media"},
    selfies: {"selfie"},
    settings: {"settings"},
    videos: {"video", "remove_video"},
    connection: {"connection"},
    csp_reports: {"csp_report"},
    health: {"healthz", "readyz", "metrics"},
    home: {"home", "terms", "privacy", "imprint", "live_stats"},
    static: {"service_worker", "root_files", "static"},
    invites: {"invite_socket"},
    introductions: {"introductions", "accept_introduction"},
    room: {"queue", "room"},
    appeals: {"appeal"},
    handovers: {"handed_appeal", "handed_file"},
    removals: {"own_removal"},
    blocks: {"block"},
    reports: {"report", "own_reports"},
}


def test_each_module_serves_its_urls() -> None:
    found: dict[object, set[str | None]] = {}
    for spec in routes():
        found.setdefault(sys.modules[spec.handler_class.__module__], set()).add(spec.name)
    assert {module: found.get(module) for module in SERVED} == SERVED


def test_names_and_patterns_are_unique() -> None:
    for values in ([spec.name for spec in routes()], [spec.regex.pattern for spec in routes()]):
        assert [one for one, count in Counter(values).items() if count > 1] == []


@pytest.mark.parametrize("path", ["/nowhere", "/calls", "/ws", "/room/queue/x"])
async def test_an_unknown_url_is_not_found(site: Running, path: str) -> None:
    assert NotFoundHandler not in {spec.handler_class for spec in routes()}
    assert (await site.client.get(path)).status == 404
