"""The operations that make things, where the answer of each tells the id of what it made, and where links lead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.contract import naming, pointer
from harness.contract.operation import is_json
from harness.contract.parse import followed
from harness.contract.shape import Leaf, flattened, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract.contract import Contract
    from harness.contract.operation import Operation
    from harness.contract.resource import Resource

BODY = "$response.body#"
COMMON_IDS = ("id", "uuid", "guid", "key")
MAX_WRAPPED = 2


@dataclass(frozen=True, slots=True)
class Link:
    """An OpenAPI link: the operation whose answer tells, the pointer there, and the input that it is for.

    `place` is path, query or body; `name` a parameter's name, or a body member's pointer.
    """

    name: str
    place: str
    source: str
    pointer: str
    title: str


class Makers:
    """Every operation of a contract that makes a thing, and every link; read once."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Those that make a thing: a resource's create, a POST that answers 201, and one over an item's path."""
        contract = self._contract
        creates = {resource.create for resource in contract.resources}
        return tuple(
            item
            for item in contract.operations
            if item.id in creates
            or (item.method == "POST" and (_makes(item) or item.path.rstrip("/") in self._collections))
        )

    @cached_property
    def by_collection(self) -> Mapping[str, Operation]:
        """The POST of each path."""
        return {item.path.rstrip("/"): item for item in self._contract.operations if item.method == "POST"}

    @cached_property
    def _collections(self) -> frozenset[str]:
        paths = (item.path.rstrip("/") for item in self._contract.operations)
        return frozenset(path.rpartition("/")[0] for path in paths if path.endswith("}"))

    @cached_property
    def links(self) -> Mapping[str, tuple[Link, ...]]:
        """The links of writes' successful answers, by the id of the operation that they lead to."""
        found: dict[str, list[Link]] = {}
        for operation in self._contract.operations:
            if operation.reads:
                continue
            for answer in operation.answers:
                for title, node in answer.links.items() if answer.status.startswith("2") else ():
                    told = followed(self._contract.document, "", node)[1]
                    for target, link in self._read(operation, str(title), told if isinstance(told, dict) else {}):
                        found.setdefault(target, []).append(link)
        return {target: tuple(links) for target, links in found.items()}

    def _read(self, operation: Operation, title: str, told: Mapping[str, Any]) -> Iterator[tuple[str, Link]]:
        target = self._target(told)
        parameters = told.get("parameters")
        for key, expression in parameters.items() if isinstance(parameters, dict) else ():
            place, _, name = key.partition(".") if key.startswith(("path.", "query.")) else ("", "", key)
            if str(expression).startswith(BODY):
                yield target, Link(name, place, operation.id, str(expression).removeprefix(BODY), title)
        body = told.get("requestBody")
        for at, expression in _expressions(body):
            yield target, Link(at, "body", operation.id, expression, title)

    def _target(self, told: Mapping[str, Any]) -> str:
        """The id of the operation that a link leads to, by its operationId or its operationRef into this document."""
        if "operationId" in told:
            return str(told["operationId"])
        place = str(told.get("operationRef", "")).partition("#")[2]
        return next((item.id for item in self._contract.operations if item.pointer == place), "")

    def answer(self, operation: Operation) -> tuple[Leaf, ...]:
        """The scalars of the JSON body of a successful answer, those of lists left out; none where it tells none."""
        if operation.id not in self._answers:
            success = operation.success()
            bodies = [body for body in success.bodies if is_json(body.media_type)] if success else []
            shown = leaves(self._contract, bodies[0].schema) if bodies else ()
            self._answers[operation.id] = tuple(leaf for leaf in shown if "*" not in leaf.pointer)
        return self._answers[operation.id]

    @cached_property
    def _answers(self) -> dict[str, tuple[Leaf, ...]]:
        return {}

    def id_of(self, operation: Operation, name: str = "", noun: str = "") -> Leaf | None:
        """Where the answer of a create tells the id of what it made; None where its document shows none."""
        key = (operation.id, name, noun)
        if key not in self._ids:
            self._ids[key] = self._id_of(operation, name, noun)
        return self._ids[key]

    @cached_property
    def _ids(self) -> dict[tuple[str, str, str], Leaf | None]:
        return {}

    def _id_of(self, operation: Operation, name: str, noun: str) -> Leaf | None:
        whole, one = naming.plain(name), naming.plain(noun)
        short = whole.removeprefix(one) if one else ""
        wanted = [word for word in (whole, short, *COMMON_IDS, f"{one}id" if one else "") if word]
        near = [leaf for leaf in self.answer(operation) if leaf.pointer.count("/") <= MAX_WRAPPED]
        ranked = [
            (leaf.pointer.count("/"), wanted.index(naming.plain(leaf.name)), index, leaf)
            for index, leaf in enumerate(near)
            if naming.plain(leaf.name) in wanted
        ]
        return min(ranked, key=lambda item: item[:3])[3] if ranked else None


def shown(contract: Contract, resource: Resource) -> Resource:
    """A resource of the paths with the places of its id and its items, where the schemas of its answers show them."""
    makers = Makers(contract)
    create, read, listing = (contract.by_id.get(name) for name in (resource.create, resource.read, resource.list))
    name = read.path_parameters[-1].name if read is not None and read.path_parameters else ""
    found = [makers.id_of(item, name, resource.name) for item in (create, read) if item is not None]
    identifier = next((leaf.pointer for leaf in found if leaf is not None), resource.id)
    items = items_at(contract, listing) if listing is not None else None
    return replace(resource, id=identifier, items=resource.items if items is None else items)


def items_at(contract: Contract, listing: Operation) -> str | None:
    """The pointer of the list in a listing's body: the body itself, or its one array member; None where it has none."""
    success = listing.success()
    bodies = [body for body in success.bodies if is_json(body.media_type)] if success else []
    schema = flattened(contract, bodies[0].schema) if bodies else {}
    if schema.get("type") == "array":
        return ""
    properties = schema.get("properties")
    members = properties.items() if isinstance(properties, dict) else ()
    arrays = [name for name, member in members if contract.schema(member).get("type") == "array"]
    return f"/{pointer.escape(arrays[0])}" if len(arrays) == 1 else None


def _makes(operation: Operation) -> bool:
    return any(answer.status == "201" for answer in operation.answers)


def _expressions(body: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each pointer of a link's requestBody at which an expression stands, with the pointer into the answer."""
    if isinstance(body, dict):
        for key, member in body.items():
            yield from _expressions(member, f"{at}/{key}")
    elif isinstance(body, list):
        for member in body:
            yield from _expressions(member, f"{at}/*")
    elif isinstance(body, str) and body.startswith(BODY):
        yield at, body.removeprefix(BODY)
