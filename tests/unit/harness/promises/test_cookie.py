"""The promise `cookie`: an API whose browsers write by their own pages only, and ones where others write too."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.mask import Mask
from harness.promises.annotations import problems
from harness.promises.catalogue import PROMISES
from harness.promises.cookie.steps import FOREIGN, LACKING, STOLEN
from harness.verdict import Status
from tests.unit.harness.promises.browser_api import PEOPLE, TOLD, Notes, document, driven, examined

FOUND = {
    "token": {("cookie.forged", LACKING), ("cookie.forged", STOLEN)},
    "whose": {("cookie.forged", STOLEN)},
    "origin": {("cookie.forged", FOREIGN)},
    "DELETE": {("cookie.forged", LACKING), ("cookie.forged", STOLEN), ("cookie.forged", FOREIGN)},
    "PATCH": {("cookie.forged", LACKING), ("cookie.forged", STOLEN), ("cookie.forged", FOREIGN)},
    "POST": {("cookie.forged", LACKING), ("cookie.forged", STOLEN), ("cookie.forged", FOREIGN)},
    "acts": {("cookie.effect", LACKING), ("cookie.effect", STOLEN), ("cookie.effect", FOREIGN)},
}
OUT = {"kept": "cookie.kept", "taken": "cookie.taken", "stuck": "cookie.stuck"}
REMOVALS = [
    "Max-Age=0",
    "max-age=-1",
    "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "Max-Age=--; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
]
METHODS = ("post", "patch", "delete")


def kinds(api: Notes) -> set[tuple[str, str]]:
    """What is found, by code and kind."""
    return {(item.code, item.kind) for item in examined(api).findings}


@given(
    methods=st.lists(st.sampled_from(METHODS), unique=True).map(tuple),
    refusal=st.sampled_from([400, 401, 403, 404]),
    attributes=st.sampled_from(
        ["Path=/; HttpOnly; SameSite=Lax", "samesite=strict;HTTPONLY", "HttpOnly; Secure; SameSite=None"]
    ),
    token_in_body=st.booleans(),
    removal=st.sampled_from(REMOVALS),
)
def test_an_api_whose_browsers_are_guarded_has_no_findings(
    *, methods: tuple[str, ...], refusal: int, attributes: str, token_in_body: bool, removal: str
) -> None:
    """Whatever it refuses with, wherever it tells the token and whichever writes it has."""
    token = {"scheme": "forgery", **({"at": "/token"} if token_in_body else {"cookie": "xsrf"})}
    told = {**TOLD, "token": token, "refused": refusal}
    api = Notes(told=document(told, methods=methods), refusal=refusal, attributes=attributes)
    api.token_in_body, api.removal = token_in_body, removal
    verdict = examined(api)
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")
    assert verdict.examined == 1 + 3 * len({"post", *methods}) + 3


@given(st.sets(st.sampled_from(sorted(FOUND)), min_size=1, max_size=1), st.integers(1, 50))
def test_what_other_sites_can_have_written_is_found(defects: set[str], seed: int) -> None:
    """No token, another session's, a foreign origin, one method that was forgotten, a refusal that acts."""
    (defect,) = defects
    found = {(item.code, item.kind) for item in examined(Notes(frozenset(defects)), seed).findings}
    assert found == FOUND[defect]


@pytest.mark.parametrize(
    ("attributes", "lacking"),
    [
        ("SameSite=Lax", "HttpOnly"),
        ("HttpOnly", "SameSite"),
        ("HttpOnly; SameSite=None", "Secure"),
        ("Path=/", "HttpOnly SameSite"),
    ],
)
def test_a_cookie_without_protection_is_found(attributes: str, lacking: str) -> None:
    """A session that scripts can read, or that goes along with every request of other sites."""
    assert kinds(Notes(attributes=attributes)) == {("cookie.attributes", lacking)}


@pytest.mark.parametrize("defect", OUT)
def test_what_a_sign_out_leaves_is_found(defect: str) -> None:
    """The cookie in the browser, the session at the server, or a browser that cannot sign in again."""
    assert {code for code, _ in kinds(Notes(frozenset({defect})))} == {OUT[defect]}


@pytest.mark.parametrize("removal", ["", "Max-Age=60", "Max-Age=soon", "Expires=Thu, 01 Jan 2099 00:00:00 GMT"])
def test_a_removal_that_removes_nothing_is_found(removal: str) -> None:
    """A cookie that is set to nothing stays in the browser."""
    assert kinds(Notes(removal=removal)) == {("cookie.kept", "")}


@given(st.text(alphabet="-0123456789²٣ ", max_size=6))
def test_an_age_of_any_form_is_read(age: str) -> None:
    """Whatever stands in Max-Age, a cookie is kept or removed, and nothing breaks."""
    assert kinds(Notes(removal=f"Max-Age={age}")) <= {("cookie.kept", "")}


def test_a_sign_out_that_replaces_or_clears_the_cookie_keeps_nothing() -> None:
    """Another session, of nobody, in the old one's place, or the browser that is told to put all its cookies away."""
    for manner in ("replaces", "clears"):
        verdict = examined(Notes(frozenset({manner})))
        assert (verdict.status, verdict.findings) == (Status.PASS, ()), manner
    assert kinds(Notes(frozenset({"replaces", "stays"}))) == {("cookie.taken", "")}
    assert kinds(Notes(frozenset({"repeats"}))) == {("cookie.kept", "")}


def test_the_removal_of_an_older_cookie_at_a_login_is_not_the_sessions() -> None:
    """A cookie of the same name that a former version set on another path is removed before or after the new one."""
    for manner in ("removes before", "removes after"):
        verdict = examined(Notes(frozenset({manner})))
        assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), ""), manner


