"""Walks journeys on a timetable: at each due time the next step of one of them is sent, whether or not others wait.

Each walker is a greenlet with the next step in its hand; the pacer wakes one at each due time. Where all of them
are waiting for answers it takes on another, so a server that stalls does not slow the arrivals.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import gevent  # type: ignore[import-untyped] # gevent ships no types
from gevent.hub import Waiter  # type: ignore[import-untyped] # gevent ships no types
from gevent.pool import Group  # type: ignore[import-untyped] # gevent ships no types

from harness.load.journey import Ground, Route, Step, Visit, dealt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.identities import Identity
    from harness.load.alarm import Alarm
    from harness.load.journey import Journey
    from harness.load.reply import Reply


MAX_BROKEN = 10


class BrokenJourneys(Exception):
    """The journeys are at fault: so many raised that the load would not be what it is said to be."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a loop does with a step, is told of what came of it (step, reply, due_ns), and of a journey that raised."""

    send: Callable[[Step], Reply]
    record: Callable[[Step, Reply, int], None]
    broken: Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Crew:
    """Who walks: `users` share the arrivals in turn, and the identities from the one numbered `first` on.

    Up to `max_walkers` are taken on when they are busy; beyond that an arrival waits for the next that is free, late,
    which its sample shows.
    """

    users: int = 20
    seed: int = 0
    first: int = 0
    max_walkers: int = 4000


class OpenLoop:
    """Sends steps when they are due."""

    def __init__(self, routes: tuple[Route, ...], ground: Ground, hooks: Hooks, crew: Crew) -> None:
        self._ground, self._hooks, self._crew = ground, hooks, crew
        self._routes = dealt(routes, Random(f"{crew.seed}/{crew.first}/routes"))  # noqa: S311 - repeatable, not secret
        self._walkers = Group()
        self._hired = 0
        self._under_way = 0
        self._broken: list[Exception] = []
        self._free: deque[Waiter] = deque()
        self._late: deque[int] = deque()

    def run(self, due_ns: Iterable[int], start_ns: int, alarm: Alarm) -> None:
        """Sends all that is due; due times are in ns from `start_ns`, an instant of the monotonic clock.

        Returns when the last has been sent, not answered: see `finish`.
        """
        for _ in range(self._crew.users):
            self._hire()
        gevent.sleep(0)
        wake = gevent.get_hub().loop.run_callback
        for due in due_ns:
            instant_ns = start_ns + due
            alarm.wait_until(instant_ns)
            if len(self._broken) > MAX_BROKEN:
                raise BrokenJourneys(f"{len(self._broken)} journeys raised, the last {self._broken[-1]!r}")
            self._under_way += 1
            if not self._free and self._hired < self._crew.max_walkers:
                self._hire()
                gevent.sleep(0)
            if self._free:
                wake(self._free.popleft().switch, instant_ns)
            else:
                self._late.append(instant_ns)

    def finish(self, timeout_s: float) -> int:
        """Waits until every request has ended, so long at most; ends the walkers; returns how many had not ended."""
        with gevent.Timeout(timeout_s, False):  # noqa: FBT003 - gevent's way to say: raise nothing
            while self._under_way:
                gevent.sleep(0.01)
        self._walkers.kill()
        return self._under_way

    def _hire(self) -> None:
        identities = self._ground.identities
        number, self._hired = self._crew.first + self._hired, self._hired + 1
        random = Random(f"{self._crew.seed}/{number}")  # noqa: S311 - journeys need to be repeatable, not secret
        self._walkers.spawn(self._walk, identities[number % len(identities)], random)

    def _walk(self, identity: Identity, random: Random) -> None:
        while True:
            journey = next(self._routes).steps(Visit(identity, random, self._ground))
            try:
                self._steps(journey)
            except Exception as error:  # noqa: BLE001 - told on: one journey's fault must not end the load
                self._broken.append(error)
                self._hooks.broken(error)
                gevent.sleep(0.01)

    def _steps(self, journey: Journey[None]) -> None:
        step = next(journey, None)
        if step is None:
            raise ValueError("a journey yielded no step: it must yield one at least")
        while True:
            due_ns = self._next_due()
            try:
                reply = self._hooks.send(step)
                self._hooks.record(step, reply, due_ns)
            finally:
                self._under_way -= 1
            try:
                step = journey.send(reply)
            except StopIteration:
                return

    def _next_due(self) -> int:
        if self._late:
            return self._late.popleft()
        waiter = Waiter()
        self._free.append(waiter)
        due_ns: int = waiter.get()
        return due_ns
