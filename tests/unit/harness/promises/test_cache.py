"""The promise `cache`: a rack whose workers forget what changed is clean; each that keeps too much is found."""

from __future__ import annotations

import itertools
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.exchange import Exchange, Request, Response
from harness.identities import Identity
from harness.promises.annotations import problems
from harness.promises.cache import PROMISE, model
from harness.promises.cache.annotation import Told
from harness.promises.cache.headers import contradictions
from harness.promises.catalogue import PROMISES
from harness.verdict import Status
from tests.unit.harness.promises.rack_api import LISTED, Rack, contract
from tests.unit.harness.promises.toy import examined

if TYPE_CHECKING:
    from harness.verdict import Verdict

LIST, GET = "notes.list", "notes.get"
FAULTS = st.sampled_from(["", "", "", "", "lost", "dropped", 429, 503])
SECOND_NS = 10**9


def kinds(verdict: Verdict) -> set[tuple[str, str]]:
    """Code and kind of each finding."""
    return {(finding.code, finding.kind) for finding in verdict.findings}


def _next(steps: list[int], _count: int) -> int:
    return steps.pop(0) if steps else 0


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 7)), st.integers(1, 1000))
def test_any_interleaving_of_workers_that_forget_is_clean(schedule: list[int], seed: int) -> None:
    """Whatever the order in which the steps of reads and writes run, a correct rack passes."""
    for operation in (LIST, GET):
        steps = [*schedule]
        verdict = examined(PROMISE, Rack(choose=partial(_next, steps)), operation, seed=seed)
        assert verdict.findings == ()
        assert (verdict.status, verdict.examined > 20) == (Status.PASS, True)


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_an_unknown_outcome_is_no_finding(data: st.DataObject) -> None:
    """Writes and reads whose answers are lost never make a correct rack look stale."""

    def fault(request: Request) -> str | int:
        return data.draw(FAULTS) if request.operation.startswith("notes.") else ""

    rack = Rack(fault=fault, choose=lambda count: data.draw(st.integers(0, count - 1)))
    assert examined(PROMISE, rack, data.draw(st.sampled_from([LIST, GET]))).findings == ()


@pytest.mark.parametrize(
    ("defect", "operation", "only", "expected"),
    [
        ("own memory", LIST, "changes", {("cache.stale", "after notes.update")}),
        ("own memory", LIST, "after-notes.create", {("cache.stale", "after notes.create")}),
        ("own memory", LIST, "after-notes.delete", {("cache.stale", "after notes.delete")}),
        ("own memory", LIST, "age", {("cache.stale", "after notes.update")}),
        ("forgets nothing by notes.star", LIST, "after", {("cache.stale", "after notes.star")}),
        ("forgets nothing by notes.stamp", LIST, "after", {("cache.stale", "after notes.stamp")}),
        ("no tenant in the key", LIST, "tenants", {("cache.crossed", "tenant")}),
        ("no query in the key", LIST, "sizes", {("cache.crossed", "query")}),
        ("says 60 s", LIST, "changes", {("cache.headers", "max-age"), ("cache.headers", "Vary")}),
        ("says that it is for all", LIST, "changes", {("cache.headers", "Vary")}),
        ("says that it is old", LIST, "changes", {("cache.headers", "Age")}),
        ("stars raise no version", GET, "tag-after", {("cache.tag", "after notes.star")}),
        ("a tag a read", GET, "conditional", {("cache.tag", "same content")}),
        ("no tag", GET, "conditional", {("cache.tag", "absent")}),
        ("never 304", GET, "conditional", {("cache.not-modified", word) for word in ("seen", "any", "listed", "weak")}),
        ("strong only", GET, "conditional", {("cache.not-modified", "weak")}),
        ("no star", GET, "conditional", {("cache.not-modified", "any")}),
        ("304 for all", GET, "conditional", {("cache.not-modified", "other")}),
        ("304 for all", GET, "tag-after-notes.star", {("cache.not-modified", "after notes.star")}),
        ("304 with a body", GET, "conditional", {("cache.not-modified", "body")}),
        ("304 without a tag", GET, "conditional", {("cache.not-modified", "tag")}),
    ],
)
def test_broken(defect: str, operation: str, only: str, expected: set[tuple[str, str]]) -> None:
    """Each defect is found under its code, by the case that is made for it."""
    rack = Rack(defects=frozenset({defect}))
    if only == "sizes":
        rack.turns = itertools.repeat(0)  # one call after the other reaches one worker, by the connection that is kept
    assert kinds(examined(PROMISE, rack, operation, only=only)) == expected


