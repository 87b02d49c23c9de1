"""A comparison's verdicts: what counts as caught, what is a miss, and what is neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.against.comparison import Clean, Compared, Options, Shown, Verdict, compare, told_of
from harness.against.schemathesis_run import Failure, Said
from harness.contract import Contract
from harness.errors import UsageError
from harness.exits import Exit
from harness.planted import Defect
from harness.session import Wanted

CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "notes", "version": "1"},
        "servers": [{"url": "/api"}],
        "paths": {
            "/notes": {"get": {"operationId": "notes.list"}, "post": {"operationId": "notes.create"}},
            "/notes/{id}": {"get": {"operationId": "notes.get"}},
        },
    }
)
DEFECT = Defect("N1", "a note is lost", ("resource.create-not-readable",), ("notes.create", "notes.get"))
BLANK = Shown("N1", "a note is lost", ("resource",), "1", Verdict.UNKNOWN)
OWN, OTHER = ("POST /notes", "GET /notes/{id}"), ("GET /notes", "Stateful tests", "PUT /notes")
CHECKS = st.sampled_from(["not_a_server_error", "status_code_conformance", "use_after_free"])
FAILURES = st.frozensets(st.builds(Failure, CHECKS, st.sampled_from([*OWN, *OTHER])), max_size=6)


def clean(failures: frozenset[Failure] = frozenset(), errors: frozenset[str] = frozenset()) -> Clean:
    """A clean build on which these fail."""
    return Clean("1", 1, failures, errors)


@given(FAILURES, FAILURES)
def test_what_counts_is_new_and_at_an_operation_of_the_defect(
    failures: frozenset[Failure], known: frozenset[Failure]
) -> None:
    """Caught if and only if a check fails at the defect's operation that never failed there on the clean build."""
    shown = told_of(BLANK, DEFECT, Said(failures, sent=1), clean(known), CONTRACT)
    counts = {failure for failure in failures - known if failure.operation in OWN}
    assert shown.verdict is (Verdict.CAUGHT if counts else Verdict.MISSED)
    assert set(shown.by) == {str(failure) for failure in counts}
    assert set(shown.by) | set(shown.elsewhere) == {str(failure) for failure in failures - known}


@given(FAILURES)
def test_a_run_that_says_nothing_is_no_miss(failures: frozenset[Failure]) -> None:
    """Whatever it had found before: a run that could not do its work leaves the defect unknown, with the reason."""
    shown = told_of(BLANK, DEFECT, Said(failures, unknown="it ended with 2"), clean(), CONTRACT)
    assert (shown.verdict, shown.by, shown.elsewhere, shown.why) == (Verdict.UNKNOWN, (), (), "it ended with 2")


@pytest.mark.parametrize(
    ("found", "errors", "known", "expected"),
    [
        ("POST /notes", {"GET /notes/{id}"}, set(), Verdict.CAUGHT),
        ("GET /notes", {"GET /notes/{id}"}, set(), Verdict.UNKNOWN),
        ("GET /notes", {"GET /notes/{id}"}, {"GET /notes/{id}"}, Verdict.MISSED),
        ("GET /notes", {"GET /notes"}, set(), Verdict.MISSED),
        ("GET /notes", {"Stateful tests"}, set(), Verdict.UNKNOWN),
        ("GET /notes", {"Stateful tests"}, {"Stateful tests"}, Verdict.MISSED),
        ("GET /notes", set(), {"POST /notes"}, Verdict.MISSED),
    ],
)
def test_what_could_not_be_done_on_the_defect_alone_is_unknown(
    found: str, errors: set[str], known: set[str], expected: Verdict
) -> None:
    """An error at an operation of the defect, or at no operation, that the clean build does not give is no miss."""
    said = Said(frozenset({Failure("not_a_server_error", found)}), frozenset(errors), sent=1)
    assert told_of(BLANK, DEFECT, said, clean(errors=frozenset(known)), CONTRACT).verdict is expected


def test_operations_are_told_without_the_servers_path() -> None:
    """Schemathesis names an operation by its path in the document, and the defect by its id."""
    said = Said(frozenset({Failure("use_after_free", "GET /notes/{id}")}), sent=1)
    assert told_of(BLANK, DEFECT, said, clean(), CONTRACT).by == ("use_after_free at GET /notes/{id}",)


@pytest.mark.parametrize(
    ("verdicts", "unknown", "code"),
    [
        ((Verdict.CAUGHT, Verdict.MISSED), (), Exit.HOLDS),
        ((Verdict.CAUGHT, Verdict.UNKNOWN), (), Exit.INCONCLUSIVE),
        ((), ("seed 1: killed",), Exit.INCONCLUSIVE),
    ],
)
def test_a_miss_is_no_finding_and_what_is_unknown_is_inconclusive(
    verdicts: tuple[Verdict, ...], unknown: tuple[str, ...], code: Exit
) -> None:
    """The exit code says whether the table is whole, not who is the better tool."""
    shown = tuple(Shown("N1", "", (), "1", verdict) for verdict in verdicts)
    cleans = (Clean("1", 1, frozenset({Failure("a", "GET /b")}), frozenset(), unknown),)
    compared = Compared(shown, cleans, ("caller (user)",), "4", 120.0, 1, "hash", 9.0)
    assert compared.exit_code is code
    record: dict[str, Any] = json.loads(json.dumps(compared.to_record()))
    assert [entry["verdict"] for entry in record["defects"]] == [str(verdict) for verdict in verdicts]
    assert record["clean"][0]["failures"] == ["a at GET /b"]


def test_the_clean_build_has_to_be_run() -> None:
    """Without it nothing could be told apart: no seed is wrong use, before anything is started."""
    with pytest.raises(UsageError, match="--seeds is 0; what fails on the clean build is needed, give 1 or more"):
        compare(Options(Wanted(config=Path("nowhere.toml")), seeds=0), lambda _: None)
