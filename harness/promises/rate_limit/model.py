"""Pure models of limiters: what each declared algorithm may admit, and what it did admit as far as a history can tell.

A model is `init` and `step`, as in Porcupine, which makes it an exact limiter for tests; and `spans`, the lengths of
time at which its bound is looked at, with `most`, the greatest number of admissions in any interval so long. A history
does not hold the instant of an admission but two that enclose it, so a bound is broken only where every placing of the
instants breaks it. Instants and lengths are in nanoseconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

State = Any
MOST_SLACK_NS = 1_000_000_000
LEAST_SLACK_NS = 50_000_000
LATE_NS = 1_000_000_000


class Model(Protocol):
    """A limiter for one key."""

    @property
    def quota(self) -> int:
        """Admissions a window."""
        ...

    @property
    def window_ns(self) -> int:
        """The window's length."""
        ...

    def init(self) -> State:
        """The state before the first request."""
        ...

    def step(self, state: State, at_ns: int) -> tuple[State, bool]:
        """The state after a request at an instant, and whether it was admitted; instants do not go back."""
        ...

    def spans(self) -> tuple[int, ...]:
        """The lengths of time at which the bound is looked at."""
        ...

    def most(self, span_ns: int) -> int:
        """The greatest number of admissions in any half-open interval of that length."""
        ...


