"""The ids that things have, offered where an operation needs one, so that a fuzzing gets past 404.

What needs what is worked out from the contract (harness/contract/prerequisites.py). The pool learns from the answers of
whoever made a thing: promise cases and other drivers before the fuzzing, the fuzzing's own requests while it goes on.
What is offered depends on the value that was drawn alone, so that the same draw is the same request again.
"""

from __future__ import annotations

import zlib
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from harness import things
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.contract import Contract
    from harness.contract.candidates import Producer
    from harness.exchange import Exchange

MAX_KEPT = 16
SHARE = 3
"""Of so many draws one is left as it is."""


class Pool:
    """The newest ids of each producer that the `only` operations want; what was deleted is taken out."""

    def __init__(self, contract: Contract, only: frozenset[str] | None = None) -> None:
        self._contract = contract
        self._ids: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=MAX_KEPT))
        self._path: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._body: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._producers: dict[str, Producer] = {}
        for operation in contract.operations:
            if only is not None and operation.id not in only:
                continue
            key = (operation.method, operation.path)
            for need in contract.prerequisites.needs(operation):
                if need.producer is None or need.place not in {"path", "body"}:
                    continue
                self._producers[need.producer.operation] = need.producer
                table = self._path if need.place == "path" else self._body
                table.setdefault(key, []).append((need.name, need.producer.operation))

    @property
    def producers(self) -> tuple[str, ...]:
        """The operations whose things are wanted somewhere, in the document's order."""
        return tuple(item.id for item in self._contract.operations if item.id in self._producers)

    def producer(self, operation: str) -> Producer:
        """What the operation produces."""
        return self._producers[operation]

    def learn(self, exchange: Exchange) -> None:
        """Takes in what an exchange made, and out what it deleted."""
        if exchange.outcome is not Outcome.OK:
            return
        producer = self._producers.get(exchange.operation)
        if producer is not None:
            self._made(producer, exchange)
        elif exchange.request.method == "DELETE":
            gone = unquote(exchange.request.path.rstrip("/").rpartition("/")[2])
            for known in self._ids.values():
                if gone in known:
                    known.remove(gone)

    def _made(self, producer: Producer, exchange: Exchange) -> None:
        resource = self._contract.prerequisites.resource(producer)
        try:
            known = things.id_of(resource, exchange)
        except CannotTell:
            return
        if known not in self._ids[producer.operation]:
            self._ids[producer.operation].append(known)

    def learn_all(self, exchanges: Iterable[Exchange], tenant: str) -> None:
        """Takes in what a history holds of one tenant."""
        for exchange in exchanges:
            if exchange.request.identity.tenant == tenant:
                self.learn(exchange)

    def path(self, method: str, path: str, drawn: Any) -> Any:
        """The path parameters of an operation, with ids of things in place of most of what was drawn."""
        wanted = self._path.get((method, path))
        if not wanted or not isinstance(drawn, dict):
            return drawn
        offered = {name: self._offer(producer, drawn.get(name)) for name, producer in wanted if name in drawn}
        return {**drawn, **{name: known for name, known in offered.items() if known is not None}}

    def body(self, method: str, path: str, drawn: Any) -> Any:
        """A JSON body, with ids of things where it has texts that refer to some."""
        for name, producer in self._body.get((method, path), ()) if isinstance(drawn, dict) else ():
            held = pointer.get(drawn, name)
            known = self._offer(producer, held) if isinstance(held, str) and held else None
            drawn = drawn if known is None else pointer.put(drawn, name, known)
        return drawn

    def _offer(self, producer: str, drawn: Any) -> str | None:
        known = self._ids.get(producer)
        number = zlib.crc32(repr(drawn).encode("utf-8", "surrogatepass"))
        if not known or number % SHARE == 0:
            return None
        return known[number // SHARE % len(known)]
