"""Makes a finding of a failure that Schemathesis saw, or none where a correct API could have given the same answers.

- unsupported_method: an undeclared method succeeds, or a 405 has no Allow (RFC 9110, 15.5.6). Not 404, 501 and other
  refusals, nor a method that another template of the contract serves at this path.
- allow_header_conformance: Allow leaves out a declared method or names one that no template has.
- ignored_auth: the same call without credentials, or with made-up ones, gets 2xx. No other answer.
- missing_required_header: the call succeeds without it. A refusal is any 4xx (a precondition's is 428).
- positive_data_acceptance: a number at its bound or a value of an enum is refused as malformed, and the same request
  with only that member different is accepted. Not rules beyond shapes: references, uniqueness, states.
- use_after_free: the deleted thing is read again as it was made. Not where anything in it tells of the deletion (a soft
  delete may be read), nor paths below it.
- ensure_resource_availability: a thing that 201 says was made is 404 to the one who made it. Not what was accepted for
  later (202), nor another caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.drivers.fuzz.bound import bound, differing
from harness.exchange import Exchange, Outcome
from harness.finding import Finding, Reproduction, Severity
from harness.identities import ANONYMOUS

if TYPE_CHECKING:
    from harness.contract import Contract, Operation
    from harness.drivers.fuzz.engine import Failed

CREATED, NOT_FOUND, METHOD_NOT_ALLOWED = 201, 404, 405
MALFORMED = {400, 406, 415, 422}
NOT_LET_IN = (401, 403)
NO_CREDENTIALS = "no_auth"


def plausible(check: str, facts: Mapping[str, Any], method: str, status: int) -> bool:
    """Whether a failure can be a finding, as far as its last request alone tells."""
    if check == "ensure_resource_availability":
        return method == "GET" and status == NOT_FOUND
    if check == "use_after_free":
        deleted, used = str(facts.get("free", "")), str(facts.get("usage", ""))
        return method == "GET" and deleted.partition(" ")[2] == used.partition(" ")[2]
    return status in MALFORMED if check == "positive_data_acceptance" else True


def judged(
    contract: Contract, failed: Failed, exchanges: Sequence[Exchange], accepted: Sequence[Exchange]
) -> Finding | None:
    """The finding of a failure; None where it is none.

    `exchanges` answer the failure's cases in order; `accepted` are requests that the operation took in the same pass.
    """
    operation = next(
        (item for item in contract.operations if (item.method, item.path) == (failed.method, _full(contract, failed))),
        None,
    )
    judge = JUDGES.get(failed.check)
    if operation is None or judge is None or not exchanges or len(exchanges) != len(failed.cases):
        return None
    return judge(contract, operation, failed.facts, exchanges, accepted)


Facts = Mapping[str, Any]
Judge = Callable[
    ["Contract", "Operation", Facts, Sequence[Exchange], Sequence[Exchange]],
    Finding | None,
]


def _unsupported_method(
    contract: Contract, operation: Operation, facts: Facts, exchanges: Sequence[Exchange], _: Sequence[Exchange]
) -> Finding | None:
    exchange = exchanges[-1]
    method = str(facts.get("method", exchange.request.method)).upper()
    if contract.match(method, exchange.request.path) is not None:
        return None
    first = next(item for item in contract.operations if item.path == operation.path)
    if exchange.outcome is Outcome.OK and exchange.status < 300:  # noqa: PLR2004 - a success, no redirect
        return _finding(
            "unsupported_method", first, (exchange,), Severity.MEDIUM,
            title="A method that the contract does not have succeeds",
            kind=f"{method} accepted",
            promised=f"{operation.path} has no {method}; RFC 9110 answers 405 or another refusal.",
            seen=f"{method} {exchange.request.path} was answered {exchange.status}.",
            expect={"status": ["2xx"]},
        )  # fmt: skip
    allow = exchange.response.header("Allow") if exchange.response else None
    if exchange.status == METHOD_NOT_ALLOWED and allow is None and contract.promise("http", first) is None:
        return _finding(
            "unsupported_method", first, (exchange,), Severity.LOW,
            title="405 without Allow",
            kind="no Allow",
            promised="RFC 9110, 15.5.6: a 405 has an Allow header that lists the methods of the resource.",
            seen=f"{method} {exchange.request.path} was answered 405 without Allow.",
            expect={"status": [METHOD_NOT_ALLOWED], "header_absent": "Allow"},
        )  # fmt: skip
    return None


def _allow(
    contract: Contract, operation: Operation, facts: Facts, exchanges: Sequence[Exchange], _: Sequence[Exchange]
) -> Finding | None:
    exchange = exchanges[-1]
    path = exchange.request.path
    missing = sorted(method for method in facts.get("missing_methods", ()) if contract.match(method, path) is not None)
    more = sorted(
        method
        for method in facts.get("undocumented_methods", ())
        if contract.match(method, path) is None and not contract.is_removed(method, path)
    )
    answered = exchange.outcome is Outcome.OK or exchange.status == METHOD_NOT_ALLOWED
    if not answered or not (missing or more):
        return None
    first = next(item for item in contract.operations if item.path == operation.path)
    told = exchange.response.header("Allow") if exchange.response else None
    return _finding(
        "allow_header_conformance", first, (exchange,), Severity.LOW,
        title="Allow does not list the methods of the contract",
        kind=" ".join((*(f"-{method}" for method in missing), *(f"+{method}" for method in more))),
        promised=f"Allow lists what {operation.path} has, and no more (RFC 9110, 10.2.1).",
        seen=f"OPTIONS {path} said Allow: {told}; missing {', '.join(missing) or 'none'}, "
        f"not in the contract {', '.join(more) or 'none'}.",
        expect={"status": ["2xx", "3xx", METHOD_NOT_ALLOWED], "allow": {"missing": missing, "more": more}},
    )  # fmt: skip


def _ignored_auth(
    _contract: Contract, operation: Operation, facts: Facts, exchanges: Sequence[Exchange], _: Sequence[Exchange]
) -> Finding | None:
    probe = exchanges[-1]
    if not _succeeded(probe) or probe.request.identity.name != ANONYMOUS.name or not operation.secured:
        return None
    how = str(facts.get("scenario", NO_CREDENTIALS))
    with_wrong = how != NO_CREDENTIALS
    return _finding(
        "ignored_auth", operation, exchanges, Severity.CRITICAL,
        title="Wrong credentials are accepted" if with_wrong else "The call needs no credentials",
        kind="wrong credentials" if with_wrong else "no credentials",
        promised=f"The contract secures {operation.method} {operation.path}.",
        seen=f"{probe.request.method} {probe.request.path} {'with made-up' if with_wrong else 'without'} credentials "
        f"was answered {probe.status}.",
        expect={"status": ["2xx"], "unclear": [NOT_FOUND]},
    )  # fmt: skip


def _missing_header(
    _contract: Contract, operation: Operation, facts: Facts, exchanges: Sequence[Exchange], _: Sequence[Exchange]
) -> Finding | None:
    exchange, name = exchanges[-1], str(facts.get("header_name", ""))
    sent = {header.lower() for header, _ in (*exchange.request.headers, *exchange.request.identity.headers)}
    if not _succeeded(exchange) or name.lower() in sent or name.lower() == "authorization":
        return None
    return _finding(
        "missing_required_header", operation, (exchange,), Severity.MEDIUM,
        title="A required header may be left out",
        kind=name.lower(),
        promised=f"{operation.method} {operation.path} requires the header {name}.",
        seen=f"Without it {exchange.request.method} {exchange.request.path} was answered {exchange.status}.",
        expect={"status": ["2xx"], "unclear": [*NOT_LET_IN, NOT_FOUND]},
    )  # fmt: skip


def _refused_bound(
    contract: Contract, operation: Operation, _facts: Facts, exchanges: Sequence[Exchange], accepted: Sequence[Exchange]
) -> Finding | None:
    exchange = exchanges[-1]
    if exchange.status not in MALFORMED:
        return None
    for other in accepted:
        place, name = differing(exchange, other) or ("", "")
        at = bound(contract, operation, exchange, place, name)
        if not at:
            continue
        return _finding(
            "positive_data_acceptance", operation, (other, exchange), Severity.LOW,
            title="A value that the schema allows is refused as malformed",
            kind=f"{at} {place} {name}",
            promised=f"The schema of {operation.method} {operation.path} allows this {at} of {name} ({place}).",
            seen=f"It was answered {exchange.status}; the same request with another {name} was answered "
            f"{other.status}.",
            expect={"status": [*sorted(MALFORMED)], "unclear": [*NOT_LET_IN, NOT_FOUND]},
        )  # fmt: skip
    return None


def _use_after_free(
    _contract: Contract, operation: Operation, _facts: Facts, exchanges: Sequence[Exchange], _: Sequence[Exchange]
) -> Finding | None:
    used = exchanges[-1]
    deleted = next((item for item in reversed(exchanges[:-1]) if item.request.method == "DELETE"), None)
    if deleted is None or used.request.method != "GET" or deleted.request.path != used.request.path:
        return None
    made = next((item for item in exchanges if item.request.method == "POST" and _succeeded(item)), None)
    before, after = (item.response.json() if item and item.response else None for item in (made, used))
    if not (_succeeded(used) and _succeeded(deleted) and isinstance(before, dict) and before == after):
        return None
    return _finding(
        "use_after_free", operation, exchanges, Severity.HIGH,
        title="A deleted thing is still served",
        kind="read",
        promised=f"After DELETE {deleted.request.path} ({deleted.status}) it is gone.",
        seen=f"GET {used.request.path} was answered {used.status} with the body as it was made.",
        expect={"status": ["2xx"], "body_of": made.operation if made else "", "unclear": [*NOT_LET_IN]},
    )  # fmt: skip


def _unavailable(
    _contract: Contract, operation: Operation, _facts: Facts, exchanges: Sequence[Exchange], _: Sequence[Exchange]
) -> Finding | None:
    used = exchanges[-1]
    made = exchanges[-2] if len(exchanges) > 1 else None
    names = {item.request.identity.name for item in exchanges}
    if made is None or made.status != CREATED or used.status != NOT_FOUND or used.request.method != "GET":
        return None
    told = {str(value) for _, value in pointer.leaves(made.response.json() if made.response else None)}
    last = used.request.path.rstrip("/").rpartition("/")[2]
    if len(names) != 1 or last not in told:
        return None
    return _finding(
        "ensure_resource_availability", operation, exchanges, Severity.MEDIUM,
        title="What was just made cannot be found",
        kind="read",
        promised=f"{made.request.method} {made.request.path} was answered 201: it is made.",
        seen=f"GET {used.request.path} by the same caller was answered 404.",
        expect={"status": [NOT_FOUND], "unclear": [*NOT_LET_IN]},
    )  # fmt: skip


JUDGES: Mapping[str, Judge] = {
    "unsupported_method": _unsupported_method,
    "allow_header_conformance": _allow,
    "ignored_auth": _ignored_auth,
    "missing_required_header": _missing_header,
    "positive_data_acceptance": _refused_bound,
    "use_after_free": _use_after_free,
    "ensure_resource_availability": _unavailable,
}


def _finding(  # noqa: PLR0913 - the parts of a finding, all but the first by name
    check: str,
    operation: Operation,
    witnesses: Sequence[Exchange],
    severity: Severity,
    *,
    title: str,
    kind: str,
    promised: str,
    seen: str,
    expect: Mapping[str, Any],
) -> Finding:
    """A finding; `expect` is its mark for a replay (harness/expected.py)."""
    return Finding(
        code=f"fuzz.{check}",
        title=title,
        severity=severity,
        operation=operation.id,
        kind=kind,
        promised=promised,
        seen=seen,
        witnesses=tuple(exchange.id for exchange in witnesses),
        reproduction=Reproduction(parameters={"expect": {**expect}}),
    )


def _full(contract: Contract, failed: Failed) -> str:
    return f"{contract.base_path}{failed.path}"


def _succeeded(exchange: Exchange) -> bool:
    return 200 <= exchange.status < 300  # noqa: PLR2004 - the class of status is the number
