"""A caller who is cancelled while its write is committed is told what happened; before that nothing is kept."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from reference_impl.application import Parts
from reference_impl.contract.procedure import ANYONE, Call, Procedure, Reply
from reference_impl.data.database import Database, DatabaseError, Statement, Transaction
from reference_impl.data.postgres import Bounds, PostgresDatabase
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.data.sqlite_file import connect
from reference_impl.edge.exchange import Exchange
from reference_impl.edge.timeout import Timeout
from reference_impl.errors import ApiError
from reference_impl.identity.passwords import Passwords
from reference_impl.objects.s3 import S3Objects
from reference_impl.realtime.announcing import Announcing
from reference_impl.settings.storage import Objects

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from reference_impl.settings import Settings
    from tests.servers.redis import RedisServer
    from tests.unit.reference_impl.conftest import Shop

ADD = "INSERT INTO kept (name) VALUES (?)"
ALL = "SELECT name FROM kept ORDER BY name"
CATEGORY = "INSERT INTO categories (id, name, created_at, updated_at) VALUES ('a', 'a', '', '')"
# A row whose name is `bad` is refused when it is committed, and no sooner.
SQLITE = (
    "CREATE TABLE good (name TEXT PRIMARY KEY)",
    "INSERT INTO good (name) VALUES ('one'), ('two')",
    "CREATE TABLE kept (name TEXT REFERENCES good (name) DEFERRABLE INITIALLY DEFERRED)",
)
POSTGRES = """
CREATE TABLE kept (name TEXT);
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7);
  IF NEW.name = 'bad' THEN RAISE EXCEPTION 'refused'; END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER kept_slowly AFTER INSERT ON kept
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly();
"""
WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

ENDING = f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting"  # noqa: S608 - constants only


async def quiet() -> None:
    """What is not called, as no event is written."""
    raise AssertionError("no event was written")


def adding(name: str) -> Transaction[str]:
    """Add one row."""
    yield Statement(ADD, (name,))
    return name


class Hold(SqliteDatabase):
    """SQLite whose writer stops before each COMMIT until it is let go."""

    def __init__(self, path: Path) -> None:
        self.committing, self.let_go = threading.Event(), threading.Event()
        super().__init__(path, "NORMAL", wait_s=5.0)

    def _connect_writer(self) -> sqlite3.Connection:
        connection = super()._connect_writer()
        connection.set_trace_callback(self._stop)
        return connection

    def _stop(self, sql: str) -> None:
        if sql == "COMMIT":
            self.committing.set()
            self.let_go.wait(10)


Scene = tuple[Any, "Callable[[], Awaitable[None]]", "Callable[[], Awaitable[None]]"]


async def sqlite_scene(path: Path) -> Scene:
    """A database whose commits are held, a wait until one is, and how they are let go."""
    opened = connect(path, "NORMAL", create=True)
    for text in SQLITE:
        opened.execute(text)
    opened.close()
    database = Hold(path)
    loop = asyncio.get_running_loop()

    async def held() -> None:
        assert await loop.run_in_executor(None, database.committing.wait, 10)

    async def go() -> None:
        database.let_go.set()

    return database, held, go


async def postgres_scene(url: str) -> Scene:
    """The same on PostgreSQL, where a commit waits for a lock."""
    rival = await asyncpg.connect(url)
    await rival.execute("DROP SCHEMA IF EXISTS tenant_held CASCADE; CREATE SCHEMA tenant_held")
    await rival.execute("SET search_path TO tenant_held")
    await rival.execute(POSTGRES)
    await rival.execute("SELECT pg_advisory_lock(7)")

    async def held() -> None:
        async with asyncio.timeout(10):
            while not await rival.fetch(WAITING):  # noqa: ASYNC110 - a lock of the server sets no event here
                await asyncio.sleep(0.005)

    async def go() -> None:
        await rival.close()  # and with it its lock

    return PostgresDatabase(url, "tenant_held", Bounds(3, 10.0, 10.0)), held, go


@pytest.fixture
def on_scene(open_settings: Callable[..., Settings], tmp_path: Path, engine: str) -> Callable[..., Any]:
    """Runs a coroutine function on a database whose commits are held."""

    def run(work: Callable[..., Awaitable[Any]]) -> Any:
        url = open_settings().storage.database_url

        async def whole() -> Any:
            database, held, go = await (
                sqlite_scene(tmp_path / "a.sqlite") if engine == "sqlite" else postgres_scene(url)
            )
            try:
                return await work(database, held, go)
            finally:
                await go()
                await database.close()

        return asyncio.run(whole())

    return run


@pytest.mark.parametrize("times", [1, 3])
def test_who_is_cancelled_in_a_commit_is_told_that_it_is_kept(on_scene: Callable[..., Any], times: int) -> None:
    """However often it is cancelled, the result comes and the rows are there."""

    async def work(database: Database, held: Any, go: Any) -> Any:
        task = asyncio.ensure_future(database.transaction(lambda: adding("one")))
        await held()
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        await go()
        return await task, await database.query(ALL)

    assert on_scene(work) == ("one", [("one",)])


@pytest.mark.engines("sqlite")
def test_one_write_is_kept_once_it_is_committed(on_scene: Callable[..., Any]) -> None:
    """It is told like any transaction."""

    async def work(database: Database, held: Any, go: Any) -> Any:
        task = asyncio.ensure_future(database.run(ADD, "one"))
        await held()
        task.cancel()
        await asyncio.sleep(0)
        await go()
        return await task, await database.query(ALL)

    assert on_scene(work) == ([], [("one",)])


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("times", [1, 3])
def test_one_write_that_waits_for_a_lock_is_ended(on_scene: Callable[..., Any], times: int) -> None:
    """The lock need not be let go, nothing is kept, and the connection serves on."""

    async def work(database: Database, held: Any, _: Any) -> Any:
        task = asyncio.ensure_future(database.run(ADD, "one"))
        await held()
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(5):  # the statement's own bound is 10 s
            (result,) = await asyncio.gather(task, return_exceptions=True)
        return type(result), await database.query(ALL)

    assert on_scene(work) == (asyncio.CancelledError, [])


@pytest.mark.engines("postgresql")
def test_a_stop_that_comes_too_late_ends_nothing(
    open_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One write that was kept by then is told, and what runs next on its connection is whole."""
    url = open_settings().storage.database_url
    stop = PostgresDatabase._stop

    async def run() -> Any:
        database, held, go = await postgres_scene(url)

        async def late(self: PostgresDatabase, pid: int) -> None:
            await go()
            other = await asyncpg.connect(url)
            while not await other.fetchval("SELECT COUNT(*) FROM tenant_held.kept"):  # noqa: ASYNC110 - a commit of another connection sets no event here
                await asyncio.sleep(0.005)
            await other.close()
            await stop(self, pid)

        monkeypatch.setattr(PostgresDatabase, "_stop", late)
        task = asyncio.ensure_future(database.run(ADD, "one"))
        await held()
        task.cancel()
        told = await task
        rows = [await database.query(ALL) for _ in range(5)]
        await database.close()
        return told, rows

    assert asyncio.run(run()) == ([], [[("one",)]] * 5)


