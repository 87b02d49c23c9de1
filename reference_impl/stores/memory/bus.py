"""The bus in this process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from reference_impl.stores.bus import LOST, Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reference_impl.stores.bus import Key


class MemoryBus:
    """The subscriptions of this process, by channel."""

    def __init__(self) -> None:
        self._channels: dict[Key, set[Subscription]] = {}

    async def publish(self, channel: Key, message: bytes = LOST) -> None:
        """Hand a message to whoever subscribes now."""
        self.deliver(channel, message)

    def deliver(self, channel: Key, message: bytes) -> None:
        """Hand a message to the subscribers of a channel."""
        for subscription in self._channels.get(channel, ()):
            subscription.deliver(message)

    def lost(self) -> None:
        """Tell every subscriber that messages may be missing."""
        for channel in self._channels:
            self.deliver(channel, LOST)

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: Key) -> AsyncIterator[Subscription]:
        """Collect the channel's messages from entering on."""
        subscription = Subscription()
        self._channels.setdefault(channel, set()).add(subscription)
        try:
            yield subscription
        finally:
            others = self._channels[channel]
            others.discard(subscription)
            if not others:
                del self._channels[channel]
