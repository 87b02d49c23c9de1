"""Which operations could produce an input of another, each with the evidence for it, the likeliest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from harness.contract import naming, pointer
from harness.contract.makers import Makers
from harness.contract.operation import is_json
from harness.contract.shape import GIVEN, Leaf, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.contract.contract import Contract
    from harness.contract.operation import Operation, Parameter
    from harness.contract.resource import Resource

# What ends like an id and names nothing that another operation makes.
NO_THINGS = {"request", "trace", "correlation", "external", "client", "session", "span"}
MIN_EXAMPLE = 4
# Tokens of a pointer to what was made itself, as /id or /data/id.
SHALLOW = 2


class Kind(Enum):
    """What kind of evidence it is, with its weight: one that is declared outweighs all others together."""

    DECLARED = 100
    LINK = 16
    PATH = 12
    NAME = 10
    SCHEMA = 8
    DEEP_LINK = 7
    MEMBER = 4
    EXAMPLE = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason to think so, in words that name the place in the document."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Producer:
    """An operation that produces an input, the JSON pointer into its answer, and why; the strongest evidence first."""

    operation: str
    pointer: str
    noun: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def weight(self) -> int:
        """The weight of all its evidence, each kind counted once: its rank among the candidates."""
        return sum({item.kind.value for item in self.evidence})


@dataclass(frozen=True, slots=True)
class Wanted:
    """An input that names another thing, and all that could produce it, the likeliest first."""

    place: str
    name: str
    required: bool
    given: bool
    producers: tuple[Producer, ...]


@dataclass(slots=True)
class Candidates:
    """Reads every operation's inputs once."""

    contract: Contract
    makers: Makers = field(init=False)
    _known: dict[str, tuple[Wanted, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.makers = Makers(self.contract)

    def of(self, operation: Operation) -> Sequence[Wanted]:
        """The inputs of an operation that name other things: its path, what is required of its query, and its body."""
        if operation.id not in self._known:
            found = [self._parameter(operation, item) for item in operation.path_parameters]
            queries = (item for item in operation.parameters if item.place == "query" and item.required)
            shown = [self._parameter(operation, item) for item in queries]
            found += [item for item in shown if item.producers or _names_thing(item.name)]
            self._known[operation.id] = (*found, *self._members(operation))
        return self._known[operation.id]

    def _parameter(self, operation: Operation, parameter: Parameter) -> Wanted:
        leaf = Leaf("", parameter.name, required=True, schema=self.contract.schema(parameter.schema))
        found = [*self._linked(operation, parameter.place, parameter.name)]
        if parameter.place == "path":
            found += self._declared(operation, parameter)
            found += self._by_path(operation, parameter.name)
        found += self._by_name(leaf, at=f"#{parameter.pointer}")
        given = parameter.example is not None or any(key in leaf.schema for key in GIVEN)
        producers = self._ranked(operation, leaf, found, text=True)
        return Wanted(parameter.place, parameter.name, required=True, given=given, producers=producers)

    def _members(self, operation: Operation) -> Iterator[Wanted]:
        declared = operation.json_body() or operation.form_body()
        if declared is None:
            return
        own = self.contract.resource_of(operation.id)
        for leaf in leaves(self.contract, declared.schema, written=True):
            near = naming.referred(self.contract, leaf.name)
            if near is not None and near is own and (near.create == operation.id or leaf.pointer.count("/") == 1):
                continue  # its own id: the caller chooses it, or repeats what the path says
            found = [*self._linked(operation, "body", leaf.pointer), *self._by_name(leaf, at=leaf.reference)]
            producers = self._ranked(operation, leaf, found, text=False)
            if producers or _names_thing(leaf.name):
                yield Wanted("body", leaf.pointer, leaf.required, leaf.given, producers)

    def _declared(self, operation: Operation, parameter: Parameter) -> Iterator[Producer]:
        own = self.contract.resource_of(operation.id)
        last = operation.path_parameters[-1].name == parameter.name
        if own is not None and own.declared and own.create and last and operation.id not in {own.create, own.list}:
            yield _of(own, Kind.DECLARED, f"x-promises.resource.{own.name} has both")

    def _linked(self, operation: Operation, place: str, name: str) -> Iterator[Producer]:
        for link in self.makers.links.get(operation.id, ()):
            if link.name == name and link.place in {"", place} and (link.place or place != "body"):
                deep = len(pointer.tokens(link.pointer)) > SHALLOW or any(
                    token.isdigit() for token in pointer.tokens(link.pointer)
                )
                noun = naming.plain(pointer.tokens(link.pointer)[-1]) if link.pointer else ""
                kind = Kind.DEEP_LINK if deep else Kind.LINK
                yield Producer(link.source, link.pointer, noun, (Evidence(kind, f"link {link.title}"),))

    def _by_path(self, operation: Operation, name: str) -> Iterator[Producer]:
        """The POST on the collection under which the parameter stands, or the resource that it is named after."""
        before = operation.path.partition(f"/{{{name}}}")[0]
        segment = before.rpartition("/")[2]
        create = self.makers.by_collection.get(before)
        resource = naming.named(self.contract, segment) if "{" not in segment else None
        if create is not None and "{" not in segment and create in self.makers.operations:
            told = self.contract.resource_of(create.id)
            own = told if told is not None and told.create == create.id else None
            evidence = Evidence(Kind.PATH, f"POST {before} stands over /{{{name}}}")
            yield self._made(create, name, segment, evidence) if own is None else _of(own, Kind.PATH, evidence.text)
        elif resource is not None:
            yield _of(resource, Kind.PATH, f"it stands after /{segment}")

    def _by_name(self, leaf: Leaf, *, at: str) -> Iterator[Producer]:
        resource = naming.referred(self.contract, leaf.name)
        if resource is None and leaf.schema.get("format") == "uuid":
            resource = naming.named(self.contract, leaf.name)
        if resource is not None:
            yield _of(resource, Kind.NAME, f"{leaf.name} is named after {resource.name}")
        if leaf.reference or at or _names_thing(leaf.name) or _example(leaf.schema) is not None:
            yield from self._alike(leaf, at)

    def _alike(self, leaf: Leaf, at: str) -> Iterator[Producer]:
        """The makers whose answers tell an id of the same schema, name or example."""
        example = _example(leaf.schema)
        name = leaf.name if _names_thing(leaf.name) else ""
        same: list[Producer] = []
        for maker in self.makers.operations:
            identifier = self.makers.id_of(maker, name, _noun(maker))
            if identifier is None:
                continue
            if at and identifier.reference == at:
                text = f"its schema is {at}, as that of {identifier.pointer} in the answer"
                yield self._made(maker, name, _noun(maker), Evidence(Kind.SCHEMA, text))
            if identifier.name == name and self._makes(maker, name):
                text = f"{identifier.pointer} of the answer has the same name"
                yield self._made(maker, name, _noun(maker), Evidence(Kind.MEMBER, text))
            if example is not None and example == _example(identifier.schema):
                text = f"its example {example!r} is that of {identifier.pointer} in the answer"
                same.append(self._made(maker, name, _noun(maker), Evidence(Kind.EXAMPLE, text)))
        yield from same if len(same) == 1 else ()

    def _makes(self, maker: Operation, name: str) -> bool:
        """Whether a member that is named after what the operation makes is one that no caller sent."""
        match = naming.REFERENCE.fullmatch(name)
        if match is None or not naming.plain(match[1]).endswith(_noun(maker) or name):
            return False
        sent = {item.name for item in maker.parameters}
        body = next((item for item in maker.bodies if is_json(item.media_type)), None)
        sent |= {leaf.name for leaf in leaves(self.contract, body.schema, written=True)} if body else set()
        return name not in sent

    def _made(self, maker: Operation, name: str, noun: str, evidence: Evidence) -> Producer:
        identifier = self.makers.id_of(maker, name, naming.plain(noun))
        return Producer(maker.id, identifier.pointer if identifier else "/id", naming.plain(noun), (evidence,))

    def _ranked(
        self, operation: Operation, leaf: Leaf, found: Sequence[Producer], *, text: bool
    ) -> tuple[Producer, ...]:
        """One candidate an operation, with all its evidence; those whose values cannot fit are left out."""
        joined: dict[str, list[Producer]] = {}
        for producer in found:
            known = producer.operation in self.contract.by_id and producer.operation != operation.id
            if known and self._fits(producer, leaf, text=text):
                joined.setdefault(producer.operation, []).append(producer)
        whole = [_joined(parts) for parts in joined.values()]
        place = {item.id: index for index, item in enumerate(self.contract.operations)}
        return tuple(sorted(whole, key=lambda item: (-item.weight, place[item.operation])))

    def _fits(self, producer: Producer, leaf: Leaf, *, text: bool) -> bool:
        """Whether a value from there may stand here, as far as both schemas say: its type in a body, and its format."""
        maker = self.contract.by_id[producer.operation]
        told = next((item for item in self.makers.answer(maker) if item.pointer == producer.pointer), None)
        if told is None:
            return True
        there, here = _type(told.schema), _type(leaf.schema)
        if text:
            return here != "integer" or there != "string"
        formats = {told.schema.get("format"), leaf.schema.get("format")} - {None}
        return (not there or not here or there == here) and ("uuid" not in formats or len(formats) == 1)


def _joined(parts: Sequence[Producer]) -> Producer:
    parts = sorted(parts, key=lambda part: -part.weight)
    evidence = tuple(dict.fromkeys(item for part in parts for item in part.evidence))
    return Producer(parts[0].operation, parts[0].pointer, parts[0].noun, evidence)


def _of(resource: Resource, kind: Kind, text: str) -> Producer:
    return Producer(resource.create, resource.id, resource.name, (Evidence(kind, text),))


def _noun(maker: Operation) -> str:
    """What a maker makes, as the last word of its path says."""
    words = [word for word in maker.path.split("/") if word and "{" not in word]
    return naming.plain(words[-1]) if words else ""


def _names_thing(name: str) -> bool:
    match = naming.REFERENCE.fullmatch(name)
    return match is not None and naming.plain(match[1]) not in NO_THINGS


def _example(schema: Mapping[str, Any]) -> Any:
    """An example that tells one thing from another; None where there is none, or it is too short to."""
    told = schema.get("example")
    examples = schema.get("examples")
    if told is None and isinstance(examples, list) and examples:
        told = examples[0]
    plain = isinstance(told, str | int) and not isinstance(told, bool)
    return told if plain and len(str(told)) >= MIN_EXAMPLE else None


def _type(schema: Mapping[str, Any]) -> str:
    told = schema.get("type")
    kinds = [kind for kind in (told if isinstance(told, list) else [told]) if kind not in {None, "null"}]
    return str(kinds[0]) if len(kinds) == 1 else ""
