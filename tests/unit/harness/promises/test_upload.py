"""The promise `upload`: an API that keeps its bounds and gives back what it took, and ones that do not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Response
from harness.promises.annotations import problems
from harness.promises.broken_files import data
from harness.promises.catalogue import PROMISES
from harness.promises.upload import PROMISE
from harness.promises.upload.cases import MOST_BROKEN, MOST_BYTES
from harness.verdict import Status, Verdict
from tests.unit.harness.promises.gallery_api import ADD, BOUNDS, Gallery, document, examined

bounds = st.fixed_dictionaries(
    {},
    optional={
        "max_pixels": st.integers(256, 90_000),
        "max_side": st.integers(16, 400),
        "max_bytes": st.integers(2_000, 3_000_000),
        "whole": st.just(value=True),
    },
).filter(bool)


SMALL = st.integers(1, 40)


def faults(api: Gallery, *, again: bool = False) -> set[tuple[str, str]]:
    """Code and kind of what is found."""
    verdicts = examined(api, again=again).values()
    return {(item.code, item.kind) for verdict in verdicts for item in verdict.findings}


def held(verdict: Verdict) -> bool:
    """Whether something was examined, nothing found, and nothing left to tell."""
    return (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")


@given(told=bounds, joins=st.booleans(), quota=st.sampled_from([0, 5, 40]))
def test_an_api_that_keeps_its_bounds_has_no_findings(told: dict[str, Any], quota: int, *, joins: bool) -> None:
    """Whatever it declares, whoever may call and how often, both cases pass, examined."""
    api = Gallery(told=document(told, quota=quota, secured=joins), bounds=told, registers=joins)
    assert [name for name, verdict in examined(api).items() if not held(verdict)] == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("any pixels", {("upload.bounds", "pixels")}),
        ("any side", {("upload.bounds", "side")}),
        ("any length", {("upload.bounds", "bytes")}),
        ("off by one", {("upload.refused", "bytes")}),
        ("half", {("upload.broken", "half")}),
        ("refuses all", {("upload.refused", "")}),
        ("keeps", {("upload.kept", "")}),
        ("hangs", {("upload.kept", "")}),
    ],
)
@pytest.mark.parametrize("joins", [False, True])
def test_each_fault_is_found_alone(fault: str, expected: set[tuple[str, str]], *, joins: bool) -> None:
    """Each at its code and kind, and nothing else, with one caller and with many."""
    assert faults(Gallery(fault, document(secured=joins), registers=joins)) == expected


@pytest.mark.parametrize("fault", ["locks", "stumbles", "twice", "waits", "looks at nothing", "down"])
def test_what_an_api_may_do_is_no_finding(fault: str) -> None:
    """One that locks out a caller, fails once, fails at the same twice, has long to wait for, or takes any bytes."""
    assert faults(Gallery(fault, document(None))) == set()
    (verdict,) = examined(Gallery(fault, document(None))).values()
    assert held(verdict) or verdict.reason


def test_what_made_a_file_long_may_be_refused() -> None:
    """A file that is filled up and refused otherwise than as too large tells nothing of bytes, and says so."""
    verdict = examined(Gallery("fears chunks"))["bounds"]
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert "answered 400 to a file that was filled up to its bound" in verdict.reason


@given(most=st.integers(1, 400))
def test_a_valid_file_that_is_too_long_itself_is_no_finding(most: int) -> None:
    """Where no picture is as small as the bound says, nobody is accused for refusing one."""
    told = {"max_side": 64, "max_bytes": most}
    assert examined(Gallery(told=document(told), bounds=told))["bounds"].findings == ()


def test_bounds_beyond_what_is_sent_are_told() -> None:
    """Neither 32 MB nor a format without room is tried; the reason is told, and the rest is examined."""
    for told, types, reason in (
        ({"max_bytes": MOST_BYTES + 1}, "image/png", "more than is sent here"),
        ({"max_bytes": 3000}, "image/webp", "no file of 3001 bytes"),
    ):
        verdict = examined(Gallery("looks at nothing", document(told, types=types), bounds=told))["bounds"]
        assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
        assert reason in verdict.reason


def test_a_least_size_is_no_finding() -> None:
    """Pictures of too few pixels may be refused as well."""
    found = examined(Gallery("refuses small"))
    assert held(found["bounds"])
    assert (found["kept"].status, found["kept"].findings) == (Status.INCONCLUSIVE, ())


@given(told=st.sampled_from(["max_pixels", "max_side"]).flatmap(lambda name: st.fixed_dictionaries({name: SMALL})))
def test_the_valid_picture_is_within_any_bounds(told: dict[str, Any]) -> None:
    """However small they are, what is sent as valid keeps them."""
    assert held(examined(Gallery(told=document(told), bounds=told))["bounds"])


@pytest.mark.parametrize("types", ["image/*", "application/octet-stream", "image/jpeg, */*"])
def test_an_api_that_takes_no_png_and_does_not_say_so_is_not_accused(types: str) -> None:
    """What any picture may be need not be a PNG; nothing is told then."""
    verdict = examined(Gallery("refuses all", document(types=types)))["bounds"]
    assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
    assert "answered 400 to a form that fits its schema" in verdict.reason


def test_what_lasts_is_shown_again_only_in_a_run_that_is_to_show_it_again() -> None:
    """A server that fails from the start accuses nobody, unless a run before this one saw why."""
    api = Gallery("keeps", document(None))
    (first,) = examined(api)["kept"].findings
    assert faults(api) == set()
    assert "answered 503 to a form that fits its schema" in examined(api)["kept"].reason
    (again,) = examined(api, again=True)["kept"].findings
    assert again.fingerprint == first.fingerprint
    assert held(examined(Gallery("", document(None)), again=True)["kept"])


@given(quota=st.integers(2, 12), joins=st.booleans())
def test_no_limit_is_used_up(quota: int, *, joins: bool) -> None:
    """A caller makes no more calls than its quota has, and where it cannot make four nothing is told."""
    api = Gallery("", document(None, quota=quota, secured=joins), registers=joins)
    verdict = examined(api)["kept"]
    calls: dict[str, int] = {}
    for exchange in api.sent:
        if exchange.operation == ADD:
            calls[exchange.request.identity.name] = calls.get(exchange.request.identity.name, 0) + 1
    assert max(calls.values()) <= quota
    assert held(verdict) == (joins or quota > 3)
    assert ("no room" in verdict.reason) == (not joins and quota <= 3)


def test_the_calls_are_few_and_the_files_small() -> None:
    """Two cases that find nothing send fewer than 40 calls; no form has more than 200 kB."""
    api = Gallery("", document({"max_pixels": 60_000_000}), bounds={"max_pixels": 60_000_000})
    assert all(map(held, examined(api).values()))
    forms = [exchange.request for exchange in api.sent]
    assert 20 < len(forms) <= MOST_BROKEN + 2 + 3
    assert max(len(form.body or b"") for form in forms) < 200_000
    files = [data(form) or b"" for form in forms]
    assert max(int.from_bytes(file[16:20]) * int.from_bytes(file[20:24]) for file in files) == 7746**2


def test_only_pictures_that_can_be_made_are_sent() -> None:
    """Where no PNG is taken, or the bound is beyond what is made here, the reason is told, and the rest examined."""
    jpeg = examined(Gallery("", document(types="image/jpeg")))["bounds"]
    assert (jpeg.status, jpeg.findings) == (Status.INCONCLUSIVE, ())
    assert "only a PNG" in jpeg.reason
    most = {"max_pixels": 10**9}
    huge = examined(Gallery("", document(most), bounds=most))
    assert "more than is made here" in huge["bounds"].reason
    assert held(huge["kept"])


@pytest.mark.parametrize("status", [202, 403, 429, 500, 503])
def test_an_answer_that_tells_nothing_is_no_finding(status: int) -> None:
    """A trial that is not ready, not allowed or failed is neither taken nor refused."""
    sent = Gallery("any pixels")
    examined(sent)
    assert PROMISE.judge is not None
    calls = [item for item in sent.sent if item.request.step.split("|")[0] in {"valid", "trial"}]
    told = [
        item if item.request.step == "valid" else Exchange(item.id, item.request, Response(status), 0, 0, 0)
        for item in calls
    ]
    assert PROMISE.judge(sent.contract, sent.contract.by_id[ADD], told).findings == ()


def test_it_is_of_forms_with_files_and_can_be_switched_off() -> None:
    """A JSON body has none of it; `false` switches it off; a bound that is none is told."""
    contract = Contract.read(document(), "pets")
    assert [item.id for item in contract.operations if PROMISE.applies(contract, item)] == [ADD]
    off = Contract.read(document(None), "pets")
    assert PROMISE.applies(off, off.by_id[ADD])
    switched = document()
    switched["paths"]["/pets/pictures"]["post"]["x-promises"]["upload"] = False
    without = Contract.read(switched, "pets")
    assert not PROMISE.applies(without, without.by_id[ADD])
    for wrong in ({}, {"max_pixels": 0}, {"whole": False}, {"most": 3}):
        switched["paths"]["/pets/pictures"]["post"]["x-promises"]["upload"] = wrong
        assert len(problems(Contract.read(switched, "pets"), PROMISES)) == 1
    switched["paths"]["/pets/pictures"]["post"]["x-promises"]["upload"] = BOUNDS
    assert problems(Contract.read(switched, "pets"), PROMISES) == []
