"""The sliding-window log in Redis: one script a decision, so that workers cannot pass a quota together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_impl.stores.limits import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.stores.limits import Key, Rule
    from reference_impl.stores.redis.server import Server

_MICROSECONDS = 1_000_000


class RedisLimits:
    """One sorted set a key and rule, which ends with its window. Without a clock of its own it reads the server's."""

    def __init__(self, server: Server, clock: Callable[[], float] | None = None) -> None:
        self._server = server
        self._clock = clock

    async def take(self, key: Key, rule: Rule) -> Decision:
        """Count one request of `key` against `rule`, unless the quota is spent; UNAVAILABLE when Redis is gone."""
        window_us = round(rule.window_s * _MICROSECONDS)
        told = "" if self._clock is None else str(round(self._clock() * _MICROSECONDS))
        answer = await self._server.run("take", [self._name(key, rule)], [rule.quota, window_us, told])
        admitted, count, oldest_us, now_us, ticket = answer
        return Decision(
            allowed=bool(admitted),
            quota=rule.quota,
            remaining=max(0, rule.quota - count),
            reset_s=max(0, oldest_us + window_us - now_us) / _MICROSECONDS,
            ticket=ticket.decode(),
        )

    async def give_back(self, key: Key, rule: Rule, taken: Decision) -> None:
        """Forget an admission of `key`: it did not count after all."""
        await self._server.call("ZREM", self._name(key, rule), taken.ticket)

    def _name(self, key: Key, rule: Rule) -> str:
        return self._server.name("limit", (rule.name, *key))
