"""`python -m harness.drivers.fuzz --budget 20`: fuzzes the run named by HARNESS_RUN and tells its verdicts there.

Progress goes to stdout, one JSON object a line. It may be killed at any moment: the history keeps what was sent.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from harness import history, things
from harness.drivers.fuzz.campaign import DRIVER, Pass, Progress, fuzz
from harness.drivers.fuzz.pool import Pool
from harness.drivers.fuzz.shards import Several, shards
from harness.errors import CannotTell
from harness.exits import Exit
from harness.obtain import obtained
from harness.promises.subject import may
from harness.promises.survey import CHANGES_CALLER, may_change_caller
from harness.run import VARIABLE, Attachment, Run
from harness.verdict import LEFT_SAFE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.drivers.fuzz.callers import Renew
    from harness.identities import Identity

MAX_ROLES = 3
INTERVAL_S = 0.5
KEY = "set-up/fuzz"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzzes within the budget; 0 when the verdicts are told, 2 on wrong use."""
    parser = argparse.ArgumentParser("harness.drivers.fuzz", description="Fuzzes the target of a run.")
    parser.add_argument("--budget", type=float, required=True, metavar="SECONDS")
    parser.add_argument("--examples", type=int, help="a fixed number for each phase and operation, not as time allows")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes among which operations are divided")
    parser.add_argument("--shard", type=int, metavar="I", help="fuzz the I-th part only, counted from 0")
    parser.add_argument("--of", type=int, default=1, metavar="N", help="of so many parts")
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given)
    attachment = Attachment.from_environment()
    if attachment is None:
        parser.error(f"{VARIABLE} is not set; `harness fuzz` starts this in a run")
    ends_s = time.monotonic() + options.budget
    with Run(attachment, DRIVER) as run:
        parts = shards(run.contract, options.jobs if options.shard is None else options.of)
        if options.shard is None and len(parts) > 1:
            return Several([*given, "--budget", f"{ends_s - time.monotonic():.1f}"], len(parts)).run()
        shard = parts[options.shard or 0] if options.shard is None or options.shard < len(parts) else frozenset()
        found = [known(run, item, shard) for item in passes(run)]
        verdicts = fuzz(
            run.contract,
            run.recorder,
            found,
            seed=run.seed,
            budget_s=ends_s - time.monotonic(),
            examples=options.examples,
            spared=spared(run),
            only=shard if len(parts) > 1 else None,
            progress=_Lines(),
        )
        for verdict in verdicts:
            run.tell(verdict)
    return Exit.HOLDS


def passes(run: Run) -> list[Pass]:
    """A pass for each role that can be had, the default role first, three at most; nobody's where none can."""
    tenant = run.stage(KEY).tenant
    anonymous = run.actors.anonymous(tenant)
    default = run.actors.told.get("default_role", "")
    roles = tuple(dict.fromkeys((*([default] if default or not run.actors.roles else []), *run.actors.roles)))
    found = []
    for role in roles if run.actors.told else ():
        renew = _renewer(run, role, tenant)
        with contextlib.suppress(CannotTell):
            found.append(Pass(role or "signed in", renew(anonymous), renew, anonymous))
    chosen = found if len(found) <= MAX_ROLES else [*found[: MAX_ROLES - 1], found[-1]]
    return chosen or [Pass("anonymous", anonymous, anonymous=anonymous)]


def known(run: Run, item: Pass, shard: frozenset[str]) -> Pass:
    """The pass with the ids that the run has met in its tenant, and with a few things of the pass's own identity."""
    pool = Pool(run.contract, shard)
    identity = item.identity
    pool.learn_all(history.exchanges(run.folder), identity.tenant)
    for name in pool.producers if identity.headers and not run.attachment.safe else ():
        stage = run.stage(f"{KEY}/pool/{item.name}/{name}", tenant=identity.tenant)
        create = run.contract.by_id[name]
        resource = run.contract.prerequisites.resource(pool.producer(name))
        if create.secured and not may(run.contract, create, identity):
            continue
        with contextlib.suppress(CannotTell):
            thing = obtained(run, things.make(stage, resource, maker=identity), stage, DRIVER)
            pool.learn(thing.exchange)
    return replace(item, pool=pool)


def spared(run: Run) -> dict[str, str]:
    """The operations that are not sent, each with its reason.

    Where the run is safe all but reads; else, where no fresh identity can be had, those that would spoil it for all.
    """
    if run.attachment.safe:
        return {item.id: LEFT_SAFE for item in run.contract.operations if not item.reads}
    if run.actors.can_register or not run.actors.told:
        return {}
    return {item.id: CHANGES_CALLER for item in run.contract.operations if item.secured and may_change_caller(item)}


def _renewer(run: Run, role: str, tenant: str) -> Renew:
    """Gives identities of the role, all in one tenant, in place of one that was lost or, for nobody, one more."""
    made = 0

    def renew(lost: Identity) -> Identity:
        nonlocal made
        made += 1
        run.actors.forget(lost)
        stage = run.stage(f"{KEY}/{role}", made, tenant)
        return obtained(run, stage.actors.with_role(stage, role), stage, DRIVER)

    return renew


class _Lines:
    """Writes progress, twice a second at most."""

    def __init__(self) -> None:
        self._told_s = 0.0

    def __call__(self, progress: Progress) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= INTERVAL_S:
            self._told_s = now_s
            sys.stdout.write(json.dumps(asdict(progress)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a thread of Schemathesis that still makes a case would hold the process up
