"""What an order costs at the data layer: each engine behind the verbs beside its bare driver, in one run, as a ratio.

By hand: `python tests/benchmarks/orders_data_layer.py`. Both sides write the same rows by the same statements, in turn,
on databases of their own; SQLite is asked by many at once, as a server does, against one thread that does nothing else,
PostgreSQL by as many loops on both sides, in many short turns on connections that stay, on the event loop that serves.
It is asked twice: with commits that reach the disk, and without, where all there is is the processor. On a shared
machine the ratio says more than the orders a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import uvloop

from reference_impl.data.dialect import spelled
from reference_impl.data.postgres import Bounds, session
from reference_impl.data.sqlite_file import connect
from reference_impl.data.tenants import open_tenants
from reference_impl.identity.tokens import Identity
from reference_impl.procedures.order_types import Line, OrderInput
from reference_impl.procedures.orders import place
from reference_impl.settings import load
from tests.servers.postgres import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_impl.data.database import Database, Statement, Transaction
    from reference_impl.settings import Settings

ORDERS = 4000
AT_ONCE = 64
LOOPS = (1, 4)
ROUNDS = 3
TURNS = 30
A_TURN = 300
PRODUCTS = 200
USER = "01980000-0000-7000-8000-000000000000"
PEOPLE = (
    "INSERT INTO users (id, email, name, roles, password_hash, created_at, updated_at) "
    "VALUES (?, 'a@example.test', 'A', 'user', '', '', '')"
)
GOODS = (
    "INSERT INTO products (id, seller_id, slug, name, description, price_cents, stock, version, created_at, "
    "updated_at) VALUES (?, ?, ?, '', '', 1999, 1000000, 1, '', '')"
)
IDENTITY = Identity(user_id=USER, name="A", roles=frozenset({"user"}), session_id="")


def product(number: int) -> str:
    """The id of one of the products."""
    return f"01980000-0000-7000-8000-{number:012}"


def orders() -> Iterator[Transaction[Any]]:
    """The bodies of the same orders on each side: two lines of different products."""
    drawn = random.Random(1)
    while True:
        two = [Line(product(number), 1) for number in drawn.sample(range(PRODUCTS), 2)]
        yield place(IDENTITY, OrderInput(two))


def recorded(count: int) -> list[list[Statement]]:
    """What those bodies yield, written down beforehand: a bare driver only executes it."""
    told = []
    for running in itertools.islice(orders(), count):
        told.append([next(running)])
        with contextlib.suppress(StopIteration):
            while True:
                told[-1].append(running.send([(1999, 0, 1_000_000)]))
    return told


async def stocked(settings: Settings, tenant: str) -> Database:
    """A new tenant's database with its goods."""
    tenants = open_tenants(settings)
    await tenants.create(tenant)
    database = await tenants.get(tenant)
    assert database is not None
    await database.run(PEOPLE, USER)
    for number in range(PRODUCTS):
        await database.run(GOODS, product(number), USER, product(number))
    return database


async def by_verbs(database: Database, count: int, loops: int) -> float:
    """Orders a second through the verbs."""
    bodies = orders()

    async def loop() -> None:
        for _ in range(count // loops):
            body = next(bodies)
            await database.transaction(lambda body=body: body, locking=True)

    began = time.perf_counter()
    await asyncio.gather(*[loop() for _ in range(loops)])
    return count / (time.perf_counter() - began)


def by_sqlite3(path: Path, count: int) -> float:
    """Orders a second of one thread, a transaction an order."""
    written = recorded(count)
    with contextlib.closing(connect(path, "NORMAL")) as connection:
        began = time.perf_counter()
        for order in written:
            connection.execute("BEGIN IMMEDIATE")
            for statement in order:
                connection.execute(statement.sql, statement.parameters).fetchall()
            connection.execute("COMMIT")
        return count / (time.perf_counter() - began)


async def by_asyncpg(connections: list[Any], count: int) -> float:
    """Orders a second of bare connections, one a loop, that make and place the same orders."""
    bodies = itertools.islice(orders(), count)

    async def loop(connection: Any) -> None:
        for body in bodies:
            async with connection.transaction():
                statement = next(body)
                with contextlib.suppress(StopIteration):
                    while True:
                        sql = spelled(statement.sql, lock=statement.lock)
                        statement = body.send(await connection.fetch(sql, *statement.parameters))

    began = time.perf_counter()
    await asyncio.gather(*[loop(connection) for connection in connections])
    return count / (time.perf_counter() - began)


def told(name: str, ours: list[float], bare: list[float]) -> None:
    """Write one line: the medians, and the median of the rounds' ratios."""
    ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    rates = f"{statistics.median(ours):8.0f}/s against {statistics.median(bare):8.0f}/s"
    sys.stdout.write(f"{name:36} {rates}: {ratio:.2f}\n")


async def sqlite(folder: Path) -> None:
    """Both sides on SQLite."""
    settings = load({"API_PROFILE": "verify", "API_DATA": str(folder)})
    ours = [await by_verbs(await stocked(settings, f"ours-{turn}"), ORDERS, AT_ONCE) for turn in range(ROUNDS)]
    bare = []
    for turn in range(ROUNDS):
        await stocked(settings, f"bare-{turn}")
        bare.append(by_sqlite3(folder / "tenants" / f"bare-{turn}.sqlite", ORDERS))
    told(f"SQLite, {AT_ONCE} at once", ours, bare)


async def postgresql(url: str, commits: str) -> None:
    """Both sides on PostgreSQL."""
    settings = load({"API_PROFILE": "verify", "API_DATABASE_URL": url})
    storage = settings.storage
    bounds = Bounds(storage.pool_size, storage.pool_wait_s, storage.command_timeout_s)
    database = await stocked(settings, "ours")
    await stocked(settings, "bare")
    for loops in LOOPS:
        connections = [await asyncpg.connect(**session(url, "tenant_bare", bounds)) for _ in range(loops)]
        ours, bare = [], []
        for _ in range(TURNS):
            ours.append(await by_verbs(database, A_TURN, loops))
            bare.append(await by_asyncpg(connections, A_TURN))
        for connection in connections:
            await connection.close()
        told(f"PostgreSQL, {loops} at once, {commits}", ours, bare)


def main() -> None:
    """Run all of it."""
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(sqlite(Path(folder)))
    for durable in (True, False):
        for cluster in started(durable=durable):
            uvloop.run(postgresql(cluster.url(), "on disk" if durable else "not forced"))


if __name__ == "__main__":
    main()
