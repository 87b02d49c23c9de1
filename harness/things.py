"""Makes what a case needs before it begins: a thing of a resource, with the things it refers to, each fresh.

What must be there first is worked out from the contract (contract/prerequisites.py): a member or a path parameter that
names another thing (`categoryId`, `/products/{id}`) is filled with a fresh one. What cannot be worked out raises
CannotTell and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.case import Steps, one, unlimited
from harness.contract import naming, pointer
from harness.contract.form import encoded
from harness.errors import CannotTell
from harness.exchange import Exchange, Outcome
from harness.identities import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation, Resource
    from harness.contract.prerequisites import Need
    from harness.identities import Identity
    from harness.stage import Stage

SETUP = "set-up"
UNAUTHORIZED = 401
MAX_DEPTH = 12
PLENTY = 1000
named, referred = naming.named, naming.referred


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
        raise CannotTell(_not_made(operation, who, exchange))
    return Thing(resource, id_of(resource, exchange), who, exchange, request.json())


def _not_made(operation: Operation, who: Identity, exchange: Exchange) -> str:
    """Why a create made nothing: no answer, nobody let in, or a body that was not to be refused."""
    if exchange.response is None:
        return f"{operation.id} gave no answer: {exchange.error}"
    text = exchange.response.body[:200].decode("utf-8", "replace")
    if exchange.status == UNAUTHORIZED and who.name == ANONYMOUS.name:
        how = "where it asks for an identity, say so by x-promises.roles"
        return f"{operation.id} answered {exchange.status} to nobody, whom its contract lets call it; {how}: {text}"
    return f"{operation.id} answered {exchange.status} to a body that fits its schema: {text}"


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
        raise CannotTell(f"{operation.id} stands on more than {MAX_DEPTH} things; give an example for one of them")
    values = dict(path or {})
    for parameter in operation.path_parameters:
        if parameter.name not in values:
            values[parameter.name] = yield from _path_value(stage, operation, parameter.name, identity, depth, values)
    query = yield from _query(stage, operation, identity, depth)
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


def _produced(
    stage: Stage, need: Need, *, identity: Identity, depth: int, path: Mapping[str, Any] | None = None
) -> Steps[str]:
    """The id of a fresh thing, made as the contract's prerequisites say, by the identity itself where it may."""
    assert need.producer is not None, "only what is produced is asked for"
    create = stage.contract.by_id[need.producer.operation]
    maker = identity if identity.headers and _may(stage, create, identity) and identity.name != "anonymous" else None
    resource = stage.contract.prerequisites.resource(need.producer)
    thing = yield from make(stage, resource, maker=maker, depth=depth + 1, path=path)
    return thing.id


def _path_value(
    stage: Stage, operation: Operation, name: str, identity: Identity, depth: int, known: Mapping[str, Any]
) -> Steps[str]:
    """The id of a fresh thing for a path parameter, made under what the path names already; else the given value."""
    need = stage.contract.prerequisites.need(operation, "path", name)
    if need is not None and need.producer is not None:
        under = operation.path.partition(f"{{{name}}}")[0]
        create = stage.contract.by_id[need.producer.operation]
        path = {key: value for key, value in known.items() if f"{{{key}}}" in under and under.startswith(create.path)}
        return (yield from _produced(stage, need, identity=identity, depth=depth, path=path))
    if need is not None and need.problem:
        raise CannotTell(f"{operation.id}: {need.problem}")
    parameter = next(item for item in operation.path_parameters if item.name == name)
    return str(parameter.example if parameter.example is not None else stage.examples.value(parameter.schema))


def _may(stage: Stage, operation: Operation, identity: Identity) -> bool:
    """Whether the identity is one that the operation allows, as far as the contract tells."""
    roles = stage.contract.promise("roles", operation)
    allowed = set(roles["allow"]) if roles else {"signed-in"}
    return bool(allowed & {"anyone", *identity.roles}) or ("signed-in" in allowed and identity.name != "anonymous")


def _with_references(
    stage: Stage, operation: Operation, body: Any, given: set[str], identity: Identity, depth: int
) -> Steps[Any]:
    """The body with each member that names another thing holding the id of a fresh one."""
    for place, value in list(pointer.leaves(body)):
        need = stage.contract.prerequisites.need(operation, "body", re.sub(r"/\d+(?=/|$)", "/*", place))
        if need is None or place in given or not isinstance(value, str | int):
            continue
        if need.blocks:
            raise CannotTell(f"{operation.id}: {need.problem}")
        if need.producer is not None:
            told = yield from _produced(stage, need, identity=identity, depth=depth)
            body = pointer.put(body, place, int(told) if isinstance(value, int) else told)
    return body


def _query(stage: Stage, operation: Operation, identity: Identity, depth: int) -> Steps[dict[str, str]]:
    """The query parameters that are required; one that names another thing holds the id of a fresh one."""
    found = {}
    for parameter in operation.parameters:
        if parameter.place != "query" or not parameter.required:
            continue
        need = stage.contract.prerequisites.need(operation, "query", parameter.name)
        if need is not None and need.producer is not None:
            found[parameter.name] = yield from _produced(stage, need, identity=identity, depth=depth)
        else:
            found[parameter.name] = _shown(stage.examples.value(parameter.schema, name=parameter.name))
    return found


def _id_from_location(exchange: Exchange) -> str:
    location = exchange.response.header("Location") if exchange.response else None
    if not location:
        raise CannotTell(f"{exchange.operation} tells no id; say where it stands under x-promises.resource")
    return location.rstrip("/").rsplit("/", 1)[-1]


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
