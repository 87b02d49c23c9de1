"""The vocabulary of journeys, walked without a network."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from harness.identities import Identity
from harness.load.journey import Briefing, Route, Step, headers_of, pick, walk
from harness.load.reply import Reply

if TYPE_CHECKING:
    from harness.load.journey import Journey, Visit


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


def test_routes_are_picked_by_weight() -> None:
    """A route of weight 3 is walked three times as often as one of weight 1."""

    def stay(_: Visit) -> Journey[None]:
        yield Step("a", "GET", "/")

    random = Random(1)
    names = [pick((Route("often", 3, stay), Route("seldom", 1, stay)), random).name for _ in range(4000)]
    assert abs(names.count("often") - 3000) < 150


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