@dataclass(frozen=True, slots=True)
class SlidingLog:
    """At most `quota` admissions in any half-open interval of a window's length."""

    quota: int
    window_ns: int

    def init(self) -> tuple[int, ...]:
        """Nothing admitted yet."""
        return ()

    def step(self, state: tuple[int, ...], at_ns: int) -> tuple[tuple[int, ...], bool]:
        """Admitted where fewer than the quota are left in the window that ends here."""
        kept = state[bisect_right(state, at_ns - self.window_ns) :]
        return ((*kept, at_ns), True) if len(kept) < self.quota else (kept, False)

    def spans(self) -> tuple[int, ...]:
        """One window."""
        return (self.window_ns,)

    def most(self, span_ns: int) -> int:
        """The quota for each window begun."""
        return self.quota * -(-span_ns // self.window_ns)


@dataclass(frozen=True, slots=True)
class FixedWindow:
    """At most `quota` admissions in each of the windows that follow one another from the first request on."""

    quota: int
    window_ns: int

    def init(self) -> tuple[int, int] | None:
        """No window yet."""
        return None

    def step(self, state: tuple[int, int] | None, at_ns: int) -> tuple[tuple[int, int], bool]:
        """Admitted where this window's count is below the quota."""
        start, count = state or (at_ns, 0)
        if at_ns >= start + self.window_ns:
            start, count = at_ns - (at_ns - start) % self.window_ns, 0
        return ((start, count + 1), True) if count < self.quota else ((start, count), False)

    def spans(self) -> tuple[int, ...]:
        """One window and two: where windows begin is not known."""
        return (self.window_ns, 2 * self.window_ns)

    def most(self, span_ns: int) -> int:
        """The quota for each window that such an interval can touch."""
        return self.quota * (-(-span_ns // self.window_ns) + 1)


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket of `quota` tokens, full at first, refilled evenly at `quota` a window."""

    quota: int
    window_ns: int

    def init(self) -> tuple[int, int] | None:
        """A full bucket."""
        return None

    def step(self, state: tuple[int, int] | None, at_ns: int) -> tuple[tuple[int, int], bool]:
        """Admitted where a whole token is there; tokens are counted in parts of 1 / window_ns: nothing is rounded."""
        last_ns, parts = state or (at_ns, self.quota * self.window_ns)
        parts = min(self.quota * self.window_ns, parts + (at_ns - last_ns) * self.quota)
        return ((at_ns, parts - self.window_ns), True) if parts >= self.window_ns else ((at_ns, parts), False)

    def spans(self) -> tuple[int, ...]:
        """Parts of a window, and two windows."""
        return (*(self.window_ns * part // 16 for part in range(1, 17)), 2 * self.window_ns)

    def most(self, span_ns: int) -> int:
        """A full bucket and what is refilled meanwhile."""
        return self.quota + span_ns * self.quota // self.window_ns


@dataclass(frozen=True, slots=True)
class Unknown(FixedWindow):
    """A quota and a window of which no more is said: what every algorithm admits at the most."""


MODELS: Mapping[str, Callable[[int, int], Model]] = {
    "sliding": SlidingLog,
    "fixed": FixedWindow,
    "token-bucket": TokenBucket,
    "unknown": Unknown,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One request of a key: its admission or refusal was at an instant in [low_ns, high_ns].

    `counted` says that it was certainly counted, `refused` that it was not admitted; neither: it may have been counted.
    """

    id: str
    low_ns: int
    high_ns: int
    counted: bool = False
    refused: bool = False


def slack_ns(window_ns: int) -> int:
    """How far a limiter's clock may round: a twentieth of the window, from 50 ms to one second."""
    return max(LEAST_SLACK_NS, min(MOST_SLACK_NS, window_ns // 20))


def overshoot(model: Model, events: Iterable[Event]) -> tuple[Event, ...]:
    """Events that were certainly counted and certainly lie closer together than the model allows; none where it holds.

    For every earliest instant taken as the start, the events that certainly lie within a span from it are counted.
    """
    counted = sorted((event for event in events if event.counted), key=lambda event: event.low_ns, reverse=True)
    slack = slack_ns(model.window_ns)
    bounds = [(span - slack, model.most(span)) for span in model.spans() if span > slack]
    ends: list[int] = []
    for at, first in enumerate(counted):
        insort(ends, first.high_ns)
        for span, most in bounds:
            if bisect_left(ends, first.low_ns + span) > most:
                inside = [event for event in counted[: at + 1] if event.high_ns < first.low_ns + span]
                return tuple(sorted(inside, key=lambda event: event.high_ns))
    return ()


@dataclass(frozen=True, slots=True)
class Window:
    """Counts the events that may lie in the window before another event."""

    lows: Sequence[int]
    highs: Sequence[int]

    @classmethod
    def of(cls, events: Iterable[Event]) -> Window:
        """The counter of these events."""
        chosen = tuple(events)
        return cls(sorted(event.low_ns for event in chosen), sorted(event.high_ns for event in chosen))

    def possible(self, event: Event, window_ns: int) -> int:
        """How many can have been in the window, at the most; a limiter may forget up to a second late."""
        return bisect_right(self.lows, event.high_ns) - bisect_right(self.highs, event.low_ns - window_ns - LATE_NS)

    def certain(self, event: Event, window_ns: int) -> int:
        """How many were in the window and before the event, at the least."""
        inside = bisect_right(self.highs, event.low_ns)
        return max(0, inside - bisect_right(self.lows, event.high_ns - window_ns + slack_ns(window_ns)))


def early(views: Sequence[tuple[Model, Sequence[Event]]]) -> frozenset[str]:
    """The ids of the refusals for which, in every view they stand in, fewer than the quota can have been counted.

    A view is what one limit sees of one key. A refusal of one limit may be counted by another, and some limiters count
    their own refusals too; a refusal counts here only where it is itself justified by what came before it. With fewer
    than the quota in the window before it, no algorithm here refuses: a bucket that may be empty at the window's
    beginning is refilled by its end.
    """
    admitted = [Window.of(event for event in events if not event.refused) for _, events in views]
    waiting = {event.id for _, events in views for event in events if event.refused}
    while waiting:
        found: set[str] = set()
        for (model, events), window in zip(views, admitted, strict=True):
            refused = [event for event in events if event.refused]
            justified = Window.of(event for event in refused if event.id not in waiting)
            found |= {
                event.id
                for event in refused
                if event.id in waiting
                and window.possible(event, model.window_ns) + justified.possible(event, model.window_ns) >= model.quota
            }
        if not found:
            break
        waiting -= found
    return frozenset(waiting)
