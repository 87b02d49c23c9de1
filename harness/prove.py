"""Proves the harness: every planted defect must be caught by the ordinary verification, the clean build by none.

A verification of a defect is given the address and the clean build's document, as anyone's would be; what it tells is
compared with what is planted outside of it, and it is ended once that was found.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from harness import archive, planted
from harness.contract.document import parsed
from harness.errors import HarnessError
from harness.exits import Exit
from harness.ordinary import Ordinary
from harness.profiles import FIRST, Profile, profiles
from harness.replay import Answer, on_target
from harness.session import Wanted, configuration, read_contract
from harness.targets import fetched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.finding import Finding
    from harness.planted import Defect
    from harness.targets import ProcessTarget

MAX_REPLAYED = 4

Told = Callable[[str], None]
T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one defect: `by` names the finding that caught it, empty where it escaped, `why` says how.

    `load` is the machine's average of a minute when it began.
    """

    id: str
    caught: bool
    by: str
    seconds: float
    why: str = ""
    profile: str = FIRST
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class CleanRun:
    """What came of one verification of the clean build: `broken` says why it did not hold."""

    held: bool
    alarms: int
    broken: str


@dataclass(frozen=True, slots=True)
class Options:
    """What `harness prove` was asked. `only` holds defect ids; empty is all. `seeds` counts runs of the clean build.

    `jobs` verifications run beside each other; once `stopping` is set, all of them end.
    """

    wanted: Wanted
    only: tuple[str, ...] = ()
    seeds: int = 5
    budget_s: float = 150.0
    jobs: int = 1
    stopping: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Proven:
    """The whole proof, as its JSON file tells it."""

    defects: tuple[Proof, ...]
    seeds: int
    false_alarms: int
    clean: tuple[str, ...]
    contract_hash: str
    seconds: float
    budget_s: float = 150.0

    @property
    def exit_code(self) -> Exit:
        """1 where a defect escaped or a clean build gave an alarm or did not hold."""
        escaped = any(not proof.caught for proof in self.defects)
        return Exit.FINDINGS if escaped or self.false_alarms or self.clean else Exit.HOLDS

    def to_record(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "defects": [asdict(proof) for proof in self.defects],
            "clean": {"seeds": self.seeds, "false_alarms": self.false_alarms, "not_held": list(self.clean)},
            "contract_hash": self.contract_hash,
            "budget_s": self.budget_s,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class Ground:
    """What the defects of one profile are compared on: that profile and its clean build's document."""

    options: Options
    profile: Profile
    document: Path

    @property
    def wanted(self) -> Wanted:
        """What was asked, with the profile's own file."""
        return replace(self.options.wanted, config=self.profile.file)

    @property
    def ordinary(self) -> Ordinary:
        """The verification of a target of this profile."""
        options = self.options
        return Ordinary(self.document, self.profile.file, self.wanted.reports, options.budget_s, options.stopping)


def prove(options: Options, told: Told) -> Proven:
    """Every chosen defect by its profile, then the clean build with several seeds.

    Raises UsageError where [prove] is not written, or not for a profile that is needed.
    """
    began = time.monotonic()
    config = configuration(options.wanted)
    chosen = planted.chosen(planted.listed(config), options.only)
    needed = dict.fromkeys(defect.profile for defect in chosen) or {FIRST: None}
    grounds: list[Ground] = []
    proofs: list[Proof] = []
    digest = ""
    for name, profile in profiles(config, options.wanted.config, needed).items():
        with profile.clean() as clean:
            document, own = _clean_document(profile, clean, options.wanted.reports)
            digest = digest or own
            grounds.append(Ground(options, profile, document))
            own_defects = [defect for defect in chosen if defect.profile == name]
            proofs += _beside(partial(_proof, grounds[-1], clean, told), own_defects, options)
    runs = _beside(partial(_clean_run, grounds, told), range(1, options.seeds + 1), options)
    return Proven(
        tuple(proofs),
        sum(run.held for run in runs),
        sum(run.alarms for run in runs),
        tuple(run.broken for run in runs if run.broken),
        digest,
        time.monotonic() - began,
        options.budget_s,
    )


def _beside(work: Callable[[Item], T], items: Iterable[Item], options: Options) -> list[T]:
    """What the work gives of each item, in their order, as many at once as are asked for."""
    with ThreadPoolExecutor(options.jobs) as pool:
        begun = [pool.submit(work, item) for item in items]
        try:
            return [one.result() for one in begun]
        except BaseException:
            options.stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _clean_document(profile: Profile, clean: ProcessTarget, reports: Path) -> tuple[Path, str]:
    """The clean build's document in a file, and the contract's hash."""
    path = profile.table.get("contract", "/openapi.json")
    text = fetched(clean.url, path)
    place = (reports / f"prove-clean-{profile.name.replace(' ', '-')}.json").absolute()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text)
    return place, read_contract(parsed(text, path), path, []).hash


