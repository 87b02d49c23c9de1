"""A run's folder is read back as it was written, and whatever a killed run left of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness import archive
from harness.contract import Contract
from harness.errors import UsageError
from harness.exchange import Exchange, Request, Response
from harness.exits import Exit
from harness.finding import Confirmation, Finding, Reproduction, Severity
from harness.history import FOLDER, Journal
from harness.report import Report, RunStatus, Target
from harness.run import VERDICTS, freeze, frozen_contract
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

FINDING = Finding("roles.role-allowed", "let in", Severity.HIGH, "one", "user", "not for a user", "200", ("e-1",))
VERDICT = Verdict("roles", "one", 3, (FINDING,), driver="pytest")
EXCHANGE = Exchange("e-1", Request("GET", "/one", "one"), Response(200), 1, 2, 3, driver="pytest")
RUNNING = Report("run-1", RunStatus.RUNNING, None, Target("url", "http://127.0.0.1:9"), seed=7, fail_on="low")


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a run that was killed: run.json as it began, what its drivers had told, half a last line."""
    folder = tmp_path / "reports" / "run-1"
    folder.mkdir(parents=True)
    archive.write_run(RUNNING, folder)
    for place, record in ((VERDICTS, VERDICT.to_record()), (FOLDER, EXCHANGE.to_record())):
        journal = Journal(folder / place / "pytest-1.jsonl")
        journal.append(record)
        journal.close()
        with journal.path.open("ab") as file:
            file.write(b'{"cut": "sho')
    return folder


def test_a_killed_run_is_read_as_partial(killed: Path) -> None:
    """Its verdicts, findings and witnesses are those that were told until then, and the reason says so."""
    report = archive.read(killed)
    assert (report.status, report.exit_code) == (RunStatus.PARTIAL, None)
    assert report.reason.startswith("the run was ended before it was over")
    assert report.verdicts == (VERDICT,)
    assert report.findings == (FINDING,)
    assert report.exchanges == {"e-1": EXCHANGE}


def test_a_whole_run_is_read_as_it_was_written(killed: Path) -> None:
    """What `write_all` leaves goes before what the drivers had told; every rendering is there, nothing half written."""
    known = Finding(
        **{name: getattr(FINDING, name) for name in FINDING.__slots__} | {"confirmation": Confirmation.CONFIRMED}
    )
    ended = Report(
        "run-1", RunStatus.COMPLETE, Exit.FINDINGS, Target("url"), verdicts=(VERDICT,), findings=(known,), seed=7
    )
    archive.write_all(ended, killed)
    report = archive.read(killed)
    assert (report.status, report.exit_code, report.findings) == (RunStatus.COMPLETE, Exit.FINDINGS, (known,))
    assert {
        "report.html",
        "junit.xml",
        "summary.md",
        "findings.sarif",
        "findings.jsonl",
        "verdicts.jsonl",
        "run.json",
    } <= {path.name for path in killed.iterdir()}
    assert list(killed.glob(".*.new")) == []


def test_a_run_is_found_by_id_by_folder_and_as_the_newest(killed: Path) -> None:
    """All three lead to the same place; another name is told with those that there are."""
    reports = killed.parent
    (reports / "latest").symlink_to(killed.name)
    places = {archive.located(name, reports) for name in ("run-1", "latest", str(killed))}
    assert places == {killed.resolve()}
    with pytest.raises(UsageError, match=r"there is no run 'run-2' under .*; the newest are run-1$"):
        archive.located("run-2", reports)


def test_a_finding_is_named_by_its_beginning(killed: Path) -> None:
    """As much of the fingerprint as tells it apart is enough; none, or several, is told with those that there are."""
    assert archive.finding(killed, FINDING.fingerprint[:4]) == FINDING
    with pytest.raises(UsageError, match=f"no finding of the run run-1 .* it has {FINDING.fingerprint}"):
        archive.finding(killed, "nothing")
    other = Finding("roles.role-allowed", "let in", Severity.HIGH, "two")
    archive.write_text(
        killed / archive.FINDINGS_FILE, "".join(json.dumps(item.to_record()) + "\n" for item in (FINDING, other))
    )
    with pytest.raises(UsageError, match="2 findings of the run run-1"):
        archive.finding(killed, "")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 2}', "\x00"])
