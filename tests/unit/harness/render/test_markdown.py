from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.checked import Checked, Standing
from harness.exits import Exit
from harness.finding import Finding, Severity
from harness.render import html, markdown
from harness.report import Report, RunStatus, Target

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE_LIMIT = 1024 * 1024


def rows(text: str) -> list[str]:
    """The lines of all tables."""
    return [line for line in text.splitlines() if line.startswith("| ")]


def test_the_summary_has_verdict_phases_findings_and_latency(sample: Callable[..., Report]) -> None:
    """Everything a job's reader asks for stands there, the verdict first."""
    text = markdown.render(sample(6)).decode()
    assert text.startswith("## ❌ FAILS: Shop API")
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### Findings",
        "### Phases",
        "### Latency",
        "### Not examined",
    ]
    assert text.count("```sh") == 6
    assert "- Known as: OWASP API5:2023 Broken Function Level Authorization" in text
    assert "- Known as: WFC F200" in text


def test_tables_keep_their_columns(sample: Callable[..., Report]) -> None:
    """No text of a target ends a cell or a row."""
    finding = Finding("a.b", "x | y\n| z `q` \\| w", Severity.LOW, "op|`x`")
    text = markdown.render(replace(sample(0), findings=(finding,))).decode()
    table = [re.split(r"(?<!\\)(?:\\\\)*\|", row) for row in rows(text[: text.index("<details>")])]
    assert {len(cells) for cells in table} == {8}


def test_nothing_from_a_target_is_html(sample: Callable[..., Report]) -> None:
    """Outside of fences an angle bracket is an entity."""
    text = markdown.render(sample(6)).decode()
    outside = re.sub(r"(`{3,})sh\n.*?\n\1", "", text, flags=re.DOTALL)
    assert set(re.findall(r"<[^>]*>", outside)) == {"<details>", "<summary>", "</summary>", "</details>", "<b>", "</b>"}


def test_a_fence_is_longer_than_what_it_holds() -> None:
    """Backticks in a command do not end its fence."""
    assert markdown._fenced("a ```` b") == "`````sh\na ```` b\n`````"


def test_a_large_run_fits(sample: Callable[..., Report]) -> None:
    """A job summary may have 1 MiB; a run with many findings stays below."""
    assert len(markdown.render(sample(400, 500))) < SIZE_LIMIT


def test_the_checklist_is_shown_with_its_standing(sample: Callable[..., Report]) -> None:
    """Each item stands in page and summary with what tells of it; text of a file is escaped."""
    item = Checked("S2", "Security", "Who may <b>what</b>", Standing.UNKNOWN, "nothing was examined of roles")
    report = replace(sample(), checklist=(item,))
    text = markdown.render(report).decode()
    assert "1 unknown of 1" in text
    assert "| S2 | Who may &lt;b&gt;what&lt;/b&gt; | unknown | nothing was examined of roles |" in text
    page = html.render(report).decode()
    assert "Who may &lt;b&gt;what&lt;/b&gt;" in page
    assert Report.from_record(report.to_record()).checklist == (item,)


def test_a_run_without_anything_is_told() -> None:
    """A run that did not begin has a summary with its reason."""
    text = markdown.render(
        Report("r", RunStatus.PARTIAL, Exit.USAGE, Target("url"), reason="--only x is unknown")
    ).decode()
    assert "**Nothing was verified: --only x is unknown.**" in text
