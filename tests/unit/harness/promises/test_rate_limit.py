"""Rate limits against a simulated limiter: an exact one is clean under every latency, each fault is found."""

from __future__ import annotations

import sys
from email.utils import formatdate
from functools import partial
from pathlib import Path
from random import Random

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from limiter_sim import LIMIT, OPERATION, S, Simulated, burst_of, codes, contract_of, examined

from harness.promises.rate_limit import PROMISE
from harness.promises.rate_limit.annotation import limits
from harness.promises.rate_limit.cases import case_of
from harness.promises.rate_limit.schedule import edge
from harness.verdict import merged


@settings(max_examples=80, deadline=None)
@given(
    schedule=st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 1), st.integers(1, 30)).map(list), min_size=1, max_size=8
    ),
    algorithm=st.sampled_from(["sliding", "fixed", "token-bucket"]),
    style=st.sampled_from(["x-ratelimit", "draft-6", "draft-7", "draft-10", None]),
    latency_s=st.floats(0.0001, 1.5),
    lost=st.sampled_from([0.0, 0.0, 0.2]),
    seed=st.integers(0, 1000),
)
def test_an_exact_limiter_as_declared_gives_no_finding(
    schedule: list[list[int]], algorithm: str, style: str | None, latency_s: float, lost: float, seed: int
) -> None:
    """Whatever the schedule, the jitter and the lost answers, an exact limiter of the declared kind is not blamed."""
    limit = {key: value for key, value in LIMIT.items() if key != "headers"} | ({"headers": style} if style else {})
    limit |= {"algorithm": algorithm, "reset": "epoch" if style == "x-ratelimit" else "delta"}
    contract = contract_of(limit)
    server = Simulated(limit, algorithm, random=Random(seed), latency_s=(0.0001, latency_s), lost=lost)
    for name in (OPERATION, "people.create"):
        case = case_of(contract, contract.by_id[name], {"schedule": schedule})
        verdict, driven = examined(server, case, contract, nonce=name)
        assert verdict.findings == ()
        met = any(exchange.status == 429 for exchange in driven.exchanges)
        assert (verdict.examined > 0) is met
        assert driven.reason == ""


@settings(max_examples=40, deadline=None)
@given(
    quota=st.integers(1, 400),
    algorithm=st.sampled_from(["sliding", "unknown", "token-bucket"]),
    latency_s=st.floats(0.0001, 1.0),
    wait=st.booleans(),
    name=st.sampled_from([OPERATION, "people.create"]),
    seed=st.integers(0, 1000),
)
def test_the_burst_blames_no_exact_limiter(
    quota: int, algorithm: str, latency_s: float, *, wait: bool, name: str, seed: int
) -> None:
    """The burst gives no finding for any quota and latency, whether calls are read or written."""
    limit = {**LIMIT, "quota": quota, "algorithm": algorithm}
    contract = contract_of(limit)
    server = Simulated(limit, algorithm, random=Random(seed), latency_s=(0.0001, latency_s))
    verdict, driven = examined(server, burst_of(contract, name, wait=wait), contract)
    assert verdict.findings == ()
    assert driven.reason == ""


def test_a_met_quota_is_a_pass() -> None:
    """A burst that met the quota examined every call and has no reason to doubt."""
    contract = contract_of(LIMIT)
    verdict, _ = examined(Simulated(LIMIT), burst_of(contract, wait=True), contract)
    assert (verdict.status.value, verdict.reason) == ("pass", "")
    assert verdict.examined >= 10 + 12


@pytest.mark.parametrize("quota", [5, 100, 200, 600])
def test_check_then_act_overshoots(quota: int) -> None:
    """A limiter that counts, waits and then inserts admits more than the quota, and the burst sees it."""
    limit = {**LIMIT, "quota": quota}
    assert "rate-limit.overshoot" in codes(limit, Simulated(limit, race=True))


def test_a_fixed_window_declared_as_sliding_overshoots() -> None:
    """At the edge of a fixed window twice the quota passes; the edge schedule finds it wherever windows begin."""
    contract = contract_of(LIMIT)
    operation = contract.by_id[OPERATION]
    for seed in range(5):
        server = Simulated(LIMIT, "fixed", random=Random(seed), now_ns=1000 * S + seed * 700_000_000)
        case = case_of(contract, operation, edge(limits(contract, operation)[0]))
        found = {finding.code for finding in examined(server, case, contract)[0].findings}
        assert found == {"rate-limit.overshoot"}