async def struck(request: Coroutine[Any, Any, None], held: Any, go: Any) -> ApiError:
    """What a request is answered whose deadline strikes while its commit is held."""
    task = asyncio.ensure_future(request)
    await held()
    while not task.cancelling():  # noqa: ASYNC110 - a deadline that strikes sets no event
        await asyncio.sleep(0.005)
    await go()
    with pytest.raises(ApiError) as late:
        await task
    return late.value


def test_a_deadline_that_met_a_commit_ends_what_follows(
    on_scene: Callable[..., Any], open_settings: Callable[..., Settings]
) -> None:
    """A handler of several transactions keeps the one on its way and begins nothing more; the envelope says so."""
    settings = open_settings(edge__timeout_s=1.5)

    async def work(database: Database, held: Any, go: Any) -> Any:
        scope: Any = {"type": "http", "exchange": Exchange("id", "POST", {}, "", secure=False, started_s=0.0)}
        ended: list[str] = []

        async def handler(*_: Any) -> None:
            asked = scope["exchange"].writes = Announcing(database, quiet)
            for name in ("one", "two"):
                with contextlib.suppress(DatabaseError):
                    try:
                        await asked.transaction(lambda name=name: adding(name))
                    except asyncio.CancelledError:
                        ended.append(name)
            for verb in (asked.query, asked.query_one, asked.run):
                with contextlib.suppress(asyncio.CancelledError):
                    ended.append(str(await verb(ALL)))
            await asked.read(lambda: adding("two"))

        late = await struck(Timeout(handler, settings)(scope, None, None), held, go)  # type: ignore[arg-type]  # it asks nobody
        return ended, str(late.code), late.message, await database.query(ALL)

    told = "Not done within 1.5 s; some of it is kept: read it again."
    assert on_scene(work) == (["two"], "TIMEOUT", told, [("one",)])


