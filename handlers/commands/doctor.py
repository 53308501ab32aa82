"""`python server.py doctor [--json]`: everything that a real call needs, checked while the site runs.

One line per check: fine, or what is wrong and the setting to change. Talks to the site through BASE_URL as
its users do, and makes a real call with two callers of its own, of which nothing is left. Exit code 1 if
anything is wrong.
"""

from __future__ import annotations

import argparse
import sys
from asyncio import to_thread
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from models.accounts.robots import Probe, plan_of
from models.checks import call, proxy, public_address
from models.checks.host import NO_STUN, OTHER_PORT, check_host
from models.checks.lines import Line, State, faults, fine, judged, skipped, wrong
from models.checks.public_address import PublicAddress
from models.checks.services import check_services
from models.errors import Problem, Unavailable
from models.processes.embedded import EmbeddedError
from models.processes.robots_process import ProbeFailed, has_robots, run_probe
from models.processes.service_urls import Urls, servers_of_site
from models.settings.config import Config, ConfigError
from models.settings.environment import read_config
from models.settings.names import misspelled
from models.wiring import Models

PICTURE = Path(__file__).resolve().parent.parent.parent / "static" / "icons" / "icon-512.png"
NO_ROBOTS = (
    "needs the libraries of requirements-demo.txt "
    f"({sys.executable} -m pip install --only-binary=:all: -r requirements-demo.txt)"
)


