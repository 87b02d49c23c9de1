"""A finding as a test file of its own: Python whatever a target said, and it needs no harness."""

from __future__ import annotations

import ast
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.codes import CODES
from harness.finding import Finding, Place, Reproduction, Severity
from harness.render import assertion
from harness.render.rule import Unstated
from harness.render.stated import Stated
from tests.unit.harness.render.one_book import made, step, written

TEXTS = st.text(max_size=30)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS | st.integers() | st.none(), max_size=3))
def test_the_file_is_python_whatever_was_said(title: str, promised: str, path: str, name: str, body: Any) -> None:
    """Quotes, escapes and lines of a target stand in texts of the file and nowhere else; it imports no harness."""
    steps = (
        step(
            "make", title, status=201, body={**body, "name": "a name of old", "password": "[masked]"}, path=f"/{path}"
        ),
        step(
            "put",
            name,
            body={"id": "x", "in": [body]},
            headers=[["If-Match", title], ["Authorization", "Bearer [masked]"]],
            query=[["q", path]],
            identity={"name": name, "roles": [title], "tenant": promised, "facts": {"id": "old-id-of-him"}},
        ),
    )
    finding = Finding(
        "roles.effect",
        title,
        Severity.LOW,
        "put",
        promised=promised,
        seen=name,
        reproduction=Reproduction("", {}, steps),
        place=Place(path, name, 3),
    )
    tree = ast.parse(written(finding, Stated(["check(answers[0], lambda answer: True)"])))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} - {"__future__", "pytest"} <= sys.stdlib_module_names
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "send"]
    assert len(calls) == len(steps)


MADE = step("make", "made", status=201, body={"price": 3})
READ = step("get", "read-later|2")
BOTH = [MADE, READ]
UNVERSIONED, SECOND = step("put", "unversioned|0|||"), step("put", "second|0|x|y|z")
TRIED = [step("get", "before:user"), step("put", "may-not:user"), step("get", "after:user"), step("get", "again:user")]


@pytest.mark.parametrize(
    ("code", "kind", "operation", "steps", "line"),
    [
        ("roles.role-allowed", "user", "put", TRIED, "answers[1], lambda answer: answer.status not in range(200, 300)"),
        ("roles.role-refused", "user", "put", [step("put", "may:user")], "answer.status not in (401, 403, 404)"),
        (
            "transports.refused",
            "over rpc",
            "put",
            [step("put", "may:user over rpc"), step("put", "alike:over rpc")],
            "answers[0], lambda answer: answer.status not in (400, 413, 415, 422)",
        ),
        ("roles.status", "user", "put", TRIED, "answers[1], lambda answer: answer.status == 403"),
        ("roles.status", "anonymous", "put", [step("put", "may-not:anonymous")], "answer.status == 401"),
        ("roles.effect", "user", "put", TRIED, "answers[2], lambda answer: lasting(answers[0], answer, answers[3])"),
        ("owner.status", "stranger", "put", [step("put", "may-not:stranger")], "answer.status == 404"),
        (
            "owner.status",
            "existence",
            "put",
            [step("put", "made-up-1:valid"), step("put", "may-not:stranger"), step("put", "made-up-2:valid")],
            "answers[1], lambda answer: alike(answer, answers[0], answers[2])",
        ),
        ("resource.create-not-readable", "", "make", BOTH, "answers[1], lambda answer: answer.status in range"),
        ("resource.create-not-readable", "/price", "make", BOTH, "answer.at('/price') == 3"),
        ("delete.read", "", "del", [MADE, step("del"), step("get", "gone|1")], "answer.status in (404"),
        ("delete.again", "", "del", [MADE, step("del", "deleted-again")], "answer.status == 410"),
        ("page.bounds", "limit below", "get", [step("get", "bound|limit|below")], "answer.status in (400, 422)"),
        ("delete.changed", "put", "del", [MADE, step("put", "wrote-after|1")], "answer.status in range(400, 500)"),
        (
            "resource.mass-assignment",
            "/owner",
            "make",
            [step("make", "trial|1|/owner", body={"owner": "me"}), step("get", "trial-shown|1|/owner")],
            "answers[1], lambda answer: answer.status >= 400 or answer.at('/owner') != 'me'",
        ),
        ("version.missing-accepted", "unversioned", "put", [MADE, UNVERSIONED], "answer.status == 428"),
        ("version.lost-update", "header If-Match", "put", [MADE, SECOND], "answer.status == 412"),
        ("schema.undocumented-status", "200", "make", [MADE], "answer.is_one_of(['201'])"),
        ("schema.server-error", "500", "get", BOTH, "answers[1], lambda answer: answer.status < 500"),
        ("schema.invalid-input-accepted", "body type", "make", [MADE], "answer.status in range(400, 500)"),
        ("schema.content-type", "200 text/html", "get", BOTH, "answer.media_type in ['application/json']"),
        ("schema.missing-header", "200 etag", "get", BOTH, "answer.header('etag')"),
        ("schema.body", "200 /price type", "get", BOTH, "each(answers[1], '/price', lambda value: (isin"),
        ("schema.body", "200 /price minimum", "get", BOTH, "value >= 1"),
        ("schema.body", "200 /tags/* enum", "get", BOTH, "'/tags/*', lambda value: value in ['a', 'b']"),
        ("schema.body", "200 /id missing", "get", BOTH, "each(answers[1], '', lambda value: 'id' in value)"),
        ("schema.body", "200 / extra member", "get", BOTH, "set(value) <= set(['id', 'price', 'tags'])"),
        ("schema.body", "200 not JSON", "get", BOTH, "answer.json() is not None"),
        ("envelope.shape", "404 /code missing", "get", BOTH, "'code' in value"),
        ("envelope.shape", "404 empty", "get", BOTH, "answer.body.strip()"),
        ("headers.value", "x-a", "get", BOTH, "answer.header('x-a') == '1'"),
        ("headers.value", "x-b", "get", BOTH, "re.search('^b', answer.header('x-b') or '')"),
        ("headers.missing", "x-c", "get", BOTH, "answer.header('x-c') is not None"),
        ("headers.forbidden", "server", "get", BOTH, "answer.header('server') is None"),
        ("leaks.stack", "Python traceback", "get", BOTH, "not re.search('Traceback', answer.text"),
    ],
)  # fmt: skip
def test_what_is_asserted(code: str, kind: str, operation: str, steps: list[Any], line: str) -> None:
    """The promise is held at the step that shows the fault, and the file is Python."""
    lines, text = made(code, kind, operation, *steps)
    assert line in "\n".join(lines)
    compile(text, "test_alone.py", "exec")


