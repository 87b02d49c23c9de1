"""Rooms, events and ended sessions over two workers: whoever is connected where, all see the same."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, TypeVar

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.sockets import API, LIMIT_S, Client, House, served
from tests.integration.streams import Stream
from tests.servers.api import ADMIN
from tests.servers.redis import BINARY, MISSING, RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

SOCKETS = 10
MANY = 20
T = TypeVar("T")


@pytest.fixture
def house(tmp_path: Path, database: Callable[[], dict[str, str]]) -> Iterator[House]:
    """Two workers over a Redis of the test's own."""
    if BINARY is None:
        pytest.skip(MISSING)
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        environment = {"API_REDIS_URL": redis.url, "API_HEARTBEAT_S": "0.5", "API_SILENCE_S": "60", **database()}
        with served(tmp_path, "--workers", "2", **environment) as found:
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


def at_each_worker(house: House, opened: Callable[[], tuple[int, T]]) -> list[T]:
    """One that is opened at each worker, by the port of its client's end."""
    found: dict[int, T] = {}
    for _ in range(60):
        port, one = opened()
        found.setdefault(house.api.worker_of(port), one)
        if len(found) == 2:
            return list(found.values())
    raise AssertionError(found)


def writers(house: House, token: str) -> list[httpx.Client]:
    """A client with a connection of its own to each worker."""

    def opened() -> tuple[int, httpx.Client]:
        bounds = httpx.Limits(max_connections=1, keepalive_expiry=600)
        headers = {"Authorization": f"Bearer {token}"}
        http = httpx.Client(base_url=house.api.url + API, headers=headers, limits=bounds, timeout=LIMIT_S)
        house.open.enter_context(http)
        with http.stream("GET", house.api.url + "/health") as response:
            port: int = response.extensions["network_stream"].get_extra_info("client_addr")[1]
            response.read()
        return port, http

    return at_each_worker(house, opened)


def streams(house: House, token: str = "", **headers: str) -> list[Stream]:
    """A stream of products from each worker."""

    def opened() -> tuple[int, Stream]:
        http = house.open.enter_context(httpx.Client(timeout=LIMIT_S))
        told = {**({"Authorization": f"Bearer {token}"} if token else {}), **headers}
        response = http.stream("GET", f"{house.api.url}{API}/product-events", headers=told)
        stream = Stream(house.open.enter_context(response))
        return stream.port, stream

    return at_each_worker(house, opened)


def sockets(house: House, token: str = "", **headers: str) -> list[Client]:
    """A WebSocket to each worker."""

    def opened() -> tuple[int, Client]:
        client = house.socket(token, **headers)
        return client.socket.local_address[1], client

    return at_each_worker(house, opened)


def test_what_one_worker_commits_streams_of_both_tell(house: House) -> None:
    """Each event once, in the order of commits, wherever it was made; and on from any id at the other worker."""
    _, token = house.login(ADMIN)
    doors = writers(house, token)
    category = doors[0].post("/categories", json={"name": "Bowls"}).json()["id"]

    def make(number: int) -> str:
        body = {"name": f"Bowl {number}", "price": 1, "stock": 1, "categoryId": category}
        answer = doors[number % 2].post("/products", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    first, second = streams(house, token)
    assert first.position == second.position
    nothing_seen = first.position
    made = [make(number) for number in range(MANY)]
    heard = [[next(stream) for _ in made] for stream in (first, second)]
    assert heard[0] == heard[1]
    assert [event.data["id"] for event in heard[0]] == made
    ids = [int(event.id) for event in heard[0]]
    assert ids == sorted(set(ids))
    made.append(make(MANY))
    for position, left in ((nothing_seen, made), (heard[0][4].id, made[5:])):
        for stream in streams(house, token, **{"Last-Event-ID": position}):
            assert [next(stream).data["id"] for _ in left] == left
    made.append(make(MANY + 1))
    assert [[next(stream).data["id"] for _ in range(2)] for stream in (first, second)] == [made[-2:]] * 2


def test_what_is_published_at_one_worker_is_told_at_both(house: House) -> None:
    """Each announcement once and in one order at the subscribers of both; after unsubscribing at one, not there."""
    _, admin = house.login(ADMIN)
    _, token = house.user()
    publishers, readers = sockets(house, admin), sockets(house, token)
    positions = [reader.ask("subscribe", channel="announcements")["position"] for reader in readers]
    assert positions[0] == positions[1]
    for number in range(MANY):
        publishers[number % 2].ask("publish", channel="announcements", data={"number": number})
    heard = [[reader.take("event") for _ in range(MANY)] for reader in readers]
    assert heard[0] == heard[1]
    assert [event["event"]["data"]["number"] for event in heard[0]] == list(range(MANY))
    assert heard[0][0]["position"] > positions[0]
    readers[0].ask("unsubscribe", channel="announcements")
    for publisher in publishers:
        publisher.ask("publish", channel="announcements", data={"number": MANY})
    assert [readers[1].take("event")["event"]["data"]["number"] for _ in publishers] == [MANY, MANY]
    assert readers[0].others("event") == readers[1].others("event") == []


def test_what_is_said_at_one_worker_is_heard_at_both(house: House) -> None:
    """A room's members at both have each message once, in one order that keeps each sender's; others have none."""
    (ada, ada_token), (bob, bob_token), (_, eve_token) = house.user(), house.user(), house.user()
    senders = [sockets(house, ada_token)[0], sockets(house, bob_token)[1]]
    strangers = sockets(house, eve_token)
    for sender in senders:
        sender.ask("join_room", room="den")
    for number in range(MANY):
        for sender in senders:
            sender.send("message", room="den", content=str(number))
    heard = [[sender.take("message")["message"] for _ in range(2 * MANY)] for sender in senders]
    assert heard[0] == heard[1]
    for user_id in (ada, bob):
        said = [message["content"] for message in heard[0] if message["userId"] == user_id]
        assert said == [str(number) for number in range(MANY)]
    assert [client.others("message") for client in (*senders, *strangers)] == [[]] * 4


def test_a_key_that_is_revoked_ends_what_is_open_at_both(house: House) -> None:
    """Its streams and its sockets, wherever they are."""
    _, token = house.user()
    key = house.send("POST", "/auth/keys", token, json={"name": "Both", "scopes": ["read"]}).json()
    shown = {"X-API-Key": key["key"]}
    open_streams, open_sockets = streams(house, **shown), sockets(house, **shown)
    assert house.send("DELETE", f"/auth/keys/{key['id']}", token).status_code == 204
    assert [list(stream) for stream in open_streams] == [[], []]
    assert [client.closed() for client in open_sockets] == [(1008, "Session over")] * 2


def test_a_worker_that_stood_still_begins_anew(house: House) -> None:
    """Taken for dead, its members are out of their rooms; when it goes on, its sockets are closed with 1012."""
    (ada, ada_token), (bob, bob_token) = house.user(), house.user()
    client, watchers = house.socket(ada_token), sockets(house, bob_token)
    still = house.api.worker_of(client.socket.local_address[1])
    (watcher,) = [one for one in watchers if house.api.worker_of(one.socket.local_address[1]) != still]
    for one in (watcher, client):
        one.ask("join_room", room="den")
    os.kill(still, signal.SIGSTOP)
    try:
        watcher.take("user_left", room="den", userId=ada)
    finally:
        os.kill(still, signal.SIGCONT)
    assert client.closed() == (1012, "Service restart")
    assert watcher.ask("list_members", room="den")["members"] == [bob]


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
