"""Known findings: what a file of them takes, what a run says of each, and that they do not count until their day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import baseline, ending
from harness.codes import CODES
from harness.config import Config
from harness.contract import Contract
from harness.errors import UsageError
from harness.exits import Exit
from harness.finding import Confirmation, Finding, Severity
from harness.history import Journal
from harness.report import Known, KnownState, OperationFacts, Phase, Report, RunStatus, Target
from harness.run import VERDICTS
from harness.verdict import Verdict, shown_again

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2027, 1, 31)
FAULT = Finding("roles.effect", "refuses and acts", Severity.HIGH, "putBook", "user")
OTHER = Finding("leaks.stack", "shows a trace", Severity.MEDIUM, "getBook")
ENTRY = Known(FAULT.fingerprint, FAULT.code, FAULT.operation, "ticket 12", "2027-01-31")
WRONG = """\
more = 1
[[known]]
fingerprint = "XYZ"
code = "roles.nothing"
operation = 7
expires = "2027-01-31"
why = ""
[[known]]
fingerprint = "0123456789ab"
code = "roles.effect"
operation = "a"
reason = " "
expires = 2027-01-31
[[known]]
fingerprint = "0123456789ab"
code = "roles.effect"
operation = "a"
reason = "x"
expires = 2027-01-31T00:00:00
"""
LOOKED = [("roles", "putBook")]
TEXTS = st.text(min_size=1, max_size=20)


@given(
    st.lists(
        st.builds(Finding, st.sampled_from(sorted(CODES)), TEXTS, st.sampled_from(Severity), TEXTS, TEXTS), max_size=4
    )
)
def test_a_file_that_was_begun_is_taken_once_it_has_reasons(findings: list[Finding]) -> None:
    """Whatever the texts of a target are, the file is TOML; without reasons it is refused, with them it is taken."""
    unique = list({finding.fingerprint: finding for finding in findings}.values())
    text = baseline.written(unique, TODAY)
    empty = baseline.parsed(text, "f").problems
    assert len(empty) == len(unique)
    assert all("reason is empty" in problem for problem in empty)
    taken = baseline.parsed(text.replace('reason = ""', 'reason = "because"'), "f")
    assert taken.problems == []
    assert [entry.fingerprint for entry in taken.entries] == [finding.fingerprint for finding in unique]
    assert {entry.expires for entry in taken.entries} <= {(TODAY + timedelta(days=90)).isoformat()}


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """Each has its value, the rule and the fix, and the file is wrong use."""
    path = tmp_path / "known.toml"
    path.write_text(WRONG)
    with pytest.raises(UsageError) as raised:
        baseline.read(path)
    told = str(raised.value)
    assert raised.value.exit_code is Exit.USAGE
    for part in (
        "unknown key 'more'",
        "unknown key 'why'",
        "reason is missing",
        "fingerprint is 'XYZ'",
        "code is 'roles.nothing'",
        "operation is 7",
        "expires is '2027-01-31'",
        "known 2 (0123456789ab): reason is empty",
        "known 3 (0123456789ab): expires is datetime",
        "0123456789ab stands more than once",
    ):
        assert part in told


@pytest.mark.parametrize("text", ["known = 3", "known = [1]", "known = ["])
def test_what_is_no_list_of_tables_is_told(tmp_path: Path, text: str) -> None:
    """A file of another form, and one that is no TOML, is one message."""
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"known must be tables|is not TOML"):
        baseline.read(path)


def test_which_file_is_read(tmp_path: Path) -> None:
    """The one named by an option, else by harness.toml, else the usual one where it is; a named one must be there."""
    text = baseline.written([FAULT], TODAY).replace('reason = ""', 'reason = "{}"')
    for name in ("option.toml", "told.toml", baseline.FILE):
        (tmp_path / name).write_text(text.replace("{}", name))
    told, usual = Config(tmp_path, baseline={"file": "told.toml"}), Config(tmp_path)
    assert [entry.reason for entry in baseline.chosen(str(tmp_path / "option.toml"), told)] == ["option.toml"]
    assert [entry.reason for entry in baseline.chosen("", told)] == ["told.toml"]
    assert [entry.reason for entry in baseline.chosen("", usual)] == [baseline.FILE]
    assert baseline.chosen("", Config(tmp_path / "none")) == ()
    with pytest.raises(UsageError, match="cannot be read"):
        baseline.chosen("gone.toml", usual)


@pytest.mark.parametrize(
    ("entry", "found", "examined", "today", "state"),
    [
        (ENTRY, [FAULT], LOOKED, TODAY, KnownState.KNOWN),
        (ENTRY, [FAULT], [], TODAY, KnownState.KNOWN),
        (ENTRY, [FAULT], LOOKED, TODAY + timedelta(days=1), KnownState.EXPIRED),
        (ENTRY, [OTHER], LOOKED, TODAY, KnownState.GONE),
        (ENTRY, [], LOOKED, TODAY + timedelta(days=1), KnownState.GONE),
        (ENTRY, [], [], TODAY, KnownState.NOT_EXAMINED),
        (replace(ENTRY, operation="gone"), [], [], TODAY, KnownState.GONE),
        (replace(ENTRY, operation=""), [], [], TODAY, KnownState.NOT_EXAMINED),
    ],
)
def test_what_a_run_says_of_an_entry(
    entry: Known, found: list[Finding], examined: list[tuple[str, str]], today: date, state: KnownState
) -> None:
    """Known until the end of its last day, expired after it, gone where it was looked for and is no more."""
    (told,) = baseline.held([entry], found, examined, {"putBook", "getBook"}, today)
    assert told == replace(entry, state=state)


@pytest.mark.parametrize(
    ("expires", "findings", "code"),
    [
        ("2999-01-01", (FAULT,), Exit.HOLDS),
        ("2999-01-01", (FAULT, OTHER), Exit.FINDINGS),
        ("2020-01-01", (FAULT,), Exit.FINDINGS),
    ],
)
def test_only_what_is_not_known_fails_a_run(
    tmp_path: Path, expires: str, findings: tuple[Finding, ...], code: Exit
) -> None:
    """A known finding is in the report and not in the exit code; once its day is past it counts."""
    begun = Report("run", RunStatus.RUNNING, None, Target("url"), baseline=(replace(ENTRY, expires=expires),))
    contract = Contract({"openapi": "3.1.0", "paths": {}})
    told = [Verdict(item.code.split(".")[0], item.operation, 1, (item,)) for item in findings]
    ended = ending.complete(begun, contract, tmp_path, told)
    assert (ended.exit_code, ended.findings) == (code, findings)
    assert list(ended.counted) == [item for item in findings if item is not FAULT or expires < "2026"]


@pytest.mark.parametrize(
    ("phases", "promise", "state"),
    [
        ((Phase("promises", "pass"),), "roles", KnownState.GONE),
        ((Phase("promises", "pass"),), "leaks", KnownState.NOT_EXAMINED),
        ((Phase("promises", "pass"), Phase("fuzz", "pass")), "leaks", KnownState.GONE),
        ((Phase("promises", "pass"), Phase("fuzz", "error")), "leaks", KnownState.NOT_EXAMINED),
    ],
)
def test_what_holds_for_every_answer_is_gone_only_after_a_fuzz(
    tmp_path: Path, phases: tuple[Phase, ...], promise: str, state: KnownState
) -> None:
    """A run of promise cases alone has not sent what may have shown a leak."""
    entry = replace(ENTRY, code=f"{promise}.x", operation="getBook")
    begun = Report(
        "run",
        RunStatus.RUNNING,
        None,
        Target("url"),
        baseline=(entry,),
        phases=phases,
        operations=(OperationFacts("getBook"),),
    )
    contract = Contract({"openapi": "3.1.0", "paths": {}})
    ended = ending.complete(begun, contract, tmp_path, [Verdict(promise, "getBook", 3)])
    assert ended.baseline[0].state is state


def test_a_run_that_was_stopped_knows_them_too(tmp_path: Path) -> None:
    """An interrupted run tells what it found, and what of that is known."""
    journal = Journal(tmp_path / VERDICTS / "pytest-1.jsonl")
    journal.append(Verdict("roles", "putBook", 1, (FAULT,)).to_record())
    journal.close()
    begun = Report("run", RunStatus.RUNNING, None, Target("url"), baseline=(replace(ENTRY, expires="2999-01-01"),))
    stopped = ending.stopped(begun, tmp_path, Exit.INTERRUPTED, "interrupted")
    assert list(stopped.known) == [FAULT.fingerprint]


def test_what_is_accepted_on_a_day() -> None:
    """An entry holds through its last day, and a known finding that was shown again is nothing new."""
    entries = [ENTRY, replace(ENTRY, fingerprint="0123456789ab", expires="2027-01-30")]
    assert baseline.lasting(entries, TODAY) == {ENTRY.fingerprint}
    assert baseline.lasting(entries, TODAY + timedelta(days=1)) == frozenset()
    told = [Verdict("roles", "putBook", 1, (replace(FAULT, confirmation=Confirmation.CONFIRMED), OTHER))]
    assert shown_again(told)
    assert not shown_again(told, {FAULT.fingerprint})
