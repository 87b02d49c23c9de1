from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.exits import Exit
from harness.finding import Confirmation, Finding, Severity
from harness.render.records import findings_jsonl, run_json, verdicts_jsonl
from harness.report import Report, worst_first
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("code", [None, *Exit])
def test_a_report_is_read_back_from_its_files(sample: Callable[..., Report], code: Exit | None) -> None:
    """run.json, verdicts.jsonl and findings.jsonl with the exchanges hold everything a report is made of."""
    report = sample(6, 12, exit_code=code)
    read = Report.from_record(
        json.loads(run_json(report)),
        verdicts=map(Verdict.from_record, map(json.loads, verdicts_jsonl(report).splitlines())),
        findings=map(Finding.from_record, map(json.loads, findings_jsonl(report).splitlines())),
        exchanges=report.exchanges.values(),
    )
    plain = json.loads(json.dumps([finding.to_record() for finding in report.findings]))
    assert plain == json.loads(json.dumps([finding.to_record() for finding in read.findings]))
    assert [verdict.status for verdict in read.verdicts] == [verdict.status for verdict in report.verdicts]
    assert replace(read, verdicts=(), findings=()) == replace(report, verdicts=(), findings=())


def test_run_json_has_the_documented_members(sample: Callable[..., Report]) -> None:
    """What other programs read stands under the documented names."""
    record = json.loads(run_json(sample(1)))
    assert {"schema_version", "run_id", "status", "exit_code", "target", "contract_hash", "seed", "versions"} <= set(
        record
    )
    assert set(record["phases"][0]) == {"name", "status", "examined", "findings", "seconds", "reason"}
    assert record["exit_code"] == 1


def test_findings_are_unique_and_worst_first() -> None:
    """A fault stands once; the sight that was confirmed goes before the one seen once."""
    low = Finding("a.b", "t", Severity.LOW, "op")
    high = Finding("c.d", "t", Severity.HIGH, "op")
    again = replace(low, confirmation=Confirmation.CONFIRMED, seen="again")
    assert worst_first([low, again, high, low]) == (high, again)
