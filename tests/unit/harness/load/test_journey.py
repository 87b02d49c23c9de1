"""The vocabulary of journeys, walked without a network."""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harness.identities import Identity
from harness.load.journey import Briefing, Ground, Route, Step, Visit, caller, dealt, headers_of, walk
from harness.load.reply import Reply

if TYPE_CHECKING:
    from harness.load.journey import Journey


def answer(status: int) -> Reply:
    """A reply without a body."""
    return Reply(status, ((b"Content-Type", b"text/plain"),), b"", 1, 2)


def test_walking_gives_each_reply_to_the_journey_and_returns_what_it_returns() -> None:
    """A journey decides its next step by the reply to the last."""

    def journey() -> Journey[list[int]]:
        first = yield Step("a", "GET", "/a")
        second = yield Step("b", "GET", f"/b/{first.status}")
        return [first.status, second.status]

    sent: list[str] = []

    def send(step: Step) -> Reply:
        sent.append(step.path)
        return answer(200 + len(sent))

    assert walk(journey(), send) == [201, 202]
    assert sent == ["/a", "/b/201"]


def stay(_: Visit) -> Journey[None]:
    """One step."""
    yield Step("a", "GET", "/")


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.integers(0, 2**32), st.integers(1, 400))
def test_every_stretch_of_dealt_routes_has_each_by_its_weight(weights: list[int], seed: int, count: int) -> None:
    """However short the load, no route is walked more than a few times more or less often than its weight says."""
    routes = [Route(str(number), weight, stay) for number, weight in enumerate(weights)]
    names = [route.name for route in islice(dealt(routes, Random(seed)), count)]
    for route in routes:
        assert abs(names.count(route.name) - count * route.weight / sum(weights)) < 5


def test_a_seed_says_where_dealing_begins() -> None:
    """The same seed deals the same routes, another seed others."""
    routes = [Route(str(number), 1, stay) for number in range(5)]
    first, again, other = ([*islice(dealt(routes, Random(seed)), 20)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_refusal_is_no_surprise_only_where_it_is_expected() -> None:
    """Of the 4xx only those that the step names are expected; no answer and a 5xx never are."""
    step = Step("a", "GET", "/", expected=frozenset({409}))
    assert [step.expects(status) for status in (200, 304, 409, 404, 500, 0)] == [True, True, True, False, False, False]


def test_headers_hold_the_identity_and_the_media_types() -> None:
    """A step with a JSON body says so."""
    who = Identity("ada", headers=(("Authorization", "Bearer token"),))
    expected = {"Accept": "application/json", "Authorization": "Bearer token", "Content-Type": "application/json"}
    assert headers_of(who, json_body=True) == expected


def test_a_briefing_finds_an_identity_by_role() -> None:
    """The first with the role, or none."""
    admin = Identity("ada", ("user", "admin"))
    assert Briefing((Identity("bob", ("user",)), admin)).with_role("admin") == admin
    assert Briefing().with_role("admin") is None


def test_a_reply_reads_headers_and_json_leniently() -> None:
    """Header names have no case, and a body that is no JSON is None."""
    assert answer(200).header("content-type") == "text/plain"
    assert answer(200).json() is None
    assert Reply(200, (), b'{"a": 1}', 0, 0).json() == {"a": 1}


def test_a_call_for_a_role_goes_out_as_someone_who_has_it() -> None:
    """A visitor without the role leaves the call to one who has it; what asks for none it sends itself."""
    admin, guest = Identity("root", ("admin",)), Identity("ann", ("guest",))
    visit = Visit(guest, Random(1), Ground((guest, admin)))
    assert [caller(visit, roles) for roles in ([], ["admin"], ["signed-in"])] == [guest, admin, guest]
