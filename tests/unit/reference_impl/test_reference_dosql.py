"""DoSQL: statements with parameters, guarded batches that are all or nothing, refusals that say if to try again."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from reference_impl.dosql.application import DoSqlApplication
from reference_impl.dosql.document import render
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

KEY = "k" * 40
PRESENT = {"Authorization": f"Bearer {KEY}", "X-Tenant-ID": "alpha"}


class Service:
    """The service with two tenants, called in one loop."""

    def __init__(self, data: Path) -> None:
        told = {"API_PROFILE": "verify", "API_DATA": str(data), "API_REQUEST_LOG": "off", "API_DOSQL_KEY": KEY}
        bounds = {"API_DOSQL_ROWS": "50", "API_DOSQL_TIMEOUT_S": "0.3", "API_DOSQL_CELL_BYTES": "100000"}
        bounds |= {"API_DOSQL_ANSWER_BYTES": "300000", "API_TIMEOUT_S": "0.3"}
        self.application = DoSqlApplication(load({**told, **bounds}))
        for name in ("alpha", "beta"):
            self.application.databases.create(name)
        self.runner = asyncio.Runner()
        transport = httpx.ASGITransport(self.application)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://dosql.test")

    def post(self, verb: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        """One call."""
        return self.runner.run(self.client.post(f"/{verb}", json=body, headers=PRESENT if headers is None else headers))

    def together(self, *calls: tuple[str, Any]) -> list[httpx.Response]:
        """Calls at once."""

        async def all_of() -> list[httpx.Response]:
            return await asyncio.gather(
                *(self.client.post(f"/{verb}", json=body, headers=PRESENT) for verb, body in calls)
            )

        return self.runner.run(all_of())

    def run(self, sql: str, *params: Any) -> Any:
        """One write that must succeed."""
        answer = self.post("run", {"sql": sql, "params": list(params)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, sql: str, *params: Any) -> Any:
        """The rows of one read that must succeed."""
        answer = self.post("query", {"sql": sql, "params": list(params)})
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    def close(self) -> None:
        """Close everything."""
        self.runner.run(self.client.aclose())
        self.application.databases.close()
        self.runner.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service with a shelf of two books in tenant alpha."""
    opened = Service(tmp_path)
    opened.run("CREATE TABLE book (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, stock INT CHECK (stock >= 0))")
    opened.run("INSERT INTO book (name, stock) VALUES (?, ?), (?, ?)", "Ada", 3, "Bob", 1)
    yield opened
    opened.close()


def refused(answer: httpx.Response) -> tuple[int, str, bool]:
    """Status, code and whether to try again; the message has neither statement nor path in it."""
    error = answer.json()["error"]
    assert "book" not in error["message"]
    assert "sqlite" not in error["message"].replace("SQLite cannot run it", "")
    return answer.status_code, error["code"], error["retryable"]


def test_a_body_that_does_not_come_is_408(service: Service) -> None:
    """It is its sender's fault, and the connection ends."""

    async def never() -> AsyncIterator[bytes]:
        yield b'{"sql": '
        await asyncio.Event().wait()

    headers = {**PRESENT, "Content-Type": "application/json"}
    answer = service.runner.run(service.client.post("/query", content=never(), headers=headers))
    assert refused(answer) == (408, "REQUEST_TIMEOUT", True)
    assert answer.headers["connection"] == "close"


def test_the_four_verbs(service: Service) -> None:
    """All rows, the first or null, what a write changed, and steps in one transaction."""
    assert service.rows("SELECT name FROM book WHERE stock > ? ORDER BY id", 0) == [{"name": "Ada"}, {"name": "Bob"}]
    one = service.post("queryOne", {"sql": "SELECT stock FROM book WHERE name = ?", "params": ["Bob"]})
    none = service.post("queryOne", {"sql": "SELECT stock FROM book WHERE name = ?", "params": ["nobody"]})
    assert (one.json(), none.json()) == ({"row": {"stock": 1}}, {"row": None})
    done = service.run("INSERT INTO book (name, stock) VALUES (?, 0) RETURNING id", "Cleo")
    assert done == {"changes": 1, "lastInsertRowid": 3, "rows": [{"id": 3}]}
    steps = [
        {"kind": "queryOne", "sql": "SELECT stock FROM book WHERE id = ?", "params": [1]},
        {"kind": "run", "sql": "UPDATE book SET stock = stock - 1 WHERE id = ?", "params": [1]},
        {"kind": "query", "sql": "SELECT stock FROM book WHERE id = ?", "params": [1]},
    ]
    results = service.post("transaction", {"operations": steps}).json()["results"]
    assert results[0] == {"row": {"stock": 3}}
    assert (results[1]["changes"], results[2]) == (1, {"rows": [{"stock": 2}]})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(0, 8))