async def hashing(_: int) -> None:
    """A password's hash, in a thread."""
    passwords = Passwords(1, 64)
    try:
        await passwords.hash("correct horse battery")
    finally:
        passwords.close()


async def storing(port: int) -> None:
    """A file for a bucket."""
    section = Objects(f"http://127.0.0.1:{port}", "files", "us-east-1", "key", "secret")
    objects = S3Objects(section)
    try:
        await objects.put("alpha", "a.jpg", b"bytes", "image/jpeg")
    finally:
        await objects.close()


async def waiting(_: int) -> None:
    """Any wait."""
    await asyncio.sleep(5)


@pytest.mark.parametrize("follows", [hashing, storing, waiting])
def test_a_deadline_that_met_a_commit_ends_what_is_no_verb_too(
    on_scene: Callable[..., Any], open_settings: Callable[..., Settings], follows: Callable[[int], Awaitable[None]]
) -> None:
    """A hash, a file for a bucket, any wait that follows the commit: none comes to its end, no byte is sent."""
    settings = open_settings(edge__timeout_s=1.5)

    async def work(database: Database, held: Any, go: Any) -> Any:
        scope: Any = {"type": "http", "exchange": Exchange("id", "POST", {}, "", secure=False, started_s=0.0)}
        seen: list[str] = []

        async def bucket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if await reader.read(1):
                seen.append("sent")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        async def handler(*_: Any) -> None:
            asked = scope["exchange"].writes = Announcing(database, quiet)
            seen.append(await asked.transaction(lambda: adding("one")))
            await follows(server.sockets[0].getsockname()[1])
            seen.append("done")

        async with await asyncio.start_server(bucket, "127.0.0.1", 0) as server:
            late = await struck(Timeout(handler, settings)(scope, None, None), held, go)  # type: ignore[arg-type]  # it asks nobody
        return seen, late.message, await database.query(ALL)

    told = "Not done within 1.5 s; some of it is kept: read it again."
    assert on_scene(work) == (["one"], told, [("one",)])


