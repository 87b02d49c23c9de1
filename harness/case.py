"""A case: a generator that yields requests and receives exchanges, with no input or output of its own.

Whoever drives it sends what it yields and gives back what came: a driver over the network, a test over a table, a
replay over fresh data. It yields one `Request` and receives one `Exchange`; it yields `Together` and receives as many
exchanges, in the same order; it yields `Pause` and receives None once that time has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import CannotTell
from harness.exchange import Exchange, Request

if TYPE_CHECKING:
    from harness.stage import Stage

TOO_MANY_REQUESTS = 429
SETTLE_S = 1.0
"""What is told of late, by readers that follow a write, is looked for once more after so long."""


@dataclass(frozen=True, slots=True)
class Together:
    """Requests released at one instant: every byte but the last is sent first, then the last of each."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent for so long."""

    seconds: float


Step = Request | Together | Pause
Answer = Any  # Exchange, tuple[Exchange, ...] or None, as the step asks
Result = TypeVar("Result")
Steps = Generator[Step, Answer, Result]


@dataclass(frozen=True, slots=True)
class Case:
    """One way of examining a promise on an operation.

    `parameters` is the JSON value that the case was drawn with; with the promise, the operation and the name it makes
    the case again. `alone` says that nothing else may run beside it, as it exhausts or totals something shared.
    `outside` says that what it sends at no operation is in another wire form than the document's.
    """

    promise: str
    operation: str
    name: str
    steps: Callable[[Stage], Steps[None]] = field(repr=False, compare=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = False
    outside: bool = False

    @property
    def key(self) -> str:
        """The case's name in a history: promise/operation/name."""
        return f"{self.promise}/{self.operation}/{self.name}"


def one(request: Request) -> Steps[Exchange]:
    """Yields one request and returns its exchange, typed."""
    exchange: Exchange = yield request
    return exchange


def unlimited(exchange: Exchange) -> Exchange:
    """The exchange; raises CannotTell where a 429 is left after as long a wait as whoever drives allows."""
    if exchange.status == TOO_MANY_REQUESTS:
        told_s = exchange.retry_after_s
        more = "" if told_s is None else f"; it says to come again after {told_s:.0f} s"
        raise CannotTell(f"{exchange.operation} stayed at its rate limit (429) for longer than can be waited{more}")
    return exchange


def wait_of(exchange: Exchange, waited: int = 0) -> float:
    """Seconds to wait before a request that got a 429 is sent again, after so many waits for it.

    Retry-After's, but no less than 1, 2, 4, 8, ... s in turn: where it tells none, or less than comes true.
    """
    return max(exchange.retry_after_s or 0.0, 2.0**waited)


def together(requests: tuple[Request, ...]) -> Steps[tuple[Exchange, ...]]:
    """Yields a group and returns its exchanges in the same order, typed."""
    exchanges: tuple[Exchange, ...] = yield Together(requests)
    return exchanges
