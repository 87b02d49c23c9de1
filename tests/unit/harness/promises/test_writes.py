"""The promise `writes`: an API that changes nothing where it refuses, and ones that do, or that round."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.promises.writes import PROMISE, bounds, numbers
from harness.promises.writes.cases import cases
from tests.unit.harness.promises.desk_api import MEMBERS, TOP, Desk, document, examined

CAUGHT = {
    "writes first": {("writes.refused-effect", "folders.update"), ("writes.refused-effect", "folders.replace")},
    "makes refused": {("writes.refused-made", "folders.create")},
    "one less": {("writes.bound", name) for name in ("folders.create", "folders.update", "folders.replace")},
    "floats": {("writes.number", "folders.create")},
    "cuts": {("writes.number", "folders.create")},
    "single": {("writes.number", "folders.create")},
    "hundredths": {("writes.number", "folders.create")},
    "ascii": {("writes.text", "folders.create")},
    "escapes": {("writes.text", "folders.create")},
    "adds": {("writes.put-again", "folders.replace")},
    "merges": {("writes.put-replaces", "folders.replace")},
}


def faults(desk: Desk) -> set[tuple[str, str]]:
    """Code and operation of what is found."""
    return {(item.code, item.operation) for verdict in examined(PROMISE, desk) for item in verdict.findings}


def test_an_api_that_keeps_to_it_has_no_findings() -> None:
    """Each case of each write examines something, and nothing is found."""
    verdicts = examined(PROMISE, Desk())
    assert [verdict.findings for verdict in verdicts if verdict.findings] == []
    assert [(verdict.operation, verdict.examined > 0) for verdict in verdicts] == [
        *[("folders.create", True)] * 3,
        *[("folders.replace", True)] * 3,
        *[("folders.update", True)] * 2,
    ]


@pytest.mark.parametrize("defect", CAUGHT)
def test_a_wrong_write_is_found(defect: str) -> None:
    """Each is found at its operation, and nothing else is."""
    assert faults(Desk(frozenset({defect}))) == CAUGHT[defect]


def test_what_is_refused_within_its_bound_too_is_no_finding() -> None:
    """A stock, a quota or a rule of the API's own refuses what stands at a bound, and what is next to it."""

    class Stocked(Desk):
        def _within(self, value: Any) -> bool:
            return super()._within(value) and not (isinstance(value, int) and value > 1000)

    assert faults(Stocked()) == set()


class Ruled(Desk):
    """A desk with a rule of its own: one that relates members, a quota, names that are taken."""

    rule: Any = None

    def _made(self, body: Any) -> tuple[int, Any]:
        refused = self.rule(self, body) if isinstance(body, dict) and "name" in body else None
        return (refused, None) if refused else super()._made(body)


@pytest.mark.parametrize(
    "rule",
    [
        lambda _desk, body: 422 if body.get("count", 1) >= TOP and body.get("fee", 0) >= 0 and "fee" in body else 0,
        lambda desk, _body: 422 if len(desk.folders) > 2 else 0,
        lambda desk, body: 422 if body["name"] in {folder["name"] for folder in desk.folders.values()} else 0,
    ],
    ids=["members", "quota", "taken"],
)
def test_a_rule_of_the_apis_own_is_no_finding(rule: Any) -> None:
    """What is refused for another member, for how many there are or for whose it is, is not refused for its bound."""
    desk = Ruled()
    desk.rule = rule
    assert [code for code, _ in faults(desk) if code == "writes.bound"] == []


@given(
    st.integers(0, 50), st.integers(0, 50), st.sampled_from(["integer", "number", "string"]), st.sampled_from([1, 0.5])
)
def test_the_edges_of_a_member(low: int, width: int, kind: str, step: float) -> None:
    """Each edge is allowed, as is what stands one step within it; a range of one value or of short texts has none."""
    words = ("minLength", "maxLength") if kind == "string" else ("minimum", "maximum")
    step = 1 if kind != "number" else step
    schema = {"type": kind, words[0]: low, words[1]: low + width, **({"multipleOf": step} if kind == "number" else {})}
    desk = Desk(told=document({"name": schema}))
    found = bounds.edges(desk.contract, desk.contract.by_id["folders.create"])
    sides = {edge.side for edge in found}
    if kind == "string":
        assert sides == ({"most"} if low + width > max(low, 5) else set()) | (
            {"least"} if low >= 5 and width else set()
        )
    else:
        assert sides == ({"most", "least"} if width else set())
    for edge in found:
        assert low <= edge.at <= low + width
        assert low <= edge.within <= low + width
        assert abs(edge.at - edge.within) == step


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "integer", "minimum": 2, "exclusiveMinimum": 0}, [("least", 2)]),
        ({"type": "number", "maximum": 9}, []),
        ({"type": "string", "maxLength": 10.0}, []),
        ({"type": "string", "maxLength": 10, "pattern": 5}, []),
        ({"type": "string", "maxLength": 10, "format": "email"}, []),
        ({"type": ["integer", "null"], "maximum": 5}, [("most", 5)]),
    ],
)
def test_edges_of_unusual_schemas(schema: dict[str, Any], wanted: list[tuple[str, float]]) -> None:
    """The narrower of two bounds counts; a bound of no step, of another form or of no whole length gives no edge."""
    desk = Desk(told=document({"name": schema}))
    found = bounds.edges(desk.contract, desk.contract.by_id["folders.create"])
    assert [(edge.side, edge.at) for edge in found] == wanted


