"""Settings, migrations, the database, and the commands as a person runs them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from reference_impl.commands import main
from reference_impl.data import migrations
from reference_impl.data.database import DatabaseError, Statement, Transaction
from reference_impl.data.sqlite import SqliteDatabase
from reference_impl.data.sqlite_file import connect
from reference_impl.data.sqlite_tenants import migrate
from reference_impl.settings import load
from reference_impl.settings.reader import SettingsError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize("port", ["65536", "-1", "http", "1e3", ""])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no port ends the command with 2 and the rule, before anything is served."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", f"--port={port}"])
    assert ended.value.code == 2
    assert "it must be from 0, for a free one, to 65535" in capsys.readouterr().err


def test_every_problem_of_the_environment_is_named_at_once() -> None:
    """Four wrong settings give four lines, none of which shows the key."""
    wrong = {
        "API_PROFILE": "production",
        "API_TOKEN_KEY": "short-secret",
        "API_GLOBAL_QUOTA": "many",
        "API_UNKNOWN": "1",
    }
    with pytest.raises(SettingsError) as refused:
        load(wrong)
    named = [problem.split("=")[0].split(" ")[0] for problem in refused.value.problems]
    assert named == ["API_DATA", "API_GLOBAL_QUOTA", "API_TOKEN_KEY", "API_UNKNOWN"]
    assert "short-secret" not in str(refused.value)


def test_profiles_have_their_defaults() -> None:
    """Verify is short, production asks for its secrets."""
    verify, development = load({"API_PROFILE": "verify"}), load({})
    assert (verify.limits.procedure_window_s, verify.limits.global_quota) == (4.0, 400)
    assert (development.limits.procedure_window_s, development.limits.global_quota) == (60.0, 100)
    assert verify.limits.quotas.create == development.limits.quotas.create == 10
    assert (verify.edge.default_tenant, development.edge.default_tenant) == ("alpha", "default")


def test_settings_that_need_each_other_are_asked_for_together() -> None:
    """A storage service without its bucket and keys, and a provider without its client, name what is missing."""
    with pytest.raises(SettingsError) as refused:
        load({"API_S3_ENDPOINT": "http://127.0.0.1:9000", "API_OAUTH_ISSUER": "http://127.0.0.1:9001"})
    named = {problem.split(" ")[0] for problem in refused.value.problems}
    assert named == {
        "API_S3_BUCKET",
        "API_S3_ACCESS_KEY",
        "API_S3_SECRET_KEY",
        "API_OAUTH_CLIENT_ID",
        "API_OAUTH_REDIRECT_URL",
    }


def test_settings_show_no_secret() -> None:
    """The text form of the settings, as a trace would show it, has no key, password or DSN in it."""
    told = {
        "API_TOKEN_KEY": "k" * 40,
        "API_DATABASE_URL": "postgresql://shop:p4ssword@127.0.0.1/shop",
        "API_SENTRY_DSN": "http://publickey@127.0.0.1/1",
        "API_TRACES_URL": "http://shop:p4ssword@127.0.0.1/v1/traces",
    }
    shown = repr(load(told))
    assert [value for value in told.values() if value in shown] == []


@pytest.mark.parametrize("dsn", ["http://127.0.0.1/1", "http://key@/1", "http://key@127.0.0.1", "http://key@h/a", "x"])
def test_a_dsn_has_its_key_and_its_project(dsn: str) -> None:
    """Half of one is refused with the other settings, by name and hidden, and not where the sink is opened."""
    with pytest.raises(SettingsError) as refused:
        load({"API_SENTRY_DSN": dsn})
    assert [problem.split(" ")[0] for problem in refused.value.problems] == ["API_SENTRY_DSN=(hidden)"]


def test_wrong_settings_stop_a_command_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is that of wrong use, the text names the setting."""
    monkeypatch.setenv("API_PROFILE", "else")
    with pytest.raises(SystemExit) as stopped:
        main(["migrate"])
    assert stopped.value.code == 2
    assert "API_PROFILE='else'" in capsys.readouterr().err


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty database."""
    opened = connect(tmp_path / "a.sqlite", "NORMAL", create=True)
    yield opened
    opened.close()


def test_migrations_are_applied_once_in_order(connection: sqlite3.Connection) -> None:
    """The second start applies nothing."""
    names = [migration.name for migration in migrations.read()]
    assert migrate(connection, migrations.read()) == names
    assert migrate(connection, migrations.read()) == []


def test_a_changed_migration_is_refused(connection: sqlite3.Connection) -> None:
    """The message names the file and the fix."""
    first = migrations.Migration(1, "0001_a.sql", "CREATE TABLE a (x TEXT);", "DROP TABLE a;")
    migrate(connection, [first])
    changed = migrations.Migration(1, "0001_a.sql", "CREATE TABLE a (y TEXT);")
    with pytest.raises(migrations.MigrationError, match=r"0001_a\.sql .*write a new migration"):
        migrate(connection, [changed])
    with pytest.raises(migrations.MigrationError, match="its file is gone"):
        migrate(connection, [])


def test_a_failing_migration_leaves_nothing(connection: sqlite3.Connection) -> None:
    """All of a file is applied or none of it."""
    broken = migrations.Migration(1, "0001_a.sql", "CREATE TABLE a (x TEXT); CREATE TABLE a (x TEXT);")
    with pytest.raises(migrations.MigrationError, match="rolled back"):
        migrate(connection, [broken])
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'a'").fetchall() == []


def test_misnumbered_migrations_are_refused(tmp_path: Path) -> None:
    """A gap or a strange name stops before anything is applied."""
    (tmp_path / "0002_a.sql").write_text("SELECT 1;")
    with pytest.raises(migrations.MigrationError, match="without a gap"):
        migrations.read(tmp_path)
    (tmp_path / "x.sql").write_text("")
    with pytest.raises(migrations.MigrationError, match="no migration's name"):
        migrations.read(tmp_path)


def test_a_transaction_is_all_or_nothing_beside_others(tmp_path: Path, connection: sqlite3.Connection) -> None:
    """Of transactions in one group, the one that raises leaves nothing, the others stay."""
    connection.execute("CREATE TABLE a (x INTEGER PRIMARY KEY)")
    database = SqliteDatabase(tmp_path / "a.sqlite", "NORMAL", wait_s=5.0)

    def body(first: int, *, fail: bool) -> Transaction[int]:
        yield Statement("INSERT INTO a VALUES (?)", (first,))
        if fail:
            yield Statement("INSERT INTO a VALUES (?)", (first,))
        return first

    async def run() -> list[int | BaseException]:
        jobs = [database.transaction(lambda n=n: body(n, fail=n % 2 == 1)) for n in range(20)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    results = asyncio.run(run())
    assert [result for result in results if isinstance(result, int)] == list(range(0, 20, 2))
    assert {error.category for error in results if isinstance(error, DatabaseError)} == {"unique"}
    assert connection.execute("SELECT x FROM a").fetchall() == [(n,) for n in range(0, 20, 2)]
    asyncio.run(database.close())


def exchange_bytes(port: int, sent: bytes) -> bytes:
    """Send bytes and return everything until the server closes."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        while part := connection.recv(65536):
            received += part
    return received


