"""Each planted defect under another tool: caught, missed or unknown, by what the clean build does not show."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness import planted
from harness.against import schemathesis_run
from harness.against.callers import callers
from harness.against.schemathesis_run import Call, Failure, Said
from harness.contract.document import parsed
from harness.errors import HarnessError, UsageError
from harness.exits import Exit
from harness.profiles import FIRST, Profile, profiles
from harness.run import Attachment, Run
from harness.session import Wanted, configuration, identity_environment, new_folder, read_contract
from harness.targets import fetched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.contract import Contract
    from harness.planted import Defect
    from harness.targets import ProcessTarget

PLACE = "against"
ATTEMPTS = 2
MAX_TOLD = 4

Told = Callable[[str], None]


class Verdict(StrEnum):
    """What the tool makes of a defect. UNKNOWN is that it could not run, which is no miss."""

    CAUGHT = "caught"
    MISSED = "missed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked. `only` holds defect ids, empty is all; `seeds` counts runs of the clean build of each profile.

    `proved` holds the contract's hash of each proof to be compared with, by its file.
    """

    wanted: Wanted
    only: tuple[str, ...] = ()
    seeds: int = 5
    budget_s: float = 120.0
    proved: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = schemathesis_run.PROGRAM


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of one defect.

    `by` are the failures at its own operations that the clean build does not have, `elsewhere` those at others, which
    do not count; `load` is the machine's average of a minute when it began.
    """

    id: str
    title: str
    classes: tuple[str, ...]
    profile: str
    verdict: Verdict
    by: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    why: str = ""
    sent: int = 0
    seconds: float = 0.0
    load: float = 0.0

    def line(self) -> str:
        """What is told as it is known."""
        told = ", ".join(self.by[:MAX_TOLD]) or self.why
        return f"{self.id:6} {self.verdict.value:8} {self.seconds:6.1f} s  {told}".rstrip()


@dataclass(frozen=True, slots=True)
class Clean:
    """The clean build of one profile: what fails there over all runs, and what could not be done there."""

    profile: str
    runs: int
    failures: frozenset[Failure]
    errors: frozenset[str]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """The whole comparison, as its JSON file and the table are made of it."""

    defects: tuple[Shown, ...]
    clean: tuple[Clean, ...]
    identities: tuple[str, ...]
    version: str
    budget_s: float
    seed: int
    contract_hash: str
    seconds: float

    @property
    def exit_code(self) -> Exit:
        """4 where something could not be told; what another tool misses is no finding."""
        unknown = any(shown.verdict is Verdict.UNKNOWN for shown in self.defects)
        return Exit.INCONCLUSIVE if unknown or any(clean.unknown for clean in self.clean) else Exit.HOLDS

    def to_record(self) -> dict[str, Any]:
        """The JSON object."""
        clean = [
            {
                "profile": clean.profile,
                "runs": clean.runs,
                "failures": [str(failure) for failure in sorted(clean.failures)],
                "errors": sorted(clean.errors),
                "unknown": list(clean.unknown),
            }
            for clean in self.clean
        ]
        names = Shown.__dataclass_fields__
        return {
            "tool": "schemathesis",
            "version": self.version,
            "command": ["schemathesis", *schemathesis_run.words("openapi.json", "URL", self.budget_s, self.seed)],
            "identities": list(self.identities),
            "budget_s": self.budget_s,
            "contract_hash": self.contract_hash,
            "clean": clean,
            "defects": [{name: getattr(shown, name) for name in names} for shown in self.defects],
            "seconds": self.seconds,
        }


@dataclass(slots=True)
class Ground:
    """One profile: how it is started, its clean build's document, and what was learnt of that build."""

    options: Options
    profile: Profile
    folder: Path
    document: bytes
    contract: Contract
    clean: Clean | None = None
    version: str = ""
    identities: tuple[str, ...] = field(default=())

    def said(self, target: ProcessTarget, name: str, seed: int) -> Said:
        """Runs the tool on a target that was started, with identities of its own."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        told = self.profile.config.identities
        attachment = Attachment(
            folder=str(folder.absolute()),
            url=target.url,
            seed=seed,
            identities=told,
            environment=identity_environment(target.environment, told),
        )
        with Run(attachment, PLACE, contract=self.contract) as run:
            found = callers(run)
            settings = found.settings(schemathesis_run.project_settings(self.profile.config.folder))
            call = Call(target.url, self.document, seed, self.options.budget_s, settings, found.document)
            said = schemathesis_run.said(call, folder, run.recorder.mask, program=self.options.program)
        self.version, self.identities = said.version or self.version, found.told
        if not said.unknown and not target.alive():
            return replace(said, unknown="the target ended while it ran")
        return said


def compare(options: Options, told: Told) -> Compared:
    """The clean build of each profile that is needed, then each chosen defect on its profile.

    Raises UsageError where [prove] is not written, or not for a profile that is needed, or no clean run is asked for.
    """
    began = time.monotonic()
    if options.seeds < 1:
        raise UsageError(f"--seeds is {options.seeds}; what fails on the clean build is needed, give 1 or more")
    config = configuration(options.wanted)
    defects = planted.chosen(planted.listed(config), options.only)
    needed = dict.fromkeys(defect.profile for defect in defects) or {FIRST: None}
    place = new_folder(options.wanted.reports / PLACE)
    grounds: list[Ground] = []
    shown: list[Shown] = []
    for name, profile in profiles(config, options.wanted.config, needed).items():
        grounds.append(_ground(options, profile, place / name.replace(" ", "-"), told))
        for defect in (item for item in defects if item.profile == name):
            shown.append(_shown(grounds[-1], defect))
            told(shown[-1].line())
    return Compared(
        defects=tuple(shown),
        clean=tuple(ground.clean for ground in grounds if ground.clean),
        identities=next((ground.identities for ground in grounds if ground.identities), ()),
        version=next((ground.version for ground in grounds if ground.version), ""),
        budget_s=options.budget_s,
        seed=options.wanted.seed or 1,
        contract_hash=grounds[0].contract.hash,
        seconds=time.monotonic() - began,
    )


def _ground(options: Options, profile: Profile, folder: Path, told: Told) -> Ground:
    """The profile with what the tool says of its clean build, over the seeds."""
    failures: set[Failure] = set()
    errors: set[str] = set()
    unknown: list[str] = []
    ground = Ground(options, profile, folder, *_clean_document(profile))
    _same(options.proved, ground.contract)
    for seed in range(1, options.seeds + 1):
        began = time.monotonic()
        with profile.clean() as target:
            said = ground.said(target, f"clean-{seed}", seed)
        failures |= said.failures
        errors |= said.errors
        unknown += [f"seed {seed}: {said.unknown}"] if said.unknown else []
        line = said.unknown or f"{len(said.failures)} failures of {said.sent} test cases"
        told(f"clean  seed {seed} of profile {profile.name} {time.monotonic() - began:6.1f} s  {line}")
    ground.clean = Clean(profile.name, options.seeds, frozenset(failures), frozenset(errors), tuple(unknown))
    return ground


def _same(proved: Mapping[str, str], contract: Contract) -> None:
    other = [file for file, digest in proved.items() if digest != contract.hash]
    if other:
        raise UsageError(f"{', '.join(other)} is the proof of another contract than the clean build's; prove it again")


def _clean_document(profile: Profile) -> tuple[bytes, Contract]:
    """The document as the clean build serves it, and what it says."""
    path = profile.table.get("contract", "/openapi.json")
    with profile.clean() as target:
        text = fetched(target.url, path)
    return text, read_contract(parsed(text, path), path, [])


def _shown(ground: Ground, defect: Defect) -> Shown:
    """Starts the target with the defect and runs the tool on it, which is not told what is planted.

    Where it could not do its work, it is run once more with the next seed.
    """
    began, load = time.monotonic(), os.getloadavg()[0]
    classes = tuple(dict.fromkeys(code.partition(".")[0] for code in defect.codes))
    shown = Shown(defect.id, defect.title, classes, defect.profile, Verdict.UNKNOWN, load=load)
    clean = ground.clean
    if clean is None or clean.unknown:
        return replace(shown, why="what fails on the clean build is not known")
    for attempt in range(ATTEMPTS):
        try:
            with ground.profile.planted(defect.id) as target:
                name = f"{defect.id}-{attempt + 1}"
                said = ground.said(target, name, (ground.options.wanted.seed or 1) + attempt)
        except HarnessError as error:
            return replace(shown, why=str(error), seconds=time.monotonic() - began)
        shown = told_of(shown, defect, said, clean, ground.contract)
        # What it could not do may be what its own draws did, such as to its own account.
        if shown.verdict is not Verdict.UNKNOWN:
            break
    return replace(shown, seconds=time.monotonic() - began)


def told_of(shown: Shown, defect: Defect, said: Said, clean: Clean, contract: Contract) -> Shown:
    """The verdict: caught by a check that fails at an operation of the defect, and never there on the clean build.

    Schemathesis names an operation by its path in the document, without that of the server.
    """
    names = {item.id: f"{item.method} {item.path.removeprefix(contract.base_path)}" for item in contract.operations}
    own = {names[name] for name in defect.operations if name in names}
    fresh = sorted(said.failures - clean.failures)
    by = _texts(failure for failure in fresh if failure.operation in own)
    elsewhere = _texts(failure for failure in fresh if failure.operation not in own)
    shown = replace(shown, verdict=Verdict.UNKNOWN, by=by, elsewhere=elsewhere, why="", sent=said.sent)
    if said.unknown:
        return replace(shown, by=(), elsewhere=(), why=said.unknown)
    if by:
        return replace(shown, verdict=Verdict.CAUGHT)
    # A word that is no operation may stand for any.
    hindered = [name for name in sorted(said.errors - clean.errors) if name in own or name not in names.values()]
    if hindered:
        return replace(shown, why=f"it could not do all of {', '.join(hindered[:MAX_TOLD])}")
    why = f"elsewhere only: {', '.join(elsewhere[:MAX_TOLD])}" if elsewhere else ""
    return replace(shown, verdict=Verdict.MISSED, why=why)


def _texts(failures: Iterable[Failure]) -> tuple[str, ...]:
    return tuple(str(failure) for failure in failures)
