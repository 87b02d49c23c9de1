"""The standing promise `schema` on requests: what fits is no finding, and what breaks a rule and is accepted is one."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.promises.schema import PROMISE

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "things.openapi.json").read_text())
CONTRACT = Contract.read(DOCUMENT, "shop")
ID = "01980000-0000-7000-8000-000000000000"
JSON = (("Content-Type", "application/json"),)
GOOD = {"name": "bowl", "items": [{"quantity": 1}]}
TENANT = (("Tenant", "abc"),)


def exchange(operation: str, request: Request, response: Response | None) -> Exchange:
    """An exchange of the operation."""
    sent = Request(
        request.method, request.path, operation, request.query, request.headers, request.body, request.identity
    )
    return Exchange("e1", sent, response, 0, 0, 1)


def found(operation: str, *exchanges: Exchange) -> list[tuple[str, str]]:
    """The code and kind of every finding."""
    verdict = PROMISE.judge(CONTRACT, CONTRACT.by_id[operation], exchanges)
    return [(finding.code, finding.kind) for finding in verdict.findings]


def created(
    value: Any = None, *, body: bytes | None = None, status: int = 201, headers: Any = JSON
) -> list[tuple[str, str]]:
    """What is found where a create with this body is answered with a thing."""
    data = json.dumps(value).encode() if body is None else body
    answer = Response(status, (*JSON, ("Location", "/things/1")), json.dumps({"id": ID}).encode())
    return found(
        "things.create", exchange("things.create", Request("POST", "/things", headers=headers, body=data), answer)
    )


def listed(*query: tuple[str, str], headers: Any = TENANT) -> list[tuple[str, str]]:
    """What is found where a list with this query is answered with 200."""
    answer = Response(200, JSON, b"[]")
    return found(
        "things.list", exchange("things.list", Request("GET", "/things", query=query, headers=headers), answer)
    )


WORDS = st.text(string.ascii_lowercase, min_size=2, max_size=5)
CENTS = st.integers(1, 10**8).map(lambda cents: cents / 100)
FITTING = st.fixed_dictionaries(
    {"name": WORDS, "items": st.lists(st.fixed_dictionaries({"quantity": st.integers(1)}), min_size=1, max_size=3)},
    optional={
        "kind": st.sampled_from("ab"),
        "mail": st.emails(),
        "note": st.none() | st.text(),
        "price": CENTS,
        "either": st.integers(),
    },
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ANY_JSON = st.recursive(LEAVES, lambda below: st.lists(below) | st.dictionaries(st.text(), below), max_leaves=8)


@given(FITTING)
def test_a_body_that_fits_is_no_finding(value: Any) -> None:
    """Every value that the schema takes may be accepted."""
    assert created(value) == []


@given(st.integers(1, 100), st.sampled_from(["{}", "+{}", "0{}", " {}", "{}.0", "{}e0"]))
def test_a_number_may_be_written_in_any_way_that_servers_read(number: int, form: str) -> None:
    """A query's integer within its bounds is valid in each common spelling."""
    assert listed(("limit", form.format(number))) == []


@given(st.integers().filter(lambda number: not 1 <= number <= 100))
def test_a_number_out_of_bounds_that_is_accepted_is_found(number: int) -> None:
    """A query's integer beyond its bounds is a finding named by the bound."""
    rule = "minimum" if number < 1 else "maximum"
    assert listed(("limit", str(number))) == [("schema.invalid-input-accepted", f"query limit {rule}")]


@given(ANY_JSON, st.sampled_from([200, 201, 400, 404, 500, 503]))
@settings(max_examples=200)
def test_any_body_on_either_side_is_judged_without_an_error(value: Any, status: int) -> None:
    """Whatever JSON was sent and came back, a verdict is given; a refusal is never called accepted."""
    data = json.dumps(value).encode()
    call = exchange("things.create", Request("POST", "/things", headers=JSON, body=data), Response(status, JSON, data))
    codes = [code for code, _ in found("things.create", call)]
    assert status < 300 or "schema.invalid-input-accepted" not in codes


@given(st.binary(max_size=40))
def test_any_bytes_in_a_body_are_judged_without_an_error(data: bytes) -> None:
    """A body that is no text at all gives a verdict too."""
    created(body=data)


@given(
    st.lists(st.tuples(st.sampled_from(["limit", "price", "sort", "open", "tags", "filter"]), st.text()), max_size=4)
)
def test_any_query_is_judged_without_an_error(query: list[tuple[str, str]]) -> None:
    """Whatever stands in a query, a verdict is given."""
    listed(*query)


