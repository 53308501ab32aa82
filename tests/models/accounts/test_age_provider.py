"""The address and the proof of key of an age check (the rest: tests/handlers/accounts)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from models.accounts.age_proofs import AgeProofs
from models.accounts.age_provider import AgeProvider, challenge_of
from models.errors import NotFound, Unavailable
from models.ids import new_id
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakePerson


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_a_provider_without_a_server_is_unavailable_and_named(
    models: Models, person: MakePerson
) -> None:
    config = Config(age_provider_url="http://127.0.0.1:1", age_client_id="c", age_client_secret="s")
    proofs = AgeProofs(models.db, models.clock, config)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        await proofs.begin((await person("Anna")).user_id)
    with pytest.raises(NotFound):
        await proofs.finish(new_id(), "state", "code", "")
    await proofs.close()


def test_the_browser_comes_back_to_the_site() -> None:
    provider = AgeProvider(Config(base_url="https://sky.example", age_provider_url="https://age.example/x"))
    assert provider.return_url == "https://sky.example/age/return"
    assert provider.name == "age.example"
    assert parse_qs(urlsplit(provider.return_url).query) == {}