def test_set_up_and_serve_as_a_person_runs_them(tmp_path: Path) -> None:
    """Set-up can be repeated; serve tells its port, answers over a socket, garbage too, and ends on SIGTERM with 0."""
    environment = {
        **os.environ,
        "API_PROFILE": "verify",
        "API_DATA": str(tmp_path),
        "ADMIN_PASSWORD": "correct horse",
    }
    command = [sys.executable, "-m", "reference_impl"]
    prepare = [*command, "set-up", "--tenants", "alpha,beta", "--admin-email", "admin@example.test"]
    texts = [
        subprocess.run(prepare, env=environment, check=True, capture_output=True, text=True).stdout for _ in range(2)
    ]
    assert ("tenant beta: created" in texts[0], "tenant beta: exists" in texts[1]) == (True, True)
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert server.stdout is not None
    port = json.loads(server.stdout.readline())["port"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        for _ in range(50):
            answer = client.get("/health")
            if answer.status_code == 200:
                break
        body = {"email": "admin@example.test", "password": "correct horse"}
        login = client.post("/api/v1/auth/login", json=body)
    garbage = exchange_bytes(port, b"GARBAGE\r\n\r\n")
    server.send_signal(signal.SIGTERM)
    code = server.wait(10)
    server.stdout.close()
    assert (answer.status_code, login.status_code, code) == (200, 200, 0)
    assert "server" not in answer.headers
    assert garbage.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nx-request-id: " in garbage
    assert json.loads(garbage.split(b"\r\n\r\n")[1])["error"]["code"] == "VALIDATION_ERROR"
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["status"] for line in lines if line.get("method") == "POST"] == [200]
