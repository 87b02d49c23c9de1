"""What an answer tells caches on the way by its headers, held against what is promised of it (RFC 9111)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.exchange import Exchange
    from harness.promises.cache.annotation import Told

GRANULARITY_S = 1
NUMBER = re.compile(r'"?(\d+)"?')


def directives(text: str) -> dict[str, str]:
    """The directives of a Cache-Control, in lower case, each with its argument or nothing."""
    found = {}
    for part in text.split(","):
        name, _, argument = part.strip().partition("=")
        if name:
            found[name.lower()] = argument.strip()
    return found


def contradictions(told: Told, tenant_header: str, exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Kind and sentence for each header that says otherwise than what is promised."""
    response = exchange.response
    if response is None:
        return
    age = NUMBER.fullmatch((response.header("Age") or "").strip())
    if age is not None and int(age[1]) > told.age_s + GRANULARITY_S:
        yield "Age", f"An answer says that it is {age[1]} s old, where {told.age_s:g} s are promised."
    control = directives(response.header("Cache-Control") or "")
    for name in ("s-maxage", "max-age"):
        kept = NUMBER.fullmatch(control.get(name, ""))
        if kept is not None and not {"no-store", "no-cache"} & set(control) and int(kept[1]) > told.age_s:
            yield name, f"{name}={kept[1]} lets an answer be kept longer than the {told.age_s:g} s that are promised."
    shared = _shared(control, exchange)
    if told.private and shared:
        shown = response.header("Cache-Control")
        yield "public", f"Cache-Control: {shown} lets a shared cache keep an answer that is its caller's own."
    vary = response.names("Vary")
    if shared and tenant_header and not {tenant_header.lower(), "*"} & vary:
        yield (
            "Vary",
            f"A shared cache may keep an answer whose Vary does not name {tenant_header}, which tells the tenant.",
        )


def _shared(control: dict[str, str], exchange: Exchange) -> bool:
    """Whether a cache that many share may keep the answer and give it without asking (RFC 9111, 3)."""
    if {"no-store", "private", "no-cache"} & set(control):
        return False
    signed = any(name.lower() == "authorization" for name, _ in _sent(exchange))
    return bool({"public", "s-maxage"} & set(control)) or ("max-age" in control and not signed)


def _sent(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    return (*exchange.request.identity.headers, *exchange.request.headers)
