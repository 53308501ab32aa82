"""The third parties that receive personal data, by the settings: for the privacy page."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from models.settings.config import Config

RELAYED = "your network address and the encrypted media of your calls: to relay calls that cannot be direct"


class Recipient(NamedTuple):
    name: str
    # What they receive, and why.
    what: str


def recipients(config: Config) -> list[Recipient]:
    """Named by their hosts. Empty if the site needs no one else."""
    found = []
    if config.stripe_secret_key:
        what = "what you enter when you pay, the amount, and a random number of yours: to take the payment"
        found.append(Recipient("Stripe", what))
    if config.twilio_account_sid:
        found.append(Recipient("Twilio", RELAYED))
    if config.turn_urls:
        found.append(Recipient(_hosts(config.turn_urls), RELAYED))
    if config.stun_urls:
        found.append(
            Recipient(_hosts(config.stun_urls), "your network address during a call: to find a direct way")
        )
    if config.smtp_url:
        what = "your e-mail address and what we write to you: to deliver e-mails"
        found.append(Recipient(urlsplit(config.smtp_url).hostname or "", what))
    if config.minimum_age_check == "provider" and config.age_provider_url:
        what = "that you want to use this site: to say whether you are 18. We receive only yes or no"
        found.append(Recipient(urlsplit(config.age_provider_url).hostname or "", what))
    if config.hash_match_url:
        what = "your selfie, and a picture of your intro video: to recognise what no site may show"
        found.append(Recipient(urlsplit(config.hash_match_url).hostname or "", what))
    return found


def _hosts(urls: tuple[str, ...]) -> str:
    """`stun:a.example:3478?x` -> `a.example`; each once, in order. IPv6 addresses keep their brackets."""
    hosts = []
    for url in urls:
        rest = url.partition(":")[2].partition("?")[0]
        hosts.append(rest.partition("]")[0] + "]" if rest.startswith("[") else rest.partition(":")[0])
    return ", ".join(dict.fromkeys(hosts))
