"""Server-Sent Events of a real server process: heard while they happen, gone on with after the server was away."""

from __future__ import annotations

import signal
import socket
import struct
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.sockets import API, LIMIT_S, House, served
from tests.integration.started import until
from tests.integration.streams import Stream
from tests.servers.api import ADMIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow
PRODUCTS, RENAMES = 50, 100
"""As many events as no buffer between the two ends has room for."""


@pytest.fixture
def house(tmp_path: Path, database: Callable[[], dict[str, str]]) -> Iterator[House]:
    """A running API."""
    with served(tmp_path, **database(), API_TOKEN_LIFE_S="600", API_STREAM_QUOTA="1") as found:
        yield found


def test_a_reader_misses_nothing_while_the_server_is_away(house: House) -> None:
    """SIGTERM ends the stream in order; after the restart Last-Event-ID gives what came meanwhile, once."""
    _, admin = house.login(ADMIN)
    category = house.send("POST", "/categories", admin, json={"name": "Bowls"}).json()["id"]

    def make() -> str:
        body = {"name": "Bowl", "price": 1, "stock": 1, "categoryId": category}
        return str(house.send("POST", "/products", admin, json=body).json()["id"])

    headers = {"Authorization": f"Bearer {admin}"}
    url = f"{house.api.url}{API}/product-events"
    with httpx.Client(timeout=LIMIT_S) as http:
        with http.stream("GET", url, headers=headers) as response:
            assert response.headers["content-type"] == "text/event-stream"
            made, came = [make() for _ in range(3)], Stream(response)
            heard = [next(came) for _ in made]
            house.api.signal(signal.SIGTERM)
            assert list(came) == []
        assert house.api.ended() == 0
        house.api.start()
        made += [make() for _ in range(2)]
        again = {**headers, "Last-Event-ID": heard[1][0]}
        with http.stream("GET", url, headers=again) as response:
            came = Stream(response)
            heard = heard[:2] + [next(came) for _ in range(3)]
    assert [data["id"] for _, _, data in heard] == made
    assert len({number for number, _, _ in heard}) == 5


@pytest.mark.parametrize("path", [f"{API}/events", f"{API}/product-events", "/api/rpc/events/stream"])
def test_head_holds_neither_a_seat_nor_the_connection(house: House, path: str) -> None:
    """What is asked next on the same connection is answered, HEAD again and the stream itself, which is not packed."""
    _, token = house.user()
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip, br, zstd"}
    url = house.api.url + path
    with httpx.Client(timeout=LIMIT_S, limits=httpx.Limits(max_connections=1)) as http:
        heads = [http.head(url, headers=headers) for _ in range(3)]
        ports = {head.extensions["network_stream"].get_extra_info("client_addr") for head in heads}
        assert [(head.status_code, head.content) for head in heads] == [(200, b"")] * 3
        assert len(ports) == 1
        with http.stream("GET", url, headers=headers) as response:
            stream = Stream(response)
            assert response.headers["content-type"] == heads[0].headers["content-type"]
            assert "content-encoding" not in response.headers
            assert response.extensions["network_stream"].get_extra_info("client_addr") in ports
            assert stream.position


def test_who_leaves_with_more_asked_behind_a_stream_gives_up_its_seat(house: House) -> None:
    """A connection that is reset while a request waits behind the stream holds nothing of the one seat there is."""
    _, admin = house.login(ADMIN)
    headers = {"Authorization": f"Bearer {admin}"}
    lines = [f"GET {API}/events HTTP/1.1", "Host: a", f"Authorization: Bearer {admin}"]
    behind = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", house.api.port), timeout=LIMIT_S)) as leaving:
        leaving.sendall(("\r\n".join([*lines, "", ""]) + behind).encode())
        assert leaving.recv(12) == b"HTTP/1.1 200"
        assert house.http.get(f"{house.api.url}{API}/events", headers=headers).status_code == 429
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def seated() -> bool:
        with house.http.stream("GET", f"{house.api.url}{API}/events", headers=headers) as response:
            return bool(response.status_code == 200)

    assert until(seated, LIMIT_S), "its seat is still taken"


def held(house: House, port: int) -> bool:
    """Say whether a process still holds the server's end of a connection: without one its socket has no inode."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = (f":{house.api.port:04X}", f":{port:04X}")
    return any(row[9] != "0" for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1]))


def test_a_reader_that_takes_nothing_loses_its_connection_and_its_seat(house: House) -> None:
    """The server lets go of both in bounded time, though the client neither reads nor leaves, and logs no fault."""
    _, admin = house.login(ADMIN)
    headers = {"Authorization": f"Bearer {admin}"}
    url = f"{house.api.url}{API}/product-events"
    with house.http.stream("GET", url, headers=headers) as response:
        position = Stream(response).position
    category = house.send("POST", "/categories", admin, json={"name": "Bowls"}).json()
    for _ in range(PRODUCTS):
        body = {"name": "Bowl", "price": 1, "stock": 1, "categoryId": category["id"]}
        assert house.send("POST", "/products", admin, json=body).status_code == 201
    for number in range(RENAMES):  # each is told of every product
        renamed = house.send("PATCH", f"/categories/{category['id']}", admin, json={"name": f"Bowls {number}"})
        assert renamed.status_code == 200, renamed.text
    with closing(socket.socket()) as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # by which the kernel sizes the server's buffer
        stalled.connect(("127.0.0.1", house.api.port))
        port = stalled.getsockname()[1]
        lines = [f"GET {API}/product-events HTTP/1.1", "Host: a", f"Last-Event-ID: {position}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        stalled.sendall("\r\n".join([*lines, "", ""]).encode())
        assert stalled.recv(12) == b"HTTP/1.1 200"
        assert house.http.get(url, headers=headers).status_code == 429
        assert held(house, port)
        assert until(lambda: not held(house, port), LIMIT_S), "its connection is still held"
        with house.http.stream("GET", url, headers=headers) as response:
            assert response.status_code == 200
    told = [line for line in house.api.lines() if line.get("level") in {"warning", "error"}]
    assert [line for line in told if line["message"] != "slow query"] == []  # a busy machine has those
