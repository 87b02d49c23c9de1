"""Writes that can be told apart: a member of an update whose value shows in what is read, and values for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.errors import CannotTell
from harness.mask import is_secret_name
from harness.things import referred

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.contract import Contract, Operation, Resource
    from harness.stage import Stage

DRAWS = 6


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a request body, and where the thing shows it."""

    place: str
    shown: str


def base(resource: Resource) -> str:
    """Where the thing itself stands in an answer: the object that holds its id."""
    return resource.id.rpartition("/")[0]


def shown_at(resource: Resource, place: str, body: Any) -> str | None:
    """Where an answer shows the member that a request has at a place; None where it does not."""
    places = dict.fromkeys((f"{base(resource)}{place}", place))
    return next((at for at in places if pointer.get(body, at) is not pointer.MISSING), None)


def needs_all(contract: Contract, operation: Operation) -> bool:
    """Whether an update asks for members beside the one that is changed."""
    body = operation.json_body()
    return body is not None and bool(contract.schema(body.schema).get("required"))


def alike(one: Any, other: Any) -> bool:
    """Whether two scalars are of one JSON type."""
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    if isinstance(one, int | float):
        return isinstance(other, int | float)
    return isinstance(one, str) and isinstance(other, str)


def equal(one: Any, other: Any) -> bool:
    """Whether two scalars of one type say the same, letter case and outer spaces of text aside."""
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().casefold() == other.strip().casefold()
    return bool(one == other)


def changeable(
    stage: Stage, operation: Operation, resource: Resource, body: Any, *, without: Iterable[str] = ()
) -> list[Member]:
    """Members of an update that may hold any of many values and that the answer shows; plain text first, then numbers.

    `body` is what a read answered; `without` are members that have a meaning of their own, as the version has.
    """
    ranked: list[tuple[int, Member]] = []
    for place, value, rank in _candidates(stage, operation, resource, without):
        shown = shown_at(resource, place, body)
        if shown is not None and alike(value, pointer.get(body, shown)):
            ranked.append((rank, Member(place, shown)))
    return [member for _, member in sorted(ranked, key=lambda pair: pair[0])]


def telling(stage: Stage, operation: Operation, resource: Resource, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """A member for the create to set, where nothing that it must set is changed by the update: else none would show."""
    create = stage.contract.by_id.get(resource.create)
    declared = create.json_body() if create is not None else None
    if declared is None:
        return {}
    least = dict(pointer.leaves(stage.examples.value(declared.schema)))
    full = dict(pointer.leaves(stage.examples.value(declared.schema, everything=True)))
    changed = sorted(_candidates(stage, operation, resource, without), key=lambda candidate: candidate[2])
    places = [place for place, value, _ in changed if alike(value, full.get(place))]
    return {} if set(places) & set(least) else {place: full[place] for place in places[:1]}


def _candidates(
    stage: Stage, operation: Operation, resource: Resource, without: Iterable[str]
) -> Iterator[tuple[str, Any, int]]:
    """Members of an update's body that may hold any of many values: place, a value, and the rank among them."""
    declared = operation.json_body()
    if declared is None:
        return
    own = {pointer.tokens(place)[-1] for place in (resource.id, resource.owner, resource.version) if place}
    for place, value in pointer.leaves(stage.examples.value(declared.schema, everything=True)):
        names = pointer.tokens(place)
        if not names or any(name.isdigit() for name in names) or names[-1] in own | set(without):
            continue
        if is_secret_name(names[-1]) or referred(stage.contract, names[-1]) is not None:
            continue
        rank = _rank(_schema_at(stage.contract, declared.schema, names), value)
        if rank is not None:
            yield place, value, rank


def _rank(schema: Mapping[str, Any], value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or {"enum", "const"} & set(schema):
        return None
    if isinstance(value, str):
        return 2 if "format" in schema or "pattern" in schema else 0
    return 1


def _schema_at(contract: Contract, schema: Any, names: Sequence[str]) -> Mapping[str, Any]:
    found = contract.schema(schema)
    for name in names:
        parts = [found, *(contract.schema(part) for part in found.get("allOf", ()))]
        holder = next((part for part in parts if name in part.get("properties", {})), {})
        found = contract.schema(holder.get("properties", {}).get(name))
    return found


def zeroed(
    stage: Stage, operation: Operation, resource: Resource, body: Any, *, without: Iterable[str] = ()
) -> list[Member]:
    """The numbers of an update that its schema lets be zero and that the answer shows as another."""
    declared, found = operation.json_body(), []
    for member in changeable(stage, operation, resource, body, without=without) if declared is not None else ():
        old = pointer.get(body, member.shown)
        schema = _schema_at(stage.contract, declared.schema, pointer.tokens(member.place)) if declared else {}
        if isinstance(old, int | float) and old and schema.get("minimum", 1) <= 0 <= schema.get("maximum", 0):
            found.append(member)
    return found


def values(stage: Stage, operation: Operation, member: Member, count: int, avoid: Iterable[Any] = ()) -> list[Any]:
    """So many valid values for a member, each unlike the others and unlike those to avoid.

    Raises CannotTell where its schema has not so many.
    """
    declared = operation.json_body()
    assert declared is not None, "only an operation with a body has members"
    taken, found = list(avoid), []
    for _ in range(count * DRAWS):
        value = pointer.get(stage.examples.value(declared.schema, everything=True), member.place)
        if not any(equal(value, other) for other in taken):
            taken.append(value)
            found.append(value)
        if len(found) == count:
            return found
    raise CannotTell(f"{operation.id}: {member.place} has no {count} values that differ")


def first_changeable(
    stage: Stage, operation: Operation, resource: Resource, body: Any, *, count: int = 1, without: Iterable[str] = ()
) -> tuple[Member, list[Any]]:
    """The first member that has so many values, with them; raises CannotTell where there is none."""
    for member in changeable(stage, operation, resource, body, without=without):
        try:
            return member, values(stage, operation, member, count, (pointer.get(body, member.shown),))
        except CannotTell:
            continue
    raise CannotTell(f"{operation.id}: no text or number that it changes is shown by {resource.read or 'a read'}")
