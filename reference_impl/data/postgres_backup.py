"""Back-ups of one PostgreSQL schema: each table by COPY from one snapshot, in the order their references ask for."""

from __future__ import annotations

import graphlib
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.data import migrations
from reference_impl.data.backup import BackupError
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
        told = await connection.copy_from_table(name, output=folder / f"{name}.copy", columns=columns[name])
        plan.tables.append(Table(name, columns[name], int(told.split()[-1])))
    await connection.execute("COMMIT")
    (folder / _PLAN).write_bytes(msgspec.json.format(msgspec.json.encode(plan)))


async def copy_in(connection: Any, schema: str, folder: Path, files: list[Migration]) -> None:
    """Make a schema from a folder, in one transaction; MigrationError when the files are not its migrations."""
    plan = msgspec.json.decode((folder / _PLAN).read_bytes(), type=Plan)
    migrations.hold_against(list(plan.migrations), files)
    await connection.execute("BEGIN")
    await stepped(connection, partial(_made, schema))
    for file in files[: len(plan.migrations)]:
        await stepped(connection, partial(migrations.up, file, files))
    for table in plan.tables:
        source = folder / f"{table.name}.copy"
        told = await connection.copy_to_table(table.name, source=source, columns=table.columns)
        if int(told.split()[-1]) != table.rows:
            raise BackupError(f"{source.name} has not the {table.rows} rows it was written with: use another back-up.")
    for sequence, value in plan.sequences.items():
        await connection.execute("SELECT setval($1::text::regclass, $2)", quoted(sequence), value)
    await connection.execute("COMMIT")


def _made(schema: str) -> Transaction[None]:
    yield Statement(f"CREATE SCHEMA {quoted(schema)}")
    yield Statement(migrations.TABLE)
