"""A finding as a test file of its own: Python whatever a target said, and it needs no harness."""

from __future__ import annotations

import ast
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.codes import CODES
from harness.contract import Contract
from harness.exits import Exit
from harness.finding import Finding, Place, Reproduction, Severity
from harness.render import alone, assertion
from harness.render.rule import Unstated
from harness.render.stated import Stated
from harness.report import Report, RunStatus, Target
from tests.unit.harness.render.shelf import METHODS, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

TEXTS = st.text(max_size=30)
BOOK = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "price": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shelf", "version": "1"},
    "components": {"schemas": {"Book": BOOK, "Error": {"type": "object", "required": ["code"]}}},
    "x-promises": {
        "envelope": {"schema": {"$ref": "#/components/schemas/Error"}},
        "headers": {"X-A": {"const": "1"}, "X-B": {"pattern": "^b"}, "X-C": {}, "Server": {"absent": True}},
        "resource": {"book": {"create": "make", "read": "get", "update": "put", "delete": "del", "again": 410}},
    },
    "paths": {
        "/books": {"post": {"operationId": "make", "responses": {"201": {"description": "made"}}}},
        "/books/{id}": {
            "get": {
                "operationId": "get",
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Book"}}}},
                    "4XX": {"description": "no"},
                },
            },
            "put": {
                "operationId": "put",
                "x-promises": {
                    "roles": {"allow": ["admin"], "anonymous": 401, "refused": 403},
                    "owner": {"stranger": 404},
                    "version": {"forms": [{"in": "header", "name": "If-Match", "stale": 412}], "missing": 428},
                },
                "responses": {"200": {"description": "put"}},
            },
            "delete": {"operationId": "del", "responses": {"204": {"description": "gone"}}},
        },
    },
}


def step(operation: str, word: str = "", **more: Any) -> dict[str, Any]:
    """A step on one book or on all; `more` replaces members."""
    one = operation != "make"
    told = {
        "operation": operation,
        "method": METHODS[operation],
        "path": "/books/old-id" if one else "/books",
        "step": word,
        "filled": {"path:2": {"step": 0, "place": "/id"}} if one else {},
    }
    return recorded(**{**told, **more})


def written(finding: Finding, stated: Stated) -> str:
    """The text of a finding's file."""
    report = Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url", "http://127.0.0.1:9"), findings=(finding,))
    return alone.render(finding, report, stated).decode()


def made(code: str, kind: str, operation: str, *steps: Mapping[str, Any], expect: Any = None) -> tuple[list[str], str]:
    """The lines that assert a finding, and its file."""
    told = Reproduction("", {"expect": expect} if expect else {}, steps)
    finding = Finding(code, "a fault", Severity.LOW, operation, kind, "It holds.", "It did not.", reproduction=told)
    patterns = {("leaks.stack", "Python traceback"): "Traceback"}
    stated = assertion.asserted(Contract(DOCUMENT), finding, patterns)
    return list(stated.lines), written(finding, stated)


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
        ("roles.effect", "user", "gone", [MADE], "no sequence"),
        ("roles.effect", "user", "put", [MADE], "lacks the step"),
        ("resource.not-listed", "", "make", [MADE], "lacks the step"),
        ("delete.listed", "all", "del", [MADE], "lacks the step"),
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


class _Shelf(BaseHTTPRequestHandler):
    """A shelf that makes a book with a new id, and serves it by that id only while it is whole."""

    def do_POST(self) -> None:
        """Makes a book; a name that is there already is refused."""
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length))
        self.server.seen.append((self.path, dict(self.headers), body))  # type: ignore[attr-defined]  # kept by the test
        taken = body["name"] == "a name of old"
        self._answer(409 if taken else 201, {"id": "new id/1"})

    def do_GET(self) -> None:
        """Serves the book."""
        self.server.seen.append((self.path, dict(self.headers), None))  # type: ignore[attr-defined]  # kept by the test
        whole = self.server.whole  # type: ignore[attr-defined]  # set by the test
        self._answer(200 if whole and self.path == "/books/new%20id%2F1" else 404, {"price": 3})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def shelf() -> Iterator[ThreadingHTTPServer]:
    """The shelf on a free loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shelf)
    server.seen, server.whole = [], True  # type: ignore[attr-defined]  # what the handler works with
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def module(text: str) -> ModuleType:
    """The file as a module."""
    made_up = type(sys)("test_alone")
    exec(compile(text, "test_alone.py", "exec"), made_up.__dict__)  # noqa: S102 - our own file
    return made_up


def test_it_fails_on_the_fault_and_passes_without(shelf: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh names, ids of earlier answers and credentials of the environment are sent."""
    user = {"name": "user-1", "roles": ["user"], "tenant": "alpha", "facts": {"id": "old-user-id"}}
    steps = [
        step("make", "made", status=201, body={"name": "a name of old", "by": "old-user-id"}, identity=user),
        step("get", "read-later|2", identity=user),
    ]
    _, text = made("resource.create-not-readable", "", "make", *steps)
    loaded = module(text)
    with pytest.raises(pytest.fail.Exception, match=r"set BASE_URL \(the address.*, USER_ID \(.*, USER_TOKEN"):
        loaded.test_resource_create_not_readable()
    monkeypatch.setenv("BASE_URL", f"http://127.0.0.1:{shelf.server_address[1]}")
    monkeypatch.setenv("USER_ID", "7")
    with pytest.raises(pytest.fail.Exception, match=r"set USER_TOKEN \(the Authorization of a caller with user of"):
        loaded.test_resource_create_not_readable()
    monkeypatch.setenv("USER_TOKEN", "s3cret")
    loaded.test_resource_create_not_readable()
    (_, headers, body), (path, _, _) = shelf.seen[-2:]  # type: ignore[attr-defined]  # kept by the handler
    assert headers["Authorization"] == "Bearer s3cret"
    assert body["by"] == "7"
    assert body["name"] != "a name of old"
    assert path == "/books/new%20id%2F1"
    shelf.whole = False  # type: ignore[attr-defined]  # what the handler works with
    with pytest.raises(AssertionError, match=r"It holds\. But step 2 was answered 404"):
        loaded.test_resource_create_not_readable()
