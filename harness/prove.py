"""Proves the harness: every planted defect must be caught by the ordinary verification, the clean build by none.

A verification of a defect is given the address and the clean build's document, as anyone's would be; what it tells is
compared with what is planted outside of it, and it is ended once that was found.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from harness import archive, planted
from harness.contract.document import parsed
from harness.errors import HarnessError
from harness.exits import Exit
from harness.ordinary import Ordinary
from harness.profiles import FIRST, Profile, profiles
from harness.proof import CleanRun, Proof, Proven
from harness.replay import Answer, on_target
from harness.session import Wanted, configuration, read_contract
from harness.targets import fetched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.finding import Finding
    from harness.planted import Defect
    from harness.targets import ProcessTarget

MAX_REPLAYED = 4
LONGER = 1.5

Told = Callable[[str], None]
T = TypeVar("T")


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

    @property
    def processes(self) -> int:
        """How many verify a defect: beside others, most of which end early, a second is only one more that begins."""
        return 2 if self.jobs == 1 else 1

    @property
    def longest_s(self) -> float:
        """The budget of a defect's verification: one process is given longer than two."""
        return self.budget_s * (LONGER if self.processes == 1 else 1)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the defects of one profile are compared on: that profile, its clean build and that one's document."""

    options: Options
    profile: Profile
    clean: ProcessTarget
    document: Path
    contract_hash: str

    @property
    def wanted(self) -> Wanted:
        """What was asked, with the profile's own file."""
        return replace(self.options.wanted, config=self.profile.file)

    def ordinary(self, budget_s: float, processes: int = 2) -> Ordinary:
        """The verification of a target of this profile within so long, by so many processes."""
        stopping = self.options.stopping
        return Ordinary(self.document, self.profile.file, self.wanted.reports, budget_s, stopping, processes)


def prove(options: Options, told: Told, kept: Callable[[Proven], None]) -> Proven:
    """Every chosen defect by its profile, and the clean build with several seeds.

    `kept` is given what is known whenever more is, so that an interruption loses nothing.

    Raises UsageError where [prove] is not written, or not for a profile that is needed.
    """
    began = time.monotonic()
    config = configuration(options.wanted)
    chosen = planted.chosen(planted.listed(config), options.only)
    needed = dict.fromkeys(defect.profile for defect in chosen) or {FIRST: None}
    with ExitStack() as held:
        grounds = {
            name: _ground(options, profile, held.enter_context(profile.clean()))
            for name, profile in profiles(config, options.wanted.config, needed).items()
        }
        work: list[Callable[[], Proof | CleanRun]] = [
            partial(_proof, grounds[defect.profile], told, defect) for defect in chosen
        ]
        work += [partial(_clean_run, list(grounds.values()), told, seed) for seed in range(1, options.seeds + 1)]
        digest = next(iter(grounds.values())).contract_hash
        done: dict[int, Proof | CleanRun] = {}
        for place, one in _beside(work, options):
            done[place] = one
            kept(_proven(options, done, len(chosen), digest, time.monotonic() - began))
    return _proven(options, done, len(chosen), digest, time.monotonic() - began)


def _proven(options: Options, done: Mapping[int, Proof | CleanRun], chosen: int, digest: str, seconds: float) -> Proven:
    """The proof of what is done, in the order in which it was asked for."""
    told = [done[place] for place in sorted(done)]
    defects = tuple(one for one in told if isinstance(one, Proof))
    clean = tuple(one for one in told if isinstance(one, CleanRun))
    return Proven(defects, clean, (chosen, options.seeds), digest, seconds, options.longest_s, options.jobs)


def _beside(work: Sequence[Callable[[], T]], options: Options) -> Iterator[tuple[int, T]]:
    """What each gives and its place, as they end; as many at once as are asked for."""
    with ThreadPoolExecutor(options.jobs) as pool:
        begun = {pool.submit(one): place for place, one in enumerate(work)}
        try:
            for ended in as_completed(begun):
                yield begun[ended], ended.result()
        except BaseException:
            options.stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ground(options: Options, profile: Profile, clean: ProcessTarget) -> Ground:
    """The ground of a profile, by its clean build's document."""
    document, digest = _clean_document(profile, clean, options.wanted.reports)
    return Ground(options, profile, clean, document, digest)


def _clean_document(profile: Profile, clean: ProcessTarget, reports: Path) -> tuple[Path, str]:
    """The clean build's document in a file, and the contract's hash."""
    path = profile.table.get("contract", "/openapi.json")
    text = fetched(clean.url, path)
    place = (reports / f"prove-clean-{profile.name.replace(' ', '-')}.json").absolute()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text)
    return place, read_contract(parsed(text, path), path, []).hash


def _proof(ground: Ground, told: Told, defect: Defect) -> Proof:
    """Verifies the target with the defect; only then is what was found compared with what is planted."""
    began, load = time.monotonic(), os.getloadavg()[0]
    by, why = "", ""
    ordinary = ground.ordinary(ground.options.longest_s, ground.options.processes)
    try:
        with ground.profile.planted(defect.id) as target:
            # What is found is compared here alone; only where a replay does not show it, a whole run may.
            for enough in (defect.is_shown_by, None):
                folder, code = ordinary.verified(target, ground.wanted.seed or 1, enough)
                by, why = _caught(ground, defect, folder, code, target)
                if by or not any(map(defect.is_shown_by, archive.read(folder).findings)):
                    break
    except HarnessError as error:
        why = str(error)
    took_s = time.monotonic() - began
    came = "caught " if by else "stopped" if ground.options.stopping.is_set() else "ESCAPED"
    told(f"{defect.id:6} {came}  {took_s:6.1f} s  {by or why}")
    return Proof(defect.id, bool(by), by, took_s, why, defect.profile, load)


def _caught(ground: Ground, defect: Defect, folder: Path, code: int, target: ProcessTarget) -> tuple[str, str]:
    """What caught the defect among a verification's findings, or why nothing did."""
    findings = archive.read(folder).findings
    shown = ", ".join(f"{item.code}@{item.operation}" for item in findings[:4]) or "no finding"
    by, why = "", f"exit {code}: {shown} ({folder.name})"
    for finding in [item for item in findings if defect.is_shown_by(item)][:MAX_REPLAYED]:
        by, why = _replayed(ground, folder, finding, target)
        if by:
            break
    return by, why


def _replayed(ground: Ground, folder: Path, finding: Finding, target: ProcessTarget) -> tuple[str, str]:
    """What caught the defect, empty where a replay does not fail there or is not fixed on the clean build; and why."""
    here = on_target(folder, finding, ground.wanted, target)
    there = on_target(folder, finding, ground.wanted, ground.clean)
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
            folder, code = ground.ordinary(ground.options.budget_s).verified(target, seed)
    except HarnessError as error:
        told(f"clean  {name} {time.monotonic() - began:6.1f} s  {error}")
        return CleanRun(held=False, alarms=0, broken=f"{name}: {error}")
    report = archive.read(folder)
    shown = ", ".join(f"{item.code}@{item.operation}" for item in report.findings) or f"exit {code} {report.reason}"
    told(f"clean  {name} {time.monotonic() - began:6.1f} s  {shown}")
    held = code == Exit.HOLDS
    return CleanRun(held, len(report.findings), "" if held else f"{name}: exit {code}: {report.reason} ({folder.name})")
