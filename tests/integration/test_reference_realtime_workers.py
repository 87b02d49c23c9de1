"""Rooms, events and ended sessions over two workers: whoever is connected where, all see the same."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.sockets import LIMIT_S, Client, House, served
from tests.servers.redis import BINARY, MISSING, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

SOCKETS = 10


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two workers over a Redis of the test's own."""
    if BINARY is None:
        pytest.skip(MISSING)
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        with served(tmp_path, "--workers", "2", API_REDIS_URL=redis.url, API_HEARTBEAT_S="0.5") as found:
            yield found
    finally:
        redis.stop()


def lives(client: Client) -> bool:
    """Whether the socket still answers."""
    try:
        client.ask("ping")
    except ConnectionClosed:
        return False
    return True


def test_all_see_the_same(house: House) -> None:
    """Members, messages in order, and after a worker's kill the members that are left."""
    people = [house.user() for _ in range(SOCKETS)]
    clients = {user_id: house.socket(token) for user_id, token in people}
    for client in clients.values():
        client.ask("join_room", room="lobby")
    for client in clients.values():
        assert client.ask("list_members", room="lobby")["members"] == sorted(clients)
    first = next(iter(clients.values()))
    for number in range(20):
        first.send("message", room="lobby", content=str(number))
    for client in clients.values():
        assert [client.take("message")["message"]["content"] for _ in range(20)] == [str(one) for one in range(20)]
    os.kill(house.api.workers()[0], signal.SIGKILL)
    left = {user_id: client for user_id, client in clients.items() if lives(client)}
    deadline = time.monotonic() + LIMIT_S
    for client in left.values():
        while client.ask("list_members", room="lobby")["members"] != sorted(left):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_session_ends_everywhere(house: House) -> None:
    """Logging out at one worker closes the session's sockets at both."""
    _, token = house.user()
    clients = [house.socket(token) for _ in range(SOCKETS)]
    assert house.send("POST", "/auth/logout", token).status_code == 204
    assert {client.closed() for client in clients} == {(1008, "Session over")}
