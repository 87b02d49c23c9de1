"""A run's folder: reads it as a Report, whatever came of the run, and writes what is rendered from it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.citation import placed
from harness.contract.origin import from_here
from harness.errors import UsageError
from harness.finding import Finding
from harness.history import exchanges, lines
from harness.promises.leaks.forms import ERRORS, FRAMES
from harness.render import alone, assertion, html, junit, markdown, records, sarif
from harness.render.rule import Unstated
from harness.report import Report, RunStatus, worst_first
from harness.run import CONTRACT_FILE, frozen_contract, verdicts
from harness.session import LATEST, RUN_FILE
from harness.verdict import Verdict, merged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FINDINGS, FINDINGS_FILE = "findings", "findings.jsonl"
VERDICTS_FILE = "verdicts.jsonl"
LEAKS = {(form.code, form.kind): form.pattern.pattern for form in (*FRAMES, *ERRORS)}
SHOWN = 8
PACKAGES = ("api-stack-harness", "hypothesis", "locust", "pytest", "schemathesis")


def versions() -> dict[str, str]:
    """What took part in the run, by name."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def write_text(path: Path, text: str | bytes) -> None:
    """Writes a file so that a reader sees the old one or the new one, never a half."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text)
    os.replace(fresh, path)  # noqa: PTH105 - os.replace is the atomic one on every platform


def write_run(report: Report, folder: Path) -> None:
    """Writes run.json."""
    write_text(folder / RUN_FILE, records.run_json(report))


def write_all(report: Report, folder: Path) -> None:
    """Writes everything that a run leaves: run.json, findings, verdicts, page, JUnit, Markdown and SARIF."""
    write_text(folder / FINDINGS_FILE, records.findings_jsonl(report))
    write_text(folder / VERDICTS_FILE, records.verdicts_jsonl(report))
    write_rendered(report, folder)
    write_run(report, folder)


def write_rendered(report: Report, folder: Path) -> None:
    """Writes what a person or a CI reads of a run: page, JUnit, Markdown and SARIF."""
    tests = _alone(report, folder)
    write_text(folder / "report.html", html.render(report, tests))
    write_text(folder / "junit.xml", junit.render(report))
    write_text(folder / "summary.md", markdown.render(report, tests))
    write_text(folder / "findings.sarif", sarif.render(report, from_here(folder)))


def _alone(report: Report, folder: Path) -> dict[str, str]:
    """Writes `findings/<fingerprint>/test_*.py` for each finding that such a test can show; what became of each."""
    told: dict[str, str] = {}
    if not report.findings or not (folder / CONTRACT_FILE).is_file():
        return told
    contract = frozen_contract(folder)
    for finding in report.findings:
        try:
            stated = assertion.asserted(contract, finding, LEAKS)
        except Unstated as reason:
            told[finding.fingerprint] = f"none can be written: {reason}"
            continue
        place = folder / FINDINGS / finding.fingerprint
        place.mkdir(parents=True, exist_ok=True)
        write_text(place / alone.file_name(finding), alone.render(finding, report, stated))
        told[finding.fingerprint] = f"{FINDINGS}/{finding.fingerprint}/{alone.file_name(finding)}"
    return told


def located(name: str, reports: Path) -> Path:
    """The folder of a run that is named by path or by id; `latest` is the newest. Raises UsageError."""
    for folder in (reports / name, reports.parent / name):
        if (folder / RUN_FILE).is_file():
            return folder.resolve()
    known = sorted(path.parent.name for path in reports.glob(f"*/{RUN_FILE}") if path.parent.name != LATEST)
    shown = ", ".join(known[-5:]) or "none"
    raise UsageError(f"there is no run {name!r} under {reports}; the newest are {shown}")


def read(folder: Path) -> Report:
    """The report of a run's folder; a run that did not end is PARTIAL and shows what its drivers had told.

    Raises UsageError where its files are not those that a run writes.
    """
    record = read_record(folder)
    try:
        return _read(folder, record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        told = f"{type(error).__name__}: {error}"
        raise UsageError(
            f"{folder} holds what no run wrote ({told}); name the folder of a run as it was left"
        ) from error


def _read(folder: Path, record: Mapping[str, Any]) -> Report:
    final = [Verdict.from_record(item) for item in lines(folder / VERDICTS_FILE)]
    told = merged(final) or placed(folder, merged(verdicts(folder)))
    findings = [Finding.from_record(item) for item in lines(folder / FINDINGS_FILE)]
    findings = findings or [finding for verdict in told for finding in verdict.findings]
    report = Report.from_record(record, verdicts=told, findings=findings, exchanges=exchanges(folder))
    if report.status is RunStatus.RUNNING:
        reason = "the run was ended before it was over; this is what it had recorded"
        report = replace(report, status=RunStatus.PARTIAL, reason=report.reason or reason)
    return replace(report, findings=worst_first(report.findings))


def read_record(folder: Path) -> Mapping[str, Any]:
    """The object in run.json; raises UsageError where there is none that can be read."""
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder / RUN_FILE} cannot be read: {error}; name a run's folder") from error
    if not isinstance(record, dict) or record.get("schema_version") != 1:
        version = record.get("schema_version") if isinstance(record, dict) else None
        raise UsageError(f"{folder / RUN_FILE} has schema_version {version!r}; this version reads 1")
    return record


def finding(folder: Path, fingerprint: str) -> Finding:
    """The finding of a run with that fingerprint, or the only one whose fingerprint begins so; raises UsageError."""
    findings = read(folder).findings
    found = [item for item in findings if item.fingerprint.startswith(fingerprint.lower())]
    if len(found) != 1:
        near = found or findings
        shown = ", ".join(item.fingerprint for item in near[:SHOWN]) or "none"
        shown += f" and {len(near) - SHOWN} more" if len(near) > SHOWN else ""
        if found:
            told = f"{len(found)} findings of the run {folder.name} begin with {fingerprint!r}: {shown}"
            raise UsageError(f"{told}; give more of the digits")
        raise UsageError(f"no finding of the run {folder.name} has the fingerprint {fingerprint!r}; it has {shown}")
    return found[0]
