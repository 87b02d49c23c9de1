"""Clients that take nothing of ordinary answers are let go; those that take them slowly have all of them."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from reference_impl.server import GRACE_S
from tests.integration.started import until
from tests.servers.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
TIMEOUT_S = 1.0
ASKED = 20
ASKING = b"GET /openapi.json HTTP/1.1\r\nHost: shop.test\r\n\r\n"
CLIENTS = 3
SMALL_BYTES = 32_768


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """One worker, not started."""
    installed = Api(tmp_path)
    installed.set_up("alpha")
    yield installed
    installed.stop()
    assert "Traceback" not in installed.log(), installed.log()


def asking(api: Api, requests: bytes) -> socket.socket:
    """A connection on which requests are sent; its own system holds little of the answers."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
    connection.connect(("127.0.0.1", api.port))
    connection.sendall(requests)
    return connection


def held(api: Api, connections: list[socket.socket]) -> int:
    """How many of these the server has not let go of; what the system alone still has belongs to no process."""
    ports = {f":{connection.getsockname()[1]:04X}" for connection in connections}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{api.port:04X}") and row[2][-5:] in ports and row[9] != "0" for row in rows)


@pytest.mark.parametrize("requests", [1, 2, ASKED])
def test_who_reads_nothing_is_let_go(api: Api, requests: int) -> None:
    """Many answers asked at once, or the last of them alone, hold no connection; the server then ends at once."""
    api.environment["API_TIMEOUT_S"] = str(TIMEOUT_S)
    api.start()
    connections = [asking(api, ASKING * requests) for _ in range(CLIENTS)]
    assert until(lambda: api.log().count("/openapi.json") >= CLIENTS * min(requests, 2), 10)
    assert until(lambda: held(api, connections) == 0, 20), "they are held"
    begun = time.monotonic()
    api.signal(signal.SIGTERM)
    assert api.ended() == 0
    assert time.monotonic() - begun < GRACE_S / 2
    for connection in connections:
        connection.close()


def test_who_reads_slowly_has_every_answer(api: Api) -> None:
    """It takes several times the time-out, and nothing is cut."""
    api.environment["API_TIMEOUT_S"] = str(TIMEOUT_S)
    api.start()
    size = len(httpx.get(f"{api.url}/openapi.json").content)
    pieces = []
    with asking(
        api, ASKING * (ASKED - 1) + ASKING.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    ) as connection:
        pause_s = 5 * TIMEOUT_S / (ASKED * size / SMALL_BYTES)
        while piece := connection.recv(SMALL_BYTES):
            pieces.append(piece)
            time.sleep(pause_s)
    whole = b"".join(pieces)
    assert len(re.findall(rb"HTTP/1\.1 200 ", whole)) == ASKED
    assert len(whole) > ASKED * size


def test_the_end_does_not_complain_of_who_reads_nothing(api: Api) -> None:
    """Within the time-out it is waited for as for any answer, and let go with the grace."""
    api.start()
    connections = [asking(api, ASKING * ASKED) for _ in range(CLIENTS)]
    assert until(lambda: api.log().count("/openapi.json") > CLIENTS, 10)
    begun = time.monotonic()
    api.signal(signal.SIGTERM)
    assert api.ended() == 0
    assert time.monotonic() - begun < GRACE_S + 5
    for connection in connections:
        connection.close()