def test_guarded_draws_never_oversell(tmp_path_factory: pytest.TempPathFactory, draws: list[int], stock: int) -> None:
    """However many ask at once, each draw is whole or refused, and what is left is what was not drawn."""
    service = Service(tmp_path_factory.mktemp("dosql"))
    service.run("CREATE TABLE shelf (id INTEGER PRIMARY KEY, stock INTEGER)")
    service.run("CREATE TABLE drawn (amount INTEGER)")
    service.run("INSERT INTO shelf VALUES (1, ?)", stock)

    def draw(amount: int) -> tuple[str, Any]:
        """A note that is kept only if the shelf had so much."""
        return "transaction", {
            "operations": [
                {"kind": "run", "sql": "INSERT INTO drawn VALUES (?)", "params": [amount]},
                {
                    "kind": "run",
                    "sql": "UPDATE shelf SET stock = stock - ? WHERE id = 1 AND stock >= ?",
                    "params": [amount, amount],
                    "expect": {"changes": 1},
                },
            ]
        }

    answers = service.together(*(draw(amount) for amount in draws))
    kept = sum(amount for amount, answer in zip(draws, answers, strict=True) if answer.status_code == 200)
    left, noted = service.rows("SELECT stock FROM shelf")[0]["stock"], service.rows("SELECT amount FROM drawn")
    service.close()
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (left, sum(row["amount"] for row in noted)) == (stock - kept, kept)


@pytest.mark.parametrize(
    ("verb", "body", "expected"),
    [
        ("query", {"sql": "SELEC 1"}, (400, "VALIDATION_ERROR", False)),
        ("query", {"sql": "SELECT 1; SELECT 2"}, (400, "VALIDATION_ERROR", False)),
        ("query", {"sql": "SELECT ?"}, (400, "VALIDATION_ERROR", False)),
        ("query", {"sql": "DELETE FROM book"}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "ATTACH 'other.sqlite' AS other"}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "PRAGMA query_only=OFF"}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "CREATE TEMP TABLE book (id, name, stock)"}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "CREATE TEMP VIEW book AS SELECT 1"}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "VACUUM INTO 'other.sqlite'"}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "BEGIN"}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "INSERT INTO book (name, stock) VALUES ('Ada', 1)"}, (409, "CONFLICT", False)),
        ("run", {"sql": "UPDATE book SET stock = -1"}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "SELECT ?", "params": [{"base64": "A"}]}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "SELECT 1", "params": {"a": 1}}, (400, "VALIDATION_ERROR", False)),
        ("run", {"sql": "SELECT 1", "more": 1}, (400, "VALIDATION_ERROR", False)),
        ("query", {"sql": "SELECT zeroblob(1000000)"}, (400, "VALIDATION_ERROR", False)),
        (
            "query",
            {"sql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"},
            (400, "VALIDATION_ERROR", False),
        ),
        (
            "query",
            {"sql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"},
            (504, "TIMEOUT", True),
        ),
    ],
)
def test_what_cannot_be_run_is_refused(service: Service, verb: str, body: Any, expected: tuple[int, str, bool]) -> None:
    """Syntax, several statements, missing values, writes in reads, other files, control, constraints, size and time."""
    assert refused(service.post(verb, body)) == expected
    assert service.rows("SELECT COUNT(*) AS count, SUM(stock) AS stock FROM book") == [{"count": 2, "stock": 4}]


def many(sql: str) -> str:
    """A statement on a table n of as many numbers as its first parameter says."""
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) {sql}"  # noqa: S608 - constants only


@pytest.mark.parametrize(
    "sql",
    [
        many("INSERT INTO book (name) SELECT 'name ' || i FROM n RETURNING id"),
        many("INSERT INTO book (name) SELECT 'name ' || i FROM n WHERE i < 9 RETURNING hex(zeroblob(50000))"),
        many("INSERT INTO book (name) SELECT 'name ' || i FROM n WHERE i < 9 RETURNING CAST(x'ff' AS TEXT)"),
    ],
)
def test_a_write_whose_answer_is_refused_is_undone(service: Service, sql: str) -> None:
    """Too many rows, too many bytes and text that is none are refused when the rows are written already."""
    for _ in range(2):
        assert refused(service.post("run", {"sql": sql, "params": [51]})) == (400, "VALIDATION_ERROR", False)
    assert service.rows("SELECT COUNT(*) AS count FROM book") == [{"count": 2}]


