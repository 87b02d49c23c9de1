from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exits import Exit
from harness.finding import Finding, Severity
from harness.render import junit
from harness.report import Report, RunStatus, Target
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

SUITE_CHILDREN = re.compile(r"properties (testcase )*system-out system-err ")


def parsed(report: Report) -> ET.Element:
    """The document, held against what the usual schema asks of structure and counts."""
    root = ET.fromstring(junit.render(report))  # noqa: S314 - our own document
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite"
        assert SUITE_CHILDREN.fullmatch("".join(f"{child.tag} " for child in suite))
        assert {
            "name",
            "id",
            "package",
            "hostname",
            "timestamp",
            "tests",
            "failures",
            "errors",
            "skipped",
            "time",
        } == set(suite.attrib)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[key]) == len(suite.findall(f"testcase/{tag}"))
        for case in cases:
            assert set(case.attrib) == {"classname", "name", "time"}
            assert len(case) <= 1
    for key in ("tests", "failures", "errors", "skipped"):
        assert int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root)
    return root


def test_a_case_for_each_promise_and_operation(sample: Callable[..., Report]) -> None:
    """Each verdict is a case of its promise's suite: a failure with its text, or skipped with its reason."""
    report = sample(6, 30)
    root = parsed(report)
    assert int(root.attrib["tests"]) == 1 + len(report.verdicts)
    failures = root.findall("testsuite/testcase/failure")
    assert {failure.attrib["type"] for failure in failures} == {finding.code for finding in report.findings}
    text = "\n".join(failure.text or "" for failure in failures)
    assert all(f"harness replay {finding.fingerprint}" in text for finding in report.findings)
    assert "known as: OWASP API5:2023 Broken Function Level Authorization\n" in text
    assert "known as: WFC F200\n" in text
    reasons = {skipped.attrib["message"] for skipped in root.findall("testsuite/testcase/skipped")}
    assert "no identity with role auditor can be made; ledger" in reasons


def test_the_seed_is_a_property(sample: Callable[..., Report]) -> None:
    """Every suite says how the run is had again."""
    for suite in parsed(sample(1)):
        values = {item.attrib["name"]: item.attrib["value"] for item in suite.findall("properties/property")}
        assert (values["seed"], values["again"]) == ("42", "harness verify --seed 42")


@pytest.mark.parametrize("code", [None, Exit.INTERRUPTED, Exit.TARGET, Exit.USAGE, Exit.INTERNAL])
def test_a_run_without_a_verdict_is_never_green(code: Exit | None) -> None:
    """A run that proved nothing has a case in error."""
    report = Report("r", RunStatus.PARTIAL, code, Target("url"))
    assert parsed(report).attrib["errors"] == "1"


def test_a_finding_of_no_verdict_is_not_lost(sample: Callable[..., Report]) -> None:
    """A finding that stands in no verdict is a failure of a suite of its own."""
    report = replace(sample(2), verdicts=())
    assert parsed(report).attrib["failures"] == "2"


@given(st.text(st.characters(), max_size=60))
def test_any_text_gives_a_document(text: str) -> None:
    """Characters that XML does not have are taken out, and what is left can be read."""
    finding = Finding("c.d", "t" + text, Severity.LOW, "o" + text, text, text, text)
    report = Report(
        "r",
        RunStatus.COMPLETE,
        Exit.FINDINGS,
        Target("url", text),
        verdicts=(Verdict("p" + text, "o" + text, 1, (finding,)), Verdict("q", "o", reason="x" + text)),
        findings=(finding,),
    )
    assert parsed(report).attrib["failures"] == "1"
