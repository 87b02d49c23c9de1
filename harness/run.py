"""One run: a target's address, its contract, its identities and its folder; what every driver works in."""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import socket
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from harness import canary, forge
from harness.actors import Actors
from harness.contract import Contract, pointer
from harness.errors import UsageError
from harness.history import Growing, Journal
from harness.identities import Identity
from harness.mask import is_secret_name
from harness.recorder import Recorder
from harness.stage import Stage
from harness.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.survey import Survey

VARIABLE = "HARNESS_RUN"
CONTRACT_FILE = "contract.json"
VERDICTS = "verdicts"
BROKEN = "broken"
MAX_TEXT_BYTES = 120_000  # Linux takes 128 KiB for one variable of an environment, with its name
VARIABLES = re.compile(r"\{env:(\w+)\}")
SECRET, DISTINCT_LENGTH = "secret", 8


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a driver's process needs to join a run; it holds secrets and goes through an environment, never a file.

    `only` holds promise keys and operation ids, empty for all; `deadline_ns`, on the monotonic clock, is 0 for none;
    `safe` that nothing but reads and the login is sent; `sessions` are identities that logged in.
    """

    folder: str
    url: str
    seed: int
    identities: Mapping[str, Any] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    only: tuple[str, ...] = ()
    deadline_ns: int = 0
    safe: bool = False
    sessions: tuple[Identity, ...] = field(default=(), repr=False)

    def to_json(self) -> str:
        """The text for the variable HARNESS_RUN, with the sessions that have room in it; who has none logs in there."""
        values: dict[str, Any] = {
            "folder": self.folder,
            "url": self.url,
            "seed": self.seed,
            "identities": self.identities,
            "environment": dict(self.environment),
            "only": list(self.only),
            "deadline_ns": self.deadline_ns,
            "safe": self.safe,
            "sessions": [],
        }
        room = MAX_TEXT_BYTES - len(json.dumps(values))
        sessions = []
        for session in map(asdict, self.sessions):
            room -= len(json.dumps([session]))
            if room < 0:
                break
            sessions.append(session)
        return json.dumps({**values, "sessions": sessions})

    @classmethod
    def from_json(cls, text: str) -> Attachment:
        """The attachment that `to_json` wrote."""
        values = json.loads(text)
        sessions = tuple(_identity(session) for session in values["sessions"])
        return cls(**{**values, "only": tuple(values["only"]), "sessions": sessions})

    @classmethod
    def from_environment(cls) -> Attachment | None:
        """The attachment that the parent process gave; None where this process runs by itself."""
        text = os.environ.get(VARIABLE)
        return cls.from_json(text) if text else None


class Run:
    """A driver's place in a run. Its recorder writes `history/<driver>-<pid>.jsonl`, its verdicts stand beside."""

    def __init__(self, attachment: Attachment, driver: str, *, contract: Contract | None = None) -> None:
        self.attachment, self.driver = attachment, driver
        self.folder, self.seed, self.url = Path(attachment.folder), attachment.seed, attachment.url
        self.contract = contract or frozen_contract(self.folder)
        self.actors = Actors(_told(attachment), attachment.environment, forge.forged)
        self.recorder = Recorder(
            self.url,
            self.folder,
            driver,
            reads_only=attachment.safe,
            login=self.actors.login_operation,
        )
        for value, kind in told_secrets(attachment).items():
            self.recorder.mask.register(value, kind)
        self._speak_by(attachment.sessions)
        self.failed = 0
        self.surveys: dict[str, Survey] = {}
        self._verdicts = Journal(self.folder / VERDICTS / f"{driver}-{os.getpid()}.jsonl")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stage(self, key: str, attempt: int = 1, tenant: str | None = None) -> Stage:
        """A fresh world for a case-run: the same draws for the same seed, key and attempt; data unlike any other's.

        It is in one of the tenants, by its key, where none is named.
        """
        tenants = self.actors.tenants
        number = zlib.crc32(f"{key}#{attempt}".encode())
        if tenant is None:
            tenant = tenants[number % len(tenants)] if tenants else ""
        return Stage(
            contract=self.contract,
            actors=self.actors,
            random=Random(f"{self.seed}/{key}/{attempt}"),  # noqa: S311 - draws are repeatable, not secret
            nonce=canary.fresh(tenant),
            tenant=tenant,
            secret=self.recorder.mask.register,
            source=own_source(self.url),
        )

    def share(self, sessions: Mapping[tuple[str, str], Identity]) -> None:
        """Gives sessions to this process and to those that are attached from now on."""
        self.attachment = replace(self.attachment, sessions=(*self.attachment.sessions, *sessions.values()))
        self._speak_by(sessions.values())

    def _speak_by(self, sessions: Iterable[Identity]) -> None:
        for identity in sessions:
            self.actors.shared[identity.tenant, identity.name] = identity
            if token := self.actors.token_of(identity):
                self.recorder.mask.register(token, SECRET)

    def random(self, key: str) -> Random:
        """The random source that a promise's cases are drawn with."""
        return Random(f"{self.seed}/{key}")  # noqa: S311 - draws are repeatable, not secret

    def selects(self, promise: str, operation: str) -> bool:
        """Whether a promise × operation was asked for."""
        only = self.attachment.only
        return not only or promise in only or operation in only

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; infinite where there is none."""
        if not self.attachment.deadline_ns:
            return math.inf
        return (self.attachment.deadline_ns - self.recorder.clock.now_ns()) / 1e9

    def masked(self, verdict: Verdict) -> Verdict:
        """The verdict with the secrets that this process knows masked in every text of it."""
        return Verdict.from_record(self.recorder.mask.value(verdict.to_record()))

    def tell(self, verdict: Verdict) -> Verdict:
        """Writes a verdict, masked, beside the history for the report; returns it as it was written."""
        told = self.masked(verdict)
        self.failed += told.status is Status.FAIL
        self._verdicts.append(told.to_record())
        return told

    def close(self) -> None:
        """Closes connections and files."""
        self.recorder.close()
        self._verdicts.close()


def _told(attachment: Attachment) -> Mapping[str, Any]:
    """What is told of identities; nobody is registered or given a role where nothing may be changed."""
    changing = {"register", "grant"} if attachment.safe else set()
    return {name: table for name, table in attachment.identities.items() if name not in changing}


def _identity(session: Mapping[str, Any]) -> Identity:
    headers = tuple((name, value) for name, value in session["headers"])
    return Identity(**{**session, "roles": tuple(session["roles"]), "headers": headers})


def frozen_contract(folder: Path) -> Contract:
    """The contract as it was frozen when the run began; raises UsageError where the folder has lost it."""
    try:
        frozen = json.loads((folder / CONTRACT_FILE).read_text(encoding="utf-8"))
        return Contract(frozen["document"], base_path=frozen["base_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        told = f"{type(error).__name__}: {error}"
        raise UsageError(f"{folder / CONTRACT_FILE} cannot be read ({told}); name the folder of a whole run") from error


def freeze(contract: Contract, folder: Path) -> None:
    """Writes the contract to the run's folder, for other processes and for later judgement."""
    frozen = {"hash": contract.hash, "base_path": contract.base_path, "document": contract.document}
    (folder / CONTRACT_FILE).write_text(json.dumps(frozen, default=str), encoding="utf-8")


