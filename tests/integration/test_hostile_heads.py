"""Heads and connections of hostile clients: a definite refusal in the envelope, in bounded time, and never a 5xx."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.raw import Answer, answer, answers
from tests.servers.api import ADMIN, PASSWORD, Api

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

TIMEOUT_S = 1.0
GET = b"GET /health HTTP/1.1\r\nHost: shop.test\r\n"
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n"
BODY = json.dumps({"email": ADMIN, "password": PASSWORD}).encode()
WHOLE = LOGIN + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = LOGIN + b"Transfer-Encoding: chunked\r\n"
UPGRADE = b"GET /api/v1/ws HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
LAST = b"Connection: close\r\n\r\n"
BAD, LATE, LONG_URL, LONG_HEAD = (
    (400, "VALIDATION_ERROR"),
    (408, "REQUEST_TIMEOUT"),
    (414, "URI_TOO_LONG"),
    (431, "HEADERS_TOO_LARGE"),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server that waits a second; the heads of requests never reach its data, so that one engine does."""
    installed = Api(tmp_path_factory.mktemp("heads"), API_TIMEOUT_S=str(TIMEOUT_S))
    installed.set_up("alpha")
    installed.start()
    yield installed
    installed.stop()
    assert "Traceback" not in installed.log()


def well(api: Api) -> bool:
    """Whether an honest client is served."""
    return httpx.get(f"{api.url}/api/v1/products", timeout=5).status_code == 200


def refusal(found: Answer) -> tuple[int, str]:
    """Status and code of a refusal that is dressed as every answer is, and ends the connection."""
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["x-request-id"] == json.loads(found.body)["error"]["requestId"]
    assert found.headers["connection"] == "close"
    return found.status, found.code


