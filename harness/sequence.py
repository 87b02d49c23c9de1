"""The shortest sequence that shows a fault again, cut out of a history and ready for fresh data.

A value in a request that came from an earlier answer (an id, an ETag) is followed to the exchange that first told it,
and that one is taken in too, and so on. What is left is a list of steps in which such values are references, so that
the sequence can be sent to a target that has never seen them: identities are made again by role, and members that must
be unique get new values.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from harness.case import Steps, one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Exchange, Request
from harness.identities import ANONYMOUS, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.stage import Stage

MIN_TEXT = 6
MAX_STEPS = 40
REPLAYED = "replay"
UNIQUE_NAMES = {"email", "username", "login", "slug", "name", "title", "key", "code", "sku"}
TOLD_HEADERS = ("ETag", "Location")
OWN_HEADERS = {"content-length", "host", "connection", "user-agent", "accept-encoding", "x-schemathesis-testcaseid"}


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a value was first told: the exchange and the place in its answer."""

    index: int
    place: str


def cut(history: Sequence[Exchange], witnesses: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """The steps that the witnesses need, in order, as JSON objects; empty where they stand on more than 40.

    `history` is in the order of sending and holds the witnesses.
    """
    by_id = {exchange.id: index for index, exchange in enumerate(history)}
    wanted = sorted(by_id[witness] for witness in witnesses if witness in by_id)
    origins = _origins(history[: wanted[-1]] if wanted else ())
    taken: dict[int, dict[str, _Origin]] = {}
    while wanted:
        index = wanted.pop()
        if index in taken:
            continue
        taken[index] = {
            value: origins[value]
            for value in _values(history[index].request)
            if value in origins and origins[value].index < index
        }
        wanted += [origin.index for origin in taken[index].values()]
    if len(taken) > MAX_STEPS:
        return ()
    order = {index: number for number, index in enumerate(sorted(taken))}
    return tuple(_step(history[index], taken[index], order) for index in sorted(taken))


def replayed(stage: Stage, steps: Sequence[Mapping[str, Any]]) -> Steps[None]:
    """A case that sends the steps again: new identities of the same roles, references filled from the new answers."""
    who: dict[str, Identity] = {}
    facts: dict[str, str] = {}
    answers: list[Exchange] = []
    for step in steps:
        told = step["identity"]
        if told["name"] not in who:
            who[told["name"]] = yield from _identity(stage, told)
            new = who[told["name"]].facts
            facts |= {value: new[name] for name, value in told["facts"].items() if name in new}
        values = {value: _told(answers, reference) for value, reference in step["references"].items()} | facts
        answers.append((yield from one(_request(step, values, who[told["name"]], stage))))


def _origins(history: Sequence[Exchange]) -> dict[str, _Origin]:
    """For each value that an answer told, where it was told first by a call that did not send it itself."""
    found: dict[str, _Origin] = {}
    for index, exchange in enumerate(history):
        response = exchange.response
        if response is None or not 200 <= response.status < 300:  # noqa: PLR2004 - a success
            continue
        sent = set(_values(exchange.request))
        for place, value in _told_values(exchange):
            if value not in sent:
                found.setdefault(value, _Origin(index, place))
    return found


def _told_values(exchange: Exchange) -> Iterator[tuple[str, str]]:
    response = exchange.response
    if response is None:
        return
    if exchange.request.method != "GET":
        for place, value in pointer.leaves(response.json()):
            if _followable(value, place):
                yield place, str(value)
    for name in TOLD_HEADERS:
        value = response.header(name)
        if value:
            yield f"header:{name}", value


def _followable(value: Any, place: str) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    return len(value) >= MIN_TEXT if isinstance(value, str) else isinstance(value, int) and place.lower().endswith("id")


def _values(request: Request) -> Iterator[str]:
    """Every value of a request that may have been told by an earlier answer."""
    yield from (unquote(segment) for segment in request.path.split("/") if segment)
    yield from (value for _, value in request.query)
    yield from (value for name, value in request.headers if name.lower() in {"if-match", "if-none-match"})
    yield from (str(value) for _, value in pointer.leaves(request.json()) if isinstance(value, str | int))


def _step(exchange: Exchange, references: Mapping[str, _Origin], order: Mapping[int, int]) -> dict[str, Any]:
    request = exchange.request
    who = request.identity
    return {
        "operation": request.operation,
        "method": request.method,
        "path": request.path,
        "query": [list(pair) for pair in request.query],
        "headers": [list(pair) for pair in request.headers if _own(pair, request)],
        "body": None if request.body is None else request.body.decode("utf-8", "surrogateescape"),
        "identity": {"name": who.name, "roles": list(who.roles), "tenant": who.tenant, "facts": dict(who.facts)},
        "step": request.step,
        "status": exchange.status,
        "references": {
            value: {"step": order[origin.index], "place": origin.place} for value, origin in references.items()
        },
    }


def _own(pair: tuple[str, str], request: Request) -> bool:
    """Whether a header is the request's own and not its identity's, the connection's or masked."""
    name, value = pair
    theirs = {header for header, _ in request.identity.headers}
    return name.lower() not in OWN_HEADERS and name not in theirs and "[masked" not in value


def _identity(stage: Stage, told: Mapping[str, Any]) -> Steps[Identity]:
    if told["name"] == ANONYMOUS.name:
        return replace(stage.anonymous(), tenant=told["tenant"])
    return (yield from stage.actors.with_role(stage, told["roles"][0] if told["roles"] else ""))


def _told(answers: Sequence[Exchange], reference: Mapping[str, Any]) -> str:
    exchange = answers[reference["step"]] if reference["step"] < len(answers) else None
    response = exchange.response if exchange else None
    place = reference["place"]
    if response is not None and place.startswith("header:"):
        value: Any = response.header(place.removeprefix("header:"))
    else:
        value = pointer.get(response.json() if response else None, place)
    if value is None or value is pointer.MISSING:
        status = exchange.status if exchange else 0
        raise CannotTell(f"step {reference['step'] + 1} of the sequence answered {status} and told no {place}")
    return str(value)


def _request(step: Mapping[str, Any], values: Mapping[str, str], who: Identity, stage: Stage) -> Request:
    body = step["body"]
    if body is not None:
        body = _fresh_members(_filled(body, values), step, stage)
    segments = [
        quote(values[plain], safe="") if (plain := unquote(s)) in values else s for s in step["path"].split("/")
    ]
    return Request(
        method=step["method"],
        path="/".join(segments),
        operation=step["operation"],
        query=tuple((name, values.get(value, value)) for name, value in step["query"]),
        headers=tuple((name, values.get(value, value)) for name, value in step["headers"]),
        body=None if body is None else body.encode("utf-8", "surrogateescape"),
        identity=who,
        step=step["step"] or REPLAYED,
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The JSON text with old values replaced, those in quotes as texts and the others as numbers."""
    for old, new in values.items():
        quoted, shown = json.dumps(old), json.dumps(new)
        bare = rf"(?<=[:\[,\s]){re.escape(old)}(?=[,\]\}}\s])"
        text = text.replace(quoted, shown) if quoted in text else re.sub(bare, new.replace("\\", r"\\"), text)
    return text


def _fresh_members(text: str, step: Mapping[str, Any], stage: Stage) -> str:
    """A body whose unique members are new, where the call once succeeded: on data not fresh they would collide."""
    if step["method"] != "POST" or not 200 <= step["status"] < 300:  # noqa: PLR2004 - a success
        return text
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for place, value in list(pointer.leaves(body)):
        name = pointer.tokens(place)[-1].lower() if place else ""
        if name in UNIQUE_NAMES and isinstance(value, str) and len(value) >= MIN_TEXT:
            body = pointer.put(body, place, _renewed(value, stage.unique("r")))
    return json.dumps(body, ensure_ascii=False)


def _renewed(value: str, fresh: str) -> str:
    """A value of the same form and length where it can be: what stood before an @ or at the end is replaced."""
    head, at, domain = value.partition("@")
    if at:
        return f"{fresh}@{domain}"
    return (head[: -len(fresh)] + fresh) if len(head) > len(fresh) else fresh[-len(head) :]