def test_a_cookie_that_signs_nobody_in_is_found() -> None:
    """Where the account is let in otherwise, its fresh cookie is what is refused, and nothing more is told of it."""
    verdict = examined(Notes(frozenset({"knows none", "token"})))
    assert [(item.code, item.operation) for item in verdict.findings] == [("cookie.refused", "enter")]


def test_a_login_at_its_limit_is_no_browser_that_is_stuck() -> None:
    """429 says nothing of the old cookie."""
    verdict = examined(Notes(frozenset({"limits logins"})))
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert "stayed at its rate limit" in verdict.reason


def test_a_token_is_asked_for_at_the_sign_in_too() -> None:
    """Where each write by a browser brings its token, the own page brings it when it signs in again."""
    verdict = examined(Notes(frozenset({"guards logins"})))
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")


def test_a_token_is_read_from_its_cookie_as_scripts_read_it() -> None:
    """What is percent-encoded in the cookie is sent as it was before."""
    api = Notes(frozenset({"encodes"}))
    verdict = examined(api)
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")


def test_where_nobody_can_be_made_the_reason_is_told() -> None:
    """Known accounts are not signed in and out as browsers."""
    people = {name: told for name, told in PEOPLE.items() if name != "register"}
    verdict = examined(Notes(), people={**people, "known": [{"name": "ann", "token": "t"}]})
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert "identities.register" in verdict.reason


def test_another_refusal_than_promised_is_found() -> None:
    """Each way to forge is told with its status."""
    assert {code for code, _ in kinds(Notes(refusal=404))} == {"cookie.status"}


def test_without_a_token_the_origin_alone_is_asked() -> None:
    """Where no token is declared a write by the cookie from the own origin is what is meant."""
    told = {"scheme": "session", "with": {"remember": True}, "out": "leave"}
    assert kinds(Notes(frozenset({"token"}), document(told))) == set()
    assert kinds(Notes(frozenset({"token", "origin"}), document(told))) == {("cookie.forged", FOREIGN)}


def test_a_token_guards_by_itself() -> None:
    """Where the origin is not declared to be looked at, the token that no other site can read is enough."""
    told = {name: value for name, value in TOLD.items() if name != "origin"}
    verdict = examined(Notes(frozenset({"origin"}), document(told)))
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")
    assert kinds(Notes(frozenset({"token", "origin"}), document(told))) == FOUND["token"]


@pytest.mark.parametrize(
    ("defect", "reason"),
    [
        ("open", "nothing shows that the cookie signs in"),
        ("no cookie", "sets no cookie 'sid'"),
        ("fails", "addNote gave 500"),
        ("refuses all", "answered 403 to a browser's own page"),
        ("cannot leave", "leave answered 500 to a browser that signs out"),
    ],
)
def test_what_shows_nothing_is_no_finding_and_no_pass(defect: str, reason: str) -> None:
    """Nobody let in beside the browser, no cookie at all, a server that fails, a page that is refused."""
    verdict = examined(Notes(frozenset({defect} if defect in {"refuses all", "cannot leave"} else {defect, "token"})))
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({**TOLD, "scheme": "bearer"}, "x-promises.cookie.scheme is 'bearer'"),
        ({**TOLD, "token": {"scheme": "session", "cookie": "xsrf"}}, "x-promises.cookie.token.scheme is 'session'"),
        ({**TOLD, "token": {"scheme": "forgery", "cookie": "other"}}, "gives no token as the cookie 'other'"),
        ({**TOLD, "token": {"scheme": "forgery", "at": "/other"}}, "gives no token at '/other'"),
    ],
)
def test_what_is_told_wrongly_is_said(told: dict[str, Any], reason: str) -> None:
    """A scheme of another kind, a token that is not there."""
    assert reason in examined(Notes(told=document(told))).reason


def test_a_scheme_without_a_name_is_told() -> None:
    """A cookie of no name signs nobody in."""
    told = document()
    told["components"]["securitySchemes"]["session"] = {"type": "apiKey", "in": "cookie"}
    assert "x-promises.cookie.scheme is 'session'" in examined(Notes(told=told)).reason


def test_the_promise_at_another_operation_than_the_login_is_said() -> None:
    """Fresh accounts sign in by the login of harness.toml."""
    told = document()
    told["paths"]["/join"]["post"]["x-promises"] = told["paths"]["/enter"]["post"].pop("x-promises")
    contract = Contract.read(told, "notes")
    assert problems(contract, PROMISES) == []
    assert [name for name in contract.by_id if contract.promise("cookie", contract.by_id[name])] == ["join"]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"scheme": ""},
        {**TOLD, "token": {"scheme": "x"}},
        {**TOLD, "refused": 200},
        {**TOLD, "origin": False},
        {**TOLD, "more": 1},
    ],
)
def test_an_annotation_that_says_nothing_is_refused(told: dict[str, Any]) -> None:
    """Each with its place."""
    (problem, *_) = problems(Contract.read(document(told), "notes"), PROMISES)
    assert "x-promises" in problem


def test_no_cookie_and_no_token_stands_in_a_history() -> None:
    """All that a browser is given is masked, wherever it stands."""
    api, mask = Notes(), Mask()
    done = driven(api, secret=mask.register)
    two_browsers = api.given[:4]
    told = str([mask.record(copy.deepcopy(exchange.to_record())) for exchange in done.exchanges])
    assert "sid=" in told
    assert [secret for secret in two_browsers if secret in told] == []