def test_a_run_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    """A run.json that is cut, or of another version, is told and not taken for a run."""
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UsageError, match=r"run\.json (cannot be read|has schema_version)"):
        archive.read_record(tmp_path)


def test_versions_name_what_took_part() -> None:
    """Python and the tools, each with its version."""
    assert {"python", "pytest", "schemathesis", "locust", "hypothesis"} <= set(archive.versions())


@pytest.mark.parametrize(
    ("file", "text"),
    [("findings.jsonl", '{"a": 1}'), ("findings.jsonl", '{"code": "x", "reproduction": 3}'), ("verdicts.jsonl", "{}")],
)
def test_a_folder_that_was_meddled_with_is_told(killed: Path, file: str, text: str) -> None:
    """A line that no run wrote is wrong use with the folder's name, not an error of the harness."""
    (killed / file).write_text(text)
    with pytest.raises(UsageError, match=r"run-1 holds what no run wrote"):
        archive.read(killed)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"document": {}}'])
def test_a_run_that_has_lost_its_contract_is_told(tmp_path: Path, text: str | None) -> None:
    """What asks for the contract of a run says which file it needs."""
    if text is not None:
        (tmp_path / "contract.json").write_text(text)
    with pytest.raises(UsageError, match=r"contract\.json cannot be read"):
        frozen_contract(tmp_path)


def test_findings_of_one_beginning_are_shown(killed: Path) -> None:
    """In any case of letters one is found; of several those are shown, of an unknown one what there is."""
    others = [Finding("leaks.sql", "t", Severity.LOW, f"op{number}") for number in range(40)]
    ended = Report("run-1", RunStatus.COMPLETE, Exit.FINDINGS, Target("url"), findings=tuple(others))
    archive.write_all(ended, killed)
    one = others[0].fingerprint
    assert archive.finding(killed, one[:9].upper()).fingerprint == one
    first, count = Counter(item.fingerprint[0] for item in others).most_common(1)[0]
    with pytest.raises(UsageError, match=rf"{count} findings of the run run-1 begin with '{first}': ") as told:
        archive.finding(killed, first)
    shown = str(told.value).partition(": ")[2].partition(";")[0].partition(" and ")[0].split(", ")
    assert len(shown) == min(count, 8)
    assert {name[0] for name in shown} == {first}
    with pytest.raises(
        UsageError, match=r"no finding of the run run-1 has the fingerprint 'zz'; it has .* and 32 more"
    ):
        archive.finding(killed, "zz")


def test_a_finding_has_its_own_test_beside_the_page(killed: Path) -> None:
    """It is written where single answers show the fault, and the page and the summary lead to it, or say why not."""
    paths = {"/one": {"get": {"operationId": "one", "x-promises": {"roles": {"allow": ["admin"]}}}}}
    freeze(Contract({"openapi": "3.1.0", "info": {}, "paths": paths}), killed)
    step = {
        "operation": "one",
        "method": "GET",
        "path": "/one",
        "query": [],
        "headers": [],
        "body": None,
        "status": 200,
        "identity": {"name": "u", "roles": ["user"], "tenant": "", "facts": {}},
        "step": "may-not:user",
        "references": {},
        "filled": {},
    }
    shown = replace(FINDING, reproduction=Reproduction("", {}, (step,)))
    raced = replace(FINDING, code="ledger.overdrawn")
    ended = Report("run-1", RunStatus.COMPLETE, Exit.FINDINGS, Target("url"), findings=(shown, raced))
    archive.write_all(ended, killed)
    file = killed / "findings" / shown.fingerprint / "test_roles_role_allowed.py"
    compile(file.read_text("utf-8"), str(file), "exec")
    assert [path.name for path in (killed / "findings").iterdir()] == [shown.fingerprint]
    page = (killed / "report.html").read_text("utf-8")
    assert f'href="findings/{shown.fingerprint}/test_roles_role_allowed.py"' in page
    assert "none can be written: many calls at one instant show it" in page
    assert f"findings/{shown.fingerprint}/test" in (killed / "summary.md").read_text("utf-8").replace("\\", "")
