"""Whether an answer is one that the contract documents: its status, media type, body and headers."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.contract.operation import is_json
from harness.finding import Severity
from harness.promises.misfit import MASKED, Side, misfits
from harness.promises.schema.reading import kinds, lists, readings
from harness.promises.sightings import Sight, asked, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract import Answer, Body, Contract, Operation
    from harness.exchange import Exchange, Response

NO_CONTENT = {204, 205, 304}
SERVER_ERROR = 500
NOT_IMPLEMENTED, UNAVAILABLE, GATEWAY_TIMEOUT = 501, 503, 504
# What stands before an API may answer these on its own: time-outs, sizes, limits.
INFRASTRUCTURE = {408, 413, 414, 429, 431}
READABLE = {"identity", "gzip", "deflate"}
CONDITIONS = {"if-none-match", "if-modified-since"}


def sights(contract: Contract, operation: Operation, exchange: Exchange, response: Response) -> Iterator[Sight]:
    """Everything about an answer that the contract does not allow."""
    answer = operation.answer(response.status)
    if response.status >= SERVER_ERROR:
        if not _is_excused(answer, response):
            yield Sight(
                "schema.server-error",
                str(response.status),
                f"{operation.id} answers what its contract documents and does not fail",
                f"{asked(exchange)} was answered {response.status}: {_text(response)}",
            )
        return
    if answer is None:
        if not _is_known_everywhere(exchange, response.status):
            yield _undocumented(operation, exchange, response)
        return
    if exchange.request.method != "HEAD" and response.status not in NO_CONTENT:
        yield from _content(contract, answer, exchange, response)
    yield from _headers(contract, answer, exchange, response)


def failed(exchange: Exchange, response: Response) -> Iterator[Sight]:
    """A failure of the server where no operation is: at a URL that it told, or by a method that a path lacks."""
    if response.status >= SERVER_ERROR and response.status not in {NOT_IMPLEMENTED, UNAVAILABLE, GATEWAY_TIMEOUT}:
        yield Sight(
            "schema.server-error",
            f"{exchange.request.method} {response.status}",
            "the server does not fail at what its contract does not document",
            f"{asked(exchange)} was answered {response.status}: {_text(response)}",
        )


def _is_excused(answer: Answer | None, response: Response) -> bool:
    """A documented 501 or 504, or a documented 503 that says when to come again."""
    if answer is None or answer.status.lower() == "default":
        return False
    if response.status == UNAVAILABLE:
        return response.header("Retry-After") is not None
    return response.status in {NOT_IMPLEMENTED, GATEWAY_TIMEOUT}


def _is_known_everywhere(exchange: Exchange, status: int) -> bool:
    """Statuses that need no word in the contract: not modified after a condition, limits that stand before the API."""
    names = {name.lower() for name, _ in exchange.request.headers}
    return status in INFRASTRUCTURE or (status in {304, 412} and bool(names & CONDITIONS)) or status < 200  # noqa: PLR2004 - the status is its number


def _undocumented(operation: Operation, exchange: Exchange, response: Response) -> Sight:
    documented = ", ".join(answer.status for answer in operation.answers) or "none"
    return Sight(
        "schema.undocumented-status",
        str(response.status),
        f"{operation.id} answers one of its documented statuses: {documented}",
        f"{asked(exchange)} was answered {response.status}: {_text(response)}",
        Severity.LOW if response.status >= 400 else None,  # noqa: PLR2004 - the class of status is the number
    )


def _content(contract: Contract, answer: Answer, exchange: Exchange, response: Response) -> Iterator[Sight]:
    if not answer.bodies:
        return
    documented = ", ".join(body.media_type for body in answer.bodies)
    if not response.body:
        if all(is_json(body.media_type) and body.pointer for body in answer.bodies):
            yield Sight(
                "schema.body",
                f"{response.status} empty",
                f"a {response.status} has a body of {documented}",
                f"{asked(exchange)} was answered {response.status} with an empty body",
            )
        return
    if (response.header("Content-Encoding") or "identity").strip().lower() not in READABLE:
        return  # asked for in a coding that the recorder does not undo: nothing can be told of it
    declared = _declared(answer, response.header("Content-Type"))
    if declared is None:
        told = response.header("Content-Type")
        yield Sight(
            "schema.content-type",
            f"{response.status} {_essence(told) or 'none'}",
            f"a {response.status} is {documented}",
            f"{asked(exchange)} was answered {response.status} with Content-Type {told or '(none)'}",
        )
    elif is_json(_essence(response.header("Content-Type"))) and not _is_envelope(
        contract, exchange, declared, response
    ):
        yield from _json(contract, declared, exchange, response)


def _is_envelope(contract: Contract, exchange: Exchange, declared: Body, response: Response) -> bool:
    """Whether the body is an error's envelope, which the promise of that name judges: one fault is one finding."""
    promised = contract.promise("envelope", contract.by_id[exchange.operation])
    return (
        response.status >= 400  # noqa: PLR2004 - the class of status is the number
        and isinstance(promised, dict)
        and contract.schema(promised["schema"]) == declared.schema
    )


