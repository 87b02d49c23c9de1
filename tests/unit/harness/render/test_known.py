"""A known finding is shown as known, and counts nowhere, in every rendering alike."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from harness.exits import Exit
from harness.render import html, junit, markdown, records, sarif, summary, terminal
from harness.report import Known, KnownState, Report

if TYPE_CHECKING:
    from collections.abc import Callable

REASON = "the <b>ticket</b> | 12 is open"


@pytest.fixture
def known(sample: Callable[..., Report]) -> Report:
    """Six findings of which the first, the worst one, is known; an entry is expired, one gone."""
    report = sample(6)
    first, second, *_ = report.findings
    entries = [
        Known(first.fingerprint, first.code, first.operation, REASON, "2027-01-31", KnownState.KNOWN),
        Known(second.fingerprint, second.code, second.operation, "late", "2020-01-31", KnownState.EXPIRED),
        Known("0123456789ab", "roles.effect", "carts.get", "old", "2027-01-31", KnownState.GONE),
    ]
    return replace(report, baseline=tuple(entries))


def test_the_verdict_counts_what_is_not_known(known: Report) -> None:
    """The headline leaves it out and says so, with what has expired and what is gone."""
    head = summary.headline(known)
    assert "5 findings" in head.sentence
    assert "critical" not in head.sentence
    assert "1 known finding does not count, until 2027-01-31 at the earliest." in head.remarks
    assert any("counts again" in remark and known.findings[1].fingerprint in remark for remark in head.remarks)
    assert any("did not occur any more" in remark and "0123456789ab" in remark for remark in head.remarks)


def test_a_run_with_known_findings_alone_holds(known: Report) -> None:
    """It does not say that every promise was kept."""
    first = known.findings[0]
    held = replace(known, findings=(first,), exit_code=Exit.HOLDS, baseline=known.baseline[:1])
    head = summary.headline(held)
    assert (head.word, head.tone) == ("HOLDS", "pass")
    assert head.sentence.startswith("Nothing is broken that is not known")
    assert first.fingerprint not in terminal.render(held).decode()
    assert "1 known finding does not count" in terminal.render(held).decode()


def test_the_page_shows_it_last_and_as_known(known: Report) -> None:
    """It stands after those that count, with its reason, and the file of known findings has a table."""
    page = html.render(known).decode()
    places = [page.index(f'id="f-{finding.fingerprint}"') for finding in known.findings]
    assert max(places) == places[0]
    assert "known until 2027-01-31" in page
    assert "the &lt;b&gt;ticket&lt;/b&gt; | 12 is open" in page
    assert 'id="baseline"' in page
    assert "0123456789ab" in page


def test_junit_skips_it(known: Report) -> None:
    """Its case is skipped with the reason; the case of an expired one fails."""
    first, second = known.findings[:2]
    root = ET.fromstring(junit.render(known))  # noqa: S314 - our own document
    cases = {
        (case.get("classname"), str(case.get("name")).partition("[")[2].rstrip("]")): case
        for case in root.iter("testcase")
    }
    skipped = cases[first.code.split(".")[0], first.operation].find("skipped")
    assert skipped is not None
    assert "is known until 2027-01-31: the <b>ticket</b> | 12 is open" in str(skipped.get("message"))
    assert cases[second.code.split(".")[0], second.operation].find("failure") is not None


def test_sarif_suppresses_it(known: Report) -> None:
    """One suppression with the reason, and an empty list for each that counts."""
    (run,) = json.loads(sarif.render(known))["runs"]
    first, *others = run["results"]
    assert first["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": f"{REASON} (until 2027-01-31)"}
    ]
    assert all(result["suppressions"] == [] for result in others)


def test_the_files_for_programs_have_it(known: Report) -> None:
    """findings.jsonl says it of each finding, run.json has the file, and both are read back as they were."""
    lines = [json.loads(line) for line in records.findings_jsonl(known).splitlines()]
    assert [line["known"] for line in lines] == [
        {"reason": REASON, "expires": "2027-01-31"},
        None,
        None,
        None,
        None,
        None,
    ]
    record = json.loads(records.run_json(known))
    read = Report.from_record(record, findings=known.findings)
    assert read.baseline == known.baseline


def test_markdown_says_it(known: Report) -> None:
    """The table's row and the detail say until when and why."""
    text = markdown.render(known).decode()
    row = next(line for line in text.splitlines() if known.findings[0].fingerprint in line)
    assert "known until 2027-01-31" in row
    assert "Known: until 2027-01-31" in text
