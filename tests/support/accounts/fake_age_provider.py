"""A small OpenID Connect provider on loopback, at the level of HTTP: discovery, authorization, tokens, keys.

Rejects what a provider rejects: another client, a redirect address that is not registered, a missing or wrong
PKCE verifier, a code used twice. `says` is its answer; `odd` changes the next ID token; `faults` are the next
answers of the token endpoint.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from tornado.web import RequestHandler

from tests.support.fake_service import FakeService

CLIENT, SECRET = "napalm sky+1", "an age secret: 50%"
KEY_ID = "key-1"


class AgeProviderStandIn(FakeService):
    def __init__(self) -> None:
        self.says: object = True
        self.odd: dict[str, Any] = {}
        self.asked: list[dict[str, str]] = []
        self.is_down = False
        self.codes: dict[str, dict[str, str]] = {}
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signing_key = self.key
        own = {"provider": self}
        super().__init__([
            (r"/.well-known/openid-configuration", DiscoveryHandler, own),
            (r"/authorize", AuthorizeHandler, own),
            (r"/token", TokenHandler, own),
            (r"/keys", KeysHandler, own),
        ])  # fmt: skip

    @property
    def settings(self) -> dict[str, Any]:
        """The settings for `make_site`."""
        return {
            "minimum_age_check": "provider", "age_provider_url": self.api_base, "age_client_id": CLIENT,
            "age_client_secret": SECRET,
        }  # fmt: skip

    def code_for(self, asked: dict[str, str]) -> str:
        """As after the person has agreed."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return code

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.api_base, "sub": "person-1", "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "age_over_18": self.says, "name": "Private Name",
        }  # fmt: skip
        claims |= self.odd
        self.odd = {}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.signing_key, "RS256", {"kid": KEY_ID})


class _Handler(RequestHandler):
    def initialize(self, provider: AgeProviderStandIn) -> None:
        self.provider = provider

    async def prepare(self) -> None:
        if self.provider.is_down:
            self.set_status(503)
            self.finish()


class DiscoveryHandler(_Handler):
    def get(self) -> None:
        base = self.provider.api_base
        self.finish({
            "issuer": base, "authorization_endpoint": f"{base}/authorize?theme=dark",
            "token_endpoint": f"{base}/token", "jwks_uri": f"{base}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        })  # fmt: skip


class AuthorizeHandler(_Handler):
    """Agrees at once, with the link that a person would press."""

    def get(self) -> None:
        asked = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        self.provider.asked.append(asked)
        if (asked.get("client_id"), asked.get("response_type")) != (CLIENT, "code"):
            self.set_status(400)
            return
        back = f"{asked['redirect_uri']}?"
        agreed = back + urlencode({"code": self.provider.code_for(asked), "state": asked["state"]})
        denied = back + urlencode({"error": "access_denied", "state": asked["state"]})
        self.finish(
            f'<!doctype html><title>Age</title><a href="{agreed}">Agree</a> <a href="{denied}">Deny</a>'
        )


class TokenHandler(_Handler):
    def post(self) -> None:
        provider = self.provider
        if provider.faults:
            self.set_status(int(provider.faults.popleft()))
            self.finish("{}")
            return
        form = {name: values[-1] for name, values in parse_qs(self.request.body.decode()).items()}
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.request.headers.get("Authorization") != f"Basic {wanted}":
            self.set_status(401)
            self.finish({"error": "invalid_client"})
            return
        asked = provider.codes.pop(form.get("code", ""), None)
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).decode().rstrip("=")
        if (
            asked is None
            or asked["code_challenge_method"] != "S256"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
            or form.get("grant_type") != "authorization_code"
        ):
            self.set_status(400)
            self.finish({"error": "invalid_grant"})
            return
        token = provider.id_token(asked)
        self.finish({"access_token": "unused", "token_type": "Bearer", "id_token": token})


class KeysHandler(_Handler):
    def get(self) -> None:
        own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.provider.key.public_key()))
        self.finish({"keys": [own | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}]})
