"""Steps a case: sends what it yields through the recorder and gives it what came."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.case import TOO_MANY_REQUESTS, Answer, Case, Pause, Step, Together, wait_of
from harness.errors import CannotTell, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.exchange import Exchange, Request
    from harness.stage import Stage

MAX_WAITED_S = 60.0
MAX_STEPS = 5_000
EXHAUSTING = "rate-limit"
CUT_SHORT = "its share of the time was used up before all of it was sent"


class Sender(Protocol):
    """What drives a case needs of a recorder."""

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """Sends one request."""
        ...

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Releases requests at one instant."""
        ...


@dataclass(slots=True)
class Driven:
    """What came of driving a case once: its exchanges in order, why it could not go on, how often it was paced."""

    exchanges: list[Exchange] = field(default_factory=list)
    reason: str = ""
    paced: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Pace:
    """How a wait passes, and how long the case may still take."""

    sleep: Callable[[float], None]
    left_s: float


def drive(
    case: Case,
    stage: Stage,
    sender: Sender,
    *,
    run: int = 1,
    limit_s: float = math.inf,
    sleep: Callable[[float], None] = time.sleep,
) -> Driven:
    """Drives a case to its end. `run` counts the case's runs, so that their exchanges are told apart in a history.

    With `limit_s` it sends no more once it has taken so long. A 429 is waited out as `wait_of` says, for MAX_WAITED_S
    a request, except where exhausting a limit is the case's purpose, or where Retry-After is longer than there is.
    """
    driven = Driven()
    began = time.monotonic()
    key = f"{case.key}#{run}"
    steps = case.steps(stage)
    answer: Answer = None
    try:
        for _ in range(MAX_STEPS):
            step = steps.send(answer)
            if time.monotonic() - began > limit_s:
                driven.reason = CUT_SHORT
                break
            pace = _Pace(sleep, limit_s - (time.monotonic() - began))
            answer = _answer(step, case, key, sender, driven, pace)
        else:
            driven.reason = f"the case did not end within {MAX_STEPS} steps"
    except StopIteration:
        pass
    except (CannotTell, UsageError) as reason:
        driven.reason = str(reason)
    finally:
        steps.close()
        driven.seconds = time.monotonic() - began
    return driven


def _answer(step: Step, case: Case, key: str, sender: Sender, driven: Driven, pace: _Pace) -> Answer:
    if isinstance(step, Pause):
        pace.sleep(step.seconds)
        return None
    if isinstance(step, Together):
        exchanges = sender.release(step.requests, case=key)
        driven.exchanges += exchanges
        return exchanges
    left_s = min(pace.left_s, MAX_WAITED_S)
    exchange = sender.send(step, case=key)
    for waited in itertools.count():
        if exchange.status != TOO_MANY_REQUESTS or case.promise == EXHAUSTING:
            break
        if left_s <= 0 or (exchange.retry_after_s or 0.0) > left_s:
            break
        wait_s = min(wait_of(exchange, waited), left_s)
        driven.paced += 1
        pace.sleep(wait_s)
        left_s -= wait_s
        exchange = sender.send(step, case=key)
    driven.exchanges.append(exchange)
    return exchange