def _declared(answer: Answer, content_type: str | None) -> Body | None:
    """The documented body of a content type: the same one, else a range (`application/*`) that holds it."""
    essence = _essence(content_type)
    if not essence:
        return None
    by_type = {_essence(body.media_type): body for body in answer.bodies}
    wanted = (essence, f"{essence.partition('/')[0]}/*", "*/*")
    return next((by_type[key] for key in wanted if key in by_type), None)


def _essence(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _json(contract: Contract, declared: Body, exchange: Exchange, response: Response) -> Iterator[Sight]:
    try:
        value: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        if MASKED.encode() not in response.body:
            yield Sight(
                "schema.body",
                f"{response.status} not JSON",
                f"a {response.status} of {declared.media_type} is JSON",
                f"{asked(exchange)} was answered {response.status} with {_text(response)}",
            )
        return
    for misfit in misfits(contract, declared.pointer, value, Side.SERVER):
        yield Sight(
            "schema.body",
            f"{response.status} {misfit.kind}",
            f"the body of a {response.status} fits its schema: {misfit.rule} at {misfit.place or '/'}",
            f"{asked(exchange)} was answered {response.status}, where {shown(misfit.message)}",
            Severity.LOW if misfit.rule == "format" else None,
        )


def _headers(contract: Contract, answer: Answer, exchange: Exchange, response: Response) -> Iterator[Sight]:
    names = {name.lower() for name, _ in response.headers}
    for name in answer.required_headers:
        if name.lower() not in names and name.lower() != "content-type":
            yield Sight(
                "schema.missing-header",
                f"{response.status} {name.lower()}",
                f"a {response.status} carries the header {name}",
                f"{asked(exchange)} was answered {response.status} without it",
            )
    for name, at in answer.header_pointers:
        value = response.header(name)
        if value is None or MASKED in value or name.lower() in {"content-type", "set-cookie"}:
            continue
        wrong = _header_misfit(contract, at, value)
        if wrong:
            yield Sight(
                "schema.missing-header",
                f"{response.status} {name.lower()} {wrong[0]}",
                f"the header {name} of a {response.status} fits its schema",
                f"{asked(exchange)} was answered {name}: {shown(value)}, where {shown(wrong[1])}",
            )


@lru_cache(maxsize=2048)  # most headers say the same again and again
def _header_misfit(contract: Contract, at: str, value: str) -> tuple[str, str] | None:
    """The rule that a header's value breaks in every reading, with its message."""
    types = kinds(contract, {"$ref": f"#{at}"})
    if "object" in types:
        return None
    first = None
    for candidate in [*readings(value), *(lists([value]) if "array" in types or not types else ())]:
        wrong = misfits(contract, at, candidate, Side.SERVER)
        if not wrong:
            return None
        first = first or wrong
    return (first[0].rule, first[0].message) if first else None


def _text(response: Response) -> str:
    return shown(response.body[:400].decode("utf-8", "replace")) or "no body"
