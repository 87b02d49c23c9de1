"""The recorder: what it sends it writes, masked, and gives back as it came."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from harness.errors import CannotTell
from harness.exchange import Outcome, Request
from harness.history import FOLDER, exchanges
from harness.identities import Identity
from harness.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "tok-abcdefgh"


class Echo(BaseHTTPRequestHandler):
    """Answers every request with a token and the path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Any GET."""
        body = json.dumps({"issued": TOKEN, "path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def server() -> Iterator[str]:
    """A server on loopback, by its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A recorder before a server that answers everything."""
    with server() as url, Recorder(url, tmp_path, "unit") as open_recorder:
        yield open_recorder


def test_what_is_sent_stands_in_the_history(recorder: Recorder, tmp_path: Path) -> None:
    """An exchange is on disk when send returns, under the same id, with its case and step."""
    sent = recorder.send(Request("GET", "/a", operation="a.get", step="look"), case="c#1")
    (read,) = exchanges(tmp_path)
    assert (read.id, read.case, read.request.step, read.status) == (sent.id, "c#1", "look", 200)
    assert sent.due_ns <= sent.sent_ns <= sent.done_ns


def test_a_group_is_numbered(recorder: Recorder, tmp_path: Path) -> None:
    """Requests of one release share a number that no other group has; one sent alone has 0."""
    groups = [recorder.release([Request("GET", f"/{n}") for n in range(3)]) for _ in range(2)]
    recorder.send(Request("GET", "/alone"))
    assert [[exchange.group for exchange in group] for group in groups] == [[1, 1, 1], [2, 2, 2]]
    assert sorted(exchange.group for exchange in exchanges(tmp_path)) == [0, 1, 1, 1, 2, 2, 2]


def test_a_told_token_is_given_and_not_written(recorder: Recorder, tmp_path: Path) -> None:
    """The case gets the token that an answer told; the history never shows it, nor an identity's credentials."""
    login = recorder.send(Request("GET", "/login", secret_pointers=("/issued",)))
    assert login.response is not None
    assert login.response.json()["issued"] == TOKEN
    who = Identity("a", headers=(("X-Session", TOKEN), ("Authorization", "Bearer other-secret")))
    recorder.send(Request("GET", f"/use/{TOKEN}", identity=who))
    written = "".join(path.read_text() for path in (tmp_path / FOLDER).iterdir())
    assert TOKEN not in written
    assert "other-secret" not in written
    assert "X-Session" in written


def test_a_target_that_is_gone_is_an_exchange(tmp_path: Path) -> None:
    """Where nothing answers, the exchange says so and its outcome is unknown; nothing is raised."""
    with server() as url:
        pass
    with Recorder(url, tmp_path, "unit") as recorder:
        sent = recorder.send(Request("GET", "/"))
    assert (sent.status, sent.outcome) == (0, Outcome.UNKNOWN)
    assert sent.error
    assert [exchange.error for exchange in exchanges(tmp_path)] == [sent.error]


def test_threads_share_a_recorder(recorder: Recorder, tmp_path: Path) -> None:
    """Many threads at once lose nothing, and no two exchanges have one id."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: recorder.send(Request("GET", f"/{n}", secret_pointers=("/path",))), range(80)))
    read = exchanges(tmp_path)
    assert len({exchange.id for exchange in read}) == len(read) == 80


def test_closing_twice_is_closing(recorder: Recorder) -> None:
    """A second close does nothing."""
    recorder.close()
    recorder.close()


def test_a_door_for_reads_lets_no_write_through(tmp_path: Path) -> None:
    """A write is refused before anything is sent; the login of a told account passes, and only in a set-up."""
    with server() as url, Recorder(url, tmp_path, "unit", reads_only=True, login="auth.login") as reading:
        assert reading.send(Request(method="GET", path="/a")).outcome is Outcome.OK
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "get"):
            with pytest.raises(CannotTell, match="--safe"):
                reading.send(Request(method=method, path="/a", operation="auth.login"))
        with pytest.raises(CannotTell, match="--safe"):
            reading.release([Request(method="GET", path="/a"), Request(method="DELETE", path="/a")])
        assert reading.allows("POST", "auth.login", "set-up")
        assert not reading.allows("POST", "auth.register", "set-up")
    assert [item.request.path for item in exchanges(tmp_path)] == ["/a"]
