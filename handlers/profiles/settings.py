"""The settings page."""

from __future__ import annotations

from typing import Any

from handlers.base.handler import BaseHandler
from models.errors import Invalid
from models.profiles.handles import NETWORKS, contacts_of


class SettingsHandler(BaseHandler):
    """GET /settings, with `?saved=` after one of its forms."""

    async def get(self) -> None:
        self.allowed(access=False, selfie=False)
        self.page("profiles/settings/page.html", **await settings_context(self))


async def show_profile_again(handler: BaseHandler, problem: Invalid, form: str = "profile") -> None:
    """Shows a form of the settings page with its faults: the fragment for htmx, else the whole page."""
    context = {"form": form, **await settings_context(handler)}
    handler.form_again(
        problem, "profiles/settings/page.html", fragment=f"profiles/settings/_{form}.html", **context
    )


async def settings_context(handler: BaseHandler) -> dict[str, Any]:
    """The context of settings/page.html besides the member. The caller adds `form` if a form has faults."""
    user_id = handler.signed_in().user_id
    user = await handler.models.users.get(user_id)
    own = await handler.models.invite_codes.find_own(user_id)
    account = await handler.models.accounts.find(user_id)
    return {
        "invite": own if own and not own.stopped else None,
        "video_url": user.video_url,
        "successful_calls": user.successful_calls,
        "tally": await handler.models.users.tally(user_id),
        "networks": NETWORKS,
        "handles": user.handles,
        "contacts": contacts_of(user.handles),
        "has_extra": await handler.models.receipts.has_extra(user_id),
        "account": account,
        "to_confirm": await handler.models.confirmations.find(user_id) if account else None,
        "codes_left": await handler.models.recovery_codes.left(user_id) if account else 0,
        "removed": await handler.models.decisions.removals.of(user_id),
        "saved": handler.get_query_argument("saved", ""),
    }
