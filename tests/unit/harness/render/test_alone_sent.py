"""What a finding's test file sends to a server, and when it fails."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.harness.render.defined import defined
from tests.unit.harness.render.one_book import made, step

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Server(ThreadingHTTPServer):
    """Keeps what was sent to it; `whole` says whether it has the book."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Shelf)
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.whole = True


class _Shelf(BaseHTTPRequestHandler):
    """A shelf that makes a book with a new id, and serves it by that id only while it is whole."""

    server: _Server

    def do_POST(self) -> None:
        """Makes a book; a name that is there already is refused."""
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length))
        self.server.seen.append((self.path, dict(self.headers), body))
        taken = body["name"] == "a name of old"
        self._answer(409 if taken else 201, {"id": "new id/1"})

    def do_GET(self) -> None:
        """Serves the book."""
        self.server.seen.append((self.path, dict(self.headers), None))
        self._answer(200 if self.server.whole and self.path == "/books/new%20id%2F1" else 404, {"price": 3})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def shelf() -> Iterator[_Server]:
    """The shelf on a free loopback port."""
    server = _Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_it_fails_on_the_fault_and_passes_without(shelf: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh names, ids of earlier answers and credentials of the environment are sent."""
    user = {"name": "user-1", "roles": ["user"], "tenant": "alpha", "facts": {"id": "old-user-id"}}
    steps = [
        step("make", "made", status=201, body={"name": "a name of old", "by": "old-user-id"}, identity=user),
        step("get", "read-later|2", identity=user),
    ]
    _, text = made("resource.create-not-readable", "", "make", *steps)
    loaded = defined(text)
    with pytest.raises(pytest.fail.Exception, match=r"set BASE_URL \(the address.*, USER_ID \(.*, USER_TOKEN"):
        loaded.test_resource_create_not_readable()
    monkeypatch.setenv("BASE_URL", f"http://127.0.0.1:{shelf.server_address[1]}")
    monkeypatch.setenv("USER_ID", "7")
    with pytest.raises(pytest.fail.Exception, match=r"set USER_TOKEN \(the Authorization of a caller with user of"):
        loaded.test_resource_create_not_readable()
    monkeypatch.setenv("USER_TOKEN", "s3cret")
    loaded.test_resource_create_not_readable()
    (_, headers, body), (path, _, _) = shelf.seen[-2:]
    assert headers["Authorization"] == "Bearer s3cret"
    assert body["by"] == "7"
    assert body["name"] != "a name of old"
    assert path == "/books/new%20id%2F1"
    shelf.whole = False
    with pytest.raises(AssertionError, match=r"It holds\. But step 2 was answered 404"):
        loaded.test_resource_create_not_readable()
