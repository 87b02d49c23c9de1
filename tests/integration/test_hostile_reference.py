"""What a hostile client sends over a real connection: the right refusal, in bounded time and memory, never a 5xx."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 1.0
PASSWORD = "correct horse battery"
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n"
MEMBERS = b'"email": "admin@example.test", "password": "correct horse battery"'


class Server:
    """The reference in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def resident_kib(self) -> int:
        """The largest memory that the process has had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

    def exchange(self, *parts: bytes, wait_s: float = 0.0) -> tuple[int, bytes]:
        """Send parts with a pause before each but the first; the status, 0 without one, and the body."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as connection:
            try:
                for number, part in enumerate(parts):
                    if number:
                        time.sleep(wait_s)
                    connection.sendall(part)
            except OSError:  # refused before all was sent
                pass
            try:
                while part := connection.recv(65536):
                    received += part
                    head, end, body = received.partition(b"\r\n\r\n")
                    if end and len(body) >= length_of(head):
                        break
            except OSError:
                pass
        head, _, body = received.partition(b"\r\n\r\n")
        return (int(head.split()[1]), body) if head else (0, b"")

    def well(self) -> bool:
        """Whether an honest client is served."""
        return httpx.get(f"{self.url}/api/v1/products", timeout=5).status_code == 200


def length_of(head: bytes) -> int:
    """What Content-Length says."""
    return next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that answers 504 after a second."""
    folder = tmp_path_factory.mktemp("hostile")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("API_")}
    environment |= {
        "API_PROFILE": "verify",
        "API_DATA": str(folder / "data"),
        "API_TIMEOUT_S": str(TIMEOUT_S),
        "ADMIN_PASSWORD": PASSWORD,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "reference_impl"]
    prepare = [*command, "set-up", "--tenants", "alpha", "--admin-email", "admin@example.test"]
    subprocess.run(prepare, env=environment, check=True, capture_output=True)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    started = Server(process, json.loads(process.stdout.readline())["port"])
    yield started
    process.terminate()
    try:
        process.wait(20)
    finally:
        process.kill()
        process.stdout.close()
    assert "Traceback" not in (folder / "log").read_text()


def posted(body: bytes) -> bytes:
    """A login with this body."""
    return LOGIN + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{" + MEMBERS + b"}", 200),
        (b"[" * 500_000, 400),
        (b'{"email": ' + b'{"a":' * 100_000, 400),
        (b"{" + MEMBERS + b', "email": "admin@example.test"}', 400),
        (b"{" + MEMBERS + rb', "\u0065mail": "admin@example.test"}', 400),
        (b"{" + MEMBERS.replace(b'"correct', b'"\xff') + b"}", 400),
        (b"{" + MEMBERS.replace(b'"correct', rb'"\u0000') + b"}", 400),
        (b"{" + MEMBERS.replace(b'"correct', b'"\0') + b"}", 400),
        (b"{" + MEMBERS.replace(b'"correct', rb'"\ud800') + b"}", 400),
        (b'{"email": NaN, "password": Infinity}', 400),
        (b'{"email": ' + b"9" * 100_000 + b', "password": 1e999999}', 400),
        (b"", 400),
        (b"\xef\xbb\xbf{" + MEMBERS + b"}", 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_is_no_such_json_is_400(server: Server, body: bytes, status: int) -> None:
    """Depth, names twice, NaN, broken UTF-8, U+0000 and huge numbers are refused in the envelope."""
    got, answer = server.exchange(posted(body))
    assert got == status
    assert status == 200 or json.loads(answer)["error"]["code"] == "VALIDATION_ERROR"


def test_a_gigabyte_is_refused_before_it_comes(server: Server) -> None:
    """Told by its length it is 413 at once; sent in chunks it is 413 when the limit is passed, and takes no memory."""
    assert server.well()
    before_kib = server.resident_kib()
    assert server.exchange(LOGIN + b"Content-Length: 1073741824\r\n\r\n{")[0] == 413
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    assert server.exchange(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 200)[0] == 413
    assert server.resident_kib() - before_kib < 32_768
    assert server.well()


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(10_000)),
        b"X-Long: " + b"y" * 5_000_000 + b"\r\n",
        b"X-Short: y\r\n" * 101,
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -1\r\n",
        b"X: a\0b\r\n",
        b": nameless\r\n",
        b"Host: b\r\n",
    ],
    ids=["many", "long", "101", "smuggled", "two-lengths", "negative", "nul", "nameless", "two-hosts"],
)
def test_a_head_that_is_too_much_is_400(server: Server, head: bytes) -> None:
    """Ten thousand headers, megabytes in one, and lengths that contradict each other end the connection."""
    status, body = server.exchange(b"GET /api/v1/products HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n")
    assert status in {400, 0}, body  # 0: the connection was reset while the head was still being sent
    assert server.well()


def test_a_request_says_its_host(server: Server) -> None:
    """HTTP/1.1 without a Host is 400 (RFC 9112, 3.2); HTTP/1.0 knows none."""
    assert server.exchange(b"GET /health HTTP/1.1\r\n\r\n")[0] == 400
    assert server.exchange(b"GET /health HTTP/1.0\r\n\r\n")[0] == 200


def test_a_slow_body_is_504_in_time(server: Server) -> None:
    """A body that drips is cut off when the time is over, whoever keeps sending."""
    started_s = time.monotonic()
    drips = [b"{"] * 40
    status, body = server.exchange(LOGIN + b"Content-Length: 1000\r\n\r\n", *drips, wait_s=0.1)
    assert (status, json.loads(body)["error"]["code"]) == (504, "TIMEOUT")
    assert time.monotonic() - started_s < 10


@pytest.mark.parametrize("first", [b"", b"GET / HT", LOGIN], ids=["nothing", "half-a-line", "half-a-head"])
def test_a_connection_that_never_asks_is_closed(server: Server, first: bytes) -> None:
    """Who sends nothing, or a head that does not end, is not waited for."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(first)
        started_s = time.monotonic()
        assert connection.recv(65536) == b""
    assert time.monotonic() - started_s < 10


def test_a_refused_body_does_not_hold_the_connection(server: Server) -> None:
    """What drips on after its 413 is cut off too."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(LOGIN + b"Content-Length: 1073741824\r\n\r\n{")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            drip(connection)


def drip(connection: socket.socket) -> None:
    """Send a byte every tenth of a second, for twelve seconds."""
    for _ in range(120):
        connection.sendall(b"x")
        time.sleep(0.1)


def test_many_slow_clients_do_not_stop_the_others(server: Server) -> None:
    """While two hundred connections hold half a request, an honest client is served."""
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=15) for _ in range(200)]
    try:
        for connection in held:
            connection.sendall(LOGIN)
        assert server.well()
    finally:
        for connection in held:
            connection.close()
