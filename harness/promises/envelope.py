"""The standing promise that every error answer has the one declared shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.promises.misfit import MASKED, Side, misfits
from harness.promises.promise import Promise
from harness.promises.sightings import Sight, Sightings, asked, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request, Response
    from harness.verdict import Verdict

KEY = "envelope"
ERROR = 400


def applies(contract: Contract, operation: Operation) -> bool:
    """Where an envelope is declared for the operation, or for the document and not switched off."""
    return _schema_at(contract, operation) != ""


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Whether each 4xx and 5xx of the operation fits the envelope; a HEAD has no body, a preflight's is not read."""
    at = _schema_at(contract, operation)
    sightings = Sightings(KEY, operation.id)
    examined = 0
    for exchange in exchanges:
        response = exchange.response
        if response is None or exchange.operation != operation.id or response.status < ERROR:
            continue
        if exchange.request.method == "HEAD" or _preflight(exchange.request):
            continue
        examined += 1
        for sight in _sights(contract, at, exchange, response):
            sightings.add(sight, exchange)
    return sightings.verdict(examined, "no error was answered, so no error's shape was seen")


def _preflight(request: Request) -> bool:
    """Whether a browser asks for itself (Fetch, CORS-preflight request): no page is shown its answer."""
    names = {name.lower() for name, _ in request.headers}
    return request.method == "OPTIONS" and {"origin", "access-control-request-method"} <= names


def _schema_at(contract: Contract, operation: Operation) -> str:
    """Where the envelope's schema stands in the document; empty where none is promised."""
    if not isinstance(contract.promise(KEY, operation), dict):
        return ""
    holder = operation.pointer if operation.promises.get(KEY) is not None else ""
    return f"{holder}/x-promises/{KEY}/schema"


def _sights(contract: Contract, at: str, exchange: Exchange, response: Response) -> Iterator[Sight]:
    status = response.status
    promised = f"the body of a {status} is JSON of the declared envelope"
    if not response.body.strip():
        yield Sight(
            "envelope.shape", f"{status} empty", promised, f"{asked(exchange)} was answered {status} and nothing"
        )
        return
    try:
        value: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        if MASKED.encode() not in response.body:
            text = shown(response.body[:400].decode("utf-8", "replace"))
            yield Sight(
                "envelope.shape", f"{status} not JSON", promised, f"{asked(exchange)} was answered {status}: {text}"
            )
        return
    for misfit in misfits(contract, at, value, Side.SERVER):
        yield Sight(
            "envelope.shape",
            f"{status} {misfit.kind}",
            f"{promised}: {misfit.rule} at {misfit.place or '/'}",
            f"{asked(exchange)} was answered {status}, where {shown(misfit.message)}",
        )


PROMISE = Promise(
    key=KEY,
    annotation={
        "type": "object",
        "properties": {"schema": {"type": ["object", "boolean"]}},
        "required": ["schema"],
        "additionalProperties": False,
    },
    applies=applies,
    judge=judge,
)
