"""The shortest sequence that shows a fault again, cut out of a history and ready for fresh data.

A value in a request that came from an earlier answer (an id, an ETag) is followed to the exchange that first told it,
and that one is taken in too, and so on. What is left is a list of steps in which such values are references, so that
the sequence can be sent to a target that has never seen them: identities are made again by role, and members that must
be unique get new values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from harness.case import Steps, one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Exchange, Headers, Request
from harness.identities import ANONYMOUS, Identity
from harness.mask import SECRET_HEADERS
from harness.places import Place, noun, places, singular, with_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.stage import Stage

MIN_TEXT = 6
MAX_STEPS = 40
REPLAYED = "replay"
UNIQUE_NAMES = {"email", "username", "login", "slug", "name", "title", "key", "code", "sku"}
TOLD_HEADERS = ("ETag", "Location")
MASKED = re.compile(r"\[masked[^\]]*\]")
OWN_HEADERS = {"content-length", "host", "connection", "user-agent", "accept-encoding", "x-schemathesis-testcaseid"}


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a value was told: the exchange, the place in its answer, and what the thing is called."""

    index: int
    place: str
    noun: str = ""


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
        found = ((place, _origin(origins, place, index)) for place in places(history[index].request))
        taken[index] = {place.at: origin for place, origin in found if origin is not None}
        wanted += [origin.index for origin in taken[index].values()]
    if len(taken) > MAX_STEPS:
        return ()
    order = {index: number for number, index in enumerate(sorted(taken))}
    return tuple(_step(history[index], taken[index], order) for index in sorted(taken))


def replayed(stage: Stage, steps: Sequence[Mapping[str, Any]], answers: list[Exchange] | None = None) -> Steps[None]:
    """A case that sends the steps again: new identities of the same roles, references filled from the new answers.

    A value that is made new (a name, an identity's fact) is the same new one in every step of the replay. `answers`
    is given the exchange of each step, without those that make identities.
    """
    who: dict[str, Identity] = {}
    worlds = {stage.tenant: stage}
    renewed: dict[str, str] = {}
    answers = [] if answers is None else answers
    for step in steps:
        told = step["identity"]
        if told["name"] not in who:
            who[told["name"]] = yield from _identity(_world(worlds, stage, told["tenant"]), told)
            new = who[told["name"]].facts
            renewed |= {value: new[name] for name, value in told["facts"].items() if name in new}
        request = _request(step, answers, renewed, who[told["name"]], stage)
        answers.append((yield from one(request)))


def _origins(history: Sequence[Exchange]) -> dict[str, list[_Origin]]:
    """For each value that an answer told, where it was told by a call that did not send it itself, first to last."""
    found: dict[str, list[_Origin]] = {}
    for index, exchange in enumerate(history):
        response = exchange.response
        if response is None or not 200 <= response.status < 300:  # noqa: PLR2004 - a success
            continue
        sent = {(place.value, place.noun if place.value.isdigit() else "") for place in places(exchange.request)}
        for at, value in _told_values(exchange):
            named = _told_noun(exchange.request, at)
            if (value, named if value.isdigit() else "") not in sent:
                found.setdefault(value, []).append(_Origin(index, at, named))
    return found


def _origin(origins: Mapping[str, Sequence[_Origin]], place: Place, before: int) -> _Origin | None:
    """Where the value of a place was told first: the thing that the place names comes before others of equal id."""
    told = [origin for origin in origins.get(place.value, ()) if origin.index < before]
    return next((origin for origin in told if origin.noun == place.noun), told[0] if told else None)


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


def _told_noun(request: Request, at: str) -> str:
    """What the thing is called whose id an answer told: by its member or its list, else by the path that was called."""
    listed = [one for one, index in pairwise(pointer.tokens(at)) if index.isdigit()]
    if listed and not noun(at):
        return singular(listed[-1])
    parts = [part for part in request.path.split("/") if part and not part.isdigit()]
    return noun(at) or (singular(parts[-1]) if parts else "")


def _followable(value: Any, place: str) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    return len(value) >= MIN_TEXT if isinstance(value, str) else isinstance(value, int) and place.lower().endswith("id")


