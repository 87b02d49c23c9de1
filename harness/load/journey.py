"""What a load journey is made of: a generator that yields steps and receives replies, with no I/O of its own.

A route is a kind of journey with its weight; a visit is one walk of it by one identity. Which step of which journey is
sent next is decided before it is due, when is decided by the timetable alone.
"""

from __future__ import annotations

import json
import math
from bisect import bisect
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from harness.identities import ANONYMOUS, Identity
from harness.load.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

NOTHING: Mapping[str, str] = MappingProxyType({})
REFUSALS = range(400, 500)
GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
Result = TypeVar("Result")


class SetUpError(Exception):
    """What a journey needs cannot be had; the message shows the answer that says so."""


class Step(NamedTuple):
    """One request: `path` is the target as it stands on the wire, encoded and with its query.

    `expected` names the 4xx statuses that are no surprise here (sold out is 409); every other 4xx is. `secret_pointers`
    say where its answer holds what no record may show.
    """

    operation: str
    method: str
    path: str
    headers: Mapping[str, str] = NOTHING
    body: bytes | None = None
    expected: frozenset[int] = frozenset()
    secret_pointers: tuple[str, ...] = ()
    identity: Identity = ANONYMOUS

    def expects(self, status: int) -> bool:
        """Whether a status is no surprise; none and a 5xx always are."""
        if status in REFUSALS:
            return status in self.expected
        return 0 < status < REFUSALS.start


Journey = Generator[Step, Reply, Result]


@dataclass(frozen=True, slots=True)
class Ground:
    """What journeys stand on: who walks them, and what the set-up found or made, by name."""

    identities: tuple[Identity, ...] = (ANONYMOUS,)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """One walk of a journey. `random` is this walk's own, drawn from the run's seed."""

    identity: Identity
    random: Random
    ground: Ground


@dataclass(frozen=True, slots=True)
class Route:
    """A kind of journey, walked in proportion to its weight."""

    name: str
    weight: float
    steps: Callable[[Visit], Journey[None]]


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a set-up is given: the identities that the harness has, none by hand, and the journey's own options."""

    identities: tuple[Identity, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def with_role(self, role: str) -> Identity | None:
        """The first identity that has a role; None where there is none."""
        return next((identity for identity in self.identities if role in identity.roles), None)


SetUp = Callable[[Briefing], Journey[Ground]]


def dealt(routes: Sequence[Route], random: Random) -> Iterator[Route]:
    """Routes without end, each in proportion to its weight in every stretch: a short load has its share of each too.

    The additive recurrence of the golden ratio (Knuth, TAOCP 3, 6.4, theorem S) spreads evenly over the weights laid
    end to end; independent draws would vary with the root of their number. `random` says where it begins.
    """
    ends = tuple(accumulate(route.weight for route in routes))
    at = random.random()
    while True:
        yield routes[bisect(ends, at * ends[-1], hi=len(ends) - 1)]
        at = (at + GOLDEN_RATIO) % 1.0


def walk(journey: Journey[Result], send: Callable[[Step], Reply]) -> Result:
    """Drives a journey to its end with a function that sends, one step after another; returns what it returns."""
    try:
        step = next(journey)
        while True:
            step = journey.send(send(step))
    except StopIteration as end:
        result: Result = end.value
        return result


def caller(visit: Visit, roles: Sequence[str]) -> Identity:
    """The visitor where it has one of the roles or none is asked for, else the first identity that has one."""
    others = visit.ground.identities if roles else ()
    return next((who for who in (visit.identity, *others) if set(roles) & set(who.roles)), visit.identity)


def headers_of(identity: Identity, *, json_body: bool = False) -> dict[str, str]:
    """The headers of a step: the identity's credentials, and the media types where JSON is sent."""
    headers = {"Accept": "application/json", **dict(identity.headers)}
    if json_body:
        headers["Content-Type"] = "application/json"
    return headers


def as_json(value: Any) -> bytes:
    """A JSON body."""
    return json.dumps(value, separators=(",", ":")).encode()
