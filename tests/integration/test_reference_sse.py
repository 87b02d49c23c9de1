"""Server-Sent Events of a real server process: heard while they happen, gone on with after the server was away."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.sockets import API, LIMIT_S, House, served
from tests.integration.streams import Stream
from tests.servers.api import ADMIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path, database: Callable[[], dict[str, str]]) -> Iterator[House]:
    """A running API."""
    with served(tmp_path, **database(), API_TOKEN_LIFE_S="600") as found:
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
