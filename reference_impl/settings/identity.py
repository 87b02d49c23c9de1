"""Who is calling: tokens, sessions, cookies, hashes, the OAuth2 provider."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reference_impl.settings import reader as parse
from reference_impl.settings.reader import KEY_LENGTH, everywhere, local, usually

if TYPE_CHECKING:
    from reference_impl.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class Identity:
    """Lives in seconds; the key signs tokens."""

    token_key: str = field(repr=False)
    token_life_s: int
    refresh_life_s: int
    argon2_time_cost: int
    argon2_memory_kib: int


@dataclass(frozen=True, slots=True)
class OAuth:
    """One OpenID provider, found by its issuer's discovery document; none when `issuer` is empty."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str
    timeout_s: float


def identity(reader: Reader) -> Identity:
    """Read the section; hashes cost what OWASP's Password Storage Cheat Sheet asks for (m=19456, t=2, p=1).

    Not so under verify, where thousands of users are made.
    """
    return Identity(
        token_key=reader.read(
            "API_TOKEN_KEY",
            parse.key,
            f"it must have at least {KEY_LENGTH} characters",
            local(secrets.token_hex(KEY_LENGTH)),
            secret=True,
        ),
        token_life_s=reader.whole("API_TOKEN_LIFE_S", 1, 86400, everywhere(900)),
        refresh_life_s=reader.whole("API_REFRESH_LIFE_S", 1, 31_536_000, everywhere(2_592_000)),
        argon2_time_cost=reader.whole("API_ARGON2_TIME_COST", 1, 100, usually(2, verify=1)),
        argon2_memory_kib=reader.whole("API_ARGON2_MEMORY_KIB", 64, 4_194_304, usually(19456, verify=1024)),
    )


def oauth(reader: Reader) -> OAuth:
    """Read the section; an issuer needs its client."""
    section = OAuth(
        issuer=reader.read(
            "API_OAUTH_ISSUER",
            parse.url("http", "https"),
            "it must be the issuer's URL, or empty for no OAuth2 login",
            everywhere(""),
        ),
        client_id=reader.text("API_OAUTH_CLIENT_ID", everywhere("")),
        client_secret=reader.text("API_OAUTH_CLIENT_SECRET", everywhere(""), secret=True),
        redirect_url=reader.read(
            "API_OAUTH_REDIRECT_URL",
            parse.url("http", "https"),
            "it must be the URL that the provider sends people back to",
            everywhere(""),
        ),
        timeout_s=reader.seconds("API_OAUTH_TIMEOUT_S", everywhere(5.0)),
    )
    if section.issuer:
        told = {"API_OAUTH_CLIENT_ID": section.client_id, "API_OAUTH_REDIRECT_URL": section.redirect_url}
        reader.problems += [
            f"{name} is missing: API_OAUTH_ISSUER needs it. Set it, or unset API_OAUTH_ISSUER."
            for name, value in told.items()
            if not value
        ]
    return section
