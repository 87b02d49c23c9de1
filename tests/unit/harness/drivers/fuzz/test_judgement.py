"""What becomes a finding and what a correct API may do, from exchanges alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.drivers.fuzz.bound import bound, differing
from harness.drivers.fuzz.engine import Failed
from harness.drivers.fuzz.judgement import judged, plausible
from harness.exchange import Exchange, Request, Response
from harness.identities import ANONYMOUS, Identity

if TYPE_CHECKING:
    from harness.contract import Contract

USER = Identity("user", headers=(("Authorization", "Bearer x"),))
OTHER = Identity("other", headers=(("Authorization", "Bearer y"),))
ITEM = {"id": "item-1", "name": "a"}


def _exchange(line: str, status: int, body: Any = None, **more: Any) -> Exchange:
    method, path = line.split()
    sent, who, headers = more.get("sent"), more.get("who", USER), more.get("headers", ())
    request = Request(method, path, body=None if sent is None else json.dumps(sent).encode(), identity=who)
    data = b"" if body is None else json.dumps(body).encode()
    response = Response(status, headers, data) if status else None
    return Exchange(f"{line} {status}", request, response, 0, 0, 0)


def _kind(
    contract: Contract, check: str, template: str, exchanges: list[Exchange], *accepted: Exchange, **facts: Any
) -> str | None:
    method, path = template.split()
    failed = Failed(check, method, path, tuple(exchange.id for exchange in exchanges), facts)
    finding = judged(contract, failed, exchanges, accepted)
    return finding and finding.kind


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (200, (), "PATCH accepted"),
        (302, (), None),
        (404, (), None),
        (405, (), "no Allow"),
        (405, (("allow", "GET"),), None),
        (429, (), None),
        (501, (), None),
        (0, (), None),
    ],
)
def test_an_undeclared_method(
    contract: Contract, status: int, headers: tuple[tuple[str, str], ...], kind: str | None
) -> None:
    """Only a success or a 405 without Allow is a fault; no answer says nothing."""
    probe = _exchange("PATCH /items", status, headers=headers)
    assert _kind(contract, "unsupported_method", "GET /items", [probe], method="PATCH") == kind


def test_a_method_that_another_template_serves_is_declared(contract: Contract) -> None:
    """A probe that falls on another operation of the contract was no undeclared method."""
    probe = _exchange("DELETE /items/logout", 204)
    assert _kind(contract, "unsupported_method", "POST /logout", [probe], method="DELETE") is None


@pytest.mark.parametrize(
    ("status", "who", "kind"),
    [
        (200, ANONYMOUS, "no credentials"),
        (200, USER, None),
        (401, ANONYMOUS, None),
        (404, ANONYMOUS, None),
        (429, ANONYMOUS, None),
        (0, ANONYMOUS, None),
    ],
)
def test_a_call_without_credentials(contract: Contract, status: int, who: Identity, kind: str | None) -> None:
    """It is a fault where it succeeds, and where the credentials were really off."""
    exchanges = [_exchange("GET /items", 200, []), _exchange("GET /items", status, [], who=who)]
    assert _kind(contract, "ignored_auth", "GET /items", exchanges, scenario="no_auth") == kind


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (_exchange("GET /items/item-1", 200, ITEM), "read"),
        (_exchange("GET /items/item-1", 200, {**ITEM, "deletedAt": "2026-01-01"}), None),
        (_exchange("GET /items/item-1", 404), None),
        (_exchange("GET /items/item-2", 200, ITEM), None),
    ],
)
def test_a_read_after_deletion(contract: Contract, read: Exchange, kind: str | None) -> None:
    """It is a fault where the thing comes as it was made; a soft delete that shows is none."""
    exchanges = [_exchange("POST /items", 201, ITEM), _exchange("DELETE /items/item-1", 204), read]
    assert _kind(contract, "use_after_free", "GET /items/{id}", exchanges) == kind


@pytest.mark.parametrize(
    ("made", "who", "kind"), [(201, USER, "read"), (202, USER, None), (200, USER, None), (201, OTHER, None)]
)
def test_a_read_of_what_was_just_made(contract: Contract, made: int, who: Identity, kind: str | None) -> None:
    """404 is a fault to the caller whom 201 told that it is there, and to nobody else."""
    exchanges = [_exchange("POST /items", made, ITEM), _exchange("GET /items/item-1", 404, who=who)]
    assert _kind(contract, "ensure_resource_availability", "GET /items/{id}", exchanges) == kind


@pytest.mark.parametrize(
    ("status", "sent", "kind"),
    [
        (400, {"name": "a", "price": 1000}, "maximum body price"),
        (400, {"name": "a", "price": 0}, "minimum body price"),
        (409, {"name": "a", "price": 1000}, None),
        (400, {"name": "a", "price": 500}, None),
        (400, {"name": "b", "price": 1000}, None),
        (400, {"name": "b", "price": 7}, None),
    ],
)
def test_valid_data_that_is_refused(contract: Contract, status: int, sent: dict[str, Any], kind: str | None) -> None:
    """It is a fault at a plain bound, where the same request with another value was accepted."""
    taken = _exchange("POST /items", 201, ITEM, sent={"name": "a", "price": 7})
    refused = _exchange("POST /items", status, {}, sent=sent)
    assert _kind(contract, "positive_data_acceptance", "POST /items", [refused], taken) == kind


def test_an_id_at_its_bound_may_be_refused_for_what_it_names(contract: Contract) -> None:
    """A member that names another thing is not judged by its bounds."""
    exchange = _exchange("POST /items", 400, {}, sent={"categoryId": 1})
    assert bound(contract, contract.by_id["items.create"], exchange, "body", "categoryId") == ""


def test_two_differences_are_none() -> None:
    """Requests that differ in two members say nothing of either."""
    one, other = (_exchange("POST /items", 400, {}, sent=sent) for sent in ({"a": 1, "b": 1}, {"a": True, "b": 2}))
    assert differing(one, other) is None
    assert differing(one, _exchange("POST /items", 400, {}, sent={"a": True, "b": 1})) == ("body", "a")


def test_a_header_left_out_is_a_fault_only_where_it_was_left_out(contract: Contract) -> None:
    """A precondition that is refused with 428 is right, and so is a success of a call that did carry the header."""

    def kind(status: int, name: str) -> str | None:
        exchange = _exchange("GET /items", status)
        return _kind(contract, "missing_required_header", "GET /items", [exchange], header_name=name)

    assert [kind(428, "X-Client"), kind(200, "X-Client"), kind(200, "Authorization")] == [None, "x-client", None]


def test_a_failure_without_all_its_exchanges_is_none(contract: Contract) -> None:
    """What was not sent, or answered by a 429 only, leaves no ground for a finding."""
    failed = Failed("ignored_auth", "GET", "/items", ("a", "b"), {})
    assert judged(contract, failed, [_exchange("GET /items", 200, who=ANONYMOUS)], ()) is None


def test_what_cannot_be_a_finding_does_not_hide_another() -> None:
    """A 404 to a deletion is dropped before Schemathesis counts it as seen; that of a read is kept."""
    check = "ensure_resource_availability"
    assert [plausible(check, {}, method, 404) for method in ("DELETE", "GET")] == [False, True]
