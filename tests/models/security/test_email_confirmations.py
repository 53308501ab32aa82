"""Links that confirm an address: for one user and one address."""

from __future__ import annotations

from models.ids import new_id
from models.security.email_confirmations import EmailConfirmations
from models.wiring import Models


async def test_a_token_fits_one_user_and_one_address(models: Models) -> None:
    links = EmailConfirmations(models.site_secret, models.config)
    anna, ben = new_id(), new_id()
    url = await links.url(anna, "anna@example.com")
    assert url.startswith(f"{models.config.base_url}/confirm/{anna}?token=")
    token = url.partition("=")[2]
    assert await links.fits(token, anna, "anna@example.com")
    assert not await links.fits(token, ben, "anna@example.com")
    assert not await links.fits(token, anna, "other@example.com")
    for wrong in ("", "x", "\u00e9", token[:-1]):
        assert not await links.fits(wrong, anna, "anna@example.com")
