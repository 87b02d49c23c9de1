"""Bodies that a hostile client sends, over REST and RPC: the right refusal, in bounded time and memory, never a 5xx."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.raw import Answer, answer
from tests.servers.api import ADMIN, PASSWORD, Api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

TIMEOUT_S = 1.0
GROWTH_KIB = 32_768
MEMBERS = f'"email": "{ADMIN}", "password": "{PASSWORD}"'.encode()
FORMS = {"REST": ("/api/v1/auth/login", b"%b"), "RPC": ("/api/rpc/auth/login", b'{"json": %b}')}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, database: Callable[[], dict[str, str]]) -> Iterator[Api]:
    """A server that waits a second for a body."""
    installed = Api(tmp_path_factory.mktemp("bodies"), API_TIMEOUT_S=str(TIMEOUT_S), **database())
    installed.set_up("alpha")
    installed.start()
    yield installed
    installed.stop()
    assert "Traceback" not in installed.log()


def head(path: str, *lines: str, kind: str = "application/json") -> bytes:
    """A POST up to its body."""
    told = (f"POST {path} HTTP/1.1", "Host: shop.test", f"Content-Type: {kind}", *lines)
    return "".join(f"{line}\r\n" for line in told).encode() + b"\r\n"


def posted(api: Api, path: str, body: bytes) -> Answer:
    """What a whole request is answered."""
    return answer(api.port, head(path, f"Content-Length: {len(body)}") + body)


def resident_kib(api: Api) -> int:
    """The largest memory that the process has had."""
    assert api.process is not None
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def well(api: Api) -> bool:
    """Whether an honest client is served."""
    return httpx.get(f"{api.url}/api/v1/products", timeout=5).status_code == 200


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{" + MEMBERS + b"}", 200),
        (b"[" * 500_000, 400),
        (b'{"email": ' + b'{"a":' * 100_000, 400),
        (b'{"email": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400),
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
        (b'{"email": "' + b"x" * 1_100_000 + b'"}', 413),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_is_no_such_json_is_refused(api: Api, form: str, body: bytes, status: int) -> None:
    """Depth, names twice, NaN, broken UTF-8, U+0000, huge numbers and sizes are refused in the envelope."""
    path, around = FORMS[form]
    found = posted(api, path, around % body)
    assert found.status == status
    assert status == 200 or found.code == {400: "VALIDATION_ERROR", 413: "PAYLOAD_TOO_LARGE"}[status]


def test_what_meta_says_is_bounded_too(api: Api) -> None:
    """Places and kinds of an RPC input's meta that fit nothing are 400: deep paths, names of the language."""
    for meta in (
        [[0, *["a"] * 50_000]],
        [[2, "__proto__"]],
        [[3, "constructor", "prototype"]],
        [[99, "email"]],
        [["NaN"]],
        [[0, "email"]] * 10_000,
        "[" * 1000,
    ):
        sent = json.dumps({"json": {"email": "1", "password": "2"}, "meta": meta}).encode()
        assert posted(api, FORMS["RPC"][0], sent).code == "VALIDATION_ERROR", str(meta)[:40]


@pytest.mark.parametrize("form", FORMS)
def test_a_gigabyte_is_refused_before_it_comes(api: Api, form: str) -> None:
    """Told by its length it is 413 at once; sent in chunks it is 413 when the limit is passed, and takes no memory."""
    path = FORMS[form][0]
    assert well(api)
    before_kib = resident_kib(api)
    assert answer(api.port, head(path, "Content-Length: 1073741824") + b"{").code == "PAYLOAD_TOO_LARGE"
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    found = answer(api.port, head(path, "Transfer-Encoding: chunked"), *[chunk] * 1024)
    assert (found.status, found.code) == (413, "PAYLOAD_TOO_LARGE")
    assert resident_kib(api) - before_kib < GROWTH_KIB
    assert well(api)


def slow(api: Api) -> dict[str, bytes]:
    """Heads of requests whose bodies then drip, one for each way that a body is read."""
    login = {"email": ADMIN, "password": PASSWORD}
    with httpx.Client(base_url=f"{api.url}/api/v1", timeout=5) as client:
        token = client.post("/auth/login", json=login).json()["accessToken"]
        client.headers["Authorization"] = f"Bearer {token}"
        category = client.post("/categories", json={"name": f"Bowls {time.monotonic()}"}).json()["id"]
        product = client.post("/products", json={"name": "Bowl", "price": 1, "categoryId": category}).json()["id"]
    signed, length = f"Authorization: Bearer {token}", "Content-Length: 1000"
    form = "multipart/form-data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    return {
        "REST": head(FORMS["REST"][0], length),
        "REST in chunks": head(FORMS["REST"][0], "Transfer-Encoding: chunked") + b"3e8\r\n",
        "RPC": head(FORMS["RPC"][0], length),
        "a batch of RPC": head("/api/rpc/__batch__", length, "x-orpc-batch: buffered"),
        "an upload": head(f"/api/v1/products/{product}/images", length, signed, kind=form) + part,
        "an upload over RPC": head("/api/rpc/products/uploadImage", length, signed, kind=form) + part,
    }


def test_a_slow_body_is_408_in_time(api: Api) -> None:
    """A body that drips is its sender's fault: cut off when the time is over, and the connection with it."""
    requests = slow(api)
    began_s = time.monotonic()
    with ThreadPoolExecutor(len(requests)) as threads:
        sent = {
            name: threads.submit(answer, api.port, start, *[b"{"] * 40, wait_s=0.1) for name, start in requests.items()
        }
        assert well(api)
    assert time.monotonic() - began_s < 10
    for name, found in ((name, told.result()) for name, told in sent.items()):
        assert (found.status, found.code) == (408, "REQUEST_TIMEOUT"), name
        assert found.headers["connection"] == "close"


def test_a_body_just_in_time_is_served(api: Api) -> None:
    """What its sender took is not taken from the time for the work."""
    body = b"{" + MEMBERS + b"}"
    parts = [body[start : start + 15] for start in range(0, len(body), 15)]
    sent = head(FORMS["REST"][0], f"Content-Length: {len(body)}")
    assert answer(api.port, sent, *parts, wait_s=0.7 * TIMEOUT_S / len(parts)).status == 200