@pytest.mark.parametrize("defect", CAUGHT)
def test_without_a_declaration_what_no_api_means_is_found(defect: str) -> None:
    """That a PUT merges is left to who declares that it replaces; all else is found all the same."""
    wanted = set() if defect == "merges" else CAUGHT[defect]
    assert faults(Desk(frozenset({defect}), told=document())) == wanted


def test_spaces_case_and_composition_of_letters_are_the_apis_own() -> None:
    """An API that trims, that writes in capitals and takes letters apart keeps the words; one that frames them too."""
    assert faults(Desk(frozenset({"trims"}))) == set()
    assert faults(Desk(frozenset({"frames"}))) == set()


@pytest.mark.parametrize(
    ("step", "defect", "found"),
    [
        ({}, "tenths", set()),
        ({}, "hundredths", CAUGHT["hundredths"]),
        ({"multipleOf": 0.01}, "tenths", CAUGHT["hundredths"]),
    ],
)
def test_how_many_decimals_are_kept_is_the_apis_own_where_nothing_tells(
    step: dict[str, float], defect: str, found: set[tuple[str, str]]
) -> None:
    """What is rounded to fewer decimals is kept, unless the document tells the steps; what is cut short is not."""
    fee = {"type": "number", "minimum": 0, "maximum": 1000, **step}
    assert faults(Desk(frozenset({defect}), told=document({**MEMBERS, "fee": fee}))) == found


def test_a_server_error_is_no_refusal() -> None:
    """What ends in a 5xx may have had its effect, so nothing is found and nothing held."""
    verdicts = [item for item in examined(PROMISE, Desk(frozenset({"writes first"}), fault=503)) if item.findings]
    assert verdicts == []


class Lax(Desk):
    """It takes whatever is an object."""

    def _right(self, body: Any) -> bool:
        return isinstance(body, dict)


def test_where_nothing_is_refused_it_says_so() -> None:
    """A verdict on nothing names the call that was to be refused and was taken."""
    told = [item for item in examined(PROMISE, Lax()) if item.operation == "folders.update"]
    assert [item.examined for item in told if item.reason] == [0]
    assert told[-1].reason.startswith("folders.update accepted the last call that it was to refuse: body /")


def test_a_body_of_a_name_alone_is_not_asked_for_refusals() -> None:
    """Where the mark stands in the one member, nothing else can be wrong: that is no fault of the API."""
    told = document()
    name = {"type": "object", "properties": {"name": {"type": "string"}}}
    told["paths"]["/folders"]["post"]["requestBody"]["content"]["application/json"]["schema"] = name
    contract = Desk(told=told).contract
    assert [case.name for case in cases(contract, contract.by_id["folders.create"], Random(1))] == ["numbers"]


def test_it_can_be_switched_off() -> None:
    """`writes: false` leaves the API alone."""
    assert examined(PROMISE, Desk(frozenset(CAUGHT), told=document(writes=False))) == []


@given(sent=st.floats(0, 1e300), kept=st.floats() | st.integers(), stepped=st.booleans())
def test_any_number_can_be_compared(sent: float, kept: float, *, stepped: bool) -> None:
    """No number of JSON is too great to be told, nor is what is none; one that is far off is no rounding."""
    assert not numbers.rounded(sent, kept * 10**400 if isinstance(kept, int) and kept else math.nan, stepped=stepped)
    assert not numbers.rounded(sent, kept, stepped=stepped) or kept != sent
    assert not numbers.rounded(sent, sent, stepped=stepped)


@given(st.integers(0, 2**70))
def test_a_number_is_only_itself(value: int) -> None:
    """What was kept as it was sent is never taken for rounded; one more in the last place is."""
    assert not numbers.rounded(value, value)
    assert value < 1000 or numbers.rounded(value, value + 1)


@given(st.integers(2**53 + 1, 2**64).filter(lambda value: int(float(value)) != value))
def test_a_float_is_rounded(value: int) -> None:
    """An integer that passed a float is told, and its last 32 bits are too."""
    assert numbers.rounded(value, int(float(value)))
    assert numbers.rounded(value, value % 2**32)