@pytest.mark.parametrize(
    "query",
    [
        (("limit", ""),),
        (("limit", "500"), ("limit", "5")),
        (("price", "19.99"),),
        (("sort", "ASC"),),
        (("open", "1"),),
        (("open", "True"),),
        (("open", "no"),),
        (("tags", "1"), ("tags", "2")),
        (("tags", "1,2,3"),),
        (("tags[]", "1"),),
        (("filter[a]", "1"),),
        (("unknown", "x"),),
        (("limit", "NaN"),),
        (("limit", "[masked]"),),
        (("limit", "5\ufffd"),),
    ],
)
def test_a_query_about_which_servers_differ_is_no_finding(query: tuple[tuple[str, str], ...]) -> None:
    """Empty, repeated, differently cased, separated and bracketed values are given the benefit of the doubt."""
    assert listed(*query) == []


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (("limit", "-1"), "query limit minimum"),
        (("limit", "abc"), "query limit type"),
        (("limit", "1.5"), "query limit type"),
        (("price", "0.001"), "query price multipleOf"),
        (("sort", "sideways"), "query sort enum"),
        (("open", "maybe"), "query open type"),
        (("tags", "1,2,3,4"), "query tags maxItems"),
    ],
)
def test_a_query_that_breaks_a_rule_is_found_by_place_and_rule(query: tuple[str, str], kind: str) -> None:
    """An accepted query that no reading makes valid is a finding whose kind names parameter and rule."""
    assert listed(query) == [("schema.invalid-input-accepted", kind)]


def test_a_required_header_that_was_not_sent_is_found() -> None:
    """A call without a required header that is answered 200 is a finding."""
    assert listed(headers=()) == [("schema.invalid-input-accepted", "header tenant missing")]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"items": [{"quantity": -1}]}, "body /items/*/quantity minimum"),
        ({"items": [{"quantity": 1.5}]}, "body /items/*/quantity type"),
        ({"items": []}, "body /items minItems"),
        ({"items": [{}]}, "body /items/*/quantity missing"),
        ({"price": 0}, "body /price exclusiveMinimum"),
        ({"price": 0.001}, "body /price multipleOf"),
        ({"total": 0}, "body / extra member"),
        ({"name": "A"}, "body /name minLength"),
        ({"name": "toolong"}, "body /name maxLength"),
        ({"name": "a b"}, "body /name pattern"),
        ({"name": 7}, "body /name type"),
        ({"kind": "c"}, "body /kind enum"),
        ({"mail": "nowhere"}, "body /mail format"),
        ({"either": "x"}, "body /either type"),
    ],
)
def test_a_body_that_breaks_a_rule_is_found_by_place_and_rule(change: dict[str, Any], kind: str) -> None:
    """An accepted body that breaks one rule is a finding whose kind names the member and the rule."""
    assert ("schema.invalid-input-accepted", kind) in created({**GOOD, **change})


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "bowl", "name": "X", "items": [{"quantity": 1}]}',
        b'{"name": "bowl", "items": [{"quantity": 1}], "price": 1e999}',
        b'{"name": "\\ud800", "items": [{"quantity": 1}]}',
        b'{"name": "\xff"}',
        b'{"name": "bowl", "items": [{"quantity": 1}], "price": NaN}',
        b'{"name": "bowl", "items": [{"quantity": 1}],}',
        b'{"name": "[masked password]", "items": [{"quantity": 1}]}',
        b'{"name": "bowl", "items": [{"quantity": 1}], "either": 5}',
        b'{"name": "bowl\\n", "items": [{"quantity": 1}], "mail": "a@b"}',
    ],
)
def test_a_body_about_which_servers_differ_is_no_finding(body: bytes) -> None:
    """Repeated keys, numbers beyond doubles, half characters and masked values get the benefit of the doubt."""
    assert created(body=body) == []


def test_a_body_of_another_media_type_is_no_finding() -> None:
    """What is not declared as JSON, or in another charset, is not judged as JSON."""
    wrong = b'{"name": 1}'
    for content_type in ("text/plain", "application/json; charset=utf-16", "multipart/form-data"):
        assert created(body=wrong, headers=(("Content-Type", content_type),)) == []


def test_a_body_that_is_missing_or_broken_and_accepted_is_found() -> None:
    """An accepted call without its required body, or with half of one, is a finding."""
    assert created(body=b"") == [("schema.invalid-input-accepted", "body missing")]
    assert created(body=b'{"name": ') == [("schema.invalid-input-accepted", "body malformed")]


def test_an_error_told_in_a_200_is_no_acceptance() -> None:
    """A 2xx whose body says that the call failed accepted nothing."""
    answer = Response(201, (*JSON, ("Location", "/")), json.dumps({"id": ID, "errors": ["no"]}).encode())
    call = exchange("things.create", Request("POST", "/things", headers=JSON, body=b'{"name": 1}'), answer)
    assert "schema.invalid-input-accepted" not in [code for code, _ in found("things.create", call)]


def test_a_schema_is_compiled_once() -> None:
    """However many exchanges are judged, so that a load's failures are judged in no time."""
    answer = Response(201, (*JSON, ("Location", "/")), json.dumps({"id": ID}).encode())
    call = exchange("things.create", Request("POST", "/things", headers=JSON, body=json.dumps(GOOD).encode()), answer)
    found("things.create", call)
    compiled = dict(CONTRACT._validators)
    found("things.create", *([call] * 50))
    assert compiled == CONTRACT._validators
    assert compiled
