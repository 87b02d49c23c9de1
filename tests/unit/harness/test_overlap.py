"""What two judges saw of one fault is one finding."""

from __future__ import annotations

import pytest

from harness.codes import CODES
from harness.contract import Contract
from harness.finding import Finding, Severity
from harness.overlap import told_once
from harness.verdict import Verdict

CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "x-promises": {"resource": {"book": {"create": "make", "read": "get", "delete": "drop"}}},
        "paths": {
            "/books": {"post": {"operationId": "make"}},
            "/books/{id}": {"get": {"operationId": "get"}, "delete": {"operationId": "drop"}},
            "/pens": {"get": {"operationId": "pens"}},
        },
    }
)


def seen(code: str, operation: str) -> Verdict:
    """A verdict with one finding."""
    return Verdict(code.partition(".")[0], operation, 1, (Finding(code, "t", Severity.LOW, operation),))


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (("fuzz.ignored_auth", "get"), ("roles.anonymous-allowed", "get"), ["roles.anonymous-allowed"]),
        (("fuzz.use_after_free", "get"), ("delete.read", "drop"), ["delete.read"]),
        (
            ("fuzz.ignored_auth", "get"),
            ("roles.anonymous-allowed", "drop"),
            ["fuzz.ignored_auth", "roles.anonymous-allowed"],
        ),
        (
            ("fuzz.use_after_free", "pens"),
            ("delete.read", "drop"),
            ["delete.read", "fuzz.use_after_free"],
        ),
        (("fuzz.ignored_auth", "get"), ("gone.code", "get"), ["fuzz.ignored_auth", "gone.code"]),
        (("leaks.sql", "get"), ("leaks.stack", "get"), ["leaks.sql", "leaks.stack"]),
    ],
)
def test_a_fault_is_told_by_one(first: tuple[str, str], second: tuple[str, str], kept: list[str]) -> None:
    """The promise tells it for the fuzzing where both are of one operation or resource, in either order."""
    for told in ([seen(*first), seen(*second)], [seen(*second), seen(*first)]):
        once = told_once(CONTRACT, told)
        assert [(verdict.promise, verdict.examined) for verdict in once] == [
            (verdict.promise, verdict.examined) for verdict in told
        ]
        assert sorted(finding.code for verdict in once for finding in verdict.findings) == kept


def test_only_the_fuzzing_is_told_by_others() -> None:
    """No promise is silent because of another one."""
    assert {name.split(".")[0] for name, code in CODES.items() if code.told_by} == {"fuzz"}
