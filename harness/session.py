"""Opens a run as options and harness.toml tell: target, contract, identities and a folder, and closes it again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import config as configs
from harness.clock import SystemClock
from harness.contract import Contract
from harness.contract.document import parsed, read_file
from harness.contract.origin import Origin, Source
from harness.errors import TargetError, UsageError
from harness.promises.annotations import problems
from harness.promises.catalogue import PROMISES
from harness.run import Attachment, freeze
from harness.targets import ContainersTarget, ProcessTarget, StartedTarget, Target, UrlTarget, fetched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LATEST = "latest"
RUN_FILE = "run.json"
DOCUMENT_PATHS = ("/openapi.json", "/openapi.yaml", "/swagger.json", "/api/openapi.json")
SEED_LIMIT = 2**31
STARTED: Mapping[str, type[StartedTarget]] = {
    "process": ProcessTarget,
    "containers": ContainersTarget,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for; what is empty is read from harness.toml.

    `target` is process or containers; `identities` is laid over the table of harness.toml, `command` replaces the
    target's.
    """

    url: str = ""
    target: str = ""
    contract: str = ""
    overlays: tuple[str, ...] = ()
    seed: int | None = None
    reports: Path = Path("reports")
    config: Path | None = None
    allow_remote: bool = False
    safe: bool = False
    identities: Mapping[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """An open run: what a driver's process needs to join it, and what the parent knows of it."""

    attachment: Attachment
    contract: Contract
    target: Target
    config: configs.Config
    overlays: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """`reports/<run>/`."""
        return Path(self.attachment.folder)

    @property
    def run_id(self) -> str:
        """The name of the run's folder."""
        return self.folder.name


def configuration(wanted: Wanted) -> configs.Config:
    """The configuration to use: the file named, else harness.toml here, else an empty one where a URL is given."""
    path = wanted.config or Path(configs.FILE)
    if path.is_file() or wanted.config is not None:
        return configs.read(path)
    if not wanted.url:
        raise UsageError(
            f"there is no {configs.FILE} here and no --url",
            [
                "give --url http://127.0.0.1:PORT of a running API",
                f"or write {configs.FILE} with [target.process] command",
            ],
        )
    return configs.Config(Path.cwd())


@contextlib.contextmanager
def opened(wanted: Wanted) -> Iterator[Session]:
    """Starts or reaches the target, reads and freezes the contract, makes the run's folder.

    Raises UsageError or TargetError; the target is stopped whatever happens, and a folder in which nothing was begun
    does not stay.
    """
    config = configuration(wanted)
    target = chosen_target(wanted, config)
    given = _given_contract(wanted, config)
    overlays = overlay_paths(wanted, config)
    folder = new_folder(wanted.reports)
    with _kept_once_begun(folder), target:
        contract, source = given or _served_contract(wanted, config, target)
        config, notes = fitting(wanted, config, contract)
        told = wanted.identities if wanted.url else merged_identities(config.identities, wanted.identities)
        _all_set(told, target.environment)
        freeze(contract, folder)
        Origin.of(source, overlays).keep(folder)
        attachment = Attachment(
            folder=str(folder),
            url=target.url,
            seed=secrets.randbelow(SEED_LIMIT) if wanted.seed is None else wanted.seed,
            identities=merged_identities(config.identities, wanted.identities),
            environment=identity_environment(target.environment, config.identities, wanted.identities),
            safe=wanted.safe,
        )
        yield Session(attachment, contract, target, config, tuple(map(str, overlays)), notes)


@contextlib.contextmanager
def _kept_once_begun(folder: Path) -> Iterator[None]:
    """Removes the folder of a run that ended before its run.json was written: there is nothing to tell of it."""
    try:
        yield
    finally:
        if not (folder / RUN_FILE).exists():
            shutil.rmtree(folder, ignore_errors=True)


def chosen_target(wanted: Wanted, config: configs.Config) -> Target:
    """What the options name, else what harness.toml tells: a process before containers, and those before an address."""
    if wanted.url and wanted.target:
        raise UsageError(f"both --url {wanted.url} and --target {wanted.target} are given", ["give one of them"])
    kind = wanted.target or next((name for name in STARTED if name in config.target), "")
    url = wanted.url or ("" if kind else config.target.get("url", ""))
    if url:
        return UrlTarget(url, allow_remote=wanted.allow_remote)
    if not kind:
        raise UsageError(f"{configs.FILE} names no target", ["write [target.process] command = [...], or give --url"])
    if kind not in config.target:
        known = ", ".join(name for name in STARTED if name in config.target) or "none"
        fix = f"write [target.{kind}], or choose another; it has {known}"
        raise UsageError(f"{configs.FILE} names no target {kind}", [fix])
    return STARTED[kind](config.target[kind], config.folder, command=wanted.command or None)


def fitting(wanted: Wanted, config: configs.Config, contract: Contract) -> tuple[configs.Config, tuple[str, ...]]:
    """The configuration, without what harness.toml tells of another API where only a URL was named; and a note of it.

    A file that tells identities by operations that the contract does not have is of another API.
    """
    calls = [config.identities.get(name, {}).get("operation") for name in ("register", "login", "grant")]
    foreign = [name for name in calls if name and name not in contract.by_id]
    if not wanted.url or wanted.config is not None or not foreign:
        return config, ()
    note = (
        f"{configs.FILE} is not used: its identities call {', '.join(foreign)}, which this contract does not have; "
        "name a file for this API with --config"
    )
    return configs.Config(config.folder), (note,)


def overlay_paths(wanted: Wanted, config: configs.Config) -> list[Path]:
    """The overlays named by options, else those of harness.toml."""
    if wanted.overlays:
        return [Path(name) for name in wanted.overlays]
    told: Sequence[str] = config.contract.get("overlays", ()) if not wanted.contract else ()
    return [config.folder / name for name in told]


def read_contract(value: Any, name: str, overlays: Sequence[Path]) -> Contract:
    """The contract of a parsed document with its promises checked; raises UsageError with every problem."""
    contract = Contract.read(value, name, overlays=overlays)
    found = problems(contract, PROMISES)
    if found:
        raise UsageError(f"the promises of {name} have {len(found)} problem{'s' if len(found) > 1 else ''}", found)
    return contract


def new_folder(reports: Path) -> Path:
    """A fresh folder for a run, named by UTC time and six random digits; raises UsageError where none can be made."""
    name = f"{SystemClock().wall():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder = (reports / name).absolute()
    try:
        folder.mkdir(parents=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise UsageError(
            f"{reports} cannot be written: {error.strerror}; choose another folder with --reports"
        ) from error
    return folder


def point_latest(folder: Path) -> None:
    """Makes `reports/latest` point to the folder, at once for whoever looks."""
    link = folder.parent / LATEST
    fresh = folder.parent / f".{LATEST}-{folder.name}"
    with contextlib.suppress(OSError):
        fresh.symlink_to(folder.name)
        os.replace(fresh, link)  # noqa: PTH105 - os.replace is the atomic one on every platform


def merged_identities(told: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The identities of harness.toml with those of options laid over; known ones are added up."""
    known = [*over.get("known", ()), *told.get("known", ())]
    return {**told, **over, **({"known": known} if known else {})}


def _given_contract(wanted: Wanted, config: configs.Config) -> tuple[Contract, Source] | None:
    """The contract of a file with its text, read before anything is started; None where the target serves it."""
    told = str(config.folder / config.contract["file"]) if "file" in config.contract else ""
    name = wanted.contract or told
    if not name or (name.startswith("/") and not Path(name).exists()):
        return None
    value = read_file(Path(name))
    return read_contract(value, name, overlay_paths(wanted, config)), Source(name, Path(name).read_bytes())


def _served_contract(wanted: Wanted, config: configs.Config, target: Target) -> tuple[Contract, Source]:
    """The contract that the target serves, with its text: at the path told, else at a usual one that answers."""
    started = config.target.get(target.kind, {}) if target.kind in STARTED else {}
    told = wanted.contract or started.get("contract", "")
    failures = []
    for path in (told,) if told else DOCUMENT_PATHS:
        try:
            text = fetched(target.url, path)
        except (TargetError, UsageError) as error:
            if told:
                raise
            failures.append(str(error))
            continue
        name = f"{target.url}{path}"
        return read_contract(parsed(text, name), name, overlay_paths(wanted, config)), Source(name, text)
    raise UsageError("no OpenAPI document was found; name a file or a path with --contract", failures)


def _all_set(identities: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Raises UsageError with every variable that the identities name and that is not set.

    Of an address given with --url, only what options say is held to: the harness.toml here may be another API's, and
    an identity that it cannot give is INCONCLUSIVE.
    """
    named = dict.fromkeys(re.findall(r"\{env:(\w+)\}", json.dumps(identities)))
    missing = [name for name in named if not environment.get(name)]
    if missing:
        problems = [f"{name} is not set; export it with the token, key or password" for name in missing]
        raise UsageError("an identity is told by an environment variable that is not set", problems)


def identity_environment(environment: Mapping[str, str], *tables: Mapping[str, Any]) -> dict[str, str]:
    """Only those variables that the identities name: nothing else of an environment is passed on."""
    text = json.dumps(tables)
    return {name: value for name, value in environment.items() if f"{{env:{name}}}" in text}
