"""The shortest sequence: cut out of a history, and sent again to a target that knows nothing of it."""

from __future__ import annotations

import json
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from harness.actors import Actors
from harness.case import Case
from harness.contract import Contract
from harness.drive import Driven, drive
from harness.exchange import Exchange, Request, Response
from harness.identities import ANONYMOUS, Identity
from harness.sequence import cut, replayed
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/shelves": {"post": {"operationId": "shelves.add"}},
        "/books": {"post": {"operationId": "books.add"}},
        "/books/{id}": {"get": {"operationId": "books.get"}, "put": {"operationId": "books.put"}},
    },
}
ADA = Identity("ada", ("writer",), headers=(("Authorization", "Bearer a"),))


class Library:
    """A small API in memory: shelves, and books that stand on one, each with a version in its ETag."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.numbers = count(1)
        self.things: dict[str, dict[str, Any]] = {}
        self.history: list[Exchange] = []

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """Answers one request."""
        response = self.answer(request)
        number = len(self.history)
        exchange = Exchange(f"{self.prefix}-{number}", request, response, number, number, number, case=case)
        self.history.append(exchange)
        return exchange

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Answers each in order."""
        return tuple(self.send(request, case=case) for request in requests)

    def answer(self, request: Request) -> Response:
        """The response of this API."""
        parts, body = request.path.strip("/").split("/"), request.json()
        if request.method == "POST":
            if parts[0] == "books" and body.get("shelfId") not in self.things:
                return Response(409)
            if any(body.get("title") == thing.get("title") for thing in self.things.values()):
                return Response(409)
            thing = {**body, "id": f"{self.prefix}-{parts[0]}-{next(self.numbers)}"}
            self.things[thing["id"]] = thing
            return self.shown(201, thing)
        known = self.things.get(parts[1])
        if known is None:
            return Response(404)
        if request.method == "PUT":
            if dict(request.headers).get("If-Match") != self.tag(known):
                return Response(412)
            known |= body
        return self.shown(200, known)

    def tag(self, thing: dict[str, Any]) -> str:
        """The version of a thing, which differs from library to library."""
        return f'"{self.prefix}/{len(json.dumps(thing))}"'

    def shown(self, status: int, thing: dict[str, Any]) -> Response:
        """A thing with its version."""
        return Response(status, (("ETag", self.tag(thing)),), json.dumps(thing).encode())


def post(path: str, operation: str, body: dict[str, Any], who: Identity = ANONYMOUS) -> Request:
    """A request that makes a thing."""
    return Request("POST", path, operation, body=json.dumps(body).encode(), identity=who)


def stage() -> Stage:
    """A stage over the library's contract, with one identity to be had."""
    known = {"known": [{"name": "writer-1", "roles": ["writer"], "token": "fresh-token"}]}
    return Stage(Contract.read(DOCUMENT, "t"), Actors(known), Random(0), "n0nc")


@pytest.fixture
def recorded() -> tuple[Library, list[dict[str, Any]]]:
    """A history in which a book was made and changed among other calls, cut for the change."""
    library = Library("old")
    library.send(post("/shelves", "shelves.add", {"title": "unused shelf"}))
    shelf = library.send(post("/shelves", "shelves.add", {"title": "the shelf"})).response
    assert shelf is not None
    library.send(Request("GET", "/books/nothing", "books.get"))
    book = library.send(post("/books", "books.add", {"title": "the book", "shelfId": shelf.json()["id"]}, ADA)).response
    assert book is not None
    made = book.json()["id"]
    library.send(Request("GET", f"/books/{made}", "books.get"))
    changed = library.send(
        Request(
            "PUT",
            f"/books/{made}",
            "books.put",
            headers=(("If-Match", book.header("ETag") or ""), ("Content-Length", "14")),
            body=b'{"pages": 12}',
            identity=ADA,
        )
    )
    assert changed.status == 200
    return library, list(cut(library.history, [changed.id]))


def sent_again(steps: Sequence[dict[str, Any]], library: Library) -> Driven:
    """Drives the steps against another library."""
    case = Case("replay", "books.put", "n", lambda on: replayed(on, steps))
    return drive(case, stage(), library, sleep=lambda _: None)


def test_only_what_the_witness_needs_is_kept(recorded: tuple[Library, list[dict[str, Any]]]) -> None:
    """The shelf and the book that the change stands on are taken, reads and strangers are not; the order is kept."""
    _, steps = recorded
    assert [step["operation"] for step in steps] == ["shelves.add", "books.add", "books.put"]


def test_a_sequence_goes_through_json(recorded: tuple[Library, list[dict[str, Any]]]) -> None:
    """Steps stand in findings.jsonl; what is read back drives the same requests."""
    _, steps = recorded
    assert json.loads(json.dumps(steps)) == steps


def test_fresh_data_takes_the_place_of_old(recorded: tuple[Library, list[dict[str, Any]]]) -> None:
    """On a library that never saw the old ids, ids, ETag and titles are its own, and the change happens again."""
    _, steps = recorded
    fresh = Library("new")
    driven = sent_again(steps, fresh)
    assert driven.reason == ""
    assert [exchange.status for exchange in driven.exchanges] == [201, 201, 200]
    assert "old-" not in json.dumps(fresh.things)
    assert [thing.get("pages") for thing in fresh.things.values()] == [None, 12]


def test_a_sequence_can_be_sent_twice_to_one_target(recorded: tuple[Library, list[dict[str, Any]]]) -> None:
    """Members that must be unique are new, so that a second replay does not meet what the first left behind."""
    library, steps = recorded
    assert [exchange.status for exchange in sent_again(steps, library).exchanges] == [201, 201, 200]


def test_an_identity_is_had_again_by_its_role(recorded: tuple[Library, list[dict[str, Any]]]) -> None:
    """Who sent a step is replaced by an identity of the same role; nobody stays nobody, and no credential is kept."""
    _, steps = recorded
    assert "Bearer a" not in json.dumps(steps)
    who = [exchange.request.identity.name for exchange in sent_again(steps, Library("new")).exchanges]
    assert who == ["anonymous", "writer-1", "writer-1"]


def test_what_a_step_needs_and_does_not_get_is_told(recorded: tuple[Library, list[dict[str, Any]]]) -> None:
    """Where a target refuses a step that a later one stands on, the replay cannot tell, and says which."""
    _, steps = recorded

    class Refusing(Library):
        def answer(self, request: Request) -> Response:
            return Response(503) if request.path == "/shelves" else super().answer(request)

    assert sent_again(steps, Refusing("new")).reason == "step 1 of the sequence answered 503 and told no /id"


def test_a_witness_that_is_not_there_gives_no_steps() -> None:
    """Without its witness a finding has no sequence."""
    assert cut([], ["gone-1"]) == ()


def test_numbers_are_followed_too() -> None:
    """An id that is a number is replaced in path and body as a number."""
    made = Exchange("a", post("/books", "books.add", {"title": "b"}), Response(201, (), b'{"id": 7}'), 0, 0, 0)
    body = b'{"bookId": 7, "count": 77}'
    used = Exchange("b", Request("PUT", "/books/7", "books.put", body=body), Response(200), 1, 1, 1)
    steps = cut([made, used], ["b"])

    class Numbers(Library):
        def answer(self, request: Request) -> Response:
            return Response(201, (), b'{"id": 1234}') if request.method == "POST" else Response(200)

    again = sent_again(steps, Numbers("new")).exchanges[-1].request
    assert (again.path, again.json()) == ("/books/1234", {"bookId": 1234, "count": 77})
