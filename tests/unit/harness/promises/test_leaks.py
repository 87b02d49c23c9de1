"""The standing promise `leaks`: what is inside shows in no body; what the client sent is no leak."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.promises.leaks import PROMISE

USER = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "password": {"type": "string", "writeOnly": True},
        "tags": {"type": "object", "additionalProperties": True},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/users": {
            "post": {
                "operationId": "create",
                "responses": {"201": {"description": "", "content": {"application/json": {"schema": USER}}}},
            }
        }
    },
}
CONTRACT = Contract.read(DOCUMENT, "shop")
PYTHON = (
    "Traceback (most recent call last):\n"
    '  File "/srv/shop/app.py", line 7, in get\n'
    '  File "/srv/shop/db.py", line 9, in one'
)


def found(
    body: Any, *, status: int = 500, sent: Any = None, query: tuple[tuple[str, str], ...] = (), others: Any = ()
) -> set[tuple[str, str]]:
    """Code and kind of what is found in an answer with this body, text or JSON."""
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else json.dumps(body).encode()
    request = Request("POST", "/users", "create", query, (), json.dumps(sent).encode() if sent is not None else None)
    calls = [Exchange("e", request, Response(status, (), data), 0, 0, 1)]
    calls += [
        Exchange("o", Request("POST", "/users", "create", body=json.dumps(other).encode()), None, 0, 0, 1)
        for other in others
    ]
    verdict = PROMISE.judge(CONTRACT, CONTRACT.by_id["create"], calls)
    return {(finding.code, finding.kind) for finding in verdict.findings}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=10,
)


@given(JSON_VALUES, st.sampled_from([200, 201, 400, 404, 500]))
def test_ordinary_data_is_no_leak(value: Any, status: int) -> None:
    """JSON of any shape with any text in it is no finding."""
    assert found(value, status=status) == set()


LEAKS = [
    (PYTHON, ("leaks.stack", "Python frame")),
    ("TypeError: x\n    at get (/srv/shop/app.js:7:11)\n    at node:internal/a:1:2", ("leaks.stack", "Node frame")),
    ("java.lang.X\n\tat shop.Orders.get(Orders.java:7)", ("leaks.stack", "JVM frame")),
    ("System.X\n   at Shop.Orders.Get(Int32 id) in C:\\app\\Orders.cs:line 7", ("leaks.stack", ".NET frame")),
    ("panic: x\ngoroutine 1 [running]:\nmain.go:1", ("leaks.stack", "Go frame")),
    ("/srv/shop/orders.rb:7:in `get'", ("leaks.stack", "Ruby frame")),
    ("#0 /var/www/shop/orders.php(7): get()", ("leaks.stack", "PHP frame")),
    ("sqlite3.OperationalError: x", ("leaks.stack", "exception class")),
    ("KeyError: 'id'", ("leaks.stack", "exception class")),
    ("Cannot read properties of undefined (reading 'id')", ("leaks.stack", "runtime error")),
    ("SELECT id, name FROM users WHERE id = ?", ("leaks.sql", "statement")),
    ("INSERT INTO users (id) VALUES (?)", ("leaks.sql", "statement")),
    ("UNIQUE constraint failed: users.email", ("leaks.sql", "database error")),
    ('duplicate key value violates unique constraint "u"', ("leaks.sql", "database error")),
    ("cannot open /var/lib/shop/data.db now", ("leaks.path", "POSIX path")),
    ("cannot open C:\\inetpub\\shop\\web.config", ("leaks.path", "Windows path")),
    ("$argon2id$v=19$m=65536,t=3,p=4$abc$def", ("leaks.secret", "password hash")),
    ("$argon2id$[masked]", ("leaks.secret", "password hash")),
    ("$2b$12$abcdefghijklmnopqrstuv0123456789", ("leaks.secret", "password hash")),
    ("-----BEGIN RSA PRIVATE KEY-----", ("leaks.secret", "private key")),
]


@pytest.mark.parametrize(("text", "expected"), LEAKS)
def test_each_look_of_a_leak_is_found_in_an_error(text: str, expected: tuple[str, str]) -> None:
    """In plain text and in a JSON member alike."""
    assert expected in found(text)
    assert expected in found({"error": {"message": text}})


@pytest.mark.parametrize(("text", "_expected"), LEAKS)
def test_an_echo_of_what_the_request_sent_is_no_leak(text: str, _expected: tuple[str, str]) -> None:
    """A validation error may quote the input, from the body or the query, whole or in a sentence."""
    assert found({"error": f"not a name: {text}"}, status=400, sent={"name": text}) == set()
    assert found({"error": text}, status=400, query=(("q", text),)) == set()


@pytest.mark.parametrize(("text", "_expected"), LEAKS)
def test_data_that_another_call_stored_is_no_leak(text: str, _expected: tuple[str, str]) -> None:
    """What an earlier request sent may come back in any later answer."""
    assert found({"name": text}, status=201, others=[{"name": text}]) == set()


@pytest.mark.parametrize(
    "message",
    [
        "Please select a value from the list.",
        "Update the name, then set a price.",
        "/items/0/quantity: must be at least 1",
        "/api/v1/users/7 was not found",
        "Expected `int` >= 1 - at `$.items[0].quantity`",
        "See https://example.test/usr/local/errors.html",
        "body, line 1: no comma",
        "VALIDATION_ERROR: ValidationError at name",
        "costs $2 or $20",
    ],
)
def test_what_a_good_error_says_is_no_leak(message: str) -> None:
    """Pointers, routes, links and plain English are no paths, statements or classes."""
    assert found({"error": {"code": "X", "message": message}}, status=400) == set()


def test_stored_text_in_a_success_is_data_but_a_whole_trace_is_a_leak() -> None:
    """One line that looks like a leak may be a product's name; two frames, or a member for debugging, may not."""
    assert found({"name": "SELECT id FROM users WHERE 1"}, status=201) == set()
    assert found({"name": 'File "a.py", line 7'}, status=201) == set()
    assert ("leaks.stack", "Python frame") in found({"name": PYTHON}, status=201)
    assert ("leaks.sql", "statement") in found({"debug": "SELECT id FROM users WHERE 1"}, status=201)


