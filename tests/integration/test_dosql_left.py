"""The DoSQL service as a process: clients that leave are worked for no longer, and cost those that stay nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.servers.api import ENDING_S, ROOT, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
KEY = "k" * 40
HEADERS = {"Authorization": f"Bearer {KEY}", "X-Tenant-ID": "alpha"}
LEAVERS = 8
# Of one statement; all leavers together would take it so often.
WORK_S = 8
ENDLESS = "INSERT INTO book WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address, its process; what it says is on standard error of the test."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("API_")}
    told = {"API_PROFILE": "verify", "API_DATA": str(tmp_path), "API_DOSQL_KEY": KEY, "PYTHONPATH": str(ROOT)}
    environment = {**own, **told, "API_DOSQL_TIMEOUT_S": str(WORK_S), "API_POOL_WAIT_S": "60"}
    command = [sys.executable, "-m", "reference_impl.dosql"]
    subprocess.run([*command, "create", "alpha"], env=environment, check=True, capture_output=True)
    port = free_port()
    started = subprocess.Popen([*command, "serve", "--port", str(port)], env=environment, stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert json.loads(started.stdout.readline())["port"] == port
    yield f"http://127.0.0.1:{port}", started
    if started.poll() is None:
        started.kill()
    started.wait()
    started.stdout.close()


def post(address: str, sql: str) -> socket.socket:
    """Send a write and do not wait for its answer."""
    body = json.dumps({"sql": sql, "params": []}).encode()
    lines = {**HEADERS, "Host": "dosql.test", "Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "POST /run HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    connection = socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])))
    connection.sendall(head.encode() + body)
    return connection


def test_clients_that_left_hold_nobody_up(
    service: tuple[str, subprocess.Popen[bytes]], capfd: pytest.CaptureFixture[str]
) -> None:
    """Many endless writes whose clients left do not delay the next, are not kept, and let the service end."""
    address, started = service
    with httpx.Client(base_url=address, headers=HEADERS, timeout=60) as client:
        made = client.post("/run", json={"sql": "CREATE TABLE book (id INTEGER)"})
        assert made.status_code == 200, made.text
        leavers = [post(address, ENDLESS) for _ in range(LEAVERS)]
        leavers += [post(address, "INSERT INTO book VALUES (1)")]
        time.sleep(0.5)
        for leaver in leavers:
            leaver.close()
        begun = time.monotonic()
        assert client.post("/run", json={"sql": "INSERT INTO book VALUES (2)"}).status_code == 200
        assert time.monotonic() - begun < WORK_S
        assert client.post("/query", json={"sql": "SELECT id FROM book"}).json() == {"rows": [{"id": 2}]}
    started.send_signal(signal.SIGTERM)
    assert started.wait(ENDING_S) == 0
    assert "Traceback" not in capfd.readouterr().err