@pytest.mark.parametrize("defect", ["reading renews", "five minutes"])
def test_a_copy_that_outlives_its_age(defect: str) -> None:
    """What another worker changed is shown for longer than the age; with the age kept it is only stale."""
    found = kinds(examined(PROMISE, Rack(defects=frozenset({defect, "own memory"})), LIST, only="age"))
    assert ("cache.outlived", "after notes.update") in found


def test_a_read_beside_a_write_may_not_be_kept() -> None:
    """What was read before a write, and kept after it, shows after the write's answer, in some order of their steps."""
    found = set()
    for seed in range(20):
        rack = Rack(defects=frozenset({"keeps what it read before"}), choose=Random(seed).randrange)
        found |= kinds(examined(PROMISE, rack, LIST, only="changes"))
    assert found == {("cache.stale", "after notes.update")}


@pytest.mark.parametrize(("defects", "expected"), [((), set()), (("reading renews",), {"cache.outlived"})])
def test_a_cache_that_is_only_promised_an_age(defects: tuple[str, ...], expected: set[str]) -> None:
    """Where no operation is said to invalidate, an answer may be old for as long as promised, and no longer."""
    rack = Rack(contract({"age_s": 2, "invalidated_by": []}), frozenset({"forgets nothing", *defects}))
    verdict = examined(PROMISE, rack, LIST, only="age")
    assert {finding.code for finding in verdict.findings} == expected
    assert verdict.examined >= 8


@pytest.mark.parametrize(("defect", "expected"), [("", set()), ("no caller in the key", {("cache.crossed", "caller")})])
def test_a_list_that_is_its_callers_own(defect: str, expected: set[tuple[str, str]]) -> None:
    """Where answers are declared private, what one caller made is never in another's."""
    told = contract({**LISTED, "private": True})
    rack = Rack(told, frozenset({defect}), own=True, turns=itertools.repeat(0))
    verdict = examined(PROMISE, rack, LIST, only="callers")
    assert (kinds(verdict), verdict.examined) == (expected, 12)


def test_an_age_that_is_long_is_not_waited_for() -> None:
    """An age of a minute is inconclusive and says what to do; what changes invalidate is examined all the same."""
    verdict = examined(PROMISE, Rack(contract({**LISTED, "age_s": 60})), LIST)
    assert (verdict.status, verdict.findings, verdict.examined > 20) == (Status.INCONCLUSIVE, (), True)
    assert "an age of 60 s is longer than a case waits (3 s)" in verdict.reason


def test_a_cause_that_cannot_be_aimed() -> None:
    """An operation of which nothing tells how it names the thing is told as such."""
    told = {"age_s": 0, "invalidated_by": [{"operation": "notes.stamp"}]}
    assert (
        "notes.stamp: nothing tells how it is aimed at a note; tell `at`"
        in examined(PROMISE, Rack(contract(told)), LIST, only="after").reason
    )


def test_annotation() -> None:
    """Unknown members and operations are refused with their place, as is a negative age."""
    assert problems(contract(), PROMISES) == []
    wrong = contract({"age_s": -1, "colour": 1, "invalidated_by": [{"operation": "notes.paint", "at": "ids"}]})
    told = " ".join(problems(wrong, PROMISES))
    for part in ("age_s", "colour", "'notes.paint', which is no operationId", "invalidated_by.0.at"):
        assert part in told


