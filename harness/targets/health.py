"""Waits until a target that was started answers, or says how it failed to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from harness.errors import TargetError
from harness.targets.target import reachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

START_TIMEOUT_S = 30.0
POLL_S = 0.05
OK = 200


def wait_healthy(url: str, told: Mapping[str, Any], ended: Callable[[], str], tail: Callable[[], str]) -> None:
    """Returns once `health` of the table answers 200, or anything answers where it names no path.

    `ended` says how the target ended, nothing while it runs; `tail` gives its last words. Raises TargetError.
    """
    timeout_s = float(told.get("start_timeout_s", START_TIMEOUT_S))
    deadline = time.monotonic() + timeout_s
    path, last = told.get("health", "/"), "no answer"
    while time.monotonic() < deadline:
        if end := ended():
            raise TargetError(f"{end} before it was healthy:\n{tail()}")
        try:
            status = reachable(url, path).status
        except TargetError as error:
            last = str(error)
        else:
            if status == OK or "health" not in told:
                return
            last = f"{path} answers {status}"
        time.sleep(POLL_S)
    raise TargetError(f"the target is not healthy after {timeout_s:g} s: {last}\n{tail()}")
