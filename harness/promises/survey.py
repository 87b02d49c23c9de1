"""The survey: for one operation, the calls that give the standing promises something to judge in a plain run.

A valid call, what stands at and beyond the contract's bounds, what is taken already, an unknown id, nobody, what is no
JSON at all, and files that are not what they are called. Every call is on fresh things; a call that is refused as it
should be changes nothing.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, Steps, one
from harness.contract import pointer
from harness.contract.form import MULTIPART
from harness.errors import CannotTell
from harness.exchange import Exchange, Outcome, Request
from harness.mask import is_secret_name
from harness.promises import broken_files, wrong_values
from harness.promises.altered import dumped, path_values, with_member, with_path, with_query, with_wrong
from harness.promises.writing import shown_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from harness.contract import Contract, Operation
    from harness.identities import Identity
    from harness.stage import Stage

PROMISE = "schema"
MAX_BOUNDARIES = 28
MAX_VALID = 5
# Of an event stream the beginning is an answer (wire.py); these are read to an end that may not come.
STREAMS = {"application/x-ndjson", "application/stream+json"}
MIN_BOUNDARIES = 12
SELF = re.compile(r"/(?:me|self|my|profile|accounts?|users?|current|sessions?|tokens?)(?=/|$)", re.IGNORECASE)
CHANGES_CALLER = "may change the identity that all cases share; tell how a fresh one is had, under identities.register"
# Ids of a request that answers carry, and that many servers take from the request.
REQUEST_ID = re.compile(r"(?:^|-)(?:request|correlation|trace)-?id$", re.IGNORECASE)
NO_ID = "no id: " + "x" * 100
LEAVES = re.compile(r"log-?_?out|sign-?_?out|revoke|deactivate|password", re.IGNORECASE)
NOT_JSON = (
    ("broken", b'{"name": '),
    ("not UTF-8", b'{"name": "\xff\xfe"}'),
    ("not an object", b'"text"'),
    ("null", b"null"),
)


def cases(contract: Contract, operation: Operation, random: Random) -> Sequence[Case]:
    """The cases of one operation, at most about 40 requests beside their set-up; none for an endless stream.

    The longest comes last, so that a short time holds the others.
    They are the same for every `random`: what varies is drawn on the stage, so that a case can be made again.
    """
    del random
    if any(body.media_type.lower() in STREAMS for answer in operation.answers for body in answer.bodies):
        return ()
    case = partial(Case, PROMISE, operation.id)
    found = [case("valid", partial(_valid, contract, operation))]
    if operation.path_parameters:
        found.append(case("unknown", partial(_unknown, contract, operation)))
    if operation.secured and not operation.optional_security:
        found.append(case("anonymous", partial(_anonymous, contract, operation)))
    if operation.json_body() is not None:
        found.append(case("taken", partial(_taken, contract, operation)))
        found.append(case("malformed", partial(_malformed, contract, operation)))
    form = operation.form_body()
    if form is not None and form.media_type.lower() == MULTIPART:
        found.append(case("files", partial(_files, contract, operation)))
    if wrong_values.in_body(contract, operation) or any(_wrong_calls(contract, operation)):
        found.append(case("boundaries", partial(_boundaries, contract, operation)))
    return tuple(found)


def _valid(contract: Contract, operation: Operation, stage: Stage) -> Steps[None]:
    """A valid call with what is required, one with everything or with a request id that is none, queries at bounds."""
    told = stage.actors.told
    if operation.id in {told.get(table, {}).get("operation") for table in ("register", "login")}:
        yield from stage.actors.with_role(stage)  # what is valid here is told there
    base = yield from ready(contract, operation, stage, "valid")
    yield from one(base)
    if not operation.reads:
        if operation.json_body() is not None:
            yield from one((yield from ready(contract, operation, stage, "valid-everything", everything=True)))
        return
    for name in sorted({name for answer in operation.answers for name, _ in answer.header_pointers}):
        if REQUEST_ID.search(name):
            yield from one(replace(base, headers=(*base.headers, (name, NO_ID)), step=f"valid {name}"))
    for name, text in list(_at_bounds(contract, operation))[:MAX_VALID]:
        yield from one(replace(with_query(base, name, text), step=f"valid {name}"))


def _taken(contract: Contract, operation: Operation, stage: Stage) -> Steps[None]:
    """What is taken already, once."""
    yield from one((yield from taken(contract, operation, stage)))


def taken(contract: Contract, operation: Operation, stage: Stage) -> Steps[Request]:
    """What is taken already: the texts of a second thing in an update, in any other write a body that was just sent."""
    base = yield from ready(contract, operation, stage, "taken", everything=True)
    resource = next((item for item in contract.resources if item.update == operation.id), None)
    if resource is None or resource.create not in contract.by_id:
        yield from one(base)
        return replace(base, step="taken again")
    other = yield from things.make(stage, resource, everything=True)
    body = base.json()
    for place, value in pointer.leaves(body):
        names = [name for name in pointer.tokens(place) if not name.isdigit()]
        shown = shown_at(resource, place, other.body)
        if shown is None or not names or is_secret_name(names[-1]) or not isinstance(value, str):
            continue
        if isinstance(theirs := pointer.get(other.body, shown), str):
            body = pointer.put(body, place, theirs)
    return replace(base, body=dumped(body), step="taken by another")


def _boundaries(contract: Contract, operation: Operation, stage: Stage) -> Steps[None]:
    """One value at a time; where one is accepted or a quota is used up, the next goes out on fresh things."""
    base = yield from ready(contract, operation, stage, "boundary")
    sent, fit = 0, room(operation)
    changes_caller = operation.secured and stage.actors.can_register
    for call in _wrong_calls(contract, operation):
        if sent >= MAX_BOUNDARIES or (sent >= max(fit, MIN_BOUNDARIES) and not changes_caller):
            return
        request = call(base)
        if request is None:
            continue
        exchange = yield from one(request)
        sent += 1
        if sent % fit == 0 or (exchange.outcome is Outcome.OK and not operation.reads):
            base = yield from ready(contract, operation, stage, "boundary")


def _wrong_calls(contract: Contract, operation: Operation) -> Iterator[Any]:
    """Functions that make one request of a valid one each, wrong or at an edge; None where it has no such place."""
    for parameter in operation.parameters:
        if parameter.place == "query":
            for text in wrong_values.of_parameter(contract, parameter):
                yield partial(with_query, name=parameter.name, text=text)
            if parameter.required:
                yield partial(with_query, name=parameter.name, text=None)
    for wrong in wrong_values.in_body(contract, operation, allowed=True):
        yield partial(with_wrong, wrong=wrong)
    for parameter in operation.path_parameters:
        for text in wrong_values.of_parameter(contract, parameter)[:2]:
            yield partial(with_path, operation=operation, name=parameter.name, text=text)


def _unknown(contract: Contract, operation: Operation, stage: Stage) -> Steps[None]:
    """The operation on an id of the right form that nothing has."""
    base = yield from ready(contract, operation, stage, "unknown")
    parameter = operation.path_parameters[-1]
    text = nothing(stage, parameter.schema, parameter.name)
    yield from one(with_path(base, operation, parameter.name, text))


def nothing(stage: Stage, told: Any, name: str) -> str:
    """An id of the form that a schema asks for and that nothing has."""
    schema = wrong_values.joined(stage.contract, told)
    kind = wrong_values.type_of(schema)
    if kind in {"integer", "number"}:
        return str(min(2_000_000_000 + stage.random.randrange(10**8), schema.get("maximum", 1 << 31)))
    if kind == "string" and not {"format", "pattern"} & set(schema):
        return f"unknown-{stage.unique()}"
    if schema.get("format") == "uuid":
        return str(uuid.UUID(int=stage.random.getrandbits(128), version=4))
    return str(stage.examples.value(told, name=name))


def _anonymous(contract: Contract, operation: Operation, stage: Stage) -> Steps[None]:
    """A valid call without an identity."""
    base = yield from ready(contract, operation, stage, "anonymous")
    yield from one(replace(base, identity=stage.anonymous()))


def _malformed(contract: Contract, operation: Operation, stage: Stage) -> Steps[None]:
    """Bodies that are no JSON object, none at all, and a media type that the operation does not take."""
    base = yield from ready(contract, operation, stage, "malformed")
    for name, body in NOT_JSON:
        yield from one(replace(base, body=body, step=f"malformed {name}"))
    if operation.body_required:
        yield from one(replace(base, body=b"", step="malformed empty"))
    others = tuple(pair for pair in base.headers if pair[0].lower() != "content-type")
    if not any(body.media_type.startswith(("text/", "*/")) for body in operation.bodies):
        yield from one(replace(base, headers=(*others, ("Content-Type", "text/plain")), step="malformed media type"))


def _files(contract: Contract, operation: Operation, stage: Stage) -> Steps[None]:
    """A file that is a text, one that ends in the middle or after its first bytes, and one of no bytes."""
    base = yield from ready(contract, operation, stage, "file")
    for name, made in broken_files.of(base).items():
        yield from one(replace(made, step=f"file {name}"))


def ready(
    contract: Contract, operation: Operation, stage: Stage, step: str, *, everything: bool = False
) -> Steps[Request]:
    """A valid request on fresh things and their version; raises CannotTell where none can be made."""
    identity, path = yield from _caller(contract, operation, stage)
    _spare_the_known(operation, stage, identity)
    plain = operation
    if operation.json_body() is None and operation.form_body() is None:
        plain = replace(operation, bodies=(), body_required=False)
    request: Request = yield from things.valid(
        stage, plain, identity=identity, path=path, step=step, everything=everything
    )
    return (yield from _with_version(contract, operation, stage, request))


def _caller(contract: Contract, operation: Operation, stage: Stage) -> Steps[tuple[Identity, dict[str, str]]]:
    """An identity that may make the call: the maker of a fresh thing where only its owner may, with the thing's id."""
    promised = contract.promise("owner", operation)
    resource = contract.resource(promised["resource"]) if isinstance(promised, dict) else None
    if resource is None or not operation.path_parameters or not resource.create:
        return (yield from things.identity_for(stage, operation)), {}
    thing = yield from things.make(stage, resource)
    return thing.maker, {operation.path_parameters[-1].name: thing.id}