@pytest.mark.engines("sqlite")
def test_the_answer_to_a_late_commit_is_not_cut_short(
    open_shop: Callable[..., Shop], redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else was to be done: the lists are forgotten in Redis, which is a wait, and the client has its answer."""
    late, go = threading.Event(), threading.Event()
    connected = SqliteDatabase._connect_writer

    def slowly(self: SqliteDatabase) -> sqlite3.Connection:
        connection = connected(self)
        connection.set_trace_callback(lambda sql: sql == "COMMIT" and late.is_set() and go.wait(10))
        return connection

    async def handler(call: Call[None, None]) -> Reply:
        late.set()
        asyncio.get_running_loop().call_later(1.0, go.set)
        await call.database.run(CATEGORY)
        return Reply()

    monkeypatch.setattr(SqliteDatabase, "_connect_writer", slowly)
    procedure = replace(slow("commit"), handler=handler, changes=("products",))
    parts = Parts(procedures=(*Parts().procedures, procedure))
    shop = open_shop(parts, edge__timeout_s=0.5, redis_url=redis_server.url, redis_prefix=uuid.uuid4().hex)

    async def closed() -> None:
        await shop.application.stores.close()

    try:
        assert shop.send("DELETE", "/slow/commit").status_code == 204
        assert shop.send("GET", "/categories").json()["total"] == 1
    finally:
        shop.runner.run(closed())


def test_who_is_cancelled_in_a_commit_that_fails_stays_cancelled(on_scene: Callable[..., Any]) -> None:
    """Nothing is kept then, and that is what a cancelled caller takes for granted."""

    async def work(database: Database, held: Any, go: Any) -> Any:
        task = asyncio.ensure_future(database.transaction(lambda: adding("bad")))
        await held()
        task.cancel()
        await asyncio.sleep(0)
        await go()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        return type(result), await database.query(ALL)

    assert on_scene(work) == (asyncio.CancelledError, [])


def test_a_deadline_that_meets_a_commit_is_no_deadline(on_scene: Callable[..., Any]) -> None:
    """What bounds the work, as the layer of time-outs does, gets the result that came a little late."""

    async def work(database: Database, held: Any, go: Any) -> Any:
        async with asyncio.timeout(None) as deadline:
            task = asyncio.ensure_future(held())
            task.add_done_callback(lambda _: deadline.reschedule(asyncio.get_running_loop().time()))
            asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future(go()))
            result = await database.transaction(lambda: adding("one"))
        await task
        return result, deadline.expired(), await database.query(ALL)

    assert on_scene(work) == ("one", True, [("one",)])


@pytest.mark.engines("sqlite")
def test_a_cancel_that_comes_when_it_is_kept_already_finds_it_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result was on its way to the caller: cancelling it loses neither the result nor the truth."""

    async def run() -> Any:
        database, held, go = await sqlite_scene(tmp_path / "a.sqlite")
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(database.transaction(lambda: adding("one")))
        await held()
        resolved = loop.create_future()
        put = loop.call_soon_threadsafe

        def then(callback: Any, job: Any, *rest: Any) -> Any:
            def both() -> None:
                callback(job, *rest)
                task.cancel()
                resolved.set_result(None)

            return put(both)

        with monkeypatch.context() as between:  # the commit and its caller
            between.setattr(loop, "call_soon_threadsafe", then)
            await go()
            await resolved
        result = await task
        rows = await database.query(ALL)
        await database.close()
        return result, rows

    assert asyncio.run(run()) == ("one", [("one",)])


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_commit_whose_end_is_lost_is_unknown(open_settings: Callable[..., Settings], *, cancelled: bool) -> None:
    """A connection that ends under a COMMIT says so, cancelled or not; the next caller is served."""
    url = open_settings().storage.database_url

    async def run() -> Any:
        database, held, go = await postgres_scene(url)
        task = asyncio.ensure_future(database.transaction(lambda: adding("one")))
        await held()
        if cancelled:
            task.cancel()
            await asyncio.sleep(0)
        other = await asyncpg.connect(url)
        await other.execute(ENDING)
        await other.close()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        await go()
        rows = await database.query(ALL)
        await database.close()
        assert isinstance(result, DatabaseError)
        return result.category, result.unknown, rows

    assert asyncio.run(run()) == ("unavailable", True, [])


@pytest.mark.engines("postgresql")
def test_a_connection_that_ends_under_a_statement_is_an_outage(open_settings: Callable[..., Settings]) -> None:
    """It is told as one, nothing is kept or in doubt, and the pool makes another."""
    url = open_settings().storage.database_url

    def ending() -> Transaction[None]:
        yield Statement("SELECT pg_terminate_backend(pg_backend_pid())")

    async def run() -> Any:
        database = PostgresDatabase(url, "pg_catalog", Bounds(1, 5.0, 5.0))
        try:
            with pytest.raises(DatabaseError) as lost:
                await database.transaction(ending)
            return lost.value.category, lost.value.unknown, await database.query_one("SELECT 1")
        finally:
            await database.close()

    assert asyncio.run(run()) == ("unavailable", False, (1,))


def slow(name: str, *texts: str) -> Procedure:
    """A procedure that writes and then takes too long."""

    async def handler(call: Call[None, None]) -> Reply:
        for text in texts:
            await call.database.run(text)
        await asyncio.sleep(30)
        return Reply()

    return Procedure(
        id=f"slow.{name}",
        method="DELETE",
        path=f"/slow/{name}",
        summary="Slow",
        handler=handler,
        access=ANYONE,
        limit="get",
        status=204,
    )


def lost(name: str, category: Any) -> Procedure:
    """A procedure whose commit's end is not known."""

    async def handler(_: Call[None, None]) -> Reply:
        raise DatabaseError(category, "secret", unknown=True)

    return Procedure(
        id=f"lost.{name}",
        method="DELETE",
        path=f"/lost/{name}",
        summary="Lost",
        handler=handler,
        access=ANYONE,
        limit="get",
        status=204,
    )


def test_the_envelope_says_whether_something_is_kept(open_shop: Callable[..., Shop]) -> None:
    """After a time-out, and where the end of a commit was lost: its text is true, whatever was written by then."""
    procedures = (
        slow("nothing"),
        slow("some", CATEGORY),
        lost("late", "timeout"),
        lost("gone", "unavailable"),
    )
    shop = open_shop(Parts(procedures=(*Parts().procedures, *procedures)), edge__timeout_s=1.5)

    def told(path: str) -> tuple[int, str]:
        answer = shop.send("DELETE", path)
        return answer.status_code, answer.json()["error"]["message"]

    assert told("/slow/nothing") == (504, "Not done within 1.5 s; nothing of it is kept.")
    assert told("/slow/some") == (504, "Not done within 1.5 s; some of it is kept: read it again.")
    assert shop.send("GET", "/categories").json()["total"] == 1
    doubt = ", and it is not known whether the change is kept: read it again."
    assert told("/lost/late") == (504, f"The database took too long{doubt}")
    assert told("/lost/gone") == (503, f"The database does not answer{doubt}")
