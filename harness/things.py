"""Makes what a case needs before it begins: a thing of a resource, with the things it refers to, each fresh.

What must be there first is worked out from the contract: a member or a path parameter named after a resource
(`categoryId`, `/products/{id}`) is filled with a thing of it. What cannot be worked out raises CannotTell and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.case import Steps, one, unlimited
from harness.contract import pointer
from harness.contract.form import encoded
from harness.contract.resource import singular
from harness.errors import CannotTell
from harness.exchange import Exchange, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation, Resource
    from harness.identities import Identity
    from harness.stage import Stage

SETUP = "set-up"
MAX_DEPTH = 4
PLENTY = 1000


@dataclass(frozen=True, slots=True)
class Thing:
    """What a create made: its id as the API told it, the body that came back, its maker, and what was sent."""

    resource: Resource
    id: str
    maker: Identity
    exchange: Exchange
    sent: Any

    @property
    def body(self) -> Any:
        """The answer's JSON body."""
        return self.exchange.response.json() if self.exchange.response else None


def make(  # noqa: PLR0913 - the parts of a thing, all by name
    stage: Stage,
    resource: Resource,
    *,
    maker: Identity | None = None,
    members: Mapping[str, Any] | None = None,
    path: Mapping[str, Any] | None = None,
    step: str = SETUP,
    depth: int = 0,
    everything: bool = False,
) -> Steps[Thing]:
    """A fresh thing, made by `maker` or by an identity that may; `members` are JSON pointers into the body with values.

    `path` names what it is made under; with `everything` it has every member that can be written, else those that it
    must have. Raises CannotTell where the API refuses or does not tell the id.
    """
    operation = stage.contract.by_id.get(resource.create)
    if operation is None:
        raise CannotTell(f"no operation makes a {resource.name}; declare one under x-promises.resource")
    who = maker if maker is not None else (yield from identity_for(stage, operation))
    filled = {**_stocked(stage.contract, resource, operation), **(members or {})}
    request = yield from valid(
        stage, operation, identity=who, members=filled, path=path, step=step, depth=depth, everything=everything
    )
    exchange = unlimited((yield from one(request)))
    if exchange.outcome is not Outcome.OK:
        detail = exchange.error or (
            exchange.response.body[:200].decode("utf-8", "replace") if exchange.response else ""
        )
        raise CannotTell(f"{operation.id} answered {exchange.status} to a body that fits its schema: {detail}")
    return Thing(resource, id_of(resource, exchange), who, exchange, request.json())


def id_of(resource: Resource, made: Exchange) -> str:
    """The id that the answer to a create tells; raises CannotTell where it tells none."""
    found = pointer.get(made.response.json() if made.response else None, resource.id)
    return str(found) if isinstance(found, str | int) else _id_from_location(made)


def references(contract: Contract, sent: Any) -> dict[str, Any]:
    """The members of a body that refer to other things, which a further body may refer to as well."""
    found = {}
    for place, value in pointer.leaves(sent):
        names = [token for token in pointer.tokens(place) if not token.isdigit()]
        if names and referred(contract, names[-1]) is not None:
            found[place] = value
    return found


def _stocked(contract: Contract, resource: Resource, create: Operation) -> dict[str, Any]:
    """The quantity that other operations draw from a thing, by pointer, high enough to be drawn from."""
    body = create.json_body()
    properties = contract.schema(body.schema).get("properties", {}) if body else {}
    found: dict[str, Any] = {}
    for operation in contract.operations:
        ledger = contract.promise("ledger", operation)
        if not isinstance(ledger, dict) or ledger.get("resource") != resource.name:
            continue
        names = pointer.tokens(str(ledger.get("quantity", "")))
        if len(names) == 1 and names[0] in properties:
            schema = contract.schema(properties[names[0]])
            found[f"/{pointer.escape(names[0])}"] = min(PLENTY, schema.get("maximum", PLENTY))
    return found


def valid(  # noqa: PLR0913 - the parts of a request, all by name
    stage: Stage,
    operation: Operation,
    *,
    identity: Identity,
    members: Mapping[str, Any] | None = None,
    path: Mapping[str, Any] | None = None,
    step: str = "",
    depth: int = 0,
    everything: bool = False,
) -> Steps[Any]:
    """A request that the contract calls valid, with everything it refers to made before; returned, not sent."""
    if depth > MAX_DEPTH:
        raise CannotTell(f"{operation.id} needs things that need each other; give an example for one of them")
    values = dict(path or {})
    for parameter in operation.path_parameters:
        if parameter.name not in values:
            values[parameter.name] = yield from _path_value(stage, operation, parameter.name, identity, depth)
    query = {
        parameter.name: _shown(stage.examples.value(parameter.schema, name=parameter.name))
        for parameter in operation.parameters
        if parameter.place == "query" and parameter.required
    }
    headers = tuple(
        (parameter.name, str(stage.examples.value(parameter.schema, name=parameter.name)))
        for parameter in operation.parameters
        if parameter.place == "header" and parameter.required
    )
    made = yield from _body(stage, operation, dict(members or {}), identity, depth, everything=everything)
    if made is not None and made[0]:
        headers = (*headers, ("Content-Type", made[0]))
    return stage.request(
        operation.id, path=values, query=query, headers=headers, identity=identity, step=step,
        **({} if made is None else {"body": made[1]}),
    )  # fmt: skip