def test_a_smaller_quota_than_declared_is_refused_early() -> None:
    """Calls that are refused below the declared quota are told, whatever the headers say."""
    limit = {key: value for key, value in LIMIT.items() if key != "headers"} | {"quota": 100}
    assert codes(limit, Simulated(limit, quota=90)) == {"rate-limit.refused-early"}


def test_a_limit_header_of_another_quota_is_untrue() -> None:
    """A limit header that tells another quota than the contract is untrue."""
    limit = {**LIMIT, "quota": 100}
    assert "rate-limit.headers-untrue" in codes(limit, Simulated(limit, quota=90))


@pytest.mark.parametrize("style", ["x-ratelimit", "draft-6"])
def test_a_reset_that_is_always_now_is_untrue(style: str) -> None:
    """A reset of now on a refusal is held to its word: the call after it is refused again."""
    limit = {**LIMIT, "headers": style, "reset": "epoch" if style == "x-ratelimit" else "delta"}
    server = Simulated(limit)

    def told(_status: int, headers: dict[str, str]) -> dict[str, str]:
        now = int(server._wall_s(server.now_ns)) if style == "x-ratelimit" else 0
        return {name: str(now) if name.lower().endswith("reset") else value for name, value in headers.items()}

    server.told = told
    assert codes(limit, server) == {"rate-limit.headers-untrue"}


@pytest.mark.parametrize("told_s", [0, 1, 2])
def test_a_retry_after_that_is_too_short_is_untrue(told_s: int) -> None:
    """A Retry-After that ends before the window does is held to its word, without a case that waits on purpose."""
    server = Simulated(
        LIMIT, told=lambda status, headers: headers | ({"Retry-After": f"{told_s}"} if status == 429 else {})
    )
    assert codes(LIMIT, server) == {"rate-limit.headers-untrue"}


def test_refusals_without_headers_are_told() -> None:
    """A 429 without the declared headers is a finding of its own, the answers that have them are not."""
    server = Simulated(LIMIT, told=lambda status, headers: {} if status == 429 else headers)
    assert codes(LIMIT, server) == {"rate-limit.no-headers", "rate-limit.no-retry-after"}


def test_refusals_without_retry_after_are_told() -> None:
    """A 429 without Retry-After is told once."""

    def told(_status: int, headers: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name != "Retry-After"}

    assert codes(LIMIT, Simulated(LIMIT, told=told)) == {"rate-limit.no-retry-after"}
    assert codes({**LIMIT, "retry_after": False}, Simulated(LIMIT, told=told)) == set()


def test_what_is_told_to_remain_is_admitted() -> None:
    """An API that does not count the call in what it tells of remains true by one, until one call fewer is admitted."""

    def told(status: int, texts: dict[str, str]) -> dict[str, str]:
        more = str(int(texts["X-RateLimit-Remaining"]) + (status == 200))
        return {**texts, "X-RateLimit-Remaining": more}

    contract = contract_of(LIMIT)
    verdict, _ = examined(Simulated(LIMIT, told=told), burst_of(contract), contract)
    assert [(item.code, item.kind) for item in verdict.findings] == [
        ("rate-limit.headers-untrue", "things.list remaining kept")
    ]


def test_calls_that_fail_are_counted_where_the_headers_show_that_they_count() -> None:
    """A race is found also where every call is answered 404, as long as remaining goes down with each."""
    limit = {**LIMIT, "quota": 100}
    assert codes(limit, Simulated(limit, status=lambda _request: 404)) == set()
    assert codes(limit, Simulated(limit, race=True, status=lambda _request: 404)) == {"rate-limit.overshoot"}


def test_an_api_without_a_limit_cannot_be_called_clean() -> None:
    """Where nothing is ever refused although more than the quota was counted, it overshoots."""
    assert "rate-limit.overshoot" in codes(LIMIT, Simulated(LIMIT, quota=10**6))


def test_a_quota_that_cannot_be_met_is_inconclusive() -> None:
    """Calls so slow that the quota is never met give a reason, not a pass."""
    limit = {**LIMIT, "quota": 30, "window_s": 0.5}
    contract = contract_of(limit)
    server = Simulated(limit, latency_s=(0.0, 30.0))
    verdict, _ = examined(server, burst_of(contract), contract)
    assert verdict.status.value == "inconclusive"
    assert "refused none" in verdict.reason


