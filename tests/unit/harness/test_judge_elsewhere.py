"""What is answered to calls of no operation is told once, at a path of the document, and shown again by its request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import judge
from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.finding import Confirmation
from harness.identities import ANONYMOUS, Identity
from harness.render import assertion
from harness.replay import Answer, _answered
from harness.run import Attachment, Run, freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.finding import Finding

READ = {"responses": {"200": {"description": "fine"}}}
ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
CONTRACT = Contract(
    {
        "openapi": "3.1.0",
        "info": {"title": "Two", "version": "1"},
        "x-promises": {"envelope": {"schema": ERROR}, "http": {}},
        "paths": {
            "/one": {"get": {"operationId": "one", **READ}, "post": {"operationId": "more", **READ}},
            "/two/{id}": {"get": {"operationId": "two", **READ}},
        },
    }
)
OURS, THEIRS = b'{"error": "no such method"}', b'{"detail": "Method Not Allowed"}'
PATHS = ("/one", "/two/7", "/two/8", "/nowhere")
WHERE = {"/one": "one", "/two/7": "two", "/two/8": "two", "/nowhere": ""}


def refused(number: int, path: str, body: bytes = THEIRS, who: Identity = ANONYMOUS) -> Exchange:
    """The answer to a method that the path does not have, sent by a case of another promise."""
    request = Request("DELETE", path, "", identity=who)
    response = Response(405, (("Allow", "GET, POST" if path == "/one" else "GET"),), body)
    name = WHERE[path] or "one"
    return Exchange(f"e-{number}", request, response, number, number, number, case=f"http/{name}/answers#1")


def found(history: Sequence[Exchange]) -> list[Finding]:
    """What the envelope's promise says of a history."""
    verdicts = [verdict for verdict in judge.standing(CONTRACT, history) if verdict.promise == "envelope"]
    return [finding for verdict in verdicts for finding in verdict.findings]


@given(st.lists(st.sampled_from(PATHS), min_size=1, max_size=12))
def test_one_fault_of_many_paths_is_one_finding(paths: list[str]) -> None:
    """However many calls show it and in whatever order: it stands at the document's first path among them."""
    history = [refused(number, path) for number, path in enumerate(paths)]
    (finding,) = found(history)
    assert finding.operation == WHERE[min(paths, key=PATHS.index)]
    assert found(history[::-1])[0].fingerprint == finding.fingerprint


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from([b'{"error": "x"}', OURS])), max_size=12))
def test_answers_in_the_declared_shape_are_no_fault(calls: list[tuple[str, bytes]]) -> None:
    """Whatever path was called."""
    assert found([refused(number, path, body) for number, (path, body) in enumerate(calls)]) == []


def test_two_kinds_are_two_findings() -> None:
    """A body that is none and one of another shape are two faults, each at its first path."""
    told = found([refused(1, "/two/7"), refused(2, "/one", b""), refused(3, "/nowhere", b"")])
    assert sorted((item.operation, item.kind) for item in told) == [("one", "405 empty"), ("two", "405 /error missing")]


def test_what_nobody_called_is_shown() -> None:
    """Of the calls of one path that of nobody is the witness: a test of it needs no credential."""
    ada = Identity("ada", ("user",))
    history = [refused(1, "/one", who=ada), refused(2, "/one")]
    whole = judge.reproducible(found(history)[0], history, {item.id: item for item in history})
    assert [step["identity"]["name"] for step in whole.reproduction.steps] == [ANONYMOUS.name]
    assert whole.reproduction.case == ""


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Response], Run]]:
    """A run whose target gives one answer for ever."""
    freeze(CONTRACT, tmp_path)
    attachment = Attachment(str(tmp_path), "http://127.0.0.1:9", 7, {}, {})
    with Run(attachment, "judge", contract=CONTRACT) as run:

        def give(answer: Response) -> Run:
            def send(request: Request, **_: Any) -> Exchange:
                return replace(refused(9, "/one"), request=request, response=answer)

            monkeypatch.setattr(run.recorder, "send", send)
            return run

        yield give


@pytest.mark.parametrize("path", PATHS)
def test_it_is_shown_again_by_its_request(answering: Callable[[Response], Run], path: str) -> None:
    """A second answer of the wrong shape confirms it, one of the right shape says that it is mended."""
    history = [refused(1, path)]
    whole = judge.reproducible(found(history)[0], history, {"e-1": history[0]})
    wrong, right = Response(405, (), THEIRS), Response(405, (), OURS)
    assert judge.confirmed(answering(wrong), whole).confirmation is Confirmation.CONFIRMED
    assert judge.confirmed(answering(right), whole).confirmation is Confirmation.SEEN_ONCE
    assert _answered(whole, judge.again(answering(wrong), whole)).answer is Answer.STILL_FAILS
    assert _answered(whole, judge.again(answering(right), whole)).answer is Answer.FIXED


@pytest.mark.parametrize("path", PATHS)
def test_it_has_a_test_that_stands_alone(path: str) -> None:
    """The line holds the last answer against the envelope of the document."""
    history = [refused(1, path)]
    whole = judge.reproducible(found(history)[0], history, {"e-1": history[0]})
    lines = assertion.asserted(CONTRACT, whole, {}).lines
    assert [line for line in lines if "'error' in value" in line]


@given(st.integers(500, 599), st.sampled_from(["/one", "/nowhere"]))
def test_a_server_that_fails_where_no_operation_is_is_found(status: int, path: str) -> None:
    """At a URL that it told, by a method that a path lacks; what says that it lacks something or waits is spared."""
    call = replace(refused(1, path, OURS), response=Response(status, (), OURS))
    told = [verdict for verdict in judge.standing(CONTRACT, [call]) if verdict.promise == "schema"]
    codes = [(finding.code, finding.operation) for verdict in told for finding in verdict.findings]
    assert codes == ([] if status in {501, 503, 504} else [("schema.server-error", WHERE[path])])
