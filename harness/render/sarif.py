"""findings.sarif: the findings in the Static Analysis Results Interchange Format 2.1.0, as code scanning reads it.

A rule is an entry of the catalogue; a result stands at the line of the contract that promises, with its operation as a
logical location. What the target served is named by the copy that the run's folder keeps.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from harness import __version__
from harness.codes import CODES, RISKS
from harness.finding import Severity
from harness.render import reproduction, summary
from harness.render.text import clipped, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.finding import Finding
    from harness.report import Known, Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "harnessFinding/v1"
LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
# The CVSS-like figure by which GitHub sorts: critical above 9.0, high from 7.0, medium from 4.0.
SECURITY = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
TEXT_LIMIT = 4_000
SOURCES = "sources"
OWASP, WFC = "owasp-api-2023", "web-fuzzing-commons"


def render(report: Report, folder: str = "") -> bytes:
    """The document in UTF-8; `folder` is the run's, as a path that a reader of the document can follow."""
    codes = list(dict.fromkeys(finding.code for finding in report.findings))
    places = summary.places(report)
    run = {
        "tool": {
            "driver": {
                "name": "api-stack-harness",
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "automationDetails": {"id": f"harness/{quote(report.contract.title or 'api')}/{report.run_id}"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [
            {
                **_result(finding, codes, places, folder),
                "suppressions": _suppressions(report.known.get(finding.fingerprint)),
            }
            for finding in report.findings
        ],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _rule(name: str) -> dict[str, Any]:
    """A code as a rule; one that an old run has and the catalogue lacks is named only."""
    code = CODES.get(name)
    if code is None:
        return {"id": name}
    fault = code.fault()
    tags = ["api", name.partition(".")[0]]
    tags += [f"{OWASP}/API{code.owasp}", "security"] if code.owasp else []
    tags += [f"{WFC}/F{fault}"] if fault else []
    risk = f" OWASP API{code.owasp}:2023 {RISKS[code.owasp]}." if code.owasp else ""
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.replace(".", "-").replace("_", "-").split("-")),
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.means},
        "help": {
            "text": f"{code.means} To mend it: {code.mend}{risk}",
            "markdown": f"{code.means}\n\n**To mend it**: {code.mend}{risk}",
        },
        "defaultConfiguration": {"level": LEVELS[code.severity]},
        "properties": {
            "tags": tags,
            "precision": "high",
            "problem.severity": {"note": "recommendation"}.get(LEVELS[code.severity], LEVELS[code.severity]),
            **({"security-severity": SECURITY[code.severity]} if code.owasp else {}),
        },
    }


def _invocation(report: Report) -> dict[str, Any]:
    """How the run went; `executionSuccessful` is whether it came to a verdict."""
    ended: dict[str, Any] = {"executionSuccessful": report.exit_code in {0, 1, 4}}
    if report.exit_code is not None:
        ended |= {"exitCode": int(report.exit_code), "exitCodeDescription": report.meaning}
    for key, instant in (("startTimeUtc", report.started), ("endTimeUtc", report.ended)):
        if instant is not None:
            ended[key] = instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return ended


def _result(finding: Finding, codes: Sequence[str], places: Mapping[str, str], folder: str) -> dict[str, Any]:
    place = places.get(finding.operation, finding.operation) or summary.NO_OPERATION
    parts = [f"{place}: {one_line(finding.title)}."]
    parts += [f"Promised: {finding.promised}"] if finding.promised else []
    parts += [f"Seen: {finding.seen}"] if finding.seen else []
    parts.append(f"See it again: {reproduction.replay(finding)}")
    return {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": LEVELS[finding.severity],
        "message": {"text": clipped(printable("\n".join(parts)), TEXT_LIMIT)},
        "locations": [_location(finding, place, folder)],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {
            "fingerprint": finding.fingerprint,
            "kind": printable(finding.kind),
            "severity": finding.severity.value,
            "confirmation": finding.confirmation.value,
        },
    }


def _suppressions(known: Known | None) -> list[dict[str, Any]]:
    """One for a finding that the baseline accepts; none says that it was looked for and not suppressed (3.27.23)."""
    if known is None:
        return []
    justification = printable(f"{known.reason} (until {known.expires})")
    return [{"kind": "external", "status": "accepted", "justification": justification}]


def _location(finding: Finding, place: str, folder: str) -> dict[str, Any]:
    """The line of the contract where it is known, else the run's page: code scanning takes no result without a file."""
    logical = {"name": printable(place), "kind": "function"}
    logical |= {"fullyQualifiedName": printable(finding.operation)} if finding.operation else {}
    if finding.place is None:
        return {
            "physicalLocation": {"artifactLocation": {"uri": _own("report.html", folder)}},
            "logicalLocations": [logical],
        }
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.place.source, folder)}}
    if finding.place.line:
        column = {"startColumn": finding.place.column} if finding.place.column else {}
        physical["region"] = {"startLine": finding.place.line, **column}
    message = {"text": printable(f"#{finding.place.pointer}")}
    return {"physicalLocation": physical, "logicalLocations": [logical], "message": message}


def _uri(source: str, folder: str) -> str:
    """A file as it was named; a URL as the copy of what it served, the first of the run's sources."""
    address = urlsplit(source)
    if address.scheme in {"http", "https"}:
        return _own(f"{SOURCES}/0-{PurePath(address.path).name or 'document'}", folder)
    path = PurePath(source)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _own(name: str, folder: str) -> str:
    """A file of the run's folder, as a reader of the document can follow it."""
    path = PurePath(folder, name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