def test_a_schedule_that_never_met_the_quota_is_no_pass() -> None:
    """Two calls of ten tell nothing of the limit, give no reason either, and leave what the burst told as it is."""
    contract = contract_of(LIMIT)
    case = case_of(contract, contract.by_id[OPERATION], {"schedule": [[0, 0, 2]]})
    verdict, _ = examined(Simulated(LIMIT), case, contract)
    assert (verdict.status.value, verdict.examined, verdict.reason) == ("inconclusive", 0, "")
    burst, _ = examined(Simulated(LIMIT), burst_of(contract), contract)
    (both,) = merged((burst, verdict))
    assert (both.status.value, both.examined) == ("pass", burst.examined)


def test_what_may_or_may_not_have_been_admitted_is_no_observation() -> None:
    """A 5xx may have been counted or not: only the other answers are counted as examined."""
    contract = contract_of(LIMIT)
    broken = Simulated(LIMIT, status=lambda _request: 500)
    verdict, driven = examined(broken, burst_of(contract), contract)
    refused = [exchange for exchange in driven.exchanges if exchange.status == 429]
    assert verdict.examined == len(refused) < len(driven.exchanges)


@pytest.mark.parametrize(("quota", "window_s"), [(100_000, 4), (10, 900)])
def test_a_limit_out_of_reach_says_why(quota: int, window_s: float) -> None:
    """A quota or a window beyond a case's means is named as the reason; the headers are looked at all the same."""
    limit = {**LIMIT, "quota": quota, "window_s": window_s}
    contract = contract_of(limit)
    server = Simulated(limit)
    verdict, driven = examined(server, burst_of(contract), contract)
    assert verdict.findings == ()
    assert verdict.examined == 3
    assert "profile" in driven.reason


@settings(max_examples=15, deadline=None)
@given(latency_s=st.floats(0.0001, 0.5), seed=st.integers(0, 1000))
def test_the_limit_of_the_document_is_used_up_by_several_reads(latency_s: float, seed: int) -> None:
    """A wider limit of the document is met by calls of several operations, and blamed only where it is passed."""
    general = {**LIMIT, "name": "all", "quota": 15, "headers": "draft-6", "reset": "delta"}
    contract = contract_of(LIMIT | {"quota": 40}, general)
    case = case_of(contract, contract.by_id[OPERATION], {"name": "all"})
    exact, racing = (
        Simulated(LIMIT | {"quota": 40}, general=general, race=race, random=Random(seed), latency_s=(0.0001, latency_s))
        for race in (False, True)
    )
    assert examined(exact, case, contract)[0].findings == ()
    assert {finding.code for finding in examined(racing, case, contract)[0].findings} == {"rate-limit.overshoot"}


def test_the_annotation_accepts_the_documented_form_only() -> None:
    """The documented form fits the schema; an unknown member does not."""
    validator = jsonschema_rs.Draft202012Validator(dict(PROMISE.annotation))
    assert validator.is_valid([LIMIT])
    assert not validator.is_valid([{**LIMIT, "qouta": 1}])
    assert not validator.is_valid([{"name": "x"}])


def test_cases_are_the_same_for_the_same_random_source() -> None:
    """The cases of an operation are repeatable, and every operation has its burst."""
    contract = contract_of(LIMIT)
    operation = contract.by_id[OPERATION]
    assert PROMISE.cases is not None
    one, again = (list(PROMISE.cases(contract, operation, Random(4))) for _ in range(2))
    assert [(case.name, case.parameters) for case in one] == [(case.name, case.parameters) for case in again]
    assert one[0].name == "burst"


@settings(max_examples=60, deadline=None)
@given(behind_s=st.floats(-90, 90), quota=st.integers(1, 20), wait=st.booleans(), seed=st.integers(0, 100))
def test_a_date_that_is_old_or_a_clock_that_differs_makes_no_reset_untrue(
    *, behind_s: float, quota: int, wait: bool, seed: int
) -> None:
    """Neither a Date that was written late nor a server whose clock differs is blamed for its reset."""
    limit = {**LIMIT, "quota": quota}
    contract = contract_of(limit)
    for stale in (True, False):
        server = Simulated(limit, random=Random(seed))
        shift_s = 0.0 if stale else behind_s
        server.told = partial(_dated, server, shift_s, max(0.0, min(behind_s, 55.0)) if stale else 0.0)
        server.clock_ahead_s = shift_s
        verdict, _ = examined(server, burst_of(contract, wait=wait), contract)
        assert verdict.findings == ()


def _dated(server: Simulated, shift_s: float, behind_s: float, _status: int, headers: dict[str, str]) -> dict[str, str]:
    """The headers with a Date by a shifted clock that is behind by so much."""
    date = formatdate(server._wall_s(server.answered_ns) + shift_s - behind_s, usegmt=True)
    return headers | {"Date": date}
