"""A replay fills what came from elsewhere by its place: whatever the numbers are, the requests are the same."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import Exchange, Request, Response
from harness.identities import ANONYMOUS, Identity
from harness.sequence import cut
from tests.unit.harness.test_sequence import ADA, Library, post, sent_again


class Counted(Library):
    """An API whose ids are integers, counted for each kind of thing from a start of its own."""

    def __init__(self, starts: dict[str, int]) -> None:
        super().__init__("n")
        self.counters = {name: count(start) for name, start in starts.items()}

    def answer(self, request: Request) -> Response:
        """Makes a thing with the next id of its kind; all else is answered 200 with what was sent."""
        kind, body = request.path.split("/")[1], request.json()
        if request.method == "POST" and request.path.count("/") == 1:
            body = {**body, "id": next(self.counters[kind])}
            return Response(201, (), json.dumps(body).encode())
        return Response(200, (), b"{}")


PROGRAM = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9), st.sampled_from(["order", "read", "put"])),
    min_size=1,
    max_size=5,
)
STARTS = st.fixed_dictionaries({"shelves": st.integers(1, 4), "books": st.integers(1, 4), "orders": st.integers(1, 4)})


def played(library: Counted, program: list[tuple[int, int, int, str]]) -> None:
    """Makes two shelves and two books, then does what the program says with them."""
    made: dict[str, list[int]] = {"shelves": [], "books": [], "orders": []}

    def make(kind: str, body: dict[str, Any]) -> None:
        response = library.send(post(f"/{kind}", f"{kind}.add", body)).response
        assert response is not None
        made[kind].append(response.json()["id"])

    for number in range(2):
        make("shelves", {"height": number})
    for number in range(2):
        make("books", {"shelfId": made["shelves"][number], "pages": number + 1})
    for one, other, quantity, what in program:
        book, shelf = made["books"][one % 2], made["shelves"][other % 2]
        if what == "order":
            make("orders", {"items": [{"bookId": book, "quantity": quantity}], "shelfId": shelf, "total": quantity})
        elif what == "put":
            body = json.dumps({"shelfId": shelf, "pages": quantity}).encode()
            library.send(Request("PUT", f"/books/{book}", "books.put", body=body))
        else:
            query = (("bookId", str(book)), ("page", str(quantity)))
            library.send(Request("GET", f"/shelves/{shelf}", "shelves.get", query=query))


@given(PROGRAM, STARTS, STARTS)
def test_the_same_requests_but_for_the_ids(
    program: list[tuple[int, int, int, str]], old: dict[str, int], new: dict[str, int]
) -> None:
    """Ids that count from elsewhere are followed in path, query and body; quantities, pages and totals stay."""
    recorded, expected = Counted(old), Counted(new)
    played(recorded, program)
    played(expected, program)
    steps = cut(recorded.history, [exchange.id for exchange in recorded.history])
    again = sent_again(list(json.loads(json.dumps(steps))), Counted(new))
    assert again.reason == ""
    assert [_shown(exchange.request) for exchange in again.exchanges] == [
        _shown(exchange.request) for exchange in expected.history
    ]


def _shown(request: Request) -> tuple[Any, ...]:
    return request.method, request.path, request.query, request.json()


def _exchange(number: int, request: Request, body: Any = None, status: int = 201) -> Exchange:
    data = json.dumps(body).encode() if body is not None else b""
    return Exchange(f"e-{number}", request, Response(status, (), data), number, number, number)


class Any2xx(Library):
    """Answers everything with one body."""

    def __init__(self, body: Any) -> None:
        super().__init__("any")
        self.body = body

    def answer(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        """The body."""
        return Response(201, (), json.dumps(self.body).encode())


def test_new_values_do_not_run_into_each_other() -> None:
    """Two ids that change places are each replaced once: what one became is not taken for the other."""
    history = [
        _exchange(1, post("/books", "books.add", {"pages": 1}), {"id": "aaaaaaa1"}),
        _exchange(2, post("/shelves", "shelves.add", {"pages": 2}), {"id": "bbbbbbb2"}),
        _exchange(3, post("/books", "books.add", {"ids": ["aaaaaaa1", "bbbbbbb2"]})),
    ]

    class Swapped(Library):
        def answer(self, request: Request) -> Response:
            told = {"/books": b'{"id": "bbbbbbb2"}', "/shelves": b'{"id": "aaaaaaa1"}'}
            return Response(201, (), told[request.path])

    again = sent_again(list(cut(history, ["e-3"])), Swapped("s"))
    assert again.exchanges[-1].request.json() == {"ids": ["bbbbbbb2", "aaaaaaa1"]}


def test_a_new_name_is_the_same_in_every_step() -> None:
    """Who is registered under a new address logs in under it, and is looked for by it."""
    account = {"email": "someone@example.test", "password": "[masked]"}
    history = [
        _exchange(1, post("/register", "register", account), {"id": "u-000001"}),
        _exchange(2, post("/login", "login", account), status=200),
        _exchange(3, Request("GET", "/users", "users.list", query=(("email", "someone@example.test"),)), status=200),
    ]
    again = sent_again(list(cut(history, ["e-1", "e-2", "e-3"])), Any2xx({"id": "u-000002"})).exchanges
    new = again[0].request.json()["email"]
    assert new != "someone@example.test"
    assert (again[1].request.json()["email"], dict(again[2].request.query)["email"]) == (new, new)


def test_an_identity_s_facts_are_replaced_by_place() -> None:
    """A fact that is a number is an id where an id stands, and no quantity."""
    who = Identity("ada", ("writer",), facts={"name": "1"})
    body = {"writerId": 1, "quantity": 1}
    steps = cut([_exchange(1, post("/books", "books.add", body, who))], ["e-1"])
    steps[0]["identity"]["facts"] = {"id": "1"}
    again = sent_again(list(steps), Any2xx({})).exchanges[-1].request.json()
    assert again["quantity"] == 1


def test_a_made_up_credential_is_made_up_again() -> None:
    """What nobody sent in a credential's header goes out anew, an identity's own masked credential does not."""
    sent = (("authorization", "Bearer [masked]"), ("cookie", "sid=[masked]"), ("X-Key", "plain"))
    history = [
        _exchange(1, Request("GET", "/books", "books.get", headers=sent, identity=ANONYMOUS), status=200),
        _exchange(2, Request("GET", "/books", "books.get", headers=sent, identity=ADA), status=200),
    ]
    first, second = sent_again(list(cut(history, ["e-1", "e-2"])), Any2xx({})).exchanges
    headers = dict(first.request.headers)
    assert headers["authorization"].startswith("Bearer made-up-")
    assert headers["cookie"].startswith("sid=made-up-")
    assert second.request.headers == (("X-Key", "plain"),)
    assert "[masked" not in repr(first.request.headers)