def test_an_answer_is_bounded_in_bytes(service: Service) -> None:
    """Of one statement, and of all steps of a transaction together."""
    step = {"kind": "query", "sql": many("SELECT hex(zeroblob(40000)) AS text FROM n"), "params": [3]}
    assert service.post("transaction", {"operations": [step]}).status_code == 200
    assert service.post("transaction", {"operations": [step, step]}).status_code == 400
    answer = service.post("query", {"sql": step["sql"], "params": [4]})
    assert refused(answer) == (400, "VALIDATION_ERROR", False)
    assert "bytes" in answer.json()["error"]["message"]


def test_the_first_of_many_rows_is_one(service: Service) -> None:
    """However many rows there are, the first is answered."""
    answer = service.post("queryOne", {"sql": many("SELECT i FROM n"), "params": [1_000_000_000]})
    assert answer.json() == {"row": {"i": 1}}


def test_slow_searches_end_in_time(service: Service) -> None:
    """A pattern that is costly by itself is refused, and many short ones end when the time is up."""
    service.run("INSERT INTO book (name, stock) VALUES (?, 0)", "a" * 90_000)
    like = "SELECT COUNT(*) FROM n CROSS JOIN book WHERE name || i LIKE ?"
    long = service.post("query", {"sql": many(like), "params": [1, "%" + "a" * 1000 + "b"]})
    assert refused(long) == (400, "VALIDATION_ERROR", False)
    often = {"sql": many(like), "params": [10_000, "%" + "a" * 200 + "b"]}
    begun = time.monotonic()
    assert refused(service.post("query", often)) == (504, "TIMEOUT", True)
    assert time.monotonic() - begun < 5


def test_a_writer_that_was_kept_waiting_takes_no_control(service: Service) -> None:
    """After another process held the file, a statement may still not begin or undo."""
    path = service.application.settings.storage.data / "dosql" / "alpha.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert refused(service.post("run", {"sql": "DELETE FROM book"})) == (503, "UNAVAILABLE", True)
    assert refused(service.post("run", {"sql": "PRAGMA user_version=3"})) == (400, "VALIDATION_ERROR", False)


def test_a_failed_step_takes_the_others_back(service: Service) -> None:
    """A constraint, a guard or a write in a query undoes the whole batch and names its step."""
    write = {"kind": "run", "sql": "UPDATE book SET stock = stock + 1"}
    last = [
        {"kind": "run", "sql": "INSERT INTO book (name) VALUES ('Ada')"},
        {"kind": "queryOne", "sql": "SELECT 1 FROM book WHERE name = 'nobody'", "expect": {"rows": 1}},
        {"kind": "query", "sql": "DELETE FROM book RETURNING id"},
        {"kind": "run", "sql": "ROLLBACK"},
    ]
    for step in last:
        answer = service.post("transaction", {"operations": [write, step]})
        assert answer.status_code in {400, 409}, answer.text
        assert "operations[1]" in answer.json()["error"]["message"] or step["kind"] == "query"
    assert service.rows("SELECT SUM(stock) AS stock FROM book") == [{"stock": 4}]


def test_who_may_call(service: Service) -> None:
    """Without the key it is 401, without a tenant that exists 404; tenants share nothing."""
    body = {"sql": "SELECT 1"}
    assert service.post("query", body, {"X-Tenant-ID": "alpha"}).status_code == 401
    assert service.post("query", body, {**PRESENT, "Authorization": f"Bearer {KEY}x"}).status_code == 401
    assert service.post("query", body, {**PRESENT, "X-Tenant-ID": "../alpha"}).status_code == 404
    assert service.post("query", body, {"Authorization": PRESENT["Authorization"]}).status_code == 404
    other = service.post("query", {"sql": "SELECT * FROM book"}, {**PRESENT, "X-Tenant-ID": "beta"})
    assert other.status_code == 400


def test_values_come_back_as_they_went(service: Service) -> None:
    """Whole numbers to 64 bits, fractions, text, bytes and null."""
    values = [2**63 - 1, -(2**63), 0.5, "zwölf '; DROP TABLE book", {"base64": "AAH/"}, None]
    names = [f"v{place}" for place in range(len(values))]
    sql = "SELECT " + ", ".join(f"? AS {name}" for name in names)
    answer = service.post("query", {"sql": sql, "params": values})
    assert answer.json()["rows"] == [dict(zip(names, values, strict=True))]


def test_the_document_is_valid_and_told(service: Service) -> None:
    """OpenAPI 3.1, served as it is rendered."""
    answer = service.runner.run(service.client.get("/openapi.json"))
    document = msgspec.json.decode(answer.content)
    validate(document)
    assert answer.content == msgspec.json.encode(render())
    assert set(document["paths"]) == {"/query", "/queryOne", "/run", "/transaction"}
