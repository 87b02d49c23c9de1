"""What a thing costs, and the other numbers that it may have, such as a discount, set where the contract lets one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from harness import things
from harness.case import one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.promises.wrong_values import type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.stage import Stage
    from harness.things import Thing

BULK = "bulk"


def cost(contract: Contract, create: Operation, unit: str, amount: float) -> dict[str, float]:
    """The number in the body of a create that sets the unit, `price` a `finalPrice` too, where it may be this one."""
    body, names = create.json_body(), pointer.tokens(unit)
    properties = contract.schema(body.schema).get("properties", {}) if body else {}
    name = next((name for name in properties if names[-1].casefold().endswith(name.casefold())), "")
    if len(names) != 1 or not name:
        return {}
    schema = contract.schema(properties[name])
    least, most = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema.get("maximum", amount)
    step = Decimal(str(schema.get("multipleOf", amount)))
    fits = type_of(schema) == "number" and least < amount <= most and Decimal(str(amount)) % step == 0
    return {f"/{pointer.escape(name)}": amount} if fits else {}


def is_reckoned(contract: Contract, create: Operation, unit: str) -> bool:
    """Whether a thing shows a unit that its create does not set, so that other numbers of it may count for it."""
    body = create.json_body()
    properties = contract.schema(body.schema).get("properties", {}) if body else {}
    return bool(unit) and not set(pointer.tokens(unit)) & set(properties)


def members(stage: Stage, create: Operation) -> dict[str, int]:
    """A number away from its bounds for each whole number that a create's body may have and need not."""
    body = create.json_body()
    whole = stage.contract.schema(body.schema) if body else {}
    found: dict[str, int] = {}
    for name, member in whole.get("properties", {}).items():
        schema = stage.contract.schema(member)
        low, high = schema.get("minimum"), schema.get("maximum")
        spare = type_of(schema) == "integer" and name not in whole.get("required", ())
        if spare and isinstance(low, int) and isinstance(high, int) and high - low > 1:
            found[f"/{pointer.escape(name)}"] = stage.random.randint(low + 1, high - 1)
    return found


def together(stage: Stage, resource: Resource, made: Sequence[Thing]) -> Steps[None]:
    """The numbers of an operation that changes many of them at once, by their ids.

    Where there is none, or it refuses, they stay as they are.
    """
    for operation in stage.contract.operations:
        told = stage.contract.promise(BULK, operation)
        body = operation.json_body()
        if not made or not isinstance(told, dict) or told.get("resource") != resource.name or body is None:
            continue
        listed = pointer.tokens(told["items"])
        schema = stage.contract.schema(body.schema).get("properties", {}).get(listed[0], {}) if listed else {}
        items = stage.contract.schema(stage.contract.schema(schema).get("items"))
        numbers = members(stage, operation)
        if len(listed) != 1 or type_of(items) not in {"string", "integer"} or not numbers:
            continue
        try:
            identity = yield from things.identity_for(stage, operation)
            request = yield from things.valid(
                stage, operation, identity=identity, members={told["items"]: [thing.id for thing in made], **numbers}
            )
        except CannotTell:
            continue
        yield from one(request)