class Heard:
    """The verdicts of a run whose drivers still tell some; each is read once."""

    def __init__(self, folder: Path) -> None:
        self._told = Growing(folder / VERDICTS)
        self._verdicts: list[Verdict] = []

    def verdicts(self) -> list[Verdict]:
        """Every verdict that was told so far."""
        self._verdicts += map(Verdict.from_record, self._told.more())
        return self._verdicts


def verdicts(folder: Path) -> list[Verdict]:
    """Every verdict that the drivers of a run have told so far."""
    return Heard(folder).verdicts()


def own_source(url: str) -> str:
    """An address of this machine that no other case sends from, so that what is counted by address is its own.

    Empty where the target is not on this machine's IPv4 loopback, or where the system has but one address there.
    """
    if urlsplit(url).hostname != "127.0.0.1":
        return ""
    address = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}.{secrets.randbelow(253) + 2}"
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return ""
    return address


def told_secrets(attachment: Attachment) -> dict[str, str]:
    """The values of the variables that `[identities]` names, which a history must not show, each with its kind.

    A `secret` is a credential that no other text looks like; a user's name or a plain word is a `value`.
    """
    found: dict[str, str] = {}
    for place, text in pointer.leaves(dict(attachment.identities)):
        for name in VARIABLES.findall(text) if isinstance(text, str) else ():
            value = attachment.environment.get(name, "")
            names = pointer.tokens(place)
            secret = "headers" in names or is_secret_name(names[-1])
            if value and found.get(value) != SECRET:
                found[value] = SECRET if secret and _distinct(value) else "value"
    return found


def _distinct(value: str) -> bool:
    return len(value) >= DISTINCT_LENGTH and not value.isalpha() and not value.isdigit()
