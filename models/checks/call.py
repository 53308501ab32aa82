"""The result of the robots' call (`robots.probe`), as lines of the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.checks.lines import Line, fine, skipped, wrong
from models.settings.config import Config

NO_MEDIA = {
    "direct": "two robots on this machine get no media from each other",
    "relayed": (
        "the server grants relays but passes no media on. Check its external-ip (PUBLIC_IP), that the UDP "
        "ports of its relays are open, and that the address is public: our file denies private ones"
    ),
}

NO_TWILIO = (
    "TWILIO_ACCOUNT_SID: the site gets no servers from Twilio. Check TWILIO_AUTH_TOKEN, and that this "
    "machine reaches api.twilio.com; the log has Twilio's answer."
)


def judge(config: Config, result: Mapping[str, Any]) -> list[Line]:
    """Lines for each STUN and TURN URL, the direct call, and the call through each TURN URL."""
    if "call" in result and "allocations" not in result:
        return [wrong("call", f"BASE_URL: no call begins: {result['call']}.")]
    lines = [_stun(config, url, fault) for url, fault in result.get("stun", {}).items()]
    lines += [_allocation(config, url, fault) for url, fault in result["allocations"].items()]
    if config.twilio_account_sid and not set(result["allocations"]) - set(config.turn_urls):
        lines.append(wrong("turn", NO_TWILIO))
    elif not result["allocations"]:
        lines.append(_no_turn(config))
    if "direct" in result:
        lines.append(_media("direct", "firewall", "", result["direct"]))
    elif config.relay_only:
        lines.append(skipped("direct", "RELAY_ONLY"))
    for url, found in result.get("relayed", {}).items():
        # With TURN=embedded the site's settings name no URL.
        lines.append(_media("relayed", "TURN_URLS" if config.turn_urls else "PUBLIC_IP", f"{url}: ", found))
    if "call" in result:
        lines.append(wrong("call", f"BASE_URL: the call breaks off: {result['call']}."))
    return lines


def _stun(config: Config, url: str, fault: str | None) -> Line:
    if fault is None:
        return fine("stun", f"{url} answers")
    setting = "STUN_URLS" if url in (config.stun_urls or ()) else "TURN"
    return wrong("stun", f"{setting}: {url}: {fault}.")


def _allocation(config: Config, url: str, fault: str | None) -> Line:
    if fault is None:
        return fine("turn", f"{url} relays")
    if "TURN_SECRET" in fault:
        return wrong("turn", f"TURN_SECRET: {url}: {fault}.")
    setting = (
        "TURN_URLS" if url in config.turn_urls else "TURN" if config.turn_urls == () else "TWILIO_ACCOUNT_SID"
    )
    return wrong("turn", f"{setting}: {url}: {fault}.")


def _no_turn(config: Config) -> Line:
    text = (
        "no TURN server: some networks allow no direct call. Set TURN=embedded, or TURN_URLS and TURN_SECRET"
    )
    if config.is_loopback:
        return skipped("turn", text)
    return Line("turn", "note" if config.stun_urls else "wrong", f"TURN: {text}.")


def _media(kind: str, setting: str, through: str, found: Mapping[str, Any]) -> Line:
    if "fault" not in found:
        return fine(kind, f"{through}picture and sound on both sides after {found['seconds']} s")
    arrived = ", ".join(found.get("arrived", ())) or "nothing"
    return wrong(kind, f"{setting}: {NO_MEDIA[kind]} ({through}{found['fault']}; arrived: {arrived}).")
