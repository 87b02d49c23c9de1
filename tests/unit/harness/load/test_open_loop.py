"""Arrivals that do not wait for answers."""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING

import gevent
import pytest

from harness.identities import Identity
from harness.load.alarm import alarm
from harness.load.journey import Ground, Route, Step
from harness.load.open_loop import BrokenJourneys, Crew, Hooks, OpenLoop
from harness.load.reply import Reply

if TYPE_CHECKING:
    from harness.load.journey import Journey, Visit

MS = 1_000_000


class Recording:
    """Hooks that answer after `wait_s` and remember what they were told."""

    def __init__(self, wait_s: float = 0) -> None:
        self.wait_s = wait_s
        self.told: list[tuple[Step, Reply, int]] = []
        self.broken: list[Exception] = []
        self.hooks = Hooks(self.send, lambda *sent: self.told.append(sent), self.broken.append)

    def send(self, _step: Step) -> Reply:
        """Answers with 200."""
        sent_ns = monotonic_ns()
        gevent.sleep(self.wait_s)
        return Reply(200, (), b"", sent_ns, monotonic_ns())


def twice(visit: Visit) -> Journey[None]:
    """Two steps of one visit."""
    for number in (1, 2):
        yield Step(f"step-{number}", "GET", f"/{visit.identity.name}", identity=visit.identity)


def run(recording: Recording, due: list[int], crew: Crew, *, route: object = twice) -> tuple[int, int]:
    """Runs a loop to its end; the start instant and how many had not ended."""
    ground = Ground((Identity("ada"), Identity("bob")))
    loop = OpenLoop((Route("twice", 1, route),), ground, recording.hooks, crew)  # type: ignore[arg-type] # a route
    waker = alarm()
    start_ns = monotonic_ns() + 5 * MS
    try:
        loop.run(due, start_ns, waker)
        return start_ns, loop.finish(3)
    finally:
        waker.close()


def test_every_arrival_is_sent_once_at_its_time_by_identities_in_turn() -> None:
    """Each due time has one request, and both identities walk."""
    recording = Recording()
    due = [n * 2 * MS for n in range(40)]
    start_ns, unended = run(recording, due, Crew(users=2))
    assert unended == 0
    assert [start_ns + instant for instant in due] == sorted(instant for _, _, instant in recording.told)
    assert {"ada", "bob"} == {step.identity.name for step, _, _ in recording.told}
    assert {"step-1", "step-2"} == {step.operation for step, _, _ in recording.told}


def test_a_stalled_server_does_not_slow_the_arrivals() -> None:
    """While every answer takes 300 ms, requests still leave at their due times."""
    recording = Recording(wait_s=0.3)
    run(recording, [n * 5 * MS for n in range(50)], Crew(users=1))
    lags = sorted(reply.sent_ns - due_ns for _, reply, due_ns in recording.told)
    assert len(lags) == 50
    assert lags[25] < 5 * MS


def test_more_than_the_crew_can_carry_is_sent_late_and_not_lost() -> None:
    """Where walkers are bounded an arrival waits, and its sample shows it."""
    recording = Recording(wait_s=0.02)
    run(recording, [0] * 10, Crew(users=1, max_walkers=2))
    lags = [reply.sent_ns - due_ns for _, reply, due_ns in recording.told]
    assert len(lags) == 10
    assert max(lags) > 70 * MS


def test_a_journey_that_raises_is_told_and_the_load_goes_on() -> None:
    """One fault of a journey costs one journey."""
    recording = Recording()
    faults = iter([True])

    def faulty(visit: Visit) -> Journey[None]:
        yield Step("a", "GET", "/")
        if next(faults, False):
            raise KeyError(visit.identity.name)

    _, unended = run(recording, [n * MS for n in range(30)], Crew(users=2), route=faulty)
    assert (unended, len(recording.told)) == (0, 30)
    assert [KeyError] == [type(error) for error in recording.broken]


def empty(_: Visit) -> Journey[None]:
    """No step at all."""
    yield from ()


def test_journeys_that_are_all_at_fault_end_the_load() -> None:
    """Journeys that cannot be walked are an error, not an idle load."""
    with pytest.raises(BrokenJourneys, match="yielded no step"):
        run(Recording(), [n * 5 * MS for n in range(100)], Crew(users=4), route=empty)
