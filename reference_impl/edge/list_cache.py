"""Keeps the lists that procedures declare as cached, and forgets them around the procedures that change them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.contract.procedure import Reply
from reference_impl.edge.answers import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.contract.procedure import Call, Handler, Procedure, Services
    from reference_impl.stores.cache import Key


class ListCache:
    """Runs procedures: a list from the cache while it is fresh, a change with the lists it touches surrounded."""

    def __init__(self, services: Services, key: Callable[[Procedure, Call[Any, Any]], Key]) -> None:
        self._key = key
        self._cache = services.cache
        self._age_s = services.settings.cache.list_age_s

    async def run(self, procedure: Procedure, call: Call[Any, Any], handler: Handler) -> Reply:
        """Return the handler's reply; UNAVAILABLE before a change whose lists could not be forgotten after it."""
        if procedure.cached:
            return Reply(msgspec.Raw(await self._listed(procedure, call, handler)))
        if not procedure.changes:
            return await handler(call)
        async with self._cache.changing(*((call.tenant, family) for family in procedure.changes)):
            return await handler(call)

    async def _listed(self, procedure: Procedure, call: Call[Any, Any], handler: Handler) -> bytes:
        async def page() -> bytes:
            return encode((await handler(call)).value)

        return await self._cache.get_or_set(self._key(procedure, call), self._age_s, page)


def key_of(procedure: Procedure, call: Call[Any, Any]) -> Key:
    """Return what tells one list from all others: tenant and family, procedure, query, the base of its links."""
    query = hashlib.blake2b(repr(call.query).encode(), digest_size=16).hexdigest()
    return (call.tenant, procedure.cached, procedure.id, query, call.base)
