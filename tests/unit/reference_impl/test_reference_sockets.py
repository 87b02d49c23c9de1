"""WebSockets, spoken to in ASGI: whatever is sent is answered, and a failure leaves everything as it was."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.contract.reading import refuse_twice
from reference_impl.data.database import DatabaseError
from reference_impl.errors import ApiError
from reference_impl.realtime.feed import Feed
from reference_impl.realtime.hub import Hub
from reference_impl.realtime.rooms import Rooms
from reference_impl.realtime.talk import json_of, mark_of, read
from tests.unit.reference_impl import web_sockets
from tests.unit.reference_impl.event_streams import expire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.reference_impl.conftest import Shop
    from tests.unit.reference_impl.web_sockets import Socket

WORDS = st.sampled_from(['"type"', '"ping"', '"nope"', '"id"', '"m1"', '"room"', "{", "}", "[", ",", ":", "1", "null"])


@pytest.fixture
def connect() -> Iterator[Callable[..., Socket]]:
    """Opens sockets that are left after the test."""
    opened: list[Socket] = []

    def connect(*arguments: Any, **headers: str) -> Socket:
        opened.append(web_sockets.connect(*arguments, **headers))
        return opened[-1]

    yield connect
    for socket in opened:
        socket.leave()


def failing(*_: Any, **__: Any) -> Any:
    """What a database does that is gone."""
    raise DatabaseError("unavailable", "gone")


def outcome(text: str) -> str:
    """What becomes of a text before anything is done: it is read, or refused with a code."""
    try:
        said = json_of(text)
        mark_of(said)
        refuse_twice(text)
        read(said)
    except ApiError as error:
        return error.code
    return "read"


@given(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=12).map("".join)))
def test_whatever_is_said_is_read_or_refused(text: str) -> None:
    """No text ends in another error than a refusal that says what is wrong with it."""
    assert outcome(text) in {"read", "VALIDATION_ERROR"}


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ('{"type":"nope",', None),
        ('{"id":"7","type":"ping","more":}', None),
        ('{"id":"7","type":"nope"}', "7"),
        ('{"id":"7","type":"ping","more":1}', "7"),
        ('{"type":"ping","type":"ping"}', None),
        ('{"id":"7","type":"publish","channel":"announcements","data":{"a":1,"\\u0061":2}}', "7"),
    ],
)
def test_what_is_no_message_is_refused_and_nothing_else(
    shop: Shop, connect: Callable[..., Socket], text: str, mark: str | None
) -> None:
    """Broken after a good beginning, or a member twice: a refusal that names what it answers; no fault is reported."""
    reports: list[Exception] = []
    socket = connect(shop)
    object.__setattr__(shop.application.observer.watchers, "failed", (lambda _exchange, fault: reports.append(fault),))
    socket.say(text)
    socket.until(lambda: len(socket.came) > 1)
    error = socket.came[1]
    assert (error["type"], error["error"]["code"], error.get("replyTo")) == ("error", "VALIDATION_ERROR", mark)
    assert socket.ask("ping")["type"] == "pong"
    assert reports == []


@pytest.mark.engines("sqlite")
def test_every_message_counts(shop: Shop, connect: Callable[..., Socket]) -> None:
    """Bytes, broken and refused ones are counted as others are; who is over the limit is told which one that was."""
    socket = connect(shop)
    socket.say(*[b"\0", "{", '{"type":"nope"}'] * 100)
    assert socket.code("ping") == "RATE_LIMITED"
    codes = {one["error"]["code"] for one in socket.came if one["type"] == "error"}
    assert codes == {"UNSUPPORTED_MEDIA_TYPE", "VALIDATION_ERROR", "RATE_LIMITED"}


def test_a_socket_that_cannot_be_opened_is_closed(
    shop: Shop, connect: Callable[..., Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told why, then 1013; nothing of it is left, and the next one is whole."""
    user = shop.account()
    with monkeypatch.context() as patch:
        patch.setattr(Rooms, "join", failing)
        socket = connect(shop, user)
        socket.until(lambda: socket.closed)
    assert [one["type"] for one in socket.came] == ["connected", "error"]
    assert (socket.came[1]["error"]["code"], socket.closed) == ("UNAVAILABLE", (1013, "Try again later"))
    assert connect(shop, user).ask("list_members", room="global")["members"] == [user.id]