def _body(
    stage: Stage, operation: Operation, members: dict[str, Any], identity: Identity, depth: int, *, everything: bool
) -> Steps[tuple[str, Any] | None]:
    """The content type and the bytes of a form, or no content type and a JSON value; None where there is no body."""
    form = operation.form_body()
    declared = operation.json_body() or form
    if declared is None:
        if operation.body_required:
            kinds = ", ".join(body.media_type for body in operation.bodies) or "a body without a schema"
            raise CannotTell(f"{operation.id} takes {kinds}, for which no body can be made")
        return None
    value = stage.examples.value(declared.schema, everything=everything)
    value = yield from _with_references(stage, operation, value, set(members), identity, depth)
    for place, told in members.items():
        value = pointer.put(value, place, told)
    return encoded(stage.contract, form, value, stage.random) if form is not None else ("", value)


def identity_for(stage: Stage, operation: Operation) -> Steps[Identity]:
    """An identity that may call the operation: of the first role it allows that can be had, else one signed in."""
    roles = stage.contract.promise("roles", operation)
    if roles:
        *others, last = roles["allow"]
        for role in others:
            try:
                return (yield from in_role(stage, role))
            except CannotTell:
                continue
        return (yield from in_role(stage, last))
    if operation.secured and not operation.optional_security:
        return (yield from in_role(stage))
    return stage.anonymous()


def in_role(stage: Stage, role: str = "") -> Steps[Identity]:
    """An identity in a role: the one that the case knows already where it keeps them, else a fresh one."""
    if stage.familiar is None:
        return (yield from stage.actors.with_role(stage, role))
    key = (stage.tenant, "" if role in {"signed-in", stage.actors.told.get("default_role", "")} else role)
    if key not in stage.familiar:
        stage.familiar[key] = yield from stage.actors.with_role(stage, role)
    return stage.familiar[key]


def referred(contract: Contract, name: str) -> Resource | None:
    """The resource that a member or parameter name refers to: `categoryId`, `category_id`, `category_ids`."""
    match = re.fullmatch(r"(.+?)(?:_ids?|Ids?|ID|-id)", name)
    return named(contract, match[1]) if match else None


def named(contract: Contract, word: str) -> Resource | None:
    """The resource of a name, written in any case, one or many."""
    wanted = _plain(word)
    return next(
        (r for r in contract.resources if r.create and wanted in {_plain(r.name), _plain(singular(r.name))}), None
    )


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", singular(word.lower()))


def _path_value(stage: Stage, operation: Operation, name: str, identity: Identity, depth: int) -> Steps[str]:
    """The id of a fresh thing for a path parameter: of the operation's own resource, else as names tell."""
    segments = operation.path.split("/")
    before = segments[max(0, segments.index(f"{{{name}}}") - 1)] if f"{{{name}}}" in segments else ""
    resource = named(stage.contract, before) or referred(stage.contract, name)
    own = stage.contract.resource_of(operation.id)
    if operation.path_parameters[-1].name == name and own is not None and operation.id not in {own.create, own.list}:
        resource = own
    if resource is None or resource.create == operation.id:
        parameter = next(item for item in operation.path_parameters if item.name == name)
        if parameter.example is not None or {"enum", "const", "default"} & set(parameter.schema):
            return str(parameter.example if parameter.example is not None else stage.examples.value(parameter.schema))
        raise CannotTell(
            f"{operation.id}: nothing tells what {{{name}}} is; "
            "give the parameter an example, or declare its resource under x-promises.resource"
        )
    maker = None
    create = stage.contract.by_id[resource.create]
    if identity.headers and _may(stage, create, identity):
        maker = identity
    thing = yield from make(stage, resource, maker=maker, depth=depth + 1)
    return thing.id


def _may(stage: Stage, operation: Operation, identity: Identity) -> bool:
    """Whether the identity is one that the operation allows, as far as the contract tells."""
    roles = stage.contract.promise("roles", operation)
    allowed = set(roles["allow"]) if roles else {"signed-in"}
    return bool(allowed & {"anyone", *identity.roles}) or ("signed-in" in allowed and identity.name != "anonymous")


def _with_references(
    stage: Stage, operation: Operation, body: Any, given: set[str], identity: Identity, depth: int
) -> Steps[Any]:
    """The body with each member that refers to a resource holding the id of a fresh thing."""
    for place, value in list(pointer.leaves(body)):
        names = [token for token in pointer.tokens(place) if not token.isdigit()]
        resource = referred(stage.contract, names[-1]) if names else None
        if resource is None or resource.create == operation.id or not isinstance(value, str | int) or place in given:
            continue
        create = stage.contract.by_id[resource.create]
        maker = identity if _may(stage, create, identity) and identity.name != "anonymous" else None
        thing = yield from make(stage, resource, maker=maker, depth=depth + 1)
        body = pointer.put(body, place, int(thing.id) if isinstance(value, int) else thing.id)
    return body


def _id_from_location(exchange: Exchange) -> str:
    location = exchange.response.header("Location") if exchange.response else None
    if not location:
        raise CannotTell(f"{exchange.operation} tells no id; say where it stands under x-promises.resource")
    return location.rstrip("/").rsplit("/", 1)[-1]


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
