"""Proves the harness: every planted defect must be caught by the ordinary verification, the clean build by none.

A verification of a defect is given the address and the clean build's document, as anyone's would be; what is planted is
compared with what was found only after it has ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from harness import archive
from harness.child import Child
from harness.config import filled
from harness.contract.document import parsed
from harness.errors import HarnessError, UsageError
from harness.exits import Exit
from harness.profiles import FIRST, Profile, profiles
from harness.replay import Answer, on_target
from harness.session import LATEST, Wanted, configuration, read_contract
from harness.targets import fetched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.config import Config
    from harness.finding import Finding
    from harness.targets import ProcessTarget

LIST_TIMEOUT_S = 60
GRACE_S = 60.0
MAX_REPLAYED = 4

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Defect:
    """What is planted: the classes of finding that name it, the operations where one may stand, and what it needs.

    `profile` names the kind of target on which it exists; it says nothing of the check that is to find it.
    """

    id: str
    title: str
    codes: tuple[str, ...]
    operations: tuple[str, ...]
    profile: str = FIRST

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Defect:
        """The defect that a project's list tells; raises KeyError or TypeError where it is no such object."""
        codes, operations = tuple(record["codes"]), tuple(record["operations"])
        return cls(record["id"], record["title"], codes, operations, str(record.get("profile", FIRST)))

    def is_shown_by(self, finding: Finding) -> bool:
        """Whether the finding is of the defect's class and at its operation."""
        return finding.code in self.codes and finding.operation in self.operations


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one defect: `by` names the finding that caught it, empty where it escaped, `why` says how."""

    id: str
    caught: bool
    by: str
    seconds: float
    why: str = ""
    profile: str = FIRST


@dataclass(frozen=True, slots=True)
class Options:
    """What `harness prove` was asked. `only` holds defect ids; empty is all. `seeds` counts runs of the clean build."""

    wanted: Wanted
    only: tuple[str, ...] = ()
    seeds: int = 5
    budget_s: float = 150.0


@dataclass(frozen=True, slots=True)
class Proven:
    """The whole proof, as its JSON file tells it."""

    defects: tuple[Proof, ...]
    seeds: int
    false_alarms: int
    clean: tuple[str, ...]
    contract_hash: str
    seconds: float

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


def prove(options: Options, told: Told) -> Proven:
    """Every chosen defect by its profile, then the clean build with several seeds.

    Raises UsageError where [prove] is not written, or not for a profile that is needed.
    """
    began = time.monotonic()
    config = configuration(options.wanted)
    chosen = _chosen(listed(config), options.only)
    needed = dict.fromkeys(defect.profile for defect in chosen) or {FIRST: None}
    grounds: list[Ground] = []
    proofs: list[Proof] = []
    digest = ""
    for name, profile in profiles(config, options.wanted.config, needed).items():
        with profile.clean() as clean:
            document, own = _clean_document(profile, clean, options.wanted.reports)
            digest = digest or own
            grounds.append(Ground(options, profile, document))
            for defect in (item for item in chosen if item.profile == name):
                proof = _proof(grounds[-1], defect, clean)
                word = "caught" if proof.caught else "ESCAPED"
                told(f"{proof.id:6} {word:8} {proof.seconds:6.1f} s  {proof.by if proof.caught else proof.why}")
                proofs.append(proof)
    alarms, broken, held = _clean_runs(options, grounds, told)
    return Proven(tuple(proofs), held, alarms, tuple(broken), digest, time.monotonic() - began)


def listed(config: Config) -> list[Defect]:
    """The planted defects that the command `prove.list` prints."""
    if not config.prove or "process" not in config.target:
        raise UsageError(
            "harness.toml has no planted defects", ["write [prove] list and command, and [target.process]"]
        )
    command = filled(list(config.prove["list"]), {"python": sys.executable}, os.environ)
    shown = f"prove.list {' '.join(command)!r}"
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command
            command, cwd=config.folder, capture_output=True, check=False, timeout=LIST_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{shown} gave no list: {error}") from error
    if done.returncode:
        raise UsageError(f"{shown} ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')[-500:]}")
    try:
        return [Defect.from_record(item) for item in json.loads(done.stdout)]
    except (ValueError, TypeError, KeyError) as error:
        told = f"{type(error).__name__}: {error}"
        raise UsageError(f"{shown} printed no JSON list of id, title, codes and operations: {told}") from error


def _chosen(defects: Sequence[Defect], only: Sequence[str]) -> list[Defect]:
    known = {defect.id for defect in defects}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise UsageError(f"no defect is called {', '.join(unknown)}", [f"known are {', '.join(sorted(known))}"])
    return [defect for defect in defects if not only or defect.id in only]


def _clean_document(profile: Profile, clean: ProcessTarget, reports: Path) -> tuple[Path, str]:
    """The clean build's document in a file, and the contract's hash."""
    path = profile.table.get("contract", "/openapi.json")
    text = fetched(clean.url, path)
    place = (reports / f"prove-clean-{profile.name.replace(' ', '-')}.json").absolute()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text)
    return place, read_contract(parsed(text, path), path, []).hash


def _proof(ground: Ground, defect: Defect, clean: ProcessTarget) -> Proof:
    """Verifies the target with the defect; only then is what was found compared with what is planted."""
    began = time.monotonic()
    by, why = "", ""
    try:
        with ground.profile.planted(defect.id) as target:
            # Most are caught by the first finding; only where that is another the whole verification is run.
            for words in (("--first",), ()):
                folder, code = _verified(ground, target, ground.wanted.seed or 1, *words)
                by, why = _caught(ground, defect, folder, code, target, clean)
                if by or code != Exit.FINDINGS:
                    break
    except HarnessError as error:
        why = str(error)
    return Proof(defect.id, bool(by), by, time.monotonic() - began, why, defect.profile)


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


def _clean_runs(options: Options, grounds: Sequence[Ground], told: Told) -> tuple[int, list[str], int]:
    """False alarms, runs that did not hold (with their reason), and runs that count, over the seeds.

    The seeds take turns over the profiles.
    """
    alarms, broken, held = 0, [], 0
    for seed in range(1, options.seeds + 1):
        began = time.monotonic()
        ground = grounds[(seed - 1) % len(grounds)]
        name = f"seed {seed}" + (f" of profile {ground.profile.name}" if len(grounds) > 1 else "")
        try:
            with ground.profile.clean() as target:
                folder, code = _verified(ground, target, seed)
        except HarnessError as error:
            broken.append(f"{name}: {error}")
            told(f"clean  {name} {time.monotonic() - began:6.1f} s  {error}")
            continue
        report = archive.read(folder)
        alarms += len(report.findings)
        held += code == Exit.HOLDS
        if code != Exit.HOLDS:
            broken.append(f"{name}: exit {code}: {report.reason} ({folder.name})")
        shown = ", ".join(f"{item.code}@{item.operation}" for item in report.findings) or f"exit {code} {report.reason}"
        told(f"clean  {name} {time.monotonic() - began:6.1f} s  {shown}")
    return alarms, broken, held


def _verified(ground: Ground, target: ProcessTarget, seed: int, *words: str) -> tuple[Path, int]:
    """The ordinary verification, with further options, in a process of its own: the run's folder and its exit code."""
    options, file, reports = ground.options, ground.profile.file, ground.wanted.reports.absolute()
    before = set(reports.glob("*/run.json"))
    command = [sys.executable, "-m", "harness.cli", "verify", "--url", target.url, "--contract"]
    command += [str(ground.document)]
    command += ["--seed", str(seed), "--budget", f"{options.budget_s:g}s", "--reports", str(reports)]
    command += ["--config", str(file.absolute())] if file else []
    command += words
    environment = {**os.environ, **target.environment}
    log = reports / "prove.log"
    with (
        log.open("ab") as output,
        Child(command, environment=environment, output=output, folder=target.folder) as child,
    ):
        code = child.wait(options.budget_s * 2 + GRACE_S)
    fresh = [
        path.parent
        for path in reports.glob("*/run.json")
        if path not in before
        and path.parent.name != LATEST
        and archive.read_record(path.parent)["target"]["url"] == target.url
    ]
    if code is None or not fresh:
        ended = "did not end in its time" if code is None else f"ended with {code} and left no run"
        raise HarnessError(f"the verification {ended}; see {log}")
    return max(fresh, key=lambda folder: folder.name), code