async def doctor(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    parser = argparse.ArgumentParser(prog="python server.py doctor")
    parser.add_argument("--json", action="store_true", help="the lines as one JSON object")
    text = "without the call of two robots and the test alert"
    parser.add_argument("--no-call", action="store_true", help=text)
    args = parser.parse_args(arguments)
    lines = await examine(environment, has_call=not args.no_call)
    is_fine = not any(line.state == "wrong" for line in lines)
    if args.json:
        print(msgspec.json.encode({"isFine": is_fine, "lines": lines}).decode())
    else:
        for line in lines:
            print(f"{'WRONG' if line.state == 'wrong' else line.state:8}{line.check:13}{line.text}")
    return 0 if is_fine else 1


async def examine(environment: Mapping[str, str], *, has_call: bool = True) -> list[Line]:
    """All lines. What depends on something that is wrong is skipped."""
    try:
        config = read_config(environment)
    except ConfigError as error:
        return [*(wrong("settings", f"{text}.") for text in error.faults), skipped("site", "settings first")]
    lines = faults("settings", misspelled(environment), "can be used")
    try:
        with servers_of_site(config) as urls:
            return lines + await _examine_site(config, urls, environment if has_call else None)
    except EmbeddedError as error:
        return [*lines, wrong("database", f"DATA_DIR: {str(error).splitlines()[0]}")]


async def _examine_site(config: Config, urls: Urls, environment: Mapping[str, str] | None) -> list[Line]:
    """No call and no test alert without `environment`."""
    lines = await to_thread(_services, config, urls) + await to_thread(_machine, config)
    at = PublicAddress(config.base_url)
    lines.append(await to_thread(public_address.check_name, config, at))
    lines += await to_thread(public_address.check_authority, config)
    lines.append(await to_thread(public_address.check_certificate, config, at))
    if not any(line.check in ("dns", "certificate") and line.state == "wrong" for line in lines):
        lines += await to_thread(public_address.check_answer, config, at)
    needed = ("database", "redis", "dns", "certificate", "address")
    if any(line.check in needed and line.state == "wrong" for line in lines):
        return [*lines, skipped("site", "the faults above first")]
    try:
        models = await Models.open(config, urls.database, urls.redis)
    except Unavailable as error:
        return [*lines, wrong("database", error.message)]
    try:
        return lines + await _examine_with_callers(models, at, environment)
    finally:
        await models.close()


def _services(config: Config, urls: Urls) -> list[Line]:
    """Of PostgreSQL, notes are faults too: its clock, its number of connections."""
    database = check_services(urls.database, None, config.workers)
    redis = check_services(None, urls.redis)
    texts = (*database.refused, *database.to_mend, *database.notes)
    return [
        *faults("database", texts, "version, rights, encoding, connections and clock"),
        *judged("redis", redis, "version, policy, rights and memory"),
    ]


def _machine(config: Config) -> list[Line]:
    found = check_host(config)
    lines = faults("disk", (*found.refused, *found.to_mend), "DATA_DIR can be written and has room")
    mail = [text for text in found.notes if text.startswith("SMTP_URL")]
    # On this machine alone, what these notes say does no harm. The call shows whether STUN and TURN work, and
    # the look at BASE_URL whether its port is passed on.
    state: State = "note" if config.is_loopback else "wrong"
    lines += [
        Line("machine", state, text) for text in found.notes if text not in (*mail, NO_STUN, OTHER_PORT)
    ]
    if config.smtp_url is None:
        return [*lines, skipped("mail", "SMTP_URL is not set")]
    return lines + faults("mail", mail, "the server accepts the sign-in")


async def _examine_with_callers(
    models: Models, at: PublicAddress, environment: Mapping[str, str] | None
) -> list[Line]:
    callers = await models.robots.probes()
    config, token = models.config, callers[0].token
    try:
        lines = [await to_thread(proxy.check_origin_and_upgrade, config, at, token)]
        lines += await to_thread(proxy.check_headers, config, at)
        lines += await to_thread(proxy.check_forwarding, config, at, token)
        if lines[-1].state == "wrong" and lines[-1].text.startswith("BASE_URL"):
            return [*lines, skipped("site", "the fault above first")]
        picture = await to_thread(PICTURE.read_bytes)
        lines += await _matching(models, callers[0], picture)
        lines.append(await to_thread(proxy.check_upload, config, at, token, picture))
        lines += await _payment(models, at) + await _age(models)
        lines += await _alerts(models, is_sent=environment is not None)
        if environment is None:
            return [*lines, skipped("call", "--no-call")]
        return lines + await _call(config, callers, environment)
    finally:
        await models.robots.remove_probes([one.user_id for one in callers])


async def _call(config: Config, callers: Sequence[Probe], environment: Mapping[str, str]) -> list[Line]:
    if not has_robots():
        return [skipped("call", NO_ROBOTS)]
    try:
        return call.judge(config, await run_probe(plan_of(config, callers), environment))
    except ProbeFailed:
        return [wrong("call", "BASE_URL: the call of two robots came to no result. See the log.")]


async def _payment(models: Models, at: PublicAddress) -> list[Line]:
    found = await models.webhook_probe.stripe_faults()
    lines = (
        [skipped("stripe", "no STRIPE_SECRET_KEY: the test checkout")]
        if found is None
        else faults("stripe", found, "the key and the webhook endpoint")
    )
    event = await models.webhook_probe.event()
    if event is None:
        return [*lines, skipped("webhook", "no payment provider")]
    try:
        deliver = proxy.deliver_event
        answer = await to_thread(deliver, at, event.payload, event.signature)
    except public_address.Unreachable as error:
        return [*lines, wrong("webhook", f"BASE_URL: {error}.")]
    effect = await models.webhook_probe.effect(event.event_id)
    return [*lines, _judge_webhook(answer, effect)]


async def _age(models: Models) -> list[Line]:
    if not models.config.asks_age_proof:
        return []
    try:
        await models.age_proofs.provider.authorize_url("state", "nonce", "verifier")
    except Problem:
        return [
            wrong("age", "AGE_PROVIDER_URL: no OpenID Connect issuer answers there: no user can sign up.")
        ]
    return [fine("age", "the provider answers")]


async def _matching(models: Models, caller: Probe, picture: bytes) -> list[Line]:
    if models.config.hash_match_url is None:
        return []
    decoded = await models.selfies.jpeg(caller.user_id, picture)
    fault = await models.screening.service.fault(decoded.data)
    return [wrong("matching", fault) if fault else fine("matching", "the service has compared a picture")]


async def _alerts(models: Models, *, is_sent: bool) -> list[Line]:
    if models.config.alert_webhook_url is None:
        return []
    if not is_sent:
        return [skipped("alerts", "no test alert is sent with --no-call")]
    if cause := await models.alerts.test_webhook():
        return [wrong("alerts", f"ALERT_WEBHOOK_URL: a test alert does not arrive: {cause}.")]
    return [fine("alerts", "a test alert was accepted")]


def _judge_webhook(answer: public_address.Answer, effect: str | None) -> Line:
    if answer.status == 200 and effect == "ignored":
        return fine("webhook", "a signed test event is accepted")
    if answer.status == 400:
        text = "STRIPE_WEBHOOK_SECRET: the running site refuses an event signed with it"
        return wrong("webhook", f"{text}. Restart the site with this setting, or set its clock.")
    if answer.status == 200:
        return wrong("webhook", "DATABASE_URL: the running site stores events in another database.")
    text = f"proxy: an event is answered {answer.status} before it reaches the site"
    return wrong("webhook", f"{text}. Let POST /payment/webhook through.")
