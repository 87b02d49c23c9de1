"""What of a contract a run reached: documented answers, callers and promises, and why not the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import ending
from harness.contract import Contract
from harness.coverage import Coverage, StatusCoverage, Why, covered
from harness.exchange import Exchange, Request, Response
from harness.exits import Exit
from harness.history import FOLDER, Journal
from harness.identities import ANONYMOUS, Identity
from harness.render import html, markdown, reach, terminal
from harness.report import OperationFacts, Report, RunStatus, Target
from harness.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = ("200", "404", "4XX", "500", "default")
CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "Two", "version": "1"},
        "paths": {
            "/one": {"get": {"operationId": "one", "responses": {name: {"description": name} for name in ANSWERS}}},
            "/two": {"post": {"operationId": "two", "responses": {"201": {"description": "made"}}}},
        },
    }
)
USER = Identity("user-1", ("user",))


def sent(operation: str, status: int, who: Identity = ANONYMOUS, method: str = "") -> Exchange:
    """A call with its answer; 0 is none."""
    request = Request(method or {"one": "GET", "two": "POST"}[operation], f"/{operation}", operation, identity=who)
    return Exchange(f"e-{operation}-{status}", request, Response(status) if status else None, 0, 1, 2)


@given(st.lists(st.sampled_from([0, 200, 201, 401, 404, 409, 500, 503]), max_size=12))
def test_each_answer_counts_once_where_it_is_documented(statuses: list[int]) -> None:
    """An answer counts for its number, else its class, else `default`; what got none is not reached."""
    row = covered(CONTRACT, [sent("one", status) for status in statuses], []).operations[0]
    counts = {status.status: status.count for status in row.statuses}
    answered = [status for status in statuses if status]
    assert sum(counts.values()) == len(answered)
    assert counts["404"] == answered.count(404)
    assert counts["4XX"] == answered.count(401) + answered.count(409)
    assert counts["500"] == answered.count(500)
    assert counts["default"] == answered.count(503) + answered.count(201)
    assert [bool(status.count) for status in row.statuses] == [status.why is Why.REACHED for status in row.statuses]


@pytest.mark.parametrize(
    ("apart", "statuses"), [(False, ("200", "304", "429", "4XX")), (True, ("500", "5XX", "default", "101"))]
)
def test_what_the_server_alone_decides_is_apart(apart: object, statuses: tuple[str, ...]) -> None:
    """Every 1xx and 5xx and the default; no other status."""
    assert [StatusCoverage(status).apart for status in statuses] == [apart] * len(statuses)


def test_the_figure_is_of_pairs_that_count() -> None:
    """Of 200, 404, 4XX and 201, two were reached; 500 and default are apart."""
    held = covered(CONTRACT, [sent("one", 200), sent("one", 500), sent("two", 201, USER)], [])
    assert (held.reached, len(held.pairs), held.percent) == (2, 4, 50.0)
    assert held.callers == ("anonymous", "user")
    assert Coverage().percent == 100.0
    assert Coverage.from_record(json.loads(json.dumps(held.to_record()))) == held


@pytest.mark.parametrize(
    ("exchanges", "told", "narrowed", "why", "detail"),
    [
        ([], [], False, Why.NOT_SENT, ""),
        ([], [], True, Why.NOT_SELECTED, ""),
        ([], [Verdict("roles", "two", reason="no role can be had")], True, Why.NOT_SENT, "no role can be had"),
        ([sent("two", 401), sent("two", 403, USER)], [], False, Why.REFUSED, "answered 401 × 1, 403 × 1"),
        ([sent("two", 401), sent("two", 400, USER)], [], False, Why.NO_CASE, "answered 400 × 1, 401 × 1"),
        ([sent("two", 0)], [], False, Why.NO_CASE, "answered no answer × 1"),
        ([sent("two", 201, method="PUT")], [], False, Why.NOT_SENT, ""),
    ],
)
def test_why_an_answer_was_not_reached(
    exchanges: list[Exchange], told: list[Verdict], narrowed: object, why: Why, detail: str
) -> None:
    """Not sent, left out by what was asked for, refused at the gate, or no case that leads there."""
    (status,) = covered(CONTRACT, exchanges, told, narrowed=bool(narrowed)).operations[1].statuses
    assert (status.count, status.why, status.detail) == (0, why, detail)


@pytest.mark.parametrize(("least", "code"), [(None, Exit.HOLDS), (50.0, Exit.HOLDS), (50.1, Exit.INCONCLUSIVE)])
def test_less_than_was_asked_for_is_inconclusive(tmp_path: Path, least: float | None, code: Exit) -> None:
    """The gate is at the figure itself, and its sentence has both."""
    journal = Journal(tmp_path / FOLDER / "pytest-1.jsonl")
    for exchange in (sent("one", 200), sent("two", 201)):
        journal.append(exchange.to_record())
    journal.close()
    begun = Report("run", RunStatus.RUNNING, None, Target("url"), min_coverage=least)
    ended = ending.complete(begun, CONTRACT, tmp_path, [Verdict("schema", "one", 1)])
    assert ended.exit_code is code
    assert ("2 of 4 documented answers were reached, 50.0 %; --min-coverage asks for 50.1 %" in ended.reason) is (
        code is Exit.INCONCLUSIVE
    )


def test_every_rendering_has_the_figure() -> None:
    """Terminal, page and summary say it alike; the page has each answer with its reason, escaped."""
    held = covered(CONTRACT, [sent("one", 200, Identity("x", ("<b>",))), sent("two", 403)], [])
    facts = (OperationFacts("one", "GET", "/one"), OperationFacts("two", "POST", "/two"))
    report = replace(Report("run", RunStatus.COMPLETE, Exit.HOLDS, Target("url"), operations=facts), coverage=held)
    figure = "1 of 4 documented answers reached (25.0 %)"
    assert reach.sentence(report) == f"{figure}; apart from them 0 of 2 that the server alone decides"
    assert reach.reasons(report) == "refused 1, no case 2"
    assert reach.missing(report)[-1] == ("POST /two", "201", "refused: answered 403 × 1")
    for rendered in (html.render(report), markdown.render(report), terminal.render(report)):
        assert figure in " ".join(rendered.decode().split())
    page = html.render(report).decode()
    assert "refused: answered 403 × 1" in page
    assert "&lt;b&gt;" in page
    assert "<b>none" not in page
    assert reach.sentence(Report("run", RunStatus.COMPLETE, Exit.HOLDS, Target("url"))) == ""
