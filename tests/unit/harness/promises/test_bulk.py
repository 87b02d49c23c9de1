"""The promise `bulk`: an API that accounts for every item of a call, and ones that lose some."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.promises.annotations import problems
from harness.promises.bulk import answer, reworded
from harness.promises.bulk.judgement import REFUSALS
from harness.promises.catalogue import BY_KEY, PROMISES
from harness.verdict import Status
from tests.unit.harness.promises.bulk_api import CHANGED, MADE, Pets, document, driven, examined

MAKE, CHANGE = "pets.makeAll", "pets.changeAll"
COUNTED = {name: MADE[name] for name in ("items", "resource", "done", "failed", "index")}
ENTERED = {name: MADE[name] for name in MADE if name not in {"done", "failed"}}
DEFECTS = {
    "passes over": {(CHANGE, "bulk.counts", "sum")},
    "takes all": {(CHANGE, "bulk.unknown", "")},
    "drops taken": {(MAKE, "bulk.counts", "sum")},
    "undoes": {(MAKE, "bulk.lost", "")},
    "drops an entry": {(MAKE, "bulk.counts", "index")},
    "one index": {(MAKE, "bulk.counts", "index")},
    "both": {(MAKE, "bulk.counts", "entry")},
    "neither": {(MAKE, "bulk.counts", "entry")},
    "counts taken": {(MAKE, "bulk.counts", "entries")},
    "leaves out the tenth": {(CHANGE, "bulk.counts", "sum")},
    "swaps": {(CHANGE, "bulk.unknown", "")},
    "refuses lists": {(CHANGE, "bulk.refused", ""), (MAKE, "bulk.refused", "")},
}


def faults(api: Pets, seed: int = 2) -> set[tuple[str, str, str]]:
    """Operation, code and kind of what is found."""
    verdicts = examined(api, seed).values()
    return {(item.operation, item.code, item.kind) for verdict in verdicts for item in verdict.findings}


@st.composite
def bounds(draw: st.DrawFn) -> dict[str, int]:
    """Bounds of a list that a case can keep to, or none."""
    least = draw(st.integers(0, 6))
    most = draw(st.integers(max(1, least), 9))
    return {
        **({"minItems": least} if draw(st.booleans()) else {}),
        **({"maxItems": most} if draw(st.booleans()) else {}),
    }


@given(
    st.fixed_dictionaries({"lists": st.booleans(), "whole": st.booleans(), "again": st.booleans()}),
    st.sampled_from(["string", "integer"]),
    bounds(),
    st.sampled_from([MADE, COUNTED, ENTERED]),
    st.integers(0, 99),
)
def test_an_api_that_accounts_for_all_has_no_findings(
    ways: dict[str, bool], kind: str, sizes: dict[str, int], made: dict[str, Any], seed: int
) -> None:
    """Whatever the sizes, whether it counts or lists, refuses all for one or makes one twice: it passes, examined."""
    api = Pets(told=document(made, kind=kind, bounds=sizes), **ways)
    for verdict in examined(api, seed).values():
        assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")


@pytest.mark.parametrize("lists", [True, False])
def test_no_id_is_sent_twice(*, lists: bool) -> None:
    """Where few ids are left that nothing has, each is sent once: a list of ids may tell one in one place only."""
    told = document(kind="integer")
    told["paths"]["/pets/{petId}"]["parameters"][0]["schema"]["maximum"] = 1_000_000
    api = Pets(told=told, lists=lists)
    assert faults(api) == set()
    sent = [item.request.json()["ids"] for item in driven(api)[CHANGE].exchanges if item.operation == CHANGE]
    assert sent
    assert all(len(set(ids)) == len(ids) > 1 for ids in sent)


@pytest.mark.parametrize("defect", DEFECTS)
def test_an_item_that_is_lost_is_found(defect: str) -> None:
    """Each is found at its operation, and nothing else is."""
    assert faults(Pets(frozenset({defect}))) == DEFECTS[defect]


@given(
    sizes=bounds().filter(lambda sizes: sizes.get("maxItems", 9) > max(2, sizes.get("minItems", 0))),
    status=st.sampled_from(sorted(REFUSALS)),
    kind=st.sampled_from(["string", "integer"]),
)
def test_who_refuses_every_list_is_found(sizes: dict[str, int], status: int, kind: str) -> None:
    """Lists of any size and of either kind, by whatever status says that a call is not as it should be."""
    api = Pets(told=document(kind=kind, bounds=sizes), status=status)
    assert faults(api) == {(CHANGE, "bulk.refused", ""), (MAKE, "bulk.refused", "")}


@given(status=st.integers(100, 599).filter(lambda status: status not in {200, 429, *REFUSALS}))
def test_a_refusal_that_is_not_of_the_list_is_no_finding(status: int) -> None:
    """Who may not call, what is not there, in conflict, not ready or failed says nothing of lists."""
    assert {code for _, code, _ in faults(Pets(status=status))} & {"bulk.refused"} == set()


def test_what_no_item_passes_alone_is_no_finding() -> None:
    """Rows that their create refuses may be refused together, for a rule that the document does not tell."""
    told = document({name: MADE[name] for name in MADE if name != "resource"})
    for api in (Pets(frozenset({"refuses lists", "refuses rows"})), Pets(frozenset({"refuses lists"}), told=told)):
        verdict = examined(api)[MAKE]
        assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
        assert "answered 400 to items that are all as they should be" in verdict.reason


def test_ids_may_be_refused_together_where_one_at_fault_is_not_told_as_failed() -> None:
    """The whole may be refused for what state its things are in."""
    told = document(changed={name: CHANGED[name] for name in CHANGED if name != "unknown"})
    assert faults(Pets(frozenset({"refuses lists"}), told=told)) == {(MAKE, "bulk.refused", "")}


@pytest.mark.parametrize("operation", [MAKE, CHANGE])
def test_what_may_stand_beside_the_list_is_sent_before_it_is_said(operation: str) -> None:
    """A rule on members that need not be there, which no schema tells, is kept by one of the calls."""
    told = document()
    for path in told["paths"]["/pets/bulk"].values():
        path["requestBody"]["content"]["application/json"]["schema"]["properties"]["reason"] = {"type": "string"}
    verdict = examined(Pets(frozenset({"asks for a reason"}), told=told))[operation]
    assert (verdict.status, verdict.findings, verdict.reason) == (Status.PASS, (), "")


@given(
    plain=st.dictionaries(st.sampled_from("ab"), st.lists(st.integers(), max_size=2), max_size=2),
    more=st.dictionaries(st.sampled_from("cdefg"), st.integers()),
)
def test_other_words_keep_to_the_schema_and_to_the_list(plain: dict[str, Any], more: dict[str, Any]) -> None:
    """None comes twice or is the first call's; each keeps its lists and has more beside them, and they are few."""
    contract = Contract.read(document(), "pets")
    schemaless = replace(contract.by_id[MAKE], bodies=())
    found = reworded.bodies(contract, schemaless, plain, {**plain, **more})
    assert len(found) <= 1 + 2 * reworded.MOST_ALONE
    assert all(found.count(body) == 1 and body != plain for body in found)
    assert all(body == {**plain, **body} for body in found)
    assert bool(found) is bool(more)
    assert reworded.bodies(contract, contract.by_id[MAKE], {"pets": [{"name": "a"}]}, {"pets": 1}) == []