def test_the_mark_of_a_fuzz_finding_is_asserted_away() -> None:
    """The last answer must not have the mark; an answer that says neither is told as such."""
    lines, _ = made(
        "fuzz.unsupported_method", "no Allow", "get", READ, expect={"status": [405], "header_absent": "Allow"}
    )
    assert lines == [
        "clear(answers[0], [])",
        "check(answers[0], lambda answer: not (answer.is_one_of(['405']) and answer.header('Allow') is None))",
    ]


@pytest.mark.parametrize(
    ("code", "kind", "operation", "steps", "reason"),
    [
        ("version.two-winners", "", "put", [MADE], "many calls at one instant"),
        ("rate-limit.overshoot", "", "put", [MADE], "counting many calls"),
        ("objective.latency", "p95_ms", "put", [], "told by a load"),
        ("scenario.failed", "x", "", [], "a test of the project's own already"),
        ("roles.effect", "user", "put", [], "no sequence"),
        ("transports.refused", "over rpc", "put", [step("put", "may:user")], "lacks the step"),
        ("roles.effect", "user", "gone", [MADE], "no sequence"),
        ("roles.effect", "user", "put", [MADE], "lacks the step"),
        ("resource.not-listed", "", "make", [MADE], "lacks the step"),
        ("delete.listed", "all", "del", [MADE], "lacks the step"),
        ("writes.bound", "/name maxLength", "put", [MADE], "tried first"),
        ("delete.file", "", "del", [MADE], "an address of its own"),
        ("http.location", "cut off", "make", [MADE], "served meanwhile"),
        ("credentials.taken", "forged", "put", [MADE], "forged or spent"),
        ("schema.body", "200 /price oneOf", "get", BOTH, "needs a validator"),
        ("schema.body", "200 /gone type", "get", BOTH, "not told by one place"),
        ("headers.missing", "x-gone", "get", BOTH, "no more"),
        ("later.than-this", "", "get", [MADE], "no assertion is known"),
    ],
)
def test_where_no_test_can_stand_alone(code: str, kind: str, operation: str, steps: list[Any], reason: str) -> None:
    """A race, a count and a load say why, and so does whatever a line of Python cannot hold."""
    with pytest.raises(Unstated, match=reason):
        made(code, kind, operation, *steps)


def test_no_code_is_named_that_is_gone() -> None:
    """Every code that has an assertion, and every word of one that has none, is of the catalogue."""
    keys = {code.partition(".")[0] for code in CODES}
    assert [code for code in assertion.MADE if code not in CODES] == []
    assert [word for word in assertion.WHY if word not in CODES and word not in keys] == []


def test_every_code_has_an_assertion_or_says_why_not() -> None:
    """No class of the catalogue is left with a reason that would fit any."""
    told = [code for code in CODES if code in assertion.WHY or code.partition(".")[0] in assertion.WHY]
    assert sorted({*told, *assertion.MADE} & set(CODES)) == sorted(CODES)
