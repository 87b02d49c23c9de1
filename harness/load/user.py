"""A Locust user whose requests are due on a timetable, sent by the lean client, and charged from their due time.

Started by the harness it follows the plan (harness/load/plan.py) and ends the run itself. By hand,
`locust -f FILE --host URL --headless -u 100 -r 100 -t 30s`, each Locust user adds `rate_per_s` arrivals a second, so
that -u is the rate, in Locust's web page too.
"""

from __future__ import annotations

import logging
import os
from itertools import count
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped] # gevent ships no types
from gevent.lock import Semaphore  # type: ignore[import-untyped] # gevent ships no types
from locust import User, events, task
from locust.exception import StopUser

from harness.load.alarm import alarm
from harness.load.client import Client
from harness.load.journey import Briefing, Ground, walk
from harness.load.keeper import Keeper, sample_of
from harness.load.measurement import measure, to_text
from harness.load.open_loop import Crew, Hooks, OpenLoop
from harness.load.plan import Plan, plan_of_environment
from harness.load.quantile import NS_PER_MS
from harness.load.sample import Header, Sample
from harness.load.timetable import NS_PER_S, Timetable

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment

    from harness.load.journey import Journey, Route, Step
    from harness.load.reply import Reply

    Record = Callable[[Step, Reply, int], Sample]

FLUSH_S = 0.1
LEAD_NS = 100_000_000
LOG = logging.getLogger(__name__)
PLAN = plan_of_environment()


class LoadError(Exception):
    """What Locust is told of a request that failed; its text is what Locust groups failures by."""


class TimetableUser(User):
    """Derive from it, name the `routes`, and give a `set_up` where journeys need something to stand on."""

    abstract = True
    routes: tuple[Route, ...] = ()
    rate_per_s: float = 1.0
    timeout_s: float = 10.0
    _by_hand: ByHand

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._by_hand = ByHand()

    @staticmethod
    def set_up(briefing: Briefing) -> Journey[Ground]:
        """Steps that are sent once, before the timetable starts; returns what journeys stand on."""
        yield from ()
        return Ground(briefing.identities) if briefing.identities else Ground()

    @task
    def follow(self) -> None:
        """The whole life of this user: its timetable from beginning to end."""
        try:
            if PLAN:
                self._follow_plan(PLAN)
            else:
                self._follow_hand()
        except Exception as error:  # noqa: BLE001 - told to Locust and to the log; a load that cannot go on ends
            LOG.error("the load cannot go on: %s", error)  # noqa: TRY400 - Locust prints the traceback
            self._broken(error)
        self._quit()
        raise StopUser

    def _follow_plan(self, plan: Plan) -> None:
        client = Client(plan.url, timeout_s=plan.timeout_s)
        before: list[tuple[Step, Reply]] = []

        def send(step: Step) -> Reply:
            reply = _send(client, step)
            before.append((step, reply))
            return reply

        ground = walk(self.set_up(Briefing(plan.identities, plan.options, plan.seed)), send)
        timetable = plan.timetable
        start_ns = monotonic_ns() + LEAD_NS
        header = Header(start_ns, timetable.judged_from_ns, timetable.planned(), os.getpid())
        keeper = Keeper(plan, header, ground.identities)
        for step, reply in before:
            keeper.keep_whole(step, reply, reply.sent_ns)
        flusher = gevent.spawn(_flush, keeper)
        try:
            loop = self._loop(client, ground, keeper.keep, Crew(plan.users, plan.seed))
            _send_all(loop, timetable, start_ns, plan.timeout_s)
        finally:
            flusher.kill()
            keeper.close()
            client.close()
        if self.environment.process_exit_code is None:
            self.environment.process_exit_code = 0  # failed requests are the harness's to judge

    def _follow_hand(self) -> None:
        if not self.host:
            raise LoadError("no host is given: add --host http://HOST:PORT")
        client, by_hand = Client(self.host, timeout_s=self.timeout_s), self._by_hand
        with by_hand.lock:
            if by_hand.ground is None:
                by_hand.ground = walk(self.set_up(Briefing()), lambda step: _send(client, step))
        seed, first = int.from_bytes(os.urandom(4)), next(by_hand.numbers)
        timetable = Timetable(self.rate_per_s, float("inf"), seed=seed)
        try:
            loop = self._loop(client, by_hand.ground, by_hand.keep, Crew(users=1, seed=seed, first=first))
            _send_all(loop, timetable, monotonic_ns(), self.timeout_s)
        finally:
            client.close()

    def _loop(self, client: Client, ground: Ground, keep: Record, crew: Crew) -> OpenLoop:
        fire = self.environment.events.request.fire

        def record(step: Step, reply: Reply, due_ns: int) -> None:
            sample = keep(step, reply, due_ns)
            fire(
                request_type=step.method,
                name=step.operation,
                response_time=sample.latency_ns / NS_PER_MS,
                response_length=len(reply.body),
                exception=None if sample.expected else LoadError(reply.error or f"status {reply.status}"),
                context={},
            )

        hooks = Hooks(send=lambda step: _send(client, step), record=record, broken=self._broken)
        return OpenLoop(self.routes, ground, hooks, crew)

    def _broken(self, error: Exception) -> None:
        self.environment.process_exit_code = 1
        self.environment.events.user_error.fire(user_instance=self, exception=error, tb=error.__traceback__)

    def _quit(self) -> None:
        runner = self.environment.runner
        if runner is not None:
            gevent.spawn(runner.quit)


class ByHand:
    """What the Locust users of one class share in a load by hand: the set-up, and samples in memory."""

    def __init__(self) -> None:
        self.lock = Semaphore()
        self.ground: Ground | None = None
        self.numbers = count()
        self.samples: list[Sample] = []

    def keep(self, step: Step, reply: Reply, due_ns: int) -> Sample:
        """Keeps one request."""
        sample = sample_of(step, reply, due_ns)
        self.samples.append(sample)
        return sample


@events.quitting.add_listener  # type: ignore[untyped-decorator] # Locust's event hooks have no types
def tell(environment: Environment, **_: object) -> None:
    """Prints the exact percentiles of a load by hand; one that sent nothing is an error, which Locust would call 0."""
    if PLAN:
        return
    samples = [
        sample
        for user in environment.user_classes
        if issubclass(user, TimetableUser)
        for sample in user._by_hand.samples  # noqa: SLF001 - shared with its own listener
    ]
    if not samples:
        LOG.error("no request was sent: is --run-time shorter than the set-up?")
        environment.process_exit_code = 1
        return
    samples.sort(key=lambda sample: sample.due_ns)
    seconds = max(samples[-1].due_ns - samples[0].due_ns, NS_PER_MS) / NS_PER_S
    print("\nFrom the due time, unrounded:")  # noqa: T201 - Locust prints its own tables so
    print(to_text(measure(samples, planned=len(samples), duration_s=seconds)))  # noqa: T201 - same


def _send(client: Client, step: Step) -> Reply:
    return client.request(step.method, step.path, step.headers, step.body)


def _send_all(loop: OpenLoop, timetable: Timetable, start_ns: int, timeout_s: float) -> None:
    waker = alarm()
    try:
        loop.run(timetable.due_ns(), start_ns, waker)
    finally:
        waker.close()
        unended = loop.finish(timeout_s + 1)
        if unended:
            LOG.warning("%d requests had not ended when the run did", unended)


def _flush(keeper: Keeper) -> None:
    while True:
        gevent.sleep(FLUSH_S)
        keeper.flush()