def may_change_caller(operation: Operation) -> bool:
    """Whether a call, by its method and path, may change, sign out or delete the identity that makes it."""
    own = not operation.path_parameters and operation.method in {"PATCH", "PUT", "DELETE"}
    return (own and bool(SELF.search(operation.path))) or (not operation.reads and bool(LEAVES.search(operation.path)))


def _spare_the_known(operation: Operation, stage: Stage, identity: Identity) -> None:
    """Raises CannotTell before an identity that other cases share is changed, signed out or deleted by its own call."""
    shared = identity.headers and not stage.actors.can_register and operation.secured
    if shared and may_change_caller(operation):
        raise CannotTell(f"{operation.id} {CHANGES_CALLER}")


def _with_version(contract: Contract, operation: Operation, stage: Stage, request: Request) -> Steps[Request]:
    """The request with the version that the thing has, where the operation asks for one."""
    promised = contract.promise("version", operation)
    resource = contract.resource(promised["resource"]) if isinstance(promised, dict) else None
    if resource is None or resource.read not in contract.by_id:
        return request
    values = path_values(operation, request)
    read = contract.by_id[resource.read]
    path = {parameter.name: values.get(parameter.name, "") for parameter in read.path_parameters}
    answer = yield from one(stage.request(read.id, path=path, identity=request.identity, step=things.SETUP))
    body = request.json()
    for form in promised["forms"]:
        if form["in"] == "body" and isinstance(body, dict) and form["name"] in body:
            request = replace(request, body=dumped({key: body[key] for key in body if key != form["name"]}))
    for form in promised["forms"]:
        seen = _seen(answer, form["from"])
        if seen is None:
            continue
        if form["in"] == "header":
            return replace(request, headers=(*request.headers, (form["name"], str(seen))))
        if form["in"] == "body" and isinstance(request.json(), dict):
            return with_member(request, f"/{pointer.escape(form['name'])}", seen)
    return request


def _seen(answer: Exchange, source: str) -> Any:
    if answer.response is None:
        return None
    if source.startswith("header:"):
        return answer.response.header(source.removeprefix("header:"))
    value = pointer.get(answer.response.json(), source)
    return None if value is pointer.MISSING else value


def room(operation: Operation) -> int:
    """How many calls one caller can make at once: what the tightest of the operation's own limits lets through."""
    limits = [limit for limit in operation.promises.get("rate-limit") or [] if isinstance(limit, dict)]
    return max(1, min((limit["quota"] - 1 for limit in limits), default=MAX_BOUNDARIES))


def _at_bounds(contract: Contract, operation: Operation) -> Iterator[tuple[str, str]]:
    for parameter in operation.parameters:
        schema = wrong_values.joined(contract, parameter.schema)
        if parameter.place != "query":
            continue
        for key in ("minimum", "maximum"):
            if key in schema:
                yield parameter.name, str(schema[key])
        for value in schema.get("enum", ())[:2]:
            yield parameter.name, str(value)
