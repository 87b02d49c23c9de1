"""Reads ID tokens (OpenID Connect Core 1.0, 3.1.3.7): signature, issuer, audience, times and nonce must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jwt

from reference_impl.errors import unauthorized

if TYPE_CHECKING:
    from reference_impl.settings.identity import OAuth

# Asymmetric ones only: with a shared secret, whoever knows the client's could sign.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
_LEEWAY_S = 10
_LONGEST_SUBJECT = 255


class Person(NamedTuple):
    """Whom the provider says it signed in; the e-mail is empty unless the provider has verified it."""

    subject: str
    email: str
    name: str


def key_id(token: str) -> str:
    """Return which key a token says it is signed with; UNAUTHORIZED when it is no signed token."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise _refused() from error
    if header.get("alg") not in _ALGORITHMS:
        raise _refused()
    return str(header.get("kid", ""))


def key_of(keys: dict[str, Any], name: str) -> jwt.PyJWK | None:
    """Return the signing key of this id, or the only one where a token names none; None when there is none."""
    try:
        usable = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")]
    except (jwt.PyJWTError, AttributeError, TypeError, KeyError):
        return None
    if not name:
        return usable[0] if len(usable) == 1 else None
    return next((key for key in usable if key.key_id == name), None)


def read(token: str, key: jwt.PyJWK, settings: OAuth, issuer: str, nonce: str) -> Person:
    """Return whom a token is about; UNAUTHORIZED when any of it does not hold."""
    try:
        payload = jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS),
            audience=settings.client_id,
            issuer=issuer,
            leeway=_LEEWAY_S,
            options={"require": _REQUIRED},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise _refused() from error
    subject, audience = payload["sub"], payload["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if several and payload.get("azp") != settings.client_id:
        raise _refused()
    if payload["nonce"] != nonce or not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise _refused()
    email = payload.get("email") if payload.get("email_verified") is True else ""
    return Person(subject, email if isinstance(email, str) else "", str(payload.get("name") or ""))


def _refused() -> Exception:
    return unauthorized("The provider's ID token does not hold.")
