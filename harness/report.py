"""What one run shows, as plain values: what every renderer is given, and what `reports/<run>/run.json` holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.checked import Checked, Standing
from harness.coverage import Coverage
from harness.exits import Exit
from harness.finding import Confirmation, Finding
from harness.verdict import Status, Verdict, authorization

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.exchange import Exchange

SCHEMA_VERSION = 1

MEANINGS: Mapping[Exit, str] = {
    Exit.HOLDS: "holds",
    Exit.FINDINGS: "findings",
    Exit.USAGE: "wrong use or configuration",
    Exit.TARGET: "target unreachable or unhealthy",
    Exit.INCONCLUSIVE: "inconclusive: something promised was not examined enough",
    Exit.INTERNAL: "internal error of the harness",
    Exit.INTERRUPTED: "interrupted",
}


class RunStatus(StrEnum):
    """How far a run came. PARTIAL was interrupted or killed: what it recorded stands, the rest was not looked at."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Target:
    """What was verified. `kind` is process, url or containers; `command` is shown and holds no secret."""

    kind: str
    url: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """Which contract it was held against: its title, the SHA-256 of the document with overlays, and the overlays."""

    title: str = ""
    hash: str = ""
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """One operation of the contract, as a row of the matrix."""

    id: str
    method: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of the run. `status` is a verdict's (pass, fail, inconclusive), or running, skipped, interrupted, error.

    `examined` counts observations; `reason` says why it was not, or not wholly, examined.
    """

    name: str
    status: str
    examined: int = 0
    findings: int = 0
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OperationLatency:
    """One operation under load: milliseconds unrounded, from the due time; None where nothing was served.

    `error_ratio` is errors in all requests; `objective_p95_ms` is None where nothing is promised.
    """

    operation: str
    count: int
    rate_per_s: float
    error_ratio: float
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    objective_p95_ms: float | None = None
    verdict: Status = Status.INCONCLUSIVE
    reason: str = ""


class KnownState(StrEnum):
    """What a run says of an entry of the baseline; only KNOWN keeps a finding from counting."""

    KNOWN = "known"
    EXPIRED = "expired"
    GONE = "gone"
    NOT_EXAMINED = "not examined"


@dataclass(frozen=True, slots=True)
class Known:
    """A finding that is accepted until the end of a day (`expires`, as 2027-01-31), with the reason why."""

    fingerprint: str
    code: str
    operation: str
    reason: str
    expires: str
    state: KnownState = KnownState.NOT_EXAMINED


@dataclass(frozen=True, slots=True)
class Report:
    """One run. `exit_code` is None while it runs; `reason` is the sentence of an ending that is no verdict.

    `findings` are unique and worst first (see `worst_first`); `exchanges` are those that findings name, by id (see
    `witnesses`). `requests` counts all that were sent, `paced` the 429 answers that were waited out. `again` is the
    command that runs this again; `fail_on` the severity from which a finding counts in the exit code. `baseline` has
    every entry of the file of known findings, `checklist` is empty where a project has none; `min_coverage` is the
    percentage of `coverage` that was asked for.
    """

    run_id: str
    status: RunStatus
    exit_code: Exit | None
    target: Target
    contract: ContractFacts = ContractFacts()
    operations: tuple[OperationFacts, ...] = ()
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None
    budget_s: float | None = None
    phases: tuple[Phase, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    exchanges: Mapping[str, Exchange] = field(default_factory=dict)
    latencies: tuple[OperationLatency, ...] = ()
    requests: int = 0
    paced: int = 0
    reason: str = ""
    again: str = ""
    fail_on: str = ""
    baseline: tuple[Known, ...] = ()
    checklist: tuple[Checked, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    min_coverage: float | None = None

    @property
    def known(self) -> Mapping[str, Known]:
        """The entries of the baseline that keep a finding of this run from counting, by fingerprint."""
        return {entry.fingerprint: entry for entry in self.baseline if entry.state is KnownState.KNOWN}

    @property
    def counted(self) -> tuple[Finding, ...]:
        """The findings that are not known ones, worst first."""
        known = self.known
        return tuple(finding for finding in self.findings if finding.fingerprint not in known)

    @property
    def meaning(self) -> str:
        """What the exit code says; `not ended` while there is none."""
        return "not ended" if self.exit_code is None else MEANINGS[self.exit_code]

    @property
    def seconds(self) -> float | None:
        """How long it took; None where it has not ended."""
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()

    def to_record(self) -> dict[str, Any]:
        """The JSON object of run.json; verdicts, findings and exchanges stand in files of their own."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run_id": self.run_id,
            "status": self.status.value,
            "exit_code": None if self.exit_code is None else int(self.exit_code),
            "meaning": self.meaning,
            "reason": self.reason,
            "target": asdict(self.target),
            "contract_hash": self.contract.hash,
            "contract_title": self.contract.title,
            "overlays": list(self.contract.overlays),
            "seed": self.seed,
            "versions": dict(self.versions),
            "started": _text(self.started),
            "ended": _text(self.ended),
            "budget_s": self.budget_s,
            "requests": self.requests,
            "paced_429": self.paced,
            "again": self.again,
            "fail_on": self.fail_on,
            "baseline": [asdict(entry) for entry in self.baseline],
            "coverage": self.coverage.to_record(),
            "min_coverage": self.min_coverage,
            "phases": [asdict(phase) for phase in self.phases],
            "latencies": [asdict(latency) for latency in self.latencies],
            "authorization": authorization(self.verdicts).to_record(),
            "operations": [asdict(operation) for operation in self.operations],
            "checklist": [asdict(item) for item in self.checklist],
        }

    @classmethod
    def from_record(
        cls,
        record: Mapping[str, Any],
        *,
        verdicts: Iterable[Verdict] = (),
        findings: Iterable[Finding] = (),
        exchanges: Iterable[Exchange] = (),
    ) -> Report:
        """The report of a run.json that `to_record` wrote and of the files beside it; extra exchanges are left out."""
        found = worst_first(findings)
        code = record["exit_code"]
        return cls(
            run_id=record["run_id"],
            status=RunStatus(record["status"]),
            exit_code=None if code is None else Exit(code),
            target=Target(**record["target"]),
            contract=ContractFacts(record["contract_title"], record["contract_hash"], tuple(record["overlays"])),
            operations=tuple(OperationFacts(**item) for item in record["operations"]),
            seed=record["seed"],
            versions=record["versions"],
            started=_instant(record["started"]),
            ended=_instant(record["ended"]),
            budget_s=record["budget_s"],
            phases=tuple(Phase(**item) for item in record["phases"]),
            verdicts=tuple(verdicts),
            findings=found,
            exchanges=witnesses(found, exchanges),
            latencies=tuple(
                OperationLatency(**{**item, "verdict": Status(item["verdict"])}) for item in record["latencies"]
            ),
            requests=record["requests"],
            paced=record["paced_429"],
            reason=record["reason"],
            again=record["again"],
            fail_on=record["fail_on"],
            coverage=Coverage.from_record(record.get("coverage", {})),
            min_coverage=record.get("min_coverage"),
            baseline=tuple(
                Known(**{**item, "state": KnownState(item["state"])}) for item in record.get("baseline", ())
            ),
            checklist=tuple(
                Checked(**{**item, "standing": Standing(item["standing"])}) for item in record.get("checklist", ())
            ),
        )


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each fault once by its fingerprint, a confirmed sight before one seen once; worst severity first."""
    unique: dict[str, Finding] = {}
    for finding in findings:
        known = unique.get(finding.fingerprint)
        if known is None or (_confirmed(finding) and not _confirmed(known)):
            unique[finding.fingerprint] = finding
    return tuple(
        sorted(
            unique.values(),
            key=lambda item: (item.severity.rank, not _confirmed(item), item.code, item.operation, item.kind),
        )
    )


def witnesses(findings: Iterable[Finding], exchanges: Iterable[Exchange]) -> dict[str, Exchange]:
    """The exchanges that the findings name, by id."""
    named = {name for finding in findings for name in finding.witnesses}
    return {exchange.id: exchange for exchange in exchanges if exchange.id in named}


def _confirmed(finding: Finding) -> bool:
    return finding.confirmation is Confirmation.CONFIRMED


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
