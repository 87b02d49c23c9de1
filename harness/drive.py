"""Steps a case: sends what it yields through the recorder and gives it what came."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.case import MAX_PACED, TOO_MANY_REQUESTS, Answer, Case, Pause, Step, Together
from harness.errors import CannotTell, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.exchange import Exchange, Request
    from harness.stage import Stage

MAX_WAIT_S = 15.0
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

    With `limit_s` it sends no more once it has taken so long. A 429 is waited out and the request sent again, except
    where exhausting a limit is the case's purpose.
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
            answer = _answer(step, case, key, sender, driven, sleep)
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


def _answer(step: Step, case: Case, key: str, sender: Sender, driven: Driven, sleep: Callable[[float], None]) -> Answer:
    if isinstance(step, Pause):
        sleep(step.seconds)
        return None
    if isinstance(step, Together):
        exchanges = sender.release(step.requests, case=key)
        driven.exchanges += exchanges
        return exchanges
    for _ in range(MAX_PACED):
        exchange = sender.send(step, case=key)
        if exchange.status != TOO_MANY_REQUESTS or case.promise == EXHAUSTING:
            break
        driven.paced += 1
        sleep(_wait_s(exchange))
    driven.exchanges.append(exchange)
    return exchange


def _wait_s(exchange: Exchange) -> float:
    told = exchange.response.header("Retry-After") if exchange.response else None
    return min(float(told), MAX_WAIT_S) if told and told.isdigit() else 1.0