def test_an_undocumented_secret_member_of_a_success_is_a_leak() -> None:
    """A row returned whole shows members that the contract does not; those it documents as writeOnly count."""
    hidden = {("leaks.secret", "member passwordhash")}
    assert found({"id": "1", "password_hash": "x1"}, status=201) == hidden
    assert found({"id": "1", "password": "x1"}, status=201) == {("leaks.secret", "member password")}
    assert found({"id": "1", "password": "****"}, status=201) == set()
    assert found({"id": "1", "password": True}, status=201) == set()
    assert found({"id": "1", "tags": {"password": "x1"}}, status=201) == set()
    assert found({"errors": {"password": "too short"}}, status=400) == set()


def test_a_password_that_comes_back_is_a_leak() -> None:
    """The password that was sent, or one that the recorder masked, stands in no success."""
    known = {("leaks.secret", "known password")}
    sent = {"name": "ada", "password": "Pw1-abcdefgh!"}
    assert found({"note": "Pw1-abcdefgh!"}, status=201, sent=sent) == known
    assert found({"note": "[masked password]"}, status=201, sent={"password": "[masked]"}) == known
    assert found({"note": "ada"}, status=201, sent={"name": "ada", "password": "ada"}) == set()


def test_it_applies_unless_it_is_switched_off() -> None:
    """The promise needs no declaration; false switches it off."""
    assert PROMISE.applies(CONTRACT, CONTRACT.by_id["create"])
    off = Contract.read({**DOCUMENT, "x-promises": {"leaks": False}}, "off")
    assert not PROMISE.applies(off, off.by_id["create"])


def test_a_path_within_a_frame_is_the_frames_and_one_beside_it_is_not() -> None:
    """One fault is one finding: the file that a stack frame names is not a path leaked besides."""
    assert found({"message": PYTHON.split("\n", 1)[1]}) == {("leaks.stack", "Python frame")}
    beside = f"{PYTHON}\ncannot open /var/lib/shop/data.db"
    assert ("leaks.path", "POSIX path") in found({"message": beside})


@pytest.mark.parametrize(
    ("status", "body", "sent", "expected"),
    [
        (500, {"detail": "bad key [masked secret]"}, None, {("leaks.secret", "known secret")}),
        (401, "no such key: [masked secret]", None, {("leaks.secret", "known secret")}),
        (400, {"detail": "no [masked secret] here"}, {"name": "[masked secret]"}, set()),
        (500, {"detail": "bad value [masked value]"}, None, set()),
        (201, {"id": "1", "name": "[masked secret]"}, None, set()),
        (201, {"id": "1", "debugKey": "[masked secret]"}, None, {("leaks.secret", "known secret")}),
        (201, {"id": "1", "tags": {"any": "[masked secret]"}}, None, set()),
    ],
)
def test_a_known_credential_that_comes_back(status: int, body: Any, sent: Any, expected: set[tuple[str, str]]) -> None:
    """In an error wherever the request did not put it, in a success only where the contract shows no such member."""
    assert found(body, status=status, sent=sent) == expected
