"""The age check by a provider: there and back, also after a refusal and while the provider is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.journeys.conftest import free_port
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import PHONE, Stage, journey
from tests.support.accounts.fake_age_provider import CLIENT, SECRET, AgeProviderStandIn


@asynccontextmanager
async def asking_site(stage: Stage, home: Path, provider: AgeProviderStandIn) -> AsyncIterator[Stage]:
    """A site of its own that asks this provider."""
    settings = {"AGE_PROVIDER_URL": provider.api_base, "AGE_CLIENT_ID": CLIENT, "AGE_CLIENT_SECRET": SECRET}
    server = ServerProcess(home, free_port(), MINIMUM_AGE_CHECK="provider", **settings)
    await asyncio.to_thread(server.start)
    own = Stage(replace(stage.house, server=server))
    try:
        yield own
        assert not await own.clear()
    finally:
        await own.clear()
        await asyncio.to_thread(server.stop)
        await provider.close()


@journey
async def test_there_and_back(stage: Stage, tmp_path: Path) -> None:
    provider = AgeProviderStandIn()
    async with asking_site(stage, tmp_path, provider) as site:
        anna = await site.visitor("Anna", PHONE)
        # The page of the provider has no icon; the two failures are intended.
        anna.expect_trouble("favicon.ico|status of 403|status of 503|503 http")
        await anna.go("/onboarding")
        await anna.fill_profile()
        await anna.sees("Show that you are 18")
        await anna.press("Go to 127.0.0.1")
        await anna.press("Deny")
        await anna.sees("you did not agree at the provider")
        await anna.press("Back to the age check")
        provider.is_down = True
        await anna.press("Go to 127.0.0.1")
        await anna.sees("does not answer right now")
        provider.is_down = False
        await anna.press("Back to the age check")
        await anna.press("Go to 127.0.0.1")
        await anna.press("Agree")
        await anna.sees("Nice to meet you, Anna")
        await anna.take_selfie()
        await anna.pay()
        young = await site.visitor("Kim")
        young.expect_trouble("favicon.ico")
        provider.says = False
        await young.go("/onboarding")
        await young.fill_profile()
        await young.press("Go to 127.0.0.1")
        await young.press("Agree")
        await young.sees("Come back when you are 18")
        await young.go("/onboarding")
        await young.fill_profile()
        await young.sees("Come back when you are 18")
