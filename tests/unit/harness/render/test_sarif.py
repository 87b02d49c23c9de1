"""findings.sarif is SARIF 2.1.0 by its own schema, with rules of the catalogue and lines of the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from harness.codes import CODES
from harness.exits import Exit
from harness.finding import Finding, Place, Severity
from harness.render import sarif
from harness.report import Report, RunStatus, Target

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = jsonschema_rs.Draft4Validator(json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text("utf-8")))


def valid(report: Report, folder: str = "") -> Any:
    """The one run of the document, which the schema takes."""
    document = json.loads(sarif.render(report, folder))
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
    assert SCHEMA.is_valid({**document, "version": "2.0.0"}) is False
    (run,) = document["runs"]
    return run


@pytest.mark.parametrize("count", [0, 1, 6, 200])
def test_it_is_valid_with_any_findings(sample: Callable[..., Report], count: int) -> None:
    """Texts of a target, many findings or none: the schema takes it, each finding is one result with its rule."""
    report = sample(count, 30)
    run = valid(report)
    rules = run["tool"]["driver"]["rules"]
    assert [result["partialFingerprints"] for result in run["results"]] == [
        {"harnessFinding/v1": finding.fingerprint} for finding in report.findings
    ]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert "\x1b" not in sarif.render(report).decode()


@pytest.mark.parametrize("status", RunStatus)
def test_a_run_without_verdict_is_no_success(sample: Callable[..., Report], status: RunStatus) -> None:
    """Only one that came to a verdict is told as successful; one that has not ended has no exit code."""
    for code in (*Exit, None):
        (told,) = valid(replace(sample(1), status=status, exit_code=code))["invocations"]
        assert told["executionSuccessful"] is (code in {Exit.HOLDS, Exit.FINDINGS, Exit.INCONCLUSIVE})
        assert told.get("exitCode") == (None if code is None else int(code))


def test_every_code_is_a_rule() -> None:
    """Each entry of the catalogue, and a code that it no longer has, is a rule with help and tags."""
    found = tuple(Finding(code, "a fault", Severity.LOW, "") for code in [*CODES, "gone.with-a-version"])
    run = valid(Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url"), findings=found))
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(rules) == [finding.code for finding in found]
    mass = rules["resource.mass-assignment"]
    assert {"owasp-api-2023/API3", "web-fuzzing-commons/F303", "security"} <= set(mass["properties"]["tags"])
    assert CODES["resource.mass-assignment"].mend in mass["help"]["text"]
    assert len({rule.get("name", "") for rule in rules.values()}) == len(rules)


@pytest.mark.parametrize(
    ("place", "uri", "line"),
    [
        (Place("overlays/own promises.yaml", "/actions/0", 7, 3), "overlays/own%20promises.yaml", 7),
        (Place("/srv/openapi.yaml", "/paths", 7), "file:///srv/openapi.yaml", 7),
        (Place("http://127.0.0.1:9/v1/openapi.json", "", 1), "reports/run/sources/0-openapi.json", 1),
        (Place("https://127.0.0.1:9", "", 0), "reports/run/sources/0-document", None),
    ],
)
def test_a_result_stands_at_the_line_of_the_contract(place: Place, uri: str, line: int | None) -> None:
    """A file by its name, what the target served by its copy; the operation beside it, the line where it is known."""
    finding = Finding("leaks.stack", "a fault", Severity.LOW, "getBook", place=place)
    (result,) = valid(
        Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url"), findings=(finding,)), "reports/run/"
    )["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert location["physicalLocation"].get("region", {}).get("startLine") == line
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "getBook"


def test_a_finding_of_no_operation_stands_at_the_page() -> None:
    """Where no line is known, the result names the run's page and says what it is about."""
    finding = Finding("scenario.failed", "a test fails", Severity.HIGH, "")
    (result,) = valid(Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url"), findings=(finding,)), "/r")[
        "results"
    ]
    assert result["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "file:///r/report.html"}},
            "logicalLocations": [{"name": "(no operation)", "kind": "function"}],
        }
    ]
