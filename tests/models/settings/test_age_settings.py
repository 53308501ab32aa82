"""The settings of the age check: what a provider needs, and which addresses are accepted."""

from __future__ import annotations

import pytest

from models.settings.config import ConfigError
from models.settings.environment import read_config

PROVIDER = {
    "MINIMUM_AGE_CHECK": "provider",
    "AGE_PROVIDER_URL": "https://age.example/realms/x/",
    "AGE_CLIENT_ID": "napalm",
    "AGE_CLIENT_SECRET": "long enough",
}


def faults(**changes: str) -> list[str]:
    try:
        read_config(PROVIDER | changes)
    except ConfigError as error:
        return [fault.partition(" ")[0] for fault in error.faults]
    return []


def test_the_issuer_is_kept_as_it_is_written() -> None:
    config = read_config(PROVIDER)
    assert config.age_provider_url == PROVIDER["AGE_PROVIDER_URL"]
    assert config.asks_age_proof
    assert "long enough" not in repr(config)
    assert faults(AGE_PROVIDER_URL="http://127.0.0.1:9000") == []


@pytest.mark.parametrize("name", ["AGE_PROVIDER_URL", "AGE_CLIENT_ID", "AGE_CLIENT_SECRET"])
def test_each_is_needed(name: str) -> None:
    assert faults(**{name: ""}) == [name]
    assert faults(**{name: "", "MINIMUM_AGE_CHECK": "dob"}) == []


@pytest.mark.parametrize(
    "url", ["http://age.example", "ftp://age.example", "age.example", "https://age.example/?a=1", "https://"]
)
def test_odd_addresses_are_refused(url: str) -> None:
    assert "AGE_PROVIDER_URL" in faults(AGE_PROVIDER_URL=url)


def test_the_address_of_the_providers_document_is_no_issuer() -> None:
    url = "https://age.example/realms/x/.well-known/openid-configuration"
    with pytest.raises(ConfigError, match=r"AGE_PROVIDER_URL must end before /\.well-known/"):
        read_config(PROVIDER | {"AGE_PROVIDER_URL": url})


def test_the_scope_asks_for_a_sign_in() -> None:
    assert faults(AGE_SCOPE="age") == ["AGE_SCOPE"]
    assert faults(AGE_SCOPE="openid age") == []
