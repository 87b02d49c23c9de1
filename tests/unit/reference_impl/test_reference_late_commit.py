"""A deadline that strikes while a write is committed ends what follows it, and the answer says what is kept."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reference_impl.application import Parts
from reference_impl.contract.procedure import ANYONE, Call, Procedure, Reply
from reference_impl.data.database import Database, DatabaseError
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.edge.exchange import Exchange
from reference_impl.edge.timeout import Timeout
from reference_impl.errors import ApiError
from reference_impl.identity.passwords import Passwords
from reference_impl.objects.s3 import S3Objects
from reference_impl.realtime.announcing import Announcing
from reference_impl.settings.storage import Objects
from tests.unit.reference_impl.held_commits import ALL, adding

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Coroutine

    from reference_impl.settings import Settings
    from tests.servers.redis import RedisServer
    from tests.unit.reference_impl.conftest import Shop

CATEGORY = "INSERT INTO categories (id, name, created_at, updated_at) VALUES ('a', 'a', '', '')"


async def quiet() -> None:
    """What is not called, as no event is written."""
    raise AssertionError("no event was written")


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
