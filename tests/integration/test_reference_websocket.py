"""The WebSocket of a real server process, spoken to by the client of the library `websockets`."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.servers.api import ADMIN, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

from tests.integration.sockets import API, LIMIT_S, SECOND, House, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, database: Callable[[], dict[str, str]]) -> Iterator[House]:
    """A server that most tests share: each has users and rooms of its own."""
    environment = {"API_SILENCE_S": "60", "API_MESSAGE_LIMIT_BYTES": "4096", "API_ROOM_MESSAGES": "20"}
    environment |= {"API_CORS_ORIGINS": "https://shop.example.org", **database()}
    with served(tmp_path_factory.mktemp("house"), **environment, API_ROOM_WINDOW_S="600") as found:
        yield found


@pytest.fixture
def serve(tmp_path: Path, database: Callable[[], dict[str, str]]) -> Iterator[Callable[..., House]]:
    """Servers with settings of a test's own."""
    with contextlib.ExitStack() as stack:
        yield lambda **environment: stack.enter_context(served(tmp_path, **database(), **environment))


def test_a_socket_greets_and_answers(house: House) -> None:
    """`connected` comes first; a ping has its pong; its `id` comes back."""
    user_id, token = house.user()
    url = house.api.url.replace("http", "ws") + API + "/ws"
    with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as raw:
        first = json.loads(raw.recv(timeout=LIMIT_S))
        assert first.keys() == {"type", "connectionId", "userId", "timestamp"}
        assert (first["type"], first["userId"]) == ("connected", user_id)
        assert raw.protocol.extensions == []
    client = house.socket(token)
    assert client.ask("ping")["type"] == "pong"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "message"),
        ("", "message"),
        ("[]", "body"),
        ("null", "body"),
        ('{"type": "nonsense"}', "type"),
        ('{"type": "message"}', "body"),
        ('{"type": "message", "content": 1}', "content"),
        ('{"type": "ping", "more": 1}', "body"),
        ('{"type": "query", "sql": "SELECT * FROM users"}', "body"),
        ('{"type": "join_room", "room": "../x"}', "room"),
        ('{"type":"message","content":"\\ud800"}', "message"),
        ('{"type": "publish", "channel": "announcements", "data": {"a":' + "[" * 2000, "message"),
    ],
)
def test_what_does_not_fit_is_answered_and_keeps_the_socket(house: House, text: str, field: str) -> None:
    """Bad JSON, unknown types and wrong members: an error frame each, and the next ping is answered."""
    client = house.socket()
    client.socket.send(text)
    error = client.take("error")["error"]
    assert (error["code"], error["details"][0]["field"]) == ("VALIDATION_ERROR", field), error
    client.socket.send(b"\x00\x01")
    assert client.take("error")["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert client.ask("ping")["type"] == "pong"


def test_a_large_message_closes(house: House) -> None:
    """One byte over the limit is 1009; the limit itself is read."""
    client = house.socket()
    client.socket.send('{"type": "ping"' + " " * (4096 - 16) + "}")
    assert client.take("pong")
    client.socket.send(" " * 4097)
    assert client.closed()[0] == 1009


def test_who_may_open(house: House) -> None:
    """A bad token, a foreign tenant, an unknown tenant, an unknown parameter: refused in the envelope."""
    _, token = house.user()
    bearer = {"Authorization": f"Bearer {token}"}
    for expected, path, headers in (
        (401, "/ws", {"Authorization": "Bearer x.y.z"}),
        (401, "/ws", {**bearer, **SECOND}),
        (404, "/ws", {"X-Tenant-ID": "gamma"}),
        (400, "/ws?token=abc", bearer),
        (401, "/ws?ticket=abc", {}),
        (404, "/products", bearer),
        (404, "/events", bearer),
    ):
        status, body = house.status(API + path, **headers)
        assert (status, body["error"]["retryable"]) == (expected, False), (path, body)
    assert house.socket(token, path=f"/t/alpha{API}/ws").ask("ping")


def test_a_plain_request_is_told_to_upgrade(house: House) -> None:
    """426 with `Upgrade`, in the envelope; also where the handshake is half of one."""
    for headers in ({}, {"Connection": "Upgrade", "Upgrade": "websocket"}):
        answer = house.send("GET", "/ws", headers=headers)
        assert answer.status_code in ({426} if not headers else {400, 426}), answer.text
        assert answer.json()["error"]["code"] in {"UPGRADE_REQUIRED", "VALIDATION_ERROR"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert headers or answer.headers["upgrade"] == "websocket"


def test_a_ticket_opens_one_socket(house: House) -> None:
    """A browser's way: good once, in its own tenant, for whoever is signed in."""
    user_id, token = house.user()
    assert house.send("POST", "/ws/tickets").status_code == 401
    ticket = house.send("POST", "/ws/tickets", token).json()["ticket"]
    assert house.status(f"{API}/ws?ticket={ticket}", **SECOND)[0] == 401
    client = house.socket(path=f"{API}/ws?ticket={ticket}")
    assert user_id in client.ask("list_members", room="global")["members"]
    assert house.status(f"{API}/ws?ticket={ticket}")[0] == 401
    assert house.send("GET", "/auth/me", ticket).status_code == 401
    assert house.status(f"{API}/ws?ticket={token}")[0] == 401


def test_another_sites_page_opens_nothing_by_cookie(house: House) -> None:
    """With the session cookie the origin must be this host or an allowed one."""
    _, token = house.user()
    cookie = {"Cookie": f"session={token}"}
    assert house.status(**cookie, Origin="https://evil.example.org")[0] == 403
    for origin in ("https://shop.example.org", house.api.url):
        client = house.socket(**cookie, Origin=origin)
        client.take("room_joined", room="global")


def test_rooms_know_their_users(house: House) -> None:
    """Joined and left are told once a user, not once a socket; an empty room is new to the next who comes."""
    (ada, ada_token), (bob, bob_token) = house.user(), house.user()
    first, second, other = house.socket(ada_token), house.socket(ada_token), house.socket(bob_token)
    assert first.ask("join_room", room="lobby")["members"] == [ada]
    joined = other.ask("join_room", room="lobby")
    assert (sorted(joined["members"]), joined["memberCount"]) == (sorted([ada, bob]), 2)
    assert first.take("user_joined", room="lobby") == {
        "type": "user_joined", "room": "lobby", "userId": bob, "memberCount": 2,
    }  # fmt: skip
    assert second.ask("join_room", room="lobby")["memberCount"] == 2
    assert first.ask("leave_room", room="lobby")["type"] == "room_left"
    second.socket.close()
    assert other.take("user_left", room="lobby", userId=ada)["memberCount"] == 1
    assert [said for said in other.others("user_joined") if said["room"] == "lobby"] == []
    assert other.ask("list_members", room="lobby")["members"] == [bob]
    assert first.refused("list_members", room="lobby") == "FORBIDDEN"
    other.ask("leave_room", room="lobby")
    assert first.ask("join_room", room="lobby")["members"] == [ada]


def test_messages_reach_the_room_and_nobody_else(house: House) -> None:
    """In the sender's order, with what was stored; a member of another room and a stranger to it hear nothing."""
    (ada, ada_token), (_, bob_token), (_, eve_token) = house.user(), house.user(), house.user()
    sender, member, stranger = house.socket(ada_token), house.socket(bob_token), house.socket(eve_token)
    for client in (sender, member):
        client.ask("join_room", room="den")
    stranger.ask("join_room", room="yard")
    assert stranger.refused("message", room="den", content="Let me in.") == "FORBIDDEN"
    for number in range(10):
        sender.send("message", room="den", content=f"No {number}")
    said = [member.take("message")["message"] for _ in range(10)]
    assert [message["content"] for message in said] == [f"No {number}" for number in range(10)]
    assert [sender.take("message")["message"] for _ in range(10)] == said
    assert {(message["room"], message["userId"]) for message in said} == {("den", ada)}
    assert stranger.others("message") == []
    history = member.ask("query", name="roomHistory", parameters={"room": "den", "limit": 3})["rows"]
    assert history == said[:-4:-1]
    assert stranger.refused("query", name="roomHistory", parameters={"room": "den"}) == "FORBIDDEN"
    member.ask("leave_room", room="den")
    sender.send("message", room="den", content="Gone?")
    sender.take("message")
    assert member.others("message") == []


def test_messages_are_limited_for_a_user(house: House) -> None:
    """Two sockets of one user share one quota; another user has his own."""
    (_, ada_token), (_, bob_token) = house.user(), house.user()
    first, second, other = house.socket(ada_token), house.socket(ada_token), house.socket(bob_token)
    for client in (first, second, other):
        client.ask("join_room", room="hall")
    for number in range(20):
        (first, second)[number % 2].send("message", room="hall", content="x")
    for _ in range(20):
        other.take("message")
    assert first.refused("message", room="hall", content="x") == "RATE_LIMITED"
    assert second.refused("message", room="hall", content="x") == "RATE_LIMITED"
    other.send("message", room="hall", content="y")
    assert other.take("message")["message"]["content"] == "y"


def test_who_is_nobody_hears_and_says_little(house: House) -> None:
    """Anonymous: pings and public products; no room, no message, no publishing, no question."""
    client = house.socket()
    for kind, members in (
        ("join_room", {"room": "lobby"}),
        ("list_members", {"room": "global"}),
        ("message", {"content": "Hello"}),
        ("publish", {"channel": "announcements", "data": {}}),
        ("subscribe", {"channel": "orders"}),
        ("subscribe", {"channel": "announcements"}),
        ("query", {"name": "productCount"}),
    ):
        assert client.refused(kind, **members) == "UNAUTHORIZED", kind
    assert client.ask("subscribe", channel="products")["type"] == "subscribed"


def test_channels_carry_what_is_published(house: House) -> None:
    """Stored, then told to who subscribes, and to nobody after unsubscribing; who may not publish is refused."""
    _, admin = house.login(ADMIN)
    (_, token), (_, quiet) = house.user(), house.user()
    reader, silent, publisher = house.socket(token), house.socket(quiet), house.socket(admin)
    reader.ask("subscribe", channel="announcements")
    assert reader.refused("publish", channel="announcements", data={"a": 1}) == "FORBIDDEN"
    assert publisher.refused("publish", channel="products", data={}) == "FORBIDDEN"
    assert publisher.refused("publish", channel="sessions", data={}) == "VALIDATION_ERROR"
    assert publisher.refused("subscribe", channel="room:den") == "VALIDATION_ERROR"
    assert (
        publisher.ask("publish", channel="announcements", data={"text": "Sale", "n": [1, None]})["type"] == "published"
    )
    told = reader.take("event")
    assert told["event"]["data"] == {"text": "Sale", "n": [1, None]}
    assert silent.others("event") == publisher.others("event") == []
    reader.ask("unsubscribe", channel="announcements")
    publisher.ask("publish", channel="announcements", data={})
    assert reader.others("event") == []


def test_products_are_told_by_category(house: House) -> None:
    """What a seller writes arrives at who subscribed to that category; another tenant hears nothing."""
    _, admin = house.login(ADMIN)
    _, stranger = house.login(ADMIN, headers=SECOND)
    made = [house.send("POST", "/categories", admin, json={"name": name}).json()["id"] for name in ("W1", "W2")]
    all_of_it, one, foreign = house.socket(), house.socket(), house.socket(stranger, **SECOND)
    all_of_it.ask("subscribe", channel="products")
    one.ask("subscribe", channel="products", categoryId=made[1])
    foreign.ask("subscribe", channel="products")
    products = []
    for category in made:
        body = {"name": "Bowl", "price": 2, "stock": 1, "categoryId": category}
        products.append(house.send("POST", "/products", admin, json=body).json()["id"])
    assert [all_of_it.take("event")["event"]["id"] for _ in products] == products
    assert one.take("event")["event"]["id"] == products[1]
    assert one.others("event") == foreign.others("event") == []


def test_questions_have_names_and_parameters(house: House) -> None:
    """No SQL is run; unknown names and parameters are refused; the answers are rows."""
    _, token = house.user()
    client = house.socket(token)
    assert client.ask("query", name="productCount")["rows"][0].keys() == {"count"}
    assert client.refused("query", name="SELECT 1") == "VALIDATION_ERROR"
    assert client.refused("query", name="productCount", parameters={"categoryId": "1 OR 1=1"}) == "VALIDATION_ERROR"
    assert client.refused("query", name="newestProducts", parameters={"limit": 101}) == "VALIDATION_ERROR"
    assert len(client.ask("query", name="newestProducts", parameters={"limit": 1})["rows"]) <= 1


def test_rooms_of_tenants_are_apart(house: House) -> None:
    """The same name in another tenant is another room."""
    (_, token), (other_id, other_token) = house.user(), house.user(headers=SECOND)
    here, there = house.socket(token), house.socket(other_token, **SECOND)
    here.ask("join_room", room="same")
    assert there.ask("join_room", room="same")["members"] == [other_id]
    here.send("message", room="same", content="Only here")
    here.take("message")
    assert there.others("message") == []


def test_a_socket_ends_with_its_session(house: House) -> None:
    """Logging out closes its sockets with 1008 at once; another session of the same user stays."""
    house.count += 1
    body = {"email": f"s{house.count}@example.test", "password": PASSWORD, "name": "S"}
    house.send("POST", "/auth/register", json=body)
    (_, first), (_, second) = house.login(body["email"]), house.login(body["email"])
    ends, stays = house.socket(first), house.socket(second)
    assert house.send("POST", "/auth/logout", first).status_code == 204
    assert ends.closed() == (1008, "Session over")
    assert stays.ask("ping")


def test_silence_closes(serve: Callable[..., House]) -> None:
    """Nothing for so long is 1000 `Ping timeout`; who pings stays; the others see the user leave (half open too)."""
    house = serve(API_SILENCE_S="1.5", API_HEARTBEAT_S="0.2")
    (ada, ada_token), (_, bob_token) = house.user(), house.user()
    silent, watcher = house.socket(ada_token), house.socket(bob_token)
    began_s = time.monotonic()
    while not watcher.others("user_left"):
        assert time.monotonic() < began_s + LIMIT_S
        time.sleep(0.1)
    assert watcher.take("user_left")["userId"] == ada
    assert silent.closed() == (1000, "Ping timeout")
    assert time.monotonic() - began_s >= 1.4


def test_a_slow_client_is_let_go(serve: Callable[..., House]) -> None:
    """Who takes nothing while much is published holds up nobody, and is out of its rooms."""
    house = serve(API_WAITING="16", API_ROOM_MESSAGES="100000", API_SILENCE_S="600")
    _, admin = house.login(ADMIN)
    slow_id, slow_token = house.user()
    slow, publisher = house.socket(slow_token), house.socket(admin)
    slow.ask("subscribe", channel="announcements")
    for _ in range(250):
        publisher.ask("publish", channel="announcements", data={"text": "x" * 60_000})
    assert publisher.take("user_left")["userId"] == slow_id
    assert publisher.ask("ping")["type"] == "pong"


def test_the_server_says_goodbye(serve: Callable[..., House]) -> None:
    """SIGTERM closes every socket with 1001 and ends in order; nobody is left in a room."""
    house = serve()
    _, token = house.user()
    client = house.socket(token)
    client.ask("join_room", room="lobby")
    house.api.signal(signal.SIGTERM)
    assert client.closed()[0] == 1001
    assert house.api.ended() == 0, house.api.log()
    house.api.start()
    user_id, token = house.user()
    assert house.socket(token).ask("join_room", room="lobby")["members"] == [user_id]


def test_a_killed_servers_members_vanish(serve: Callable[..., House]) -> None:
    """After a kill its sockets are in their rooms until the worker's rows expire, and not longer."""
    house = serve(API_HEARTBEAT_S="0.3")
    ada, token = house.user()
    house.socket(token).ask("join_room", room="lobby")
    house.api.stop()
    house.api.start()
    user_id, token = house.user()
    client = house.socket(token)
    client.ask("join_room", room="lobby")
    deadline = time.monotonic() + LIMIT_S
    while client.ask("list_members", room="lobby")["members"] != [user_id]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert ada != user_id


def test_sockets_of_one_user_are_bounded(serve: Callable[..., House]) -> None:
    """One more than allowed is 429; who leaves makes room; rooms of a socket are bounded too."""
    house = serve(API_SOCKET_QUOTA="2", API_ROOM_QUOTA="2")
    _, token = house.user()
    first, _ = house.socket(token), house.socket(token)
    assert house.status(Authorization=f"Bearer {token}")[0] == 429
    assert first.ask("join_room", room="one")["type"] == "room_joined"
    assert first.refused("join_room", room="two") == "FORBIDDEN"
    first.socket.close()
    deadline = time.monotonic() + LIMIT_S
    while True:
        with contextlib.suppress(InvalidStatus):
            house.socket(token)
            break
        assert time.monotonic() < deadline
