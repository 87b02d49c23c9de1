"""run.json, findings.jsonl and verdicts.jsonl: the formats that other programs read, in plain JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.report import Report


def run_json(report: Report) -> bytes:
    """One indented JSON object (see `Report.to_record`)."""
    return (json.dumps(report.to_record(), indent=2, default=str) + "\n").encode("ascii")


def findings_jsonl(report: Report) -> bytes:
    """One finding a line, worst first; a known one with its reason and its last day."""
    known = {name: {"reason": entry.reason, "expires": entry.expires} for name, entry in report.known.items()}
    return _lines({**finding.to_record(), "known": known.get(finding.fingerprint)} for finding in report.findings)


def verdicts_jsonl(report: Report) -> bytes:
    """One verdict a line, merged to one for each promise and operation."""
    return _lines(verdict.to_record() for verdict in report.verdicts)


def _lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(record, default=str) + "\n" for record in records).encode("ascii")