def test_a_failure_is_the_answer_to_its_message(
    shop: Shop, connect: Callable[..., Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database refuses is told with the message's own id."""
    socket = connect(shop, shop.account())
    monkeypatch.setattr(Rooms, "look", failing)
    assert socket.code("list_members", room="global") == "UNAVAILABLE"


def test_who_could_not_leave_is_in_the_room(
    shop: Shop, connect: Callable[..., Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leaving that failed changed nothing: what was said meanwhile comes, in order; then leaving works."""
    ada, bob = connect(shop, shop.account()), connect(shop, shop.account())
    for one in (ada, bob):
        one.ask("join_room", room="den")
    whole = Rooms.leave

    async def slow(rooms: Rooms, room: str, _connection: str) -> None:
        await rooms.say(room, shop.admin.id, "meanwhile")
        await asyncio.sleep(0.1)
        failing()

    monkeypatch.setattr(Rooms, "leave", slow)
    assert ada.code("leave_room", room="den") == "UNAVAILABLE"
    monkeypatch.setattr(Rooms, "leave", whole)
    bob.ask("query", name="roomHistory", parameters={"room": "den"})
    bob.say({"type": "message", "room": "den", "content": "after"})
    ada.until(lambda: len([one for one in ada.came if one["type"] == "message"]) == 2)
    assert [one["message"]["content"] for one in ada.others("message")] == ["meanwhile", "after"]
    assert ada.ask("leave_room", room="den")["type"] == "room_left"
    assert len(bob.ask("list_members", room="den")["members"]) == 1
    assert [one for one in ada.others("user_left") if one["room"] == "den"] == []


def test_who_could_not_subscribe_hears_what_he_heard(
    shop: Shop, connect: Callable[..., Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscription that failed leaves the one before it; one that takes its place tells nothing twice."""
    seller, one, other = shop.account("seller"), shop.category("One"), shop.category("Other")
    socket, all_of_it = connect(shop), connect(shop)
    socket.ask("subscribe", channel="products", categoryId=one)
    all_of_it.ask("subscribe", channel="products")
    with monkeypatch.context() as patch:
        patch.setattr(Feed, "newest", failing)
        assert socket.code("subscribe", channel="products", categoryId=other) == "UNAVAILABLE"
    made = [shop.product(seller, categoryId=category)["id"] for category in (one, other)]
    all_of_it.until(lambda: len([one for one in all_of_it.came if one["type"] == "event"]) == 2)
    told = socket.ask("subscribe", channel="products")
    made.append(shop.product(seller, categoryId=other)["id"])
    socket.until(lambda: socket.came[-1]["type"] == "event" and socket.came[-1]["event"]["id"] == made[2])
    events = socket.others("event")
    assert [event["event"]["id"] for event in events] == [made[0], made[2]]
    assert events[0]["position"] <= told["position"] < events[1]["position"]


def test_pings_do_not_keep_a_session_that_is_over(
    shop: Shop, connect: Callable[..., Socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expired session is seen by the clock, whatever its client sends meanwhile."""
    user, now_s = shop.account(), time.monotonic()
    monkeypatch.setattr("reference_impl.realtime.standing.time", SimpleNamespace(monotonic=lambda: now_s))
    socket = connect(shop, user)
    assert socket.ask("ping")["type"] == "pong"
    expire(shop, user)
    now_s += shop.application.settings.realtime.heartbeat_s
    socket.say({"type": "ping"})
    socket.until(lambda: socket.closed)
    assert socket.closed == (1008, "Session over")
    assert len([one for one in socket.came if one["type"] == "pong"]) == 1


@pytest.mark.parametrize("by", ["revoked", "suspended"])
def test_a_socket_ends_with_its_key(open_shop: Callable[..., Shop], connect: Callable[..., Socket], by: str) -> None:
    """A key that is revoked, or whose user is suspended, closes what was opened with it at once."""
    shop = open_shop(heartbeat_s=600.0, silence_s=600.0)
    user = shop.account()
    key = shop.send("POST", "/auth/keys", user, json={"name": "Socket", "scopes": ["read"]}).json()
    socket, stays = connect(shop, x_api_key=key["key"]), connect(shop, shop.account())
    if by == "revoked":
        assert shop.send("DELETE", f"/auth/keys/{key['id']}", user).status_code == 204
    else:
        body = {"ids": [user.id], "status": "suspended"}
        assert shop.send("PATCH", "/bulk/users/status", shop.admin, json=body).json()["updated"] == 1
    socket.until(lambda: socket.closed)
    assert (socket.closed, stays.ask("ping")["type"]) == ((1008, "Session over"), "pong")


@pytest.mark.engines("sqlite")
def test_a_slow_socket_holds_no_more_than_it_may(
    open_shop: Callable[..., Shop], connect: Callable[..., Socket]
) -> None:
    """A client that takes nothing is let go when more bytes wait than may, however few messages they are."""
    shop = open_shop(waiting_bytes=4096, room_messages=1000)
    slow, publisher = connect(shop, shop.account()), connect(shop, shop.admin)
    slow.ask("subscribe", channel="announcements")
    slow.takes.clear()
    for _ in range(6):
        assert publisher.ask("publish", channel="announcements", data={"text": "x" * 1000})["type"] == "published"
    slow.takes.set()
    slow.until(lambda: slow.closed)
    assert slow.closed == (1013, "Too slow")
    assert len([one for one in slow.came if one["type"] == "event"]) <= 4


@pytest.mark.engines("sqlite")
def test_a_beat_that_fails_is_followed_by_the_next(
    open_shop: Callable[..., Shop],
    connect: Callable[..., Socket],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error that nobody expected is told in the log; the worker goes on to say that it lives."""
    shop = open_shop(heartbeat_s=0.01)
    beats: list[None] = []
    whole = Hub.beat

    async def beat(hub: Hub) -> None:
        beats.append(None)
        if len(beats) == 1:
            raise RuntimeError("a fault")
        await whole(hub)

    monkeypatch.setattr(Hub, "beat", beat)
    socket = connect(shop, shop.account())
    while len(beats) < 3:
        socket.ask("ping")
    assert "Renewing the sockets of alpha failed" in caplog.text
