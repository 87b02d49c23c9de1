"""junit.xml: a test suite for each promise and a test case for each operation it was held against.

The elements and attributes are those that the usual readers share (Jenkins' junit-10.xsd, Ant's schema): one failure a
case, `properties` first. A promise that could not be told is skipped with its reason; a run that ended without verdict
has a case in error, so that an empty file never looks green.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.codes import CODES, references
from harness.exits import Exit
from harness.render import reproduction, summary
from harness.render.text import clipped, one_line, printable
from harness.report import RunStatus
from harness.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.finding import Finding
    from harness.report import Known, Report
    from harness.verdict import Verdict

INVALID = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MESSAGE_LIMIT = 300
VERDICTS = {Exit.HOLDS, Exit.FINDINGS, Exit.INCONCLUSIVE}


def render(report: Report) -> bytes:
    """The document in UTF-8."""
    places = summary.places(report)
    root = ET.Element("testsuites", name=_fit(report.contract.title or "harness"))
    _suite(root, report, "run", [_run_case(report)])
    for promise in summary.promises(report):
        own = [verdict for verdict in report.verdicts if verdict.promise == promise]
        _suite(root, report, promise, [_case(verdict, places, report) for verdict in own])
    loose = summary.loose(report)
    if loose:
        _suite(root, report, "other", [_loose_case(finding, places, report) for finding in loose])
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", f"{report.seconds or 0.0:.3f}")
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(root: ET.Element, report: Report, name: str, cases: list[ET.Element]) -> None:
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    seconds = sum(float(case.get("time", "0")) for case in cases)
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _fit(name),
            "id": str(len(root)),
            "package": "harness",
            "hostname": "localhost",
            "timestamp": report.started.strftime("%Y-%m-%dT%H:%M:%S") if report.started else "1970-01-01T00:00:00",
            **{key: str(count) for key, count in counts.items()},
            "time": f"{seconds:.3f}",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(report).items():
        ET.SubElement(properties, "property", name=key, value=_fit(value))
    suite.extend(cases)
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")


def _properties(report: Report) -> dict[str, str]:
    return {
        "run": report.run_id,
        "seed": "" if report.seed is None else str(report.seed),
        "target": report.target.url,
        "contract_hash": report.contract.hash,
        "again": summary.again(report),
    }


def _element(suite: str, name: str, seconds: float = 0.0) -> ET.Element:
    return ET.Element("testcase", classname=_fit(suite), name=_fit(name), time=f"{seconds:.3f}")


def _run_case(report: Report) -> ET.Element:
    """Whether the run came to a verdict at all."""
    case = _element("run", "the run came to a verdict")
    if report.exit_code not in VERDICTS or report.status is not RunStatus.COMPLETE:
        sentence = _fit(summary.headline(report).sentence)
        ET.SubElement(case, "error", message=clipped(sentence, MESSAGE_LIMIT), type=report.meaning).text = sentence
    return case


def _case(verdict: Verdict, places: Mapping[str, str], report: Report) -> ET.Element:
    place = places.get(verdict.operation, verdict.operation)
    name = place if verdict.operation in {"", place} else f"{place} [{verdict.operation}]"
    case = _element(verdict.promise, name, verdict.seconds)
    counting = [finding for finding in verdict.findings if finding.fingerprint not in report.known]
    if counting:
        _failure(case, counting, places, report)
    elif verdict.status is Status.FAIL:
        told = "; ".join(f"{item.fingerprint} {_known(report.known[item.fingerprint])}" for item in verdict.findings)
        ET.SubElement(case, "skipped", message=_fit(clipped(told, MESSAGE_LIMIT)))
    elif verdict.status is Status.INCONCLUSIVE:
        ET.SubElement(case, "skipped", message=_fit(clipped(summary.reason_of(verdict), MESSAGE_LIMIT)))
    return case


def _known(entry: Known) -> str:
    return f"is known until {entry.expires}: {one_line(entry.reason)}"


def _loose_case(finding: Finding, places: Mapping[str, str], report: Report) -> ET.Element:
    case = _element("other", f"{places.get(finding.operation, finding.operation)} [{finding.fingerprint}]")
    if finding.fingerprint in report.known:
        told = _known(report.known[finding.fingerprint])
        ET.SubElement(case, "skipped", message=_fit(clipped(told, MESSAGE_LIMIT)))
    else:
        _failure(case, [finding], places, report)
    return case


def _failure(case: ET.Element, findings: Iterable[Finding], places: Mapping[str, str], report: Report) -> None:
    found = list(findings)
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    failure = ET.SubElement(
        case, "failure", message=_fit(clipped(one_line(first.title), MESSAGE_LIMIT) + more), type=_fit(first.code)
    )
    failure.text = _fit("\n\n".join(_text(finding, places, report) for finding in found))


def _text(finding: Finding, places: Mapping[str, str], report: Report) -> str:
    known_as = references(finding.code, finding.kind)
    lines = [
        f"{finding.severity.upper()} {finding.code}: {one_line(finding.title)}",
        *([f"known as: {', '.join(known_as)}"] if known_as else []),
        f"operation: {places.get(finding.operation, finding.operation)}",
        f"promised: {printable(finding.promised)}",
        *([f"at: {printable(str(finding.place))}"] if finding.place else []),
        f"seen: {printable(finding.seen)}",
        *([f"to mend it: {CODES[finding.code].mend}"] if finding.code in CODES else []),
        f"standing: {finding.confirmation}",
        f"again: {reproduction.replay(finding)}",
        *(line.command for line in reproduction.script(finding, report, 3).lines),
    ]
    return "\n".join(lines)


def _fit(text: str) -> str:
    """The text without the characters that XML 1.0 (2.2) does not have."""
    return INVALID.sub("", printable(text))
