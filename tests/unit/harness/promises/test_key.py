"""The promise `key`: an API whose keys end as they are told to, however it does so, and ones whose keys hold on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.mask import Mask
from harness.promises.annotations import problems
from harness.promises.catalogue import PROMISES
from harness.promises.key import life
from harness.promises.key.cases import parts_of
from harness.verdict import Status
from tests.unit.harness.promises.key_api import LIST, MOMENT, SECONDS, TOLD, Keys, document, driven, examined

DEFECTS = {"revoked": "key.revoked", "ended": "key.ended", "scope": "key.scope", "acts": "key.effect"}
WORDS = {"type": "string", "minLength": 1}


def without(*names: str, **more: Any) -> dict[str, Any]:
    """The annotation without some of its members."""
    return {**{name: value for name, value in TOLD.items() if name not in names}, **more}


@given(
    st.fixed_dictionaries(
        {
            "scheme": st.sampled_from(["header", "cookie", "bearer"]),
            "end": st.sampled_from([SECONDS, MOMENT]),
            "scopes": st.sampled_from([LIST, WORDS]),
            "needed": st.sampled_from([(), ("expiresIn",)]),
        }
    ),
    st.fixed_dictionaries(
        {
            "refusal": st.sampled_from([400, 401, 403, 404]),
            "step_s": st.floats(0.001, 0.4),
            "now_s": st.floats(1_700_000_000, 1_700_000_001),
        }
    ),
    st.sampled_from([TOLD, without("until"), without("revoke"), without("end", "until"), without("scopes", "grants")]),
)
def test_an_api_whose_keys_end_has_no_findings(
    ways: dict[str, Any], course: dict[str, Any], told: dict[str, Any]
) -> None:
    """Keys that are presented, asked to end and refused in any of the usual ways keep the promise."""
    verdict = examined(Keys(told=document(told, **ways), **course))
    assert verdict.findings == ()
    if "end" in told or not ways["needed"]:
        assert (verdict.status, verdict.reason) == (Status.PASS, "")
        assert verdict.examined == 5 + ("end" in told) + 2 * ("scopes" in told)


@given(st.floats(0, 2), st.sampled_from([SECONDS, MOMENT]))
def test_what_comes_true_within_the_time_that_is_told_is_waited_for(late_s: float, end: Any) -> None:
    """Revocation and end may be as late as declared, as where keys are kept in a cache."""
    api = Keys(told=document({**TOLD, "within_s": 2}, end=end), late_s=late_s, grace_s=late_s)
    verdict = examined(api)
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("end", [SECONDS, MOMENT], ids=["seconds", "moment"])
def test_a_key_that_holds_on_is_found(defect: str, end: Any) -> None:
    """A key taken after revocation or end, or beyond its scopes, is one finding, whatever it opened."""
    found = examined(Keys(frozenset({defect}), document(end=end))).findings
    assert [(item.code, item.kind) for item in found] == [
        (DEFECTS[defect], "read" if defect in {"scope", "acts"} else "")
    ]


def test_a_part_of_a_key_that_is_taken_is_found() -> None:
    """A key that is told by its beginning is one finding, of the first part that is let in."""
    (found,) = examined(Keys(frozenset({"begins"}))).findings
    assert (found.code, found.seen) == ("key.part", "listPets answered 200 to a part of a key.")


@given(st.text("ab_-.", min_size=2, max_size=30), st.sampled_from(["", "=", "=="]))
def test_the_parts_of_a_key(key: str, filled: str) -> None:
    """Each part is a beginning of the key, none is empty, the key itself or sent twice, and few are sent."""
    parts = parts_of(key + filled)
    assert key[:-1] in parts
    assert all(part and key.startswith(part) and part != key for part in parts)
    assert len(parts) == len(set(parts)) <= 7


def test_an_id_before_the_secret_is_a_part() -> None:
    """Of a key that begins with an id, the id alone is tried, whatever marks stand in it."""
    assert "6f1e-77aa-90bc" in parts_of("6f1e-77aa-90bc.c2VjcmV0")


def test_one_route_without_the_check_is_found() -> None:
    """Each operation that a scope does not grant is tried."""
    (found,) = examined(Keys(frozenset({"one route"}))).findings
    assert (found.code, found.kind, found.seen) == ("key.scope", "read", "updatePet answered 200.")


@pytest.mark.parametrize(
    ("defect", "reason"),
    [
        ("open", "listPets lets nobody in as well"),
        ("knows none", "listPets answered 401 to a fresh key"),
    ],
)
@pytest.mark.parametrize("fault", ["revoked", "ended", "scope"])
def test_without_a_fresh_key_that_is_let_in_nothing_is_told(defect: str, reason: str, fault: str) -> None:
    """Where the read tells nothing of keys there is no finding and no pass."""
    verdict = examined(Keys(frozenset({defect, fault})))
    assert (verdict.status, verdict.examined, verdict.findings) == (Status.INCONCLUSIVE, 0, ())
    assert reason in verdict.reason


@pytest.mark.parametrize("defect", ["fails", "falls silent"])
def test_a_server_error_is_no_refusal(defect: str) -> None:
    """A 5xx or no answer to a key that has ended is neither a finding nor a pass."""
    verdict = examined(Keys(frozenset({defect})))
    assert (verdict.status, verdict.findings, verdict.examined) == (Status.INCONCLUSIVE, (), 6)


def test_a_longer_life_than_was_asked_for_is_not_accused() -> None:
    """An API that issues keys for a minute at least, and says so, lets them in within it."""
    verdict = examined(Keys(frozenset({"longer"})))
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert "told a later end than was asked for" in verdict.reason


@given(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.just(10**400), st.text(max_size=12),
        st.lists(st.integers(), max_size=1), st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    )
)  # fmt: skip
def test_an_end_of_any_form_is_read(until: Any) -> None:
    """Whatever an API answers where it tells the end, it is over or not told to be, and nothing breaks."""
    request = Request("POST", "/keys")
    issued = Exchange("x1", request, Response(201, (), json.dumps({"expiresAt": until}).encode()), 0, 0, 0)
    now = Exchange("x2", request, Response(200, (("Date", "Wed, 15 Nov 2023 00:00:00 GMT"),)), 0, 0, 0)
    assert isinstance(life.is_over(TOLD, issued, now), bool)


def test_an_end_that_is_a_little_late_is_not_accused() -> None:
    """A key let in once just after its end is asked again before anything is told."""
    verdict = examined(Keys(told=document(without("until")), grace_s=1.0))
    assert (verdict.status, verdict.findings) == (Status.PASS, ())


@pytest.mark.parametrize(
    ("told", "end", "dated", "reason"),
    [
        (TOLD, {"type": "integer", "minimum": 60}, True, "issues keys for 60 s at least"),
        (without(unit_s=86400), SECONDS, True, "issues keys for 86400 s at least"),
        (TOLD, MOMENT, False, "tells no Date"),
        (without(scheme="other"), SECONDS, True, "x-promises.key.scheme is 'other'"),
        (without(credential="/secret"), SECONDS, True, "answered no text at '/secret'"),
    ],
)
def test_what_cannot_be_tried_is_told(told: dict[str, Any], end: Any, reason: str, *, dated: bool) -> None:
    """A part that cannot be examined makes it INCONCLUSIVE and says why."""
    verdict = examined(Keys(told=document(told, end=end), dated=dated))
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert reason in verdict.reason


def test_a_scheme_without_a_name_is_told() -> None:
    """A header of no name carries no key."""
    told = document()
    told["components"]["securitySchemes"]["key"] = {"type": "apiKey", "in": "header"}
    verdict = examined(Keys(told=told))
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert "x-promises.key.scheme is 'key'" in verdict.reason


def test_the_end_is_waited_for_beside_the_rest() -> None:
    """What other keys took is taken off the wait, which stays below two seconds."""
    api = Keys(step_s=0.05)
    began_s = api.now_s
    assert examined(api).status is Status.PASS
    assert api.now_s - began_s < 2


def test_keys_are_masked() -> None:
    """Every request that issues a key tells where its secret stands; a part that tells much of it is masked too."""
    mask = Mask()
    done = driven(Keys(), secret=mask.register)
    issued = [exchange for exchange in done.exchanges if exchange.operation == "addKey"]
    assert len(issued) == 3
    for exchange in issued:
        assert exchange.request.secret_pointers == ("/key",)
        mask.learn(exchange.response.json() if exchange.response else None, exchange.request.secret_pointers)
    assert "secret-of-key-" not in "".join(str(mask.record(exchange.to_record())) for exchange in done.exchanges)


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (without(revoke="removeKey"), "'removeKey', which is no operationId"),
        (without(grants={"read": ["GET", "getPets"]}), "'getPets', which is no method and no operationId"),
        (without("grants"), '"grants" is a required property'),
        (without("scheme"), '"scheme" is a required property'),
    ],
)
def test_a_wrong_annotation_is_told(told: dict[str, Any], problem: str) -> None:
    """A name that the document does not have, and a member without its other, is a problem of the contract."""
    found = problems(Contract.read(document(told), "keys"), PROMISES)
    assert [problem in item for item in found] == [True]
