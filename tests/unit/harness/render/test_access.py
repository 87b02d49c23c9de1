"""The authorization matrix: one cell an operation and identity, told alike in page, Markdown and JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harness.cell import Cell, CellState, access, joined
from harness.exits import Exit
from harness.finding import Finding, Severity
from harness.render import access as shown
from harness.render import html, markdown, records
from harness.report import OperationFacts, Report, RunStatus, Target
from harness.verdict import Verdict, merged

if TYPE_CHECKING:
    from collections.abc import Iterable

STATES = st.sampled_from(CellState)
NAMES = st.sampled_from(["anonymous", "admin", "owner", "stranger", "other tenant", "expired", "<b>&"])
CELLS = st.lists(st.builds(Cell, NAMES, st.sampled_from(["in", "401"]), st.just("200"), STATES, st.text(max_size=5)))
HELD, BROKEN = CellState.HELD, CellState.BROKEN


def report(verdicts: Iterable[Verdict]) -> Report:
    """A run with these verdicts, over two operations."""
    told = tuple(verdicts)
    operations = (OperationFacts("a", "GET", "/a"), OperationFacts("b", "DELETE", "/b"), OperationFacts("c"))
    findings = tuple(finding for verdict in told for finding in verdict.findings)
    run = Report("r", RunStatus.COMPLETE, Exit.HOLDS, Target("url"), operations=operations)
    return replace(run, verdicts=told, findings=findings)


FINDING = Finding("owner.stranger-allowed", "b lets a stranger in", Severity.CRITICAL, "b", kind="stranger")
VERDICTS = (
    Verdict("roles", "a", 2, cells=(Cell("admin", "in", "200", HELD), Cell("anonymous", "401", "401", HELD))),
    Verdict("roles", "b", 1, cells=(Cell("anonymous", "401", "401", HELD),)),
    Verdict("owner", "b", 1, (FINDING,), cells=(Cell("stranger", "404", "204", BROKEN, "it was answered 204"),)),
    Verdict("credentials", "b", 1, cells=(Cell("expired", "401", reason="no expired token can be had"),)),
)


@given(CELLS)
def test_the_worst_known_of_a_column_is_kept(cells: list[Cell]) -> None:
    """Of several cells of one column a broken one stands before one that held, and that before an unknown one."""
    kept = {cell.identity: cell for cell in joined(cells)}
    assert set(kept) == {cell.identity for cell in cells}
    for name, cell in kept.items():
        states = [other.state for other in cells if other.identity == name]
        assert cell.state is min(states, key=[BROKEN, HELD, CellState.UNKNOWN].index)


@given(CELLS)
def test_cells_are_kept_in_records(cells: list[Cell]) -> None:
    """A verdict's cells come back from its JSON as they were, and merging keeps one a column."""
    verdict = Verdict("roles", "a", 1, cells=tuple(cells))
    assert Verdict.from_record(json.loads(json.dumps(verdict.to_record()))) == verdict
    (both,) = merged([verdict, verdict])
    assert both.cells == joined(cells)


def test_columns_stand_in_the_order_in_which_one_reads_them() -> None:
    """Nobody first, then roles, owner and stranger, tenants, credentials; what is not known stands in its group."""
    told = [
        ("credentials", "a", [Cell("no algorithm", "401"), Cell("expired", "401"), Cell("garbage", "401")]),
        ("owner", "a", [Cell("stranger", "404"), Cell("owner", "in"), Cell("admin", "in")]),
        ("roles", "a", [Cell("admin", "in"), Cell("anonymous", "401"), Cell("every role", "in"), Cell("user", "403")]),
        ("tenant", "b", [Cell("other tenant", "401")]),
    ]
    assert access(told).columns == (
        "anonymous", "admin", "user", "every role", "owner", "stranger", "other tenant", "garbage", "expired",
        "no algorithm",
    )  # fmt: skip


def test_what_was_not_tried_is_seen_as_unknown() -> None:
    """A role that was tried at other operations and not at this one is unknown; what is not promised is empty."""
    first, second = shown.lines(report(VERDICTS))
    assert [cell.letter if cell else "" for cell in first.cells] == ["R", "A", "", ""]
    assert [cell.letter if cell else "" for cell in second.cells] == ["R", "?", "✗", "?"]
    assert (first.quiet, second.quiet) == (True, False)


def test_the_page_has_letters_and_words_beside_colours() -> None:
    """A broken cell leads to its finding, an unknown one says why, and the sentence counts all of them."""
    page = html.render(report(VERDICTS)).decode()
    table = page.partition('id="access"')[2].partition("</section>")[0]
    assert "3 as promised, 1 otherwise, 2 unknown" in table
    assert re.search(
        rf'<td class="f" title="[^"]*gets 404[^"]*"><a href="#f-{FINDING.fingerprint}"><b>✗</b> 204', table
    )
    assert "<li>no expired token can be had<br>" in table
    assert "DELETE /b (expired)" in table
    assert 'title="expired gets 401; not seen; no expired token can be had"' in table
    assert '<td class="a"><b>A</b> 200</td>' in table


def test_markdown_and_json_tell_the_same() -> None:
    """The summary's table has a row an operation and a column an identity; run.json has every cell."""
    text = markdown.render(report(VERDICTS)).decode()
    assert "| `DELETE /b` | R | ? | ❌ 204 | ? |" in text
    told = json.loads(records.run_json(report(VERDICTS)))["authorization"]
    assert told["columns"] == {"roles": ["anonymous", "admin"], "owner": ["stranger"], "credentials": ["expired"]}
    assert [cell["state"] for cell in told["rows"]["b"]] == ["held", "broken", "unknown"]


def test_without_cells_there_is_no_matrix() -> None:
    """A run whose promises know of no caller shows no empty table."""
    bare = report([Verdict("schema", "a", 1)])
    assert b'id="access"' not in html.render(bare)
    assert "Who may" not in markdown.render(bare).decode()


@given(CELLS)
def test_any_text_stays_text(cells: list[Cell]) -> None:
    """What a target or a configuration names cannot write markup into the page."""
    page = html.render(report([Verdict("roles", "a", 1, cells=tuple(cells))])).decode()
    assert "<b>&" not in page.replace("<b>&lt;", "")


def test_the_page_of_a_large_contract_stays_small() -> None:
    """The matrix of 500 operations and 20 identities takes less than a megabyte of the page."""
    cells = tuple(Cell(f"kind {number}", "401", "401", HELD) for number in range(20))
    operations = tuple(OperationFacts(f"o{number}", "GET", f"/things/{number}") for number in range(500))
    run = report(Verdict("credentials", operation.id, 20, cells=cells) for operation in operations)
    page = html.render(replace(run, operations=operations))
    assert len(page.partition(b'id="access"')[2].partition(b"</section>")[0]) < 1_000_000
