"""Takes a generator of requests to its end and gives what it returns: how a driver logs its identities in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harness.case import Case, Steps
from harness.drive import drive
from harness.errors import CannotTell

if TYPE_CHECKING:
    from harness.identities import Identity
    from harness.run import Run
    from harness.stage import Stage

Result = TypeVar("Result")
SETUP = "set-up"


def obtained(run: Run, steps: Steps[Result], stage: Stage, purpose: str) -> Result:
    """What the generator returns; raises CannotTell where the API does not let it come so far."""
    kept: list[Result] = []

    def keeping(_: Stage) -> Steps[None]:
        kept.append((yield from steps))

    driven = drive(Case(SETUP, purpose, purpose, keeping), stage, run.recorder)
    if not kept:
        raise CannotTell(driven.reason or f"{purpose}: nothing came of it")
    return kept[0]


def identity(run: Run, role: str, purpose: str, number: int = 1) -> Identity:
    """An identity with a role, fresh where one can be made. `number` tells several of one purpose apart."""
    stage = run.stage(f"{SETUP}/{purpose}/{role}", number)
    return obtained(run, stage.actors.with_role(stage, role), stage, purpose)


def share_sessions(run: Run) -> None:
    """Logs each account that is told in once, so that all processes of the run have a session of it.

    Where the login is limited, they speak by that one instead of waiting; else each logs in by itself, as sessions end.
    """
    if not run.actors.login_operation:
        return
    for tenant in run.actors.tenants or ("",):
        stage = run.stage(f"{SETUP}/sessions/{tenant}", tenant=tenant)
        run.share(obtained(run, run.actors.begun(stage), stage, "sessions"))