def _proof(ground: Ground, clean: ProcessTarget, told: Told, defect: Defect) -> Proof:
    """Verifies the target with the defect; only then is what was found compared with what is planted."""
    began, load = time.monotonic(), os.getloadavg()[0]
    by, why = "", ""
    try:
        with ground.profile.planted(defect.id) as target:
            # What is found is compared here alone; only where a replay does not show it, a whole run may.
            for enough in (defect.is_shown_by, None):
                folder, code = ground.ordinary.verified(target, ground.wanted.seed or 1, enough)
                by, why = _caught(ground, defect, folder, code, target, clean)
                if by or not any(map(defect.is_shown_by, archive.read(folder).findings)):
                    break
    except HarnessError as error:
        why = str(error)
    took_s = time.monotonic() - began
    told(f"{defect.id:6} {'caught ' if by else 'ESCAPED'}  {took_s:6.1f} s  {by or why}")
    return Proof(defect.id, bool(by), by, took_s, why, defect.profile, load)


def _caught(
    ground: Ground, defect: Defect, folder: Path, code: int, target: ProcessTarget, clean: ProcessTarget
) -> tuple[str, str]:
    """What caught the defect among a verification's findings, or why nothing did."""
    findings = archive.read(folder).findings
    shown = ", ".join(f"{item.code}@{item.operation}" for item in findings[:4]) or "no finding"
    by, why = "", f"exit {code}: {shown} ({folder.name})"
    for finding in [item for item in findings if defect.is_shown_by(item)][:MAX_REPLAYED]:
        by, why = _replayed(ground.wanted, folder, finding, target, clean)
        if by:
            break
    return by, why


def _replayed(
    wanted: Wanted, folder: Path, finding: Finding, target: ProcessTarget, clean: ProcessTarget
) -> tuple[str, str]:
    """What caught the defect, empty where a replay does not fail there or is not fixed on the clean build; and why."""
    here = on_target(folder, finding, wanted, target)
    there = on_target(folder, finding, wanted, clean)
    name = f"{finding.code} at {finding.operation} ({finding.confirmation.value}, {folder.name}/{finding.fingerprint})"
    if here.answer is Answer.STILL_FAILS and there.answer is Answer.FIXED:
        return name, ""
    return "", f"{name}: {here.answer} there ({here.reason}), {there.answer} on the clean build ({there.reason})"


def _clean_run(grounds: Sequence[Ground], told: Told, seed: int) -> CleanRun:
    """The clean build, verified with a seed; the seeds take turns over the profiles."""
    began, ground = time.monotonic(), grounds[(seed - 1) % len(grounds)]
    name = f"seed {seed} of profile {ground.profile.name}"
    try:
        with ground.profile.clean() as target:
            folder, code = ground.ordinary.verified(target, seed)
    except HarnessError as error:
        told(f"clean  {name} {time.monotonic() - began:6.1f} s  {error}")
        return CleanRun(held=False, alarms=0, broken=f"{name}: {error}")
    report = archive.read(folder)
    shown = ", ".join(f"{item.code}@{item.operation}" for item in report.findings) or f"exit {code} {report.reason}"
    told(f"clean  {name} {time.monotonic() - began:6.1f} s  {shown}")
    held = code == Exit.HOLDS
    return CleanRun(held, len(report.findings), "" if held else f"{name}: exit {code}: {report.reason} ({folder.name})")
