"""Back-ups of one PostgreSQL schema: each table by COPY from one snapshot, in the order their references ask for."""

from __future__ import annotations

import graphlib
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # the package carries no types
import msgspec

from reference_impl.data import migrations
from reference_impl.data.backup import BackupError, new_file
from reference_impl.data.database import Statement, Transaction
from reference_impl.data.postgres import READING, quoted, stepped

if TYPE_CHECKING:
    from pathlib import Path

    from reference_impl.data.migrations import Migration

_TABLES = (
    "SELECT table_name::text, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND table_name <> 'schema_migrations' GROUP BY table_name"
)
_REFERENCES = (
    "SELECT f.relname::text, t.relname::text FROM pg_constraint c JOIN pg_class f ON f.oid = c.conrelid "
    "JOIN pg_class t ON t.oid = c.confrelid "
    "WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace AND f.oid <> t.oid"
)
_SEQUENCES = (
    "SELECT sequencename::text, last_value FROM pg_sequences "
    "WHERE schemaname = current_schema() AND last_value IS NOT NULL"
)
_PLAN = "tables.json"
# The classes of SQLSTATE that speak of what was read: data, constraints, names.
_DAMAGE = {"22", "23", "42"}


class Table(msgspec.Struct, forbid_unknown_fields=True):
    """One table's name, and its columns in the order of its file."""

    name: str
    columns: list[str]
    rows: int


class Plan(msgspec.Struct, forbid_unknown_fields=True):
    """One schema: its migrations, its tables in order of references, where its sequences stand."""

    migrations: list[tuple[int, str, str]]
    tables: list[Table]
    sequences: dict[str, int]


async def copy_out(connection: Any, folder: Path) -> None:
    """Write a schema into a folder, as it is at one moment."""
    await connection.execute(READING)
    columns = dict(map(tuple, await connection.fetch(_TABLES)))
    order = graphlib.TopologicalSorter({name: [] for name in columns})
    for table, referenced in await connection.fetch(_REFERENCES):
        order.add(table, referenced)
    plan = Plan(
        migrations=[tuple(row) for row in await connection.fetch(migrations.DONE)],
        tables=[],
        sequences=dict(map(tuple, await connection.fetch(_SEQUENCES))),
    )
    for name in order.static_order():
        with new_file(folder / f"{name}.copy") as file:
            told = await connection.copy_from_table(name, output=file, columns=columns[name])
        plan.tables.append(Table(name, columns[name], int(told.split()[-1])))
    await connection.execute("COMMIT")
    with new_file(folder / _PLAN) as file:
        file.write(msgspec.json.format(msgspec.json.encode(plan)))


async def copy_in(connection: Any, schemas: dict[str, Path], files: list[Migration]) -> None:
    """Make schemas from their folders, all of them in one transaction; BackupError when one cannot be.

    MigrationError when the files are not its migrations.
    """
    await connection.execute("BEGIN")
    for schema, folder in schemas.items():
        try:
            await _schema_in(connection, schema, folder, files)
        except (asyncpg.PostgresError, OSError, msgspec.MsgspecError) as error:
            if isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "")[:2] not in _DAMAGE:
                raise
            if isinstance(error, ConnectionError | TimeoutError):
                raise
            raise BackupError(f"{folder} cannot be restored ({type(error).__name__}): use another back-up.") from error
    await connection.execute("COMMIT")


async def _schema_in(connection: Any, schema: str, folder: Path, files: list[Migration]) -> None:
    plan = msgspec.json.decode((folder / _PLAN).read_bytes(), type=Plan)
    migrations.hold_against(list(plan.migrations), files)
    await stepped(connection, partial(_made, schema))
    for file in files[: len(plan.migrations)]:
        await stepped(connection, partial(migrations.up, file, files))
    for table in plan.tables:
        source = folder / f"{table.name}.copy"
        told = await connection.copy_to_table(table.name, source=source, columns=table.columns)
        if int(told.split()[-1]) != table.rows:
            raise BackupError(f"{source} has not the {table.rows} rows it was written with: use another back-up.")
    for sequence, value in plan.sequences.items():
        await connection.execute("SELECT setval($1::text::regclass, $2)", quoted(sequence), value)


def _made(schema: str) -> Transaction[None]:
    yield Statement(f"CREATE SCHEMA {quoted(schema)}")
    yield Statement(f"SET LOCAL search_path TO {quoted(schema)}")
    yield Statement(migrations.TABLE)