@pytest.mark.parametrize("defect", [set(), {"takes what its create refuses"}])
def test_rows_that_a_create_refuses_are_sent(defect: set[str]) -> None:
    """What is made of them all the same does not fit the answer's schema; told as failed it does."""
    api = Pets(frozenset(defect))
    done = driven(api)[MAKE]
    assert any(row["name"] == "" for item in done.exchanges for row in (item.request.json() or {}).get("pets", ()))
    own = [item for item in done.exchanges if item.operation == MAKE]
    judge = BY_KEY["schema"].judge
    assert judge is not None
    told = judge(api.contract, api.contract.by_id[MAKE], own)
    assert ("schema.body" in {item.code for item in told.findings}) is bool(defect)


@given(bounds().filter(lambda sizes: sizes.get("maxItems", 9) > max(2, sizes.get("minItems", 0))))
def test_what_is_lost_is_found_in_lists_of_any_size(sizes: dict[str, int]) -> None:
    """Where there is room for one that fails, it is missed in counts and in lists, and so is what was undone."""
    for lists in (False, True):
        told = document(bounds=sizes)
        assert faults(Pets(frozenset({"passes over", "undoes"}), told=told, lists=lists)) == {
            (CHANGE, "bulk.counts", "sum"),
            (MAKE, "bulk.lost", ""),
        }


def test_an_id_in_two_lists_or_in_none_is_found_where_the_sum_is_right() -> None:
    """Lists tell which: one that stands twice is told, and so is one in whose place another stands."""
    assert faults(Pets(frozenset({"twice"}), lists=True)) == {(CHANGE, "bulk.counts", "twice")}
    assert faults(Pets(frozenset({"tells one for all"}), lists=True)) == {(CHANGE, "bulk.counts", "twice")}
    assert faults(Pets(frozenset({"names another"}), lists=True)) == {(CHANGE, "bulk.counts", "neither")}


