"""Shows one finding again on fresh data: FIXED, STILL FAILS, or CANNOT TELL with the reason."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from harness import archive, canary, judge, phases
from harness.exits import Exit
from harness.run import Attachment, Run, frozen_contract
from harness.session import Session, chosen_target, configuration, identity_environment, merged_identities
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from harness.config import Config
    from harness.finding import Finding
    from harness.session import Wanted
    from harness.targets import Target

FOLDER = "replays"
ATTEMPTS = 4
LOAD_BUDGET_S = 90.0
OBJECTIVE = "objective."
IDENTITY_OPTIONS = {"--bearer", "--header", "--login", "--account"}


class Answer(StrEnum):
    """What a replay says."""

    FIXED = "FIXED"
    STILL_FAILS = "STILL FAILS"
    CANNOT_TELL = "CANNOT TELL"

    @property
    def exit_code(self) -> Exit:
        """1 where it still fails, 4 where nothing can be told."""
        return {"FIXED": Exit.HOLDS, "STILL FAILS": Exit.FINDINGS, "CANNOT TELL": Exit.INCONCLUSIVE}[self.value]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The answer, the finding that was asked for, and why: what was seen or what stood in the way."""

    answer: Answer
    finding: Finding
    reason: str


def replay(folder: Path, fingerprint: str, wanted: Wanted) -> Replayed:
    """Starts or reaches the target and shows the finding again there.

    Raises UsageError where the run has no such finding, TargetError where the target cannot be had.
    """
    finding = archive.finding(folder, fingerprint)
    record = archive.read_record(folder)
    config = configuration(_like(record["target"], wanted))
    with chosen_target(_like(record["target"], wanted), config) as target:
        return on_target(folder, finding, wanted, target)


def on_target(folder: Path, finding: Finding, wanted: Wanted, target: Target) -> Replayed:
    """Shows the finding again on a target that runs; the history stands under `replays/` of the run."""
    record = archive.read_record(folder)
    config = configuration(replace(wanted, url=wanted.url or target.url))
    place = folder / FOLDER / f"{finding.fingerprint}-{canary.fresh('')}"
    place.mkdir(parents=True)
    attachment = Attachment(
        folder=str(place),
        url=target.url,
        seed=record["seed"],
        identities=merged_identities(config.identities, wanted.identities),
        environment=identity_environment(target.environment, config.identities, wanted.identities),
        safe=wanted.safe,
    )
    with Run(attachment, "replay", contract=frozen_contract(folder)) as run:
        if finding.code.startswith(OBJECTIVE):
            verdict = _loaded(run, finding, config, target)
        else:
            verdict = judge.again(run, finding, attempts=ATTEMPTS)
        told = _answered(finding, run.masked(verdict))
    without = "" if wanted.identities else identity_options(record.get("again", ""))
    if told.answer is not Answer.CANNOT_TELL or not without:
        return told
    return replace(told, reason=f"{told.reason}; the run was given {without}: name them here too")


def identity_options(again: str) -> str:
    """The options in a run's command that told identities, as they are to be typed; they name variables, no secret."""
    words = shlex.split(again)
    pairs = [(word, value) for word, value in pairwise(words) if word in IDENTITY_OPTIONS]
    return " ".join(f"{word} {shlex.quote(value)}" for word, value in pairs)


def _answered(finding: Finding, verdict: Verdict) -> Replayed:
    shown = next((item for item in verdict.findings if item.fingerprint == finding.fingerprint), None)
    if shown is not None:
        return Replayed(Answer.STILL_FAILS, finding, shown.seen)
    if verdict.examined and not verdict.reason:
        return Replayed(Answer.FIXED, finding, f"{verdict.examined} observations, none of them shows it")
    return Replayed(Answer.CANNOT_TELL, finding, verdict.reason or "nothing was examined")


def _loaded(run: Run, finding: Finding, config: Config, target: Target) -> Verdict:
    """The load run again, for a finding that a load showed."""
    session = Session(run.attachment, run.contract, target, config)
    deadline_ns = time.monotonic_ns() + int(LOAD_BUDGET_S * 1e9)
    told = phases.load_phase(phases.Context(session=session, run=run, deadline_ns=deadline_ns))
    found = next((verdict for verdict in told if verdict.operation == finding.operation), None)
    return found or Verdict("objective", finding.operation, reason="the load did not send this operation")


def _like(target: dict[str, str], wanted: Wanted) -> Wanted:
    """What was asked; where no target is named, the run's own: its address, or one of the same kind started anew."""
    if wanted.url or wanted.target:
        return wanted
    return replace(wanted, url=target["url"]) if target["kind"] == "url" else replace(wanted, target=target["kind"])
