"""Access tokens: short JWTs (RFC 7519) that carry a session id, which is looked up on each request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import jwt

from reference_impl.clock import rfc3339
from reference_impl.errors import unauthorized

if TYPE_CHECKING:
    from jwt.types import Options

    from reference_impl.data.database import Database

ISSUER = "reference-impl"
AUDIENCE = "reference-impl-api"
_ALGORITHM = "HS256"
_HELD = 4096
REQUIRED = ["exp", "iat", "nbf", "sub", "sid", "ten", "aud", "iss"]
_SESSION = (
    "SELECT u.id, u.name, u.roles, s.expires_at, s.revoked_at FROM sessions s JOIN users u ON u.id = s.user_id "
    "WHERE s.id = ? AND u.id = ? AND u.deleted_at IS NULL AND u.status = 'active'"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling, as the session and the user's row say now."""

    user_id: str
    name: str
    roles: frozenset[str]
    session_id: str
    """Empty for the holder of an API key."""
    scopes: frozenset[str] | None = None
    """What an API key may; None for a session, which may all."""
    key_id: str = ""
    """Empty for the holder of a session."""

    @property
    def admin(self) -> bool:
        """Whether the caller is an admin of the tenant."""
        return "admin" in self.roles


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that holds says."""

    user_id: str
    session_id: str
    tenant: str


class Tokens:
    """Signs and reads the tokens of one key."""

    options: ClassVar[Options] = {"require": REQUIRED}
    """What is asked of a token beside its signature."""

    def __init__(self, key: str, life_s: int) -> None:
        self._key = key
        self.life_s = life_s
        # A signature is checked once; expiry and session on every request.
        self._held: dict[str, tuple[Claims, int]] = {}

    def sign(self, claims: Claims) -> str:
        """Return a token that holds for `life_s` seconds."""
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "nbf": now,
            "exp": now + self.life_s,
            "sub": claims.user_id,
            "sid": claims.session_id,
            "ten": claims.tenant,
        }
        return jwt.encode(payload, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> Claims:
        """Return the claims of a token that holds; UNAUTHORIZED otherwise."""
        held = self._held.get(token)
        if held is None:
            held = self._verified(token)
            if len(self._held) >= _HELD:
                self._held.clear()
            self._held[token] = held
        if held[1] <= time.time():
            raise unauthorized("The token does not hold.")
        return held[0]

    def _verified(self, token: str) -> tuple[Claims, int]:
        """Return the claims and the expiry, in epoch seconds, of a token whose signature and times hold."""
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options=self.options,
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise unauthorized("The token does not hold.") from error
        values = [payload["sub"], payload["sid"], payload["ten"]]
        if not all(isinstance(value, str) for value in values):
            raise unauthorized("The token does not hold.")
        return Claims(*values), self._end(payload)

    def _end(self, payload: dict[str, Any]) -> int:
        return int(payload["exp"])


def bearer(header: str) -> str:
    """Return the token of an Authorization header; UNAUTHORIZED without the scheme Bearer."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("Send the token as `Authorization: Bearer <token>`.")
    return token


async def identify(database: Database, claims: Claims) -> Identity:
    """Return who holds the session now; UNAUTHORIZED when it is unknown, expired or revoked."""
    row = await database.query_one(_SESSION, claims.session_id, claims.user_id)
    if row is None or row[4] is not None or row[3] <= rfc3339(time.time()):
        raise unauthorized("The session is over.")
    return Identity(row[0], row[1], roles_of(row[2]), claims.session_id)


def roles_of(text: str) -> frozenset[str]:
    """Read the roles column: names between commas."""
    return frozenset(text.split(","))
