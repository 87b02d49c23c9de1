"""What a promise says of an operation after it has looked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.cell import Access, Cell, access, joined
from harness.finding import Confirmation, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


OUT_OF_TIME = "the time budget was used up before this was examined"
LEFT_SAFE = "left unknown by --safe: it takes a request that may change something, or uses up a quota"


class Status(StrEnum):
    """PASS needs something examined; what was not examined is INCONCLUSIVE."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise on one operation: how many observations were examined, and what was found.

    The status follows from the rest: findings make FAIL, nothing examined makes INCONCLUSIVE with its reason.
    `cells` are what it knows of the authorization matrix.
    """

    promise: str
    operation: str
    examined: int = 0
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    driver: str = ""
    cells: tuple[Cell, ...] = ()

    @property
    def status(self) -> Status:
        """FAIL, INCONCLUSIVE or PASS, the first that applies."""
        if self.findings:
            return Status.FAIL
        return Status.INCONCLUSIVE if self.reason or not self.examined else Status.PASS

    def to_record(self) -> dict[str, Any]:
        """The JSON object that stands on one line of verdicts.jsonl."""
        return {
            "promise": self.promise,
            "operation": self.operation,
            "status": self.status.value,
            "examined": self.examined,
            "findings": [finding.to_record() for finding in self.findings],
            "reason": self.reason,
            "seconds": self.seconds,
            "driver": self.driver,
            **({"cells": [cell.to_record() for cell in self.cells]} if self.cells else {}),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_record` wrote."""
        values = {key: value for key, value in record.items() if key != "status"}
        findings = tuple(Finding.from_record(item) for item in values["findings"])
        return cls(**{**values, "findings": findings, "cells": tuple(map(Cell.from_record, values.get("cells", ())))})


def shown_again(verdicts: Iterable[Verdict], known: Collection[str] = ()) -> bool:
    """Whether any finding of the verdicts was shown again on fresh data, those of known fingerprints left out."""
    return any(
        item.confirmation is Confirmation.CONFIRMED and item.fingerprint not in known
        for verdict in verdicts
        for item in verdict.findings
    )


def merged(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """One verdict for each promise and operation: examined added up, findings once a fingerprint, reasons kept."""
    together: dict[tuple[str, str], Verdict] = {}
    for verdict in verdicts:
        key = (verdict.promise, verdict.operation)
        known = together.get(key)
        together[key] = verdict if known is None else _joined(known, verdict)
    return tuple(together.values())


def _joined(one: Verdict, other: Verdict) -> Verdict:
    findings: dict[str, Finding] = {}
    for finding in (*one.findings, *other.findings):
        known = findings.setdefault(finding.fingerprint, finding)
        if known.confirmation is Confirmation.SEEN_ONCE:
            findings[finding.fingerprint] = finding if finding.confirmation is Confirmation.CONFIRMED else known
    return replace(
        one,
        examined=one.examined + other.examined,
        findings=tuple(findings.values()),
        reason="; ".join(dict.fromkeys(filter(None, (one.reason, other.reason)))),
        seconds=one.seconds + other.seconds,
        cells=joined((*one.cells, *other.cells)),
    )


def authorization(verdicts: Iterable[Verdict]) -> Access:
    """The authorization matrix that verdicts tell."""
    return access((verdict.promise, verdict.operation, verdict.cells) for verdict in verdicts)
