"""Refuses writes that a browser sends with the session cookie on another site's behalf."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reference_impl.errors import ApiError
from reference_impl.identity import csrf

if TYPE_CHECKING:
    from reference_impl.edge.exchange import Exchange
    from reference_impl.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def check(exchange: Exchange, session_id: str, settings: Settings) -> None:
    """Pass a request that the cookie authenticates; FORBIDDEN for a write without the session's own token."""
    if exchange.method in SAFE:
        return
    if not from_own_site(exchange, settings.edge.cors_origins):
        raise ApiError("FORBIDDEN", "A write by the session cookie may come from an allowed origin only.")
    if not csrf.holds(settings.identity.token_key, session_id, exchange.headers.get(csrf.HEADER, "")):
        raise ApiError("FORBIDDEN", "A write by the session cookie needs the cookie `csrf` as header X-CSRF-Token.")


def from_own_site(exchange: Exchange, allowed: tuple[str, ...]) -> bool:
    """Say whether Origin, or else Referer, is this host or an allowed origin; True where neither is sent."""
    told = exchange.headers.get("origin")
    if told is None:
        referer = exchange.headers.get("referer")
        if referer is None:
            return True
        told = origin_of(referer)
    scheme = "https" if exchange.secure else "http"
    return told == f"{scheme}://{exchange.headers.get('host', '').lower()}" or told in allowed


def origin_of(url: str) -> str:
    """Return scheme and authority of a URL; nothing when it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme and parts.netloc else ""
