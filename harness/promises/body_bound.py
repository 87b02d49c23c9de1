"""The case of `http` for the bound of JSON bodies: one byte too many, with its length told and without, then as many.

A valid body is filled up with spaces, which JSON has room for (RFC 8259, 2), so that nothing but its length is wrong.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from harness.case import one
from harness.errors import CannotTell
from harness.promises import survey
from harness.promises.resource.steps import first, parts, settled, step, succeeded
from harness.promises.schema import says_no

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request
    from harness.promises.look import Look
    from harness.stage import Stage

CODE, MEMBER, CASE = "http.body-bound", "max_body_bytes", "body"
VALID, OVER, STREAMED, WITHIN = "length-valid", "length-over", "length-untold", "length-within"
MOST_BYTES = 32 * 1024 * 1024
TOO_LARGE = 413
CHUNKED = ("Transfer-Encoding", "chunked")


def bound(contract: Contract, operation: Operation, key: str) -> int:
    """How many bytes a JSON body of the operation may have; 0 where none is declared, or it is tried elsewhere.

    What stands on the document is tried at one operation of each method that makes or changes a thing.
    """
    told = contract.promise(key, operation)
    if not isinstance(told, dict) or MEMBER not in told or not _fit(operation):
        return 0
    if not (isinstance(operation.promises.get(key), dict) or _first(contract, operation, key)):
        return 0
    return int(told[MEMBER])


def _fit(operation: Operation) -> bool:
    return operation.json_body() is not None and not operation.reads and not survey.may_change_caller(operation)


def _first(contract: Contract, operation: Operation, key: str) -> bool:
    """Whether it is the first of its method that has the bound and takes JSON, before others one on a thing."""
    ids = {item for resource in contract.resources for item in (resource.create, resource.update) if item}
    bound_too = [
        item
        for item in contract.operations
        if item.method == operation.method and _fit(item) and MEMBER in (contract.promise(key, item) or {})
    ]
    return next(iter(sorted(bound_too, key=lambda item: item.id not in ids)), None) is operation


def tried(operation: Operation, most: int, stage: Stage) -> Steps[None]:
    """A valid call, and the three whose body is filled up, each on fresh things."""
    if most > MOST_BYTES:
        raise CannotTell(f"{operation.id}: bodies of {most} bytes are more than is sent here: {MOST_BYTES}")
    stage.familiar = stage.actors.company()
    base = yield from survey.ready(stage.contract, operation, stage, VALID)
    valid = yield from one(base)
    if not succeeded(valid):
        raise CannotTell(f"{operation.id} answered {valid.status or valid.error} to a body that fits its schema")
    for word, size in ((OVER, most + 1), (STREAMED, most + 1), (WITHIN, most)):
        made: Request = yield from survey.ready(stage.contract, operation, stage, word)
        body = made.body or b""
        if len(body) > most:
            raise CannotTell(f"{operation.id}: a valid body has {len(body)} bytes, more than the {most} of its bound")
        headers = (*made.headers, CHUNKED) if word == STREAMED else made.headers
        yield from one(replace(made, headers=headers, body=body + b" " * (size - len(body)), step=step(word, size)))


def judge(look: Look, exchanges: Sequence[Exchange]) -> None:
    """What is too long is refused; what is as long as it may be is not refused as too long."""
    exchanges = settled(exchanges)
    valid, within = first(exchanges, VALID), first(exchanges, WITHIN)
    if not _taken(valid):
        return
    taken = _taken(within)
    if within is not None and look.answered(within):
        look.examined += taken or within.status == TOO_LARGE
        if within.status == TOO_LARGE:
            promised = f"{within.operation} takes bodies of {parts(within)[1]} bytes."
            look.found(CODE, "within", promised, "One of as many was answered 413.", valid, within)
        elif not taken:
            look.reasons.append(f"{within.operation} answered {within.status} to a body that was filled up with spaces")
    for word, told in ((OVER, "with its length told"), (STREAMED, "chunked, without its length")):
        over = first(exchanges, word)
        if over is None or not look.answered(over) or not (taken or _taken(over)):
            continue
        look.examined += 1
        if _taken(over):
            promised = f"{over.operation} takes bodies of at most {int(parts(over)[1]) - 1} bytes."
            seen = f"One of {parts(over)[1]} bytes, {told}, was answered {over.status}."
            look.found(CODE, "over" if word == OVER else "untold", promised, seen, valid, over)


def _taken(exchange: Exchange | None) -> TypeGuard[Exchange]:
    """Whether a call succeeded, and its body names no failure beside the status."""
    return exchange is not None and succeeded(exchange) and not (exchange.response and says_no(exchange.response))
