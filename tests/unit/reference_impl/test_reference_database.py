"""The verbs behave alike on both engines: all or nothing, one snapshot, categories of refusal, order by bytes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.data.database import Database, DatabaseError, Row, Statement, Transaction, marks, savepoint
from reference_impl.data.dialect import spelled
from reference_impl.data.search import containing, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "INSERT INTO categories (id, name, created_at, updated_at) VALUES (?, ?, '', '')"
NAMES = "SELECT id FROM categories ORDER BY id"


def test_a_transaction_is_whole_or_nothing(on_database: Callable[..., Any]) -> None:
    """Of bodies that run at once, those that raise leave no row and the others leave all of theirs."""

    def body(number: int) -> Transaction[int]:
        yield Statement(NAME, (f"{number:02}a", f"{number}a"))
        if number % 2:
            yield Statement(NAME, (f"{number:02}a", f"{number}b"))
        yield Statement(NAME, (f"{number:02}b", f"{number}b"))
        return number

    async def work(database: Database) -> tuple[list[Any], list[Row]]:
        jobs = [database.transaction(lambda number=number: body(number), locking=True) for number in range(12)]
        return await asyncio.gather(*jobs, return_exceptions=True), await database.query(NAMES)

    results, rows = on_database(work)
    assert [result for result in results if isinstance(result, int)] == list(range(0, 12, 2))
    assert {error.category for error in results if isinstance(error, DatabaseError)} == {"unique"}
    assert rows == [(f"{number:02}{letter}",) for number in range(0, 12, 2) for letter in "ab"]


def test_a_savepoint_undoes_its_own_part(on_database: Callable[..., Any]) -> None:
    """A row that is refused inside one is told to the body, which keeps the rows before and after it."""

    def one(name: str) -> Transaction[None]:
        yield Statement(NAME, (name, f"first {name}"))
        yield Statement(NAME, (f"{name} again", name))

    def body() -> Transaction[list[str]]:
        refused = []
        for name in ("a", "b", "a", "c"):
            try:
                yield from savepoint(one(name))
            except DatabaseError as error:
                refused.append(error.category)
        return refused

    async def work(database: Database) -> tuple[list[str], list[Row]]:
        return await database.transaction(body), await database.query(NAMES)

    assert on_database(work) == (["unique"], [("a",), ("a again",), ("b",), ("b again",), ("c",), ("c again",)])


@pytest.mark.parametrize("caught", [True, False])
def test_a_number_that_no_column_holds_is_told(on_database: Callable[..., Any], *, caught: bool) -> None:
    """A body judges it like any refusal; else all is undone; either way the next caller is served."""

    def large() -> Transaction[None]:
        yield Statement(NAME, ("b", "b"))
        yield Statement("SELECT id FROM products WHERE stock = ?", (2**63,))

    def body() -> Transaction[list[str]]:
        yield Statement(NAME, ("a", "a"))
        try:
            yield from savepoint(large())
        except DatabaseError as error:
            if not caught:
                raise
            return [error.category]
        return []

    async def work(database: Database) -> Any:
        faults: list[dict[str, Any]] = []  # a pool tells the loop of a transaction that it has to undo
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        told = await asyncio.gather(database.transaction(body), return_exceptions=True)
        alone = [
            await asyncio.gather(database.run("DELETE FROM products WHERE stock = ?", 2**63), return_exceptions=True),
            await asyncio.gather(database.query("SELECT 1 WHERE 1 = ?", 2**63), return_exceptions=True),
        ]
        await database.run(NAME, "c", "c")
        assert faults == []
        refused = [(error.category, error.unknown) for (error,) in alone]
        return [getattr(one, "category", one) for one in told], refused, await database.query(NAMES)

    told, refused, rows = on_database(work)
    assert told == [["check"] if caught else "check"]
    assert refused == [("check", False)] * 2
    assert rows == ([("a",), ("c",)] if caught else [("c",)])


@pytest.mark.parametrize("small", [True, False])
def test_a_read_sees_one_state(on_database: Callable[..., Any], small: bool) -> None:  # noqa: FBT001 - drawn by pytest
    """What is committed while a read runs is not in it; every count of one read is the same."""

    def body() -> Transaction[set[int]]:
        counts = set()
        for _ in range(20):
            counts.add((yield Statement("SELECT COUNT(*) FROM categories"))[0][0])
        return counts

    async def work(database: Database) -> list[set[int]]:
        async def write() -> None:
            for number in range(20):
                await database.run(NAME, str(number), str(number))

        *read, _ = await asyncio.gather(*[database.read(body, small=small) for _ in range(6)], write())
        return read

    assert {len(counts) for counts in on_database(work)} == {1}


REFUSALS = [
    ("unique", "INSERT INTO categories (id, name, created_at, updated_at) VALUES ('a', 'b', '', '')", ()),
    ("foreign", "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ('s', 'nobody', '', '')", ()),
    ("check", "INSERT INTO categories (id, name, created_at, updated_at) VALUES ('b', NULL, '', '')", ()),
    ("check", "UPDATE products SET stock = ?", (2**70,)),
]


@pytest.mark.parametrize(("category", "sql", "parameters"), REFUSALS)
def test_a_refusal_has_its_category(
    on_database: Callable[..., Any], category: str, sql: str, parameters: tuple[Any, ...]
) -> None:
    """Both engines say alike why a row is refused, alone and in a transaction."""

    def body() -> Transaction[None]:
        yield Statement(sql, parameters)

    async def work(database: Database) -> list[str]:
        await database.run(NAME, "a", "b")
        told = await asyncio.gather(database.run(sql, *parameters), database.transaction(body), return_exceptions=True)
        return [error.category for error in told if isinstance(error, DatabaseError)]

    assert on_database(work) == [category, category]


def test_text_is_ordered_by_bytes(on_database: Callable[..., Any]) -> None:
    """Upper case stands before lower and accents last, whatever the locale."""
    names = ["Zoe", "ada", "Ada", "ähre", "_", "zoe", "0", "Ähre", "z-a", "za"]

    async def work(database: Database) -> list[Row]:
        for name in names:
            await database.run(NAME, name, name)
        return await database.query(NAMES)

    assert [row[0] for row in on_database(work)] == sorted(names, key=str.encode)


def test_event_ids_become_visible_in_their_order(on_database: Callable[..., Any]) -> None:
    """A reader that goes by the last id it saw misses no event of writers that commit at once."""

    def body(number: int) -> Transaction[None]:
        yield Statement("INSERT INTO events (at, channel, type, data) VALUES ('', 'a', 'b', ?)", (str(number),))
        for _ in range(number % 4):  # some commit later than others
            yield Statement("SELECT COUNT(*) FROM events")

    async def work(database: Database) -> list[int]:
        writers = asyncio.gather(*[database.transaction(lambda n=n: body(n), locking=True) for n in range(30)])
        seen: list[int] = []
        over = False
        while not over:
            over = writers.done()  # asked before the read, so that the last one sees all
            sql = "SELECT id FROM events WHERE id > ? ORDER BY id"
            seen += [row[0] for row in await database.query(sql, seen[-1] if seen else 0)]
        await writers
        return seen

    seen = on_database(work)
    assert len(seen) == 30
    assert seen == sorted(set(seen))


def test_a_cancelled_transaction_leaves_nothing(on_database: Callable[..., Any]) -> None:
    """Cancelled between two of its statements, it is undone, and the database serves the next."""

    async def work(database: Database) -> list[Row]:
        loop = asyncio.get_running_loop()

        def body() -> Transaction[None]:
            yield Statement(NAME, ("a", "a"))
            loop.call_soon_threadsafe(task.cancel)
            for _ in range(5000):
                yield Statement("SELECT COUNT(*) FROM categories")

        task = asyncio.ensure_future(database.transaction(body))
        with pytest.raises(asyncio.CancelledError):
            await task
        await database.run(NAME, "b", "b")
        return await database.query(NAMES)

    assert on_database(work) == [("b",)]


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@pytest.fixture(scope="module")
def like() -> Iterator[Callable[[str, str], bool]]:
    """What SQLite's LIKE says."""
    asked = r"SELECT ? LIKE ? ESCAPE '\'"
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        yield lambda text, pattern: bool(connection.execute(asked, (text, pattern)).fetchone()[0])


