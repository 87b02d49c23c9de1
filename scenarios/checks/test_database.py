"""The checklist's database items, read in statements and migrations of the reference implementation."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
import sys
from collections import Counter

import pytest

from scenarios.checks.source import API, MIGRATIONS, ROOT, database, functions, migrations, statements, trees

# What may be walked whole, everywhere or by one module, and why.
WALKED = {
    "categories": "a page of a short list",
    "tenant_settings": "one row a setting",
    "oauth_states": "minutes old, removed at each login",
    "orders": "the exact figures for admins count every order",
    "sessions": "the clean-up removes a bounded number at a time",
    "refresh_tokens": "the clean-up removes a bounded number at a time",
    "upkeep.py product_images": "`retain` asks which files rows name",
}
# The name that a statement gives the rows of one within it, which is no table.
DERIVED = re.compile(r"\) (?:AS )?(\w+)")
LEAST_PLANNED = 60
BOUNDED = re.compile(r"\b(\w*(?:cents|stock|quantity|percent|rating)|status(?= TEXT)) (?:BIGINT|INTEGER|TEXT)([^,\n]*)")


@pytest.mark.checks("D1", "F7")
def test_statements_walk_no_large_table() -> None:
    """SQLite plans every statement that stands whole in the source by an index, but for tables that are small."""
    connection, planned, walked = database(), 0, []
    for module, statement in statements():
        try:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", ["1"] * statement.count("?")).fetchall()
        except sqlite3.Error:
            continue  # a text with places to fill, or one of PostgreSQL's
        planned += 1
        for *_, step in plan:
            table = re.fullmatch(r"SCAN (\w+)", step)
            if table and not {table[1], f"{module} {table[1]}"} & {*WALKED, *DERIVED.findall(statement), "CONSTANT"}:
                walked.append(f"{module}: {statement[:80]} walks {table[1]}")
    assert planned >= LEAST_PLANNED, f"only {planned} statements were planned"
    assert not walked, walked


@pytest.mark.checks("D2")
def test_reads_ask_for_no_row_at_a_time() -> None:
    """No loop yields a SELECT, but for one that locks the row it will change."""
    asking = [
        f"{module}: {function.name}: {ast.unparse(call)}"
        for module, function in functions()
        for loop in ast.walk(function)
        if isinstance(loop, ast.For | ast.While)
        for call in _yielded(loop)
        if _reads(module, call) and not any(word.arg == "lock" for word in call.keywords)
    ]
    assert not asking, asking


def _yielded(loop: ast.For | ast.While) -> list[ast.Call]:
    """The statements that the lines of a loop yield."""
    return [
        node.value
        for line in loop.body
        for node in ast.walk(line)
        if isinstance(node, ast.Yield)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "Statement"
    ]


def _reads(module: str, call: ast.Call) -> bool:
    """Whether the constant that a statement is made of is a SELECT."""
    name = ast.unparse(call.args[0]).split(".")[-1]
    return any(
        isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == name
        and bool(re.match(r"[(f]*['\"]SELECT", ast.unparse(node.value)))
        for node in trees()[module].body
    )


@pytest.mark.checks("D3")
def test_no_function_writes_twice_outside_a_transaction() -> None:
    """What writes more than one row set does it in a body: no function calls `run` of a database twice."""
    calls = Counter(
        f"{module}: {function.name}"
        for module, function in functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "run"
        and ast.unparse(node.func.value).endswith("database")
    )
    assert not [place for place, count in calls.items() if count > 1], calls


@pytest.mark.checks("D4")
def test_the_pool_is_bounded() -> None:
    """The pool of PostgreSQL is given its largest size, a command's longest time and how long to wait for one."""
    missing = [
        name
        for name in ("Semaphore(connections)", "command_timeout", "asyncio.timeout(self._wait_s)")
        if name not in _engine("postgres")
    ]
    assert not missing, missing


@pytest.mark.checks("D5", "S4")
def test_no_value_is_written_into_a_statement() -> None:
    """An f-string that is SQL is filled with constants alone: names in capitals and what marks places."""
    mixed = [
        f"{module}:{node.lineno}: {ast.unparse(part.value)}"
        for module, tree in trees().items()
        if module.startswith(("procedures/", "realtime/", "identity/"))
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and _is_sql(node)
        for part in node.values
        if isinstance(part, ast.FormattedValue) and not _is_constant(part.value)
    ]
    assert not mixed, mixed


def _is_sql(node: ast.JoinedStr) -> bool:
    whole = "".join(
        part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    return bool(re.match(r"(?:SELECT .* FROM|INSERT INTO|UPDATE \w* ?SET|DELETE FROM)\b", whole, re.DOTALL))


def _is_constant(node: ast.expr) -> bool:
    """Names in capitals, of this module or another, and what marks places."""
    last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return last.isupper() or (isinstance(node, ast.Call) and ast.unparse(node.func) == "marks")


@pytest.mark.checks("D6")
def test_migrations_are_numbered_in_order() -> None:
    """The numbers run from 1 without a gap; one has either one file for both engines or one for each."""
    engines: dict[int, set[str]] = {}
    for path in migrations():
        engines.setdefault(int(path.name[:4]), set()).update(path.suffixes[:-1] or ["both"])
    assert sorted(engines) == list(range(1, len(engines) + 1)), sorted(engines)
    assert all(found in ({"both"}, {".sqlite", ".postgresql"}) for found in engines.values()), engines


@pytest.mark.checks("D7")
def test_every_migration_has_its_way_back() -> None:
    """Beside each migration stands the one that leads back."""
    one_way = [path.name for path in migrations() if not (MIGRATIONS / f"{path.stem}.down.sql").is_file()]
    assert not one_way, one_way


@pytest.mark.checks("D8")
def test_the_tables_hold_their_own_bounds() -> None:
    """Amounts, quantities and states have a CHECK, rows that name others a reference, and it is enforced."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in migrations())
    unchecked = [name for name, rule in BOUNDED.findall(text) if "CHECK" not in rule]
    # The price of an order's line is a copy of a product's, which has one.
    assert unchecked == ["price_cents"], unchecked
    assert text.count("REFERENCES") >= 10  # noqa: PLR2004 - products, orders, items, reviews, views, sessions and more
    assert "PRAGMA foreign_keys=ON" in _engine("sqlite")


@pytest.mark.checks("D9")
def test_the_audit_log_only_grows() -> None:
    """A change or a removal of an audit row is refused by the database itself."""
    connection = database()
    connection.execute("INSERT INTO audit_log (at, actor_id, action, subject_id, details) VALUES ('', '', '', '', '')")
    for statement in ("UPDATE audit_log SET actor_id = 'x'", "DELETE FROM audit_log"):
        with pytest.raises(sqlite3.Error, match="append-only"):
            connection.execute(statement)


@pytest.mark.checks("D10")
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_backups_have_their_commands(command: str) -> None:
    """`backup` and `restore` are commands that say how they are used."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "reference_impl", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert command in done.stdout


def _engine(name: str) -> str:
    """The source of one engine."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted(API.glob(f"data/{name}*.py")))