REFUSED: dict[str, tuple[bytes, tuple[int, str]]] = {
    "ten thousand headers": (GET + b"".join(b"X-%d: y\r\n" % one for one in range(10_000)) + b"\r\n", LONG_HEAD),
    "a hundred and two": (GET + b"X: y\r\n" * 101 + b"\r\n", LONG_HEAD),
    "a header of 5 MB": (GET + b"X: " + b"y" * 5_000_000 + b"\r\n\r\n", LONG_HEAD),
    "a header of 70 kB, whole at once": (GET + b"X: " + b"y" * 70_000 + b"\r\n\r\n", LONG_HEAD),
    "a name of 5 MB": (GET + b"y" * 5_000_000 + b": x\r\n\r\n", LONG_HEAD),
    "a path of 20 kB": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", LONG_URL),
    "a query of 5 MB": (b"GET /health?" + b"a" * 5_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", LONG_URL),
    "trailers of 3 MB": (CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX: " + b"y" * 3_000_000, LONG_HEAD),
    "a chunk's extension of 3 MB": (CHUNKED + b"\r\n2;a=" + b"b" * 3_000_000, LONG_HEAD),
    "a method of 1 MB": (b"G" * 1_000_000 + b" / HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "length and chunks": (CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n", BAD),
    "two lengths": (GET + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", BAD),
    "a negative length": (GET + b"Content-Length: -1\r\n\r\n", BAD),
    "an unknown coding alone": (LOGIN + b"Transfer-Encoding: identity\r\n\r\n", BAD),
    "a chunk that is none": (CHUNKED + b"\r\n5\r\n{}{}{\r\nZZ\r\n", BAD),
    "NUL": (GET + b"X: a\0b\r\n\r\n", BAD),
    "a bare CR": (GET + b"X: a\rSet-Cookie: session=x\r\n\r\n", BAD),
    "a bare LF": (GET.replace(b"\r\n", b"\n") + b"\n", BAD),
    "a folded line": (GET + b"X: a\r\n b\r\n\r\n", BAD),
    "a blank before the colon": (GET + b"X : a\r\n\r\n", BAD),
    "no name": (GET + b": nameless\r\n\r\n", BAD),
    "two hosts": (GET + b"Host: b\r\n\r\n", BAD),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", BAD),
    "bytes over ASCII in the path": (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
    "CONNECT": (b"CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\r\n", BAD),
    "HTTP/2 by prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD),
    "HTTP/3.7": (b"GET /health HTTP/3.7\r\nHost: a\r\n\r\n", BAD),
    "the hello of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BAD),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_head_that_cannot_be_served_is_refused(api: Api, name: str) -> None:
    """Too many, too long, malformed: the answer comes, whatever the client still had to send."""
    sent, expected = REFUSED[name]
    assert refusal(answer(api.port, sent)) == expected
    assert well(api)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /health HTTP/1.0\r\n\r\n", 200),
        (b"GET /health\r\n\r\n", 200),
        (b"\r\n\r\n" + GET + LAST, 200),
        (b"GET http://shop.test/health HTTP/1.1\r\nHost: shop.test\r\n" + LAST, 200),
        (GET + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", 200),
        (GET + b"X-Request-ID: \xff\xfe\r\n" + LAST, 200),
        (GET + b"X: y\r\n" * 90 + LAST, 200),
        (b"GET /health?" + b"&" * 15_000 + b" HTTP/1.1\r\nHost: a\r\n" + LAST, 200),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n" + LAST, 404),
        (b"TRACE /health HTTP/1.1\r\nHost: a\r\nX-Secret: s\r\n" + LAST, 405),
    ],
    ids=lambda value: str(value)[:30],
)
def test_obsolete_and_odd_forms_are_served(api: Api, sent: bytes, status: int) -> None:
    """Old versions, an absolute target, an upgrade nobody offers, what is just short enough: no fault and no hang."""
    found = answer(api.port, sent)
    assert found.status == status
    assert b"X-Secret" not in found.body


@pytest.mark.parametrize("text", ["%0d%0aX-Injected:%20yes", "%E5%98%8A%E5%98%8DX-Injected:yes", "%0aX-Injected:1"])
def test_no_header_is_injected(api: Api, text: str) -> None:
    """Line ends in path, query and values that come back make no header of the answer."""
    for sent in (
        f"GET /api/v1/{text} HTTP/1.1\r\nHost: a\r\n",
        f"GET /api/v1/products?search={text} HTTP/1.1\r\nHost: a\r\n",
        f"GET /t/{text}/api/v1/products HTTP/1.1\r\nHost: a\r\n",
        f"GET /api/v1/products HTTP/1.1\r\nHost: a\r\nX-Request-ID: {text}\r\nOrigin: {text}\r\n",
        f"GET /api/v1/products HTTP/1.1\r\nHost: a\r\nX-Tenant-ID: {text}\r\n",
    ):
        found = answer(api.port, sent.encode() + LAST)
        assert found.status in {200, 400, 404}, sent
        assert not [name for name, value in found.headers.items() if "injected" in name + value.lower()], sent


def test_a_trailer_is_no_header(api: Api) -> None:
    """What follows the last chunk names no tenant: the request is served as if it had not come (RFC 9110, 6.5.1)."""
    chunk = b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n"
    assert answer(api.port, CHUNKED + b"X-Tenant-ID: nobody\r\n\r\n" + chunk + b"\r\n").status == 404
    assert answer(api.port, CHUNKED + b"\r\n" + chunk + b"X-Tenant-ID: nobody\r\n\r\n").status == 200


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (GET + LAST, (200, "")),
        (b"nonsense\0\r\n\r\n", BAD),
        (GET + b"X: " + b"y" * 200_000, LONG_HEAD),
        (CHUNKED + b"\r\n5\r\n{}{}{\r\nZZ\r\n", BAD),
        (UPGRADE + KEY, BAD),
    ],
    ids=["good", "nonsense", "long", "chunks", "upgrade"],
)
def test_pipelined_requests_are_answered_in_order(api: Api, last: bytes, expected: tuple[int, str]) -> None:
    """Whatever comes behind them, good requests have their answers, and what is refused has its own after them."""
    found = answers(api.port, WHOLE * 3 + last, expected=4)
    assert [one.status for one in found] == [200, 200, 200, expected[0]]
    assert all("accessToken" in json.loads(one.body) for one in found[:3])
    assert not expected[1] or refusal(found[3]) == expected


@pytest.mark.parametrize(
    ("parts", "told"),
    [((), []), ((b"GET / HT",), [LATE]), ((LOGIN,), [LATE]), ((b"\r\n",) * 99, [])],
    ids=["nothing", "half-a-line", "half-a-head", "blank-lines"],
)
def test_a_connection_that_never_asks_is_closed(api: Api, parts: tuple[bytes, ...], told: list[object]) -> None:
    """Who sends nothing, or blank lines, is not waited for; a head that does not end is told so."""
    began_s = time.monotonic()
    assert [refusal(one) for one in answers(api.port, *parts, wait_s=0.1)] == told
    assert time.monotonic() - began_s < 10


def test_a_head_that_drips_is_cut_off(api: Api) -> None:
    """A byte every tenth of a second keeps nobody's connection."""
    began_s = time.monotonic()
    assert refusal(answer(api.port, *[b"%c" % byte for byte in GET * 2], wait_s=0.1)) == LATE
    assert time.monotonic() - began_s < 10


def test_who_is_refused_does_not_hold_the_connection(api: Api) -> None:
    """What drips on after its refusal is cut off too."""
    for sent, status in ((LOGIN + b"Content-Length: 1073741824\r\n\r\n{", b"413"), (b"\0\r\n\r\n", b"400")):
        with socket.create_connection(("127.0.0.1", api.port), timeout=15) as connection:
            connection.sendall(sent)
            assert connection.recv(65536).startswith(b"HTTP/1.1 " + status)
            with pytest.raises(OSError, match=r"reset|Broken pipe"):
                drip(connection)


def drip(connection: socket.socket) -> None:
    """Send a byte every tenth of a second, for twelve seconds."""
    for _ in range(120):
        connection.sendall(b"x")
        time.sleep(0.1)


def test_many_slow_clients_do_not_stop_the_others(api: Api) -> None:
    """While two hundred connections hold half a request, an honest client is served."""
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            held = stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=15))
            held.sendall(LOGIN)
        assert well(api)
