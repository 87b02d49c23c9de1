"""The cache: bytes that may be forgotten at any time, but are never older than their age nor than a change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

Key = tuple[str, ...]
"""Tenant, family, and what tells the entries of the family apart."""
Make = Callable[[], Awaitable[bytes]]


def family_of(key: Key) -> Key:
    """Return tenant and family; ValueError when the key does not begin with both."""
    if len(key) < 2:  # noqa: PLR2004 - tenant and family
        raise ValueError(f"{key!r} is no key of the cache: begin it with tenant and family.")
    return key[:2]


class Cache(Protocol):
    """What is kept. Reads of a store that is gone find nothing; what must not be lost raises UNAVAILABLE."""

    async def get(self, key: Key) -> bytes | None:
        """Return the value, or None when it is not there, too old, or forgotten; reading renews no age."""
        ...

    async def set(self, key: Key, value: bytes, age_s: float) -> None:
        """Keep a value for at most `age_s`. What is computed from rows belongs in `get_or_set`."""
        ...

    async def get_or_set(self, key: Key, age_s: float, make: Make) -> bytes:
        """Return the value, or make it once for all who ask meanwhile; its age begins before it is made.

        What was made while its key or family was changed is handed out to those who asked before, and not kept.
        """
        ...

    async def delete(self, key: Key) -> None:
        """Forget one entry, everywhere, before this returns."""
        ...

    async def delete_prefix(self, prefix: Key) -> None:
        """Forget every entry of the family that `prefix` begins with, everywhere, before this returns."""
        ...

    async def incr(self, key: Key, age_s: float, by: int = 1) -> int:
        """Add to a counter and return it; its age begins with its first."""
        ...

    async def expire(self, key: Key, age_s: float) -> bool:
        """Let an entry live `age_s` from now; False when it is not there."""
        ...

    def changing(self, *families: Key) -> AbstractAsyncContextManager[None]:
        """Surround a write: once this is left, nobody gets an entry of these families from before it.

        UNAVAILABLE when that cannot be promised; then the body has not run.
        """
        ...
