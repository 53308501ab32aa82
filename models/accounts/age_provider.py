"""The provider that says whether a person is 18: an OpenID Connect provider with the claim `age_over_18`.

The authorization code flow (OpenID Connect Core 1.0, 3.1) with PKCE (RFC 7636), state and nonce. Its
addresses and keys come from its discovery document (OpenID Connect Discovery 1.0). Only the claim is read
from the ID token, after its signature, issuer, audience, time and nonce were checked; nothing is read from a
profile. The only module that imports PyJWT. Raises: AgeCheckFailed (with the cause), Unavailable (the
provider is down).
"""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
import jwt
import msgspec

from models.errors import NotAllowed, Unavailable
from models.settings.config import Config

Kind = TypeVar("Kind")
logger = logging.getLogger(__name__)
CLAIM = "age_over_18"
# Signatures only: with `none` or a shared key, anyone could write a token.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
SECONDS = 10.0
LEEWAY_SECONDS = 60
KEEP_SECONDS = 3600.0
MOST_BYTES = 256 * 1024
DOWN = "The age check at {name} does not answer right now. Your profile is kept: try again in a few minutes."
FAILED = "The age check did not work: {cause} Nothing was recorded; you can try again."


class AgeCheckFailed(NotAllowed):
    """The check has no result. The message names the cause."""

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(FAILED.format(cause=cause))


class _Metadata(msgspec.Struct, frozen=True):
    """What we need of the discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class AgeProvider:
    def __init__(self, config: Config) -> None:
        self._config = config
        self.issuer = config.age_provider_url or ""
        self.name = urlsplit(self.issuer).hostname or ""
        self._http: httpx.AsyncClient | None = None
        self._metadata: _Metadata | None = None

    @property
    def return_url(self) -> str:
        return f"{self._config.base_url}/age/return"

    async def authorize_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes. Asks the provider first, so that no one is sent to one that is down."""
        self._metadata = None
        found = await self._discovered()
        asked = {
            "response_type": "code",
            "client_id": self._config.age_client_id or "",
            "redirect_uri": self.return_url,
            "scope": self._config.age_scope,
            "claims": msgspec.json.encode({"id_token": {CLAIM: {"essential": True}}}).decode(),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        mark = "&" if urlsplit(found.authorization_endpoint).query else "?"
        return f"{found.authorization_endpoint}{mark}{urlencode(asked)}"

    async def is_adult(self, code: str, nonce: str, verifier: str) -> bool:
        """The provider's answer for the code that the browser brought back."""
        found = await self._discovered()
        token = await self._id_token(found, code, verifier)
        claims = await self._checked(found, token)
        if claims.get("nonce") != nonce:
            raise AgeCheckFailed("the answer belongs to another check.")
        if not isinstance(claims.get(CLAIM), bool):
            logger.error("AGE_PROVIDER_URL: the ID token has no claim %s that is true or false", CLAIM)
            raise AgeCheckFailed("the provider did not say whether you are 18.")
        return bool(claims[CLAIM])

    async def _id_token(self, found: _Metadata, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.return_url,
            "code_verifier": verifier,
        }
        client_id, secret = self._config.age_client_id or "", self._config.age_client_secret or ""
        basic = None
        if "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            basic = httpx.BasicAuth(client_id, secret)
        else:
            form |= {"client_id": client_id, "client_secret": secret}
        answer = await self._ask("POST", found.token_endpoint, data=form, auth=basic)
        if answer.status_code == 401:
            logger.error("AGE_CLIENT_SECRET: the age provider refuses AGE_CLIENT_ID with it")
        if answer.status_code != 200:
            raise AgeCheckFailed("the provider did not accept its own answer. It may be too old.")
        return _read(answer, _Tokens).id_token

    async def _checked(self, found: _Metadata, token: str) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7)."""
        try:
            keys = jwt.PyJWKSet.from_dict(
                msgspec.json.decode((await self._ask("GET", found.jwks_uri)).content)
            )
            key_id = jwt.get_unverified_header(token).get("kid")
            (key, *_) = [one for one in keys.keys if key_id is None or one.key_id == key_id]
            return jwt.decode(
                token, key, algorithms=ALGORITHMS, audience=self._config.age_client_id, issuer=found.issuer,
                leeway=LEEWAY_SECONDS, options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )  # fmt: skip
        except (jwt.PyJWTError, msgspec.DecodeError, ValueError) as error:
            logger.error("AGE_PROVIDER_URL: an ID token cannot be used (%s)", type(error).__name__)
            raise AgeCheckFailed("the provider's answer is not signed as it should be.") from error

    async def _discovered(self) -> _Metadata:
        if self._metadata is None:
            url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            answer = await self._ask("GET", url)
            found = _read(answer, _Metadata) if answer.status_code == 200 else None
            if found is None or found.issuer != self.issuer:
                logger.error("AGE_PROVIDER_URL: no discovery document of this issuer is there")
                raise self._down()
            self._metadata = found
        return self._metadata

    async def _ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Raises: Unavailable. Never follows a redirect."""
        self._http = self._http or httpx.AsyncClient(timeout=SECONDS, headers={"Accept": "application/json"})
        try:
            answer = await self._http.request(method, url, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            logger.error("AGE_PROVIDER_URL: the age provider cannot be reached (%s)", type(error).__name__)
            raise self._down() from error
        if answer.status_code >= 500 or len(answer.content) > MOST_BYTES:
            logger.error("AGE_PROVIDER_URL: the age provider answers with %s", answer.status_code)
            raise self._down()
        return answer

    def _down(self) -> Unavailable:
        # What was discovered may be out of date.
        self._metadata = None
        return Unavailable(DOWN.format(name=self.name), retry_after=60)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()


def _read(answer: httpx.Response, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        logger.error("AGE_PROVIDER_URL: the age provider's JSON is not what it should be (%s)", error)
        raise AgeCheckFailed("the provider's answer cannot be read.") from error


def challenge_of(verifier: str) -> str:
    """RFC 7636, 4.2 (S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