def test_results_alone_tell_what_is_missing() -> None:
    """Without counts a dropped row is an entry that is missing."""
    assert faults(Pets(frozenset({"drops taken"}), told=document(ENTERED))) == {(MAKE, "bulk.counts", "index")}


def test_an_unknown_id_may_be_done_where_nothing_declares_otherwise() -> None:
    """Many a bulk delete counts what is not there as done."""
    told = document(changed={name: CHANGED[name] for name in CHANGED if name != "unknown"})
    assert faults(Pets(frozenset({"takes all"}), told=told)) == set()


@pytest.mark.parametrize("status", [202, 204, 403, 409, 429, 500, 503])
def test_an_answer_that_tells_nothing_is_no_finding_and_no_pass(status: int) -> None:
    """What is refused, not ready or failed is INCONCLUSIVE, with its status told, even where the API is at fault."""
    for verdict in examined(Pets(frozenset({"passes over", "undoes"}), status=status)).values():
        assert (verdict.status, verdict.findings) == (Status.INCONCLUSIVE, ())
        assert str(status) in verdict.reason or "tells nothing at" in verdict.reason


def test_places_that_the_answer_lacks_are_told() -> None:
    """An annotation that points beside the answer is mended, and costs no finding."""
    told = document({**MADE, "done": "/counts/done", "results": "/all"}, {**CHANGED, "failed": "/lost"})
    verdicts = examined(Pets(told=told))
    assert [verdict.findings for verdict in verdicts.values()] == [(), ()]
    assert "nothing at /counts/done" in verdicts[MAKE].reason
    assert "nothing at /all" in verdicts[MAKE].reason
    assert "nothing at /lost" in verdicts[CHANGE].reason


def test_what_cannot_be_sent_says_how_to_mend_it() -> None:
    """A pointer at no list, ids of nothing that is made, and a list that is too long are reasons."""
    told = document({**MADE, "items": "/nowhere"}, {"items": "/ids", "results": "/all"})
    verdicts = examined(Pets(told=told))
    assert "mend x-promises.bulk.items" in verdicts[MAKE].reason
    assert "x-promises.bulk.resource must name" in verdicts[CHANGE].reason
    many = examined(Pets(told=document(bounds={"minItems": 50})))
    assert "no fewer than 50" in many[MAKE].reason


def test_entries_that_are_counted_from_one_are_no_finding() -> None:
    """The index is declared from 0; another start is the annotation's to mend."""
    verdict = examined(Pets(first=1))[MAKE]
    assert verdict.findings == ()
    assert "leave out x-promises.bulk.index" in verdict.reason


@pytest.mark.parametrize(
    ("promise", "problem"),
    [
        ({"items": "/ids"}, "x-promises.bulk"),
        ({"items": "/ids", "done": "/a"}, "x-promises.bulk"),
        ({"items": "/ids", "done": "/a", "failed": "/b", "error": "/c"}, "results"),
        ({"items": "/ids", "results": "/a", "resource": "cat"}, "is no resource"),
        ({"items": "ids", "results": "/a"}, "x-promises.bulk.items"),
    ],
)
def test_an_annotation_that_says_too_little_is_told(promise: dict[str, Any], problem: str) -> None:
    """Neither counts nor results, half of them, and what no resource is are problems of the contract."""
    found = problems(Contract.read(document(changed=promise), "pets"), PROMISES)
    assert len(found) >= 1
    assert any(problem in text for text in found)
    assert problems(Contract.read(document(), "pets"), PROMISES) == []


@pytest.mark.parametrize("objects", [False, True])
@given(done=st.lists(st.integers(0, 5), max_size=8), failed=st.lists(st.integers(0, 5), max_size=8))
def test_counts_and_lists_tell_the_same(done: list[int], failed: list[int], *, objects: bool) -> None:
    """A list of ids tells which and how many; of objects several errors may be of one item that failed."""
    told = {"done": "/d", "failed": "/f"}
    shown = [[{"pet": {"id": key}} for key in part] if objects else part for part in (done, failed)]
    listed = answer.read(told, {"d": shown[0], "f": shown[1]}, (), "/pet/id")
    assert listed.total == len(done) + len(set(failed) if objects else failed)
    assert listed.tallies["done"].names == tuple(map(str, done))
    counted = answer.read(told, {"d": len(done), "f": listed.tallies["failed"].count}, (), "/pet/id")
    assert (counted.total, counted.tallies["done"].names) == (listed.total, None)
