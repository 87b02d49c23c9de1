"""An OpenID provider: its discovery document, its keys, and the exchange of a code for an ID token.

Whatever it answers or does not is BAD_GATEWAY within `timeout_s`; a code or a token that it does not stand by is
UNAUTHORIZED. The flow is the authorization code with PKCE (RFC 7636) and a nonce.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from reference_impl.errors import ApiError, unauthorized
from reference_impl.identity import id_token

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from reference_impl.identity.id_token import Person
    from reference_impl.settings.identity import OAuth

T = TypeVar("T")
_KEPT_S = 3600.0
# A key that is not known may be new; the provider is not asked more often than this for made-up ones.
_ASKED_AGAIN_S = 30.0
_LARGEST_BYTES = 1_000_000
_BAD_REQUEST, _UNAUTHORIZED, _OK = 400, 401, 200
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """The provider of the settings, with what was learnt of it."""

    def __init__(self, settings: OAuth) -> None:
        self._settings = settings
        # Reading all authorities costs more than a login: it is done once. A connection is made anew each time, as one
        # that was kept may be closed just when a code, which is good once, is sent on it.
        self._tls = httpx.create_ssl_context(trust_env=False)
        self._found: dict[str, Any] = {}
        self._found_s = -_KEPT_S
        self._keys: dict[str, Any] = {}
        self._keys_s = -_KEPT_S

    @property
    def issuer(self) -> str:
        """Who signs."""
        return str(self._found.get("issuer", self._settings.issuer))

    async def authorization_url(self, state: str, nonce: str, verifier: str) -> str:
        """Return where a person signs in."""
        found = await self._bounded(self._discovered())
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_url,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = str(found["authorization_endpoint"])
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def person(self, code: str, verifier: str, nonce: str) -> Person:
        """Return whom the provider signed in for a code."""
        return await self._bounded(self._person(code, verifier, nonce))

    async def _bounded(self, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await work
        except (TimeoutError, httpx.HTTPError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise failed() from error

    async def _discovered(self) -> dict[str, Any]:
        now_s = time.monotonic()
        if now_s - self._found_s >= _KEPT_S:
            issuer = self._settings.issuer.rstrip("/")
            status, found = await self._ask("GET", f"{issuer}/.well-known/openid-configuration")
            schemes = {"http", "https"} if urlsplit(issuer).scheme == "http" else {"https"}
            whole = all(urlsplit(str(found.get(name))).scheme in schemes for name in _ENDPOINTS)
            # OpenID Connect Discovery 1.0, 4.3: another issuer's document is not this one's.
            if status != _OK or not whole or str(found.get("issuer")).rstrip("/") != issuer:
                raise failed()
            self._found, self._found_s = found, now_s
        return self._found

    async def _person(self, code: str, verifier: str, nonce: str) -> Person:
        found = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect_url,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        if self._settings.client_secret:
            form["client_secret"] = self._settings.client_secret
        status, answer = await self._ask("POST", str(found["token_endpoint"]), form)
        if status in (_BAD_REQUEST, _UNAUTHORIZED) and answer.get("error") == "invalid_grant":
            raise unauthorized("The provider does not stand by this code.")
        token = answer.get("id_token")
        if status != _OK or not isinstance(token, str):
            raise failed()
        key = id_token.key_of(await self._key_set(), name := id_token.key_id(token))
        key = key or id_token.key_of(await self._key_set(anew=True), name)
        if key is None:
            raise unauthorized("The provider's ID token does not hold.")
        return id_token.read(token, key, self._settings, self.issuer, nonce)

    async def _key_set(self, *, anew: bool = False) -> dict[str, Any]:
        now_s = time.monotonic()
        if now_s - self._keys_s >= (_ASKED_AGAIN_S if anew else _KEPT_S):
            status, keys = await self._ask("GET", str(self._found["jwks_uri"]))
            if status != _OK or not isinstance(keys.get("keys"), list):
                raise failed()
            self._keys, self._keys_s = keys, now_s
        return self._keys

    async def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """Return status and JSON object of an answer; redirects are not followed, nor are long bodies read."""
        async with (
            httpx.AsyncClient(timeout=self._settings.timeout_s, trust_env=False, verify=self._tls) as client,
            client.stream(method, url, data=form, headers={"Accept": "application/json"}) as response,
        ):
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _LARGEST_BYTES:
                    raise failed()
        answer = msgspec.json.decode(bytes(body))
        if not isinstance(answer, dict):
            raise failed()
        return response.status_code, answer


def failed() -> ApiError:
    """Return the BAD_GATEWAY of a provider that does not do its part."""
    return ApiError("BAD_GATEWAY", "The login provider does not answer as it should. Try again later.")