@given(before=WORDS, search=WORDS, after=WORDS, other=WORDS)
def test_a_search_is_literal_and_knows_no_case(
    like: Callable[[str, str], bool], before: str, search: str, after: str, other: str
) -> None:
    """A text is found by what it holds, in any case, and by nothing else: `%`, `_` and the escape are themselves."""
    assert like(folded(before + search + after), containing(search)) or folded(search) not in folded(
        before + search + after
    )
    assert like(folded(other), containing(search)) == (folded(search) in folded(other))


@given(st.lists(st.sampled_from(["?", "'?'", '"?"', "'it''s ?'", "a", " ", "-- ? it's\n"]), max_size=12))
def test_parameters_are_numbered_outside_quotes(parts: list[str]) -> None:
    """Each `?` that is a parameter gets the next number; in quotes and comments it stays."""
    wanted = iter(range(1, 13))
    numbered = " ".join(f"${next(wanted)}" if part == "?" else part for part in parts)
    assert spelled(" ".join(parts)) == numbered
    assert spelled(" ".join(parts), lock=True) == f"{numbered} FOR UPDATE"


def test_only_the_text_columns_of_tables_are_spelled_otherwise() -> None:
    """A definition's TEXT sorts by bytes; a default, a comment and a query are left."""
    assert spelled("-- the TEXT\nCREATE TABLE a (b TEXT DEFAULT 'TEXT')") == (
        "-- the TEXT\nCREATE TABLE a (b TEXT COLLATE \"C\" DEFAULT 'TEXT')"
    )
    assert spelled("SELECT CAST(? AS TEXT)") == "SELECT CAST($1 AS TEXT)"
    assert marks(3) == "?, ?, ?"
