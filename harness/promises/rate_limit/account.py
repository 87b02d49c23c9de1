"""Which requests of a case a limit saw, for whom, and what is certain about each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.exchange import Exchange, Outcome
from harness.promises.rate_limit import headers
from harness.promises.rate_limit.annotation import Limit, limits
from harness.promises.rate_limit.model import Event, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.contract import Contract, Operation

TOO_MANY_REQUESTS = 429
SETUP = "set-up"
SHARED = ".shared"
SPOOFED = "spoofed"
ABROAD = "abroad"
NEVER_NS = 1 << 62


@dataclass(frozen=True)
class View:
    """What one limit sees of one key in a case: its requests with their exchanges, in the order they were sent.

    `own` says that nobody but the case uses the key, so that what is not here was not counted.
    """

    limit: Limit
    key: tuple[str, str]
    seen: tuple[tuple[Event, Exchange], ...]
    own: bool

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The requests without their exchanges."""
        return tuple(event for event, _ in self.seen)

    @cached_property
    def by_id(self) -> dict[str, Event]:
        """The requests by their exchange's id."""
        return {event.id: event for event in self.events}

    @cached_property
    def window(self) -> Window:
        """Counts all requests that may have been counted, refusals too."""
        return Window.of(self.events)

    @cached_property
    def counted(self) -> Window:
        """Counts the requests that were certainly counted."""
        return Window.of(event for event in self.events if event.counted)

    def can_refuse(self, id_: str) -> bool:
        """Whether the limit can have been the one that refused; one that others use too always can."""
        return not self.own or self.window.possible(self.by_id[id_], self.limit.window_ns) - 1 >= self.limit.quota

    def apart(self) -> Iterable[tuple[tuple[Event, Exchange] | None, tuple[Event, Exchange]]]:
        """Each request that overlaps no other of the key, with the one before it where that stands apart too."""
        before: tuple[Event, Exchange] | None = None
        latest_ns = 0
        for at, (event, exchange) in enumerate(self.seen):
            following = self.seen[at + 1][0].low_ns if at + 1 < len(self.seen) else NEVER_NS
            if latest_ns <= event.low_ns and event.high_ns <= following:
                yield before, (event, exchange)
                before = (event, exchange)
            else:
                before = None
            latest_ns = max(latest_ns, event.high_ns)


def views(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> tuple[View, ...]:
    """What each limit of the operation sees of each of its callers in a case."""
    return tuple(
        _calibrated(view)
        for limit in limits(contract, operation)
        for view in _views(contract, limit, exchanges)
        if any(is_call(operation, exchange) for _, exchange in view.seen)
    )


def is_call(operation: Operation, exchange: Exchange) -> bool:
    """Whether an exchange is the case's own call of the operation, and no set-up."""
    return exchange.operation == operation.id and exchange.request.step != SETUP


def _views(contract: Contract, limit: Limit, exchanges: Sequence[Exchange]) -> Iterable[View]:
    by_key: dict[tuple[str, str], list[tuple[Event, Exchange]]] = defaultdict(list)
    for exchange in exchanges:
        key = limit.key(exchange.request)
        if key is not None and _may_count(contract, limit, exchange):
            by_key[key].append((_event(limit, exchange), exchange))
    for key, seen in by_key.items():
        shared = any(exchange.request.step.endswith(SHARED) for _, exchange in seen)
        own = not shared and key[0] != "tenant" and key != ("address", "")
        yield View(limit, key, tuple(sorted(seen, key=lambda pair: pair[0].low_ns)), own)


def _may_count(contract: Contract, limit: Limit, exchange: Exchange) -> bool:
    """Whether the limit applies; what the contract does not know may be under the document's limit."""
    operation = contract.by_id.get(exchange.operation)
    if operation is None:
        return not limit.operation
    return any(other.name == limit.name for other in limits(contract, operation))


def _event(limit: Limit, exchange: Exchange) -> Event:
    """A request with a body may be judged by its head, which leaves earlier; one without an answer, at any time."""
    request = exchange.request
    ours = not limit.operation or limit.operation == exchange.operation
    return Event(
        id=exchange.id,
        low_ns=exchange.sent_ns if request.body is None else min(exchange.due_ns, exchange.sent_ns),
        high_ns=exchange.done_ns if exchange.response else NEVER_NS,
        counted=exchange.outcome is Outcome.OK and ours,
        refused=exchange.status == TOO_MANY_REQUESTS,
    )


def _calibrated(view: View) -> View:
    """The view in which a refusal of another kind (400, 404, 412) is counted where the headers showed that it counts.

    They did where, of two calls apart, the second was answered so and told one remaining less than the first.
    """
    if not view.limit.headers or not view.own:
        return view
    statuses = set()
    for before, (_, exchange) in view.apart():
        if before is None or exchange.outcome is not Outcome.REFUSED or exchange.status == TOO_MANY_REQUESTS:
            continue
        if before[1].response is None:
            continue
        was = headers.told(view.limit, before[1]).remaining
        now = headers.told(view.limit, exchange).remaining
        if was is not None and now is not None and now == was - 1:
            statuses.add((exchange.operation, exchange.status))
    seen = tuple(
        (replace(event, counted=event.counted or (exchange.operation, exchange.status) in statuses), exchange)
        for event, exchange in view.seen
    )
    return View(view.limit, view.key, seen, view.own)