@pytest.mark.parametrize(
    ("headers", "private", "expected"),
    [
        ((("Cache-Control", "max-age=2"), ("Vary", "x-tenant"), ("Age", "3")), False, []),
        ((("Cache-Control", "private, max-age=3"),), False, ["max-age"]),
        ((("Cache-Control", 'public, S-MaxAge="3"'),), False, ["s-maxage", "Vary"]),
        ((("Cache-Control", "no-cache, max-age=99"),), False, []),
        ((("Cache-Control", "public"), ("Vary", "*")), True, ["public"]),
        ((("Age", "4"),), False, ["Age"]),
        ((("Age", "old"), ("Cache-Control", "max-age=soon")), False, ["Vary"]),
    ],
)
def test_what_headers_contradict(headers: Any, private: bool, expected: list[str]) -> None:  # noqa: FBT001 - a column of the table
    """Age, max-age, public and Vary are held against the promise, as RFC 9111 reads them."""
    exchange = Exchange("x", Request("GET", "/", identity=Identity("anonymous")), Response(200, headers), 0, 0, 0)
    told = Told(2.0, None, (), private=private)
    assert [kind for kind, _ in contradictions(told, "X-Tenant", exchange)] == expected


INSTANTS = st.integers(0, 100)


@st.composite
def registers(draw: st.DrawFn) -> tuple[list[model.Write], list[model.Read], int]:
    """Writes one after the other, reads from copies that live as long as an age and are forgotten by each write."""
    age_ns = draw(st.integers(0, 20))
    done = sorted(draw(st.sets(INSTANTS, max_size=5)))
    writes = [model.Write(number, at) for number, at in enumerate(done, 1)]
    reads = []
    for sent in sorted(draw(st.lists(INSTANTS, max_size=10))):
        number = max((write.number for write in writes if write.done_ns < sent), default=0)
        reads.append(model.Read(number, draw(st.sampled_from("ab")), sent, sent + draw(st.integers(0, 5))))
    return writes, reads, age_ns


@given(registers())
def test_the_model_takes_a_register_for_what_it_is(drawn: tuple[list[model.Write], list[model.Read], int]) -> None:
    """Reads of the newest value break nothing, whatever the age."""
    writes, reads, age_ns = drawn
    assert list(model.faults(writes, reads, age_ns=age_ns, slack_ns=0)) == []


def test_an_older_version_after_a_newer_one() -> None:
    """In one form a read goes not back; another form has a copy of its own, and an overlapping read may be either."""
    reads = [model.Read(1, "a", 10, 11), model.Read(0, "b", 12, 13), model.Read(0, "a", 14, 15)]
    lax = [model.Write(1, 9, forgets=False)]
    (fault,) = model.faults(lax, reads, age_ns=100, slack_ns=0)
    assert (fault.word, fault.form, fault.read, fault.before) == (model.WENT_BACK, "a", 2, 0)
    beside = [model.Read(1, "a", 10, 14), model.Read(0, "a", 14, 15)]
    assert list(model.faults(lax, beside, age_ns=100, slack_ns=0)) == []


@given(registers(), st.integers(1, 40))
def test_the_model_bounds_what_is_kept(drawn: tuple[list[model.Write], list[model.Read], int], kept_ns: int) -> None:
    """Where writes forget nothing, a copy breaks nothing until its age is over, and is told then."""
    writes, reads, age_ns = drawn
    lax = [model.Write(write.number, write.done_ns, forgets=False) for write in writes]
    late = [
        model.Read(
            max((write.number for write in writes if write.done_ns < read.sent_ns - kept_ns), default=0),
            str(index),
            read.sent_ns,
            read.done_ns,
        )
        for index, read in enumerate(reads)
    ]
    found = [fault.word for fault in model.faults(lax, late, age_ns=age_ns, slack_ns=0)]
    overdue = [
        read
        for read in late
        if any(write.done_ns + age_ns < read.sent_ns and write.number > read.number for write in writes)
    ]
    assert (found == []) == (overdue == [])
    assert set(found) <= {model.OUTLIVED}
    if kept_ns <= age_ns:
        assert found == []