def _step(exchange: Exchange, origins: Mapping[str, _Origin], order: Mapping[int, int]) -> dict[str, Any]:
    """One step; `references` say by value what a reader needs, `filled` by place what a replay fills."""
    request = exchange.request
    who = request.identity
    filled = {at: {"step": order[origin.index], "place": origin.place} for at, origin in origins.items()}
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
        "references": {place.value: filled[place.at] for place in places(request) if place.at in filled},
        "filled": filled,
    }


def _own(pair: tuple[str, str], request: Request) -> bool:
    """Whether a header is the request's own and not its identity's, the connection's or masked.

    What is masked in a request of nobody is a made-up credential: it is the request's own.
    """
    name, value = pair
    theirs = {header for header, _ in request.identity.headers}
    made_up = request.identity.name == ANONYMOUS.name and name.lower() in SECRET_HEADERS
    return name.lower() not in OWN_HEADERS and name not in theirs and (made_up or "[masked" not in value)


def _world(worlds: dict[str, Stage], stage: Stage, tenant: str) -> Stage:
    """The replay's world in a tenant, one for all who are of it, so that no two have one name."""
    if tenant not in worlds:
        worlds[tenant] = stage.elsewhere(tenant) if tenant in stage.actors.tenants else stage
    return worlds[tenant]


def _identity(stage: Stage, told: Mapping[str, Any]) -> Steps[Identity]:
    """Someone of the same role in the same tenant, where there is one of that name."""
    if told["name"] == ANONYMOUS.name:
        return stage.anonymous()
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


def _request(
    step: Mapping[str, Any], answers: Sequence[Exchange], renewed: dict[str, str], who: Identity, stage: Stage
) -> Request:
    """The step's request, each place filled once: from an earlier answer, else with what its value is renewed by."""
    old = _sent(step)
    filled = step.get("filled")
    if filled is None:
        filled = {
            place.at: step["references"][place.value] for place in places(old) if place.value in step["references"]
        }
    new: dict[str, str] = {}
    for place in places(old):
        if place.at in filled:
            new[place.at] = _told(answers, filled[place.at])
        elif place.value in renewed:
            new[place.at] = renewed[place.value]
        elif _is_unique(place, step, stage):
            new[place.at] = renewed[place.value] = _renewed(place.value, stage.unique("r"))
    again = with_values(old, new)
    headers = tuple((name, MASKED.sub(lambda _: stage.unique("made-up-"), value)) for name, value in again.headers)
    own = _without(headers, stage.actors.tenant_headers(step["identity"]["tenant"]))
    return replace(again, headers=own, identity=who, step=step["step"] or REPLAYED)


def _without(headers: Headers, carried: Headers) -> Headers:
    """The headers without one of each that the identity carries: a history holds them among the request's own."""
    kept = list(headers)
    for pair in carried:
        if pair in kept:
            kept.remove(pair)
    return tuple(kept)


def _sent(step: Mapping[str, Any]) -> Request:
    """The request as it was sent when the step was cut, of nobody."""
    body = step["body"]
    return Request(
        method=step["method"],
        path=step["path"],
        operation=step["operation"],
        query=tuple((name, value) for name, value in step["query"]),
        headers=tuple((name, value) for name, value in step["headers"]),
        body=None if body is None else body.encode("utf-8", "surrogateescape"),
    )


def _is_unique(place: Place, step: Mapping[str, Any], stage: Stage) -> bool:
    """Whether a value must be new: a unique member of a call that made something; on data not fresh it would collide.

    A login makes nothing: its name is new only where an earlier step made it so.
    """
    if step["method"] != "POST" or not 200 <= step["status"] < 300:  # noqa: PLR2004 - a success
        return False
    login = stage.actors.told.get("login", {}).get("operation", "")
    name = (pointer.tokens(place.at.removeprefix("body:")) or [""])[-1].lower() if place.at.startswith("body:") else ""
    return name in UNIQUE_NAMES and len(place.value) >= MIN_TEXT and not (login and step["operation"] == login)


def _renewed(value: str, fresh: str) -> str:
    """A value of the same form and length where it can be: what stood before an @ or at the end is replaced."""
    head, at, domain = value.partition("@")
    if at:
        return f"{fresh}@{domain}"
    return (head[: -len(fresh)] + fresh) if len(head) > len(fresh) else fresh[-len(head) :]
