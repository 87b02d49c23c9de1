"""What the cases of `idempotency` stand on: bodies that can be told apart, and effects that can be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness import things
from harness.case import one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import subject as subjects
from harness.promises.altered import path_values
from harness.promises.idempotency import steps as words
from harness.promises.idempotency.steps import Said
from harness.promises.ledger.annotation import ledger
from harness.promises.resource.listing import walk

if TYPE_CHECKING:
    from harness.case import Steps
    from harness.contract import Operation
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.idempotency.annotation import Told
    from harness.stage import Stage

MIN_MARK = 6


@dataclass(frozen=True, slots=True)
class Body:
    """A valid call without a key; `name` tells it from others, `marks` are places whose values only it has."""

    name: str
    request: Request
    marks: tuple[str, ...]

    def with_key(self, told: Told, word: str, key: str, *, caller: str = "one", name: str = "") -> Request:
        """The call with a key; its step says what it is. `name` is the key's, the body's where it has none."""
        said = Said(word, name or self.name, self.name, caller, self.marks)
        return replace(keyed(self.request, told.header, key), step=said.step)

    def without_key(self, told: Told, word: str) -> Request:
        """The call with no key."""
        said = Said(word, "", self.name, marks=self.marks)
        return replace(keyed(self.request, told.header, None), step=said.step)


def keyed(request: Request, header: str, key: str | None) -> Request:
    """The request with that key, or with none."""
    others = tuple(pair for pair in request.headers if pair[0].lower() != header.lower())
    return replace(request, headers=others if key is None else (*others, (header, key)))


def body(stage: Stage, operation: Operation, caller: Identity, name: str, *, like: Body | None = None) -> Steps[Body]:
    """A valid call whose body no other has, on the path of another where that is given."""
    path = path_values(operation, like.request) if like else None
    request = yield from things.valid(stage, operation, identity=caller, path=path)
    marks = [
        place
        for place, value in pointer.leaves(request.json())
        if len(str(value)) >= MIN_MARK and _is_fresh(stage, place, value)
    ]
    if like is not None and request.body == like.request.body:
        raise CannotTell(f"{operation.id}: no second body that differs could be made")
    return Body(name, request, tuple(marks))


def _is_fresh(stage: Stage, place: str, value: object) -> bool:
    """Whether a value stands in this body only: a text drawn for it, or the id of a thing that was made for it."""
    names = [token for token in pointer.tokens(place) if not token.isdigit()]
    refers = bool(names) and things.referred(stage.contract, names[-1]) is not None
    return (isinstance(value, str) and stage.nonce in value) or (refers and isinstance(value, str | int))


def stock(stage: Stage, made: Body, word: str) -> Steps[None]:
    """Reads what a body draws from, where a ledger says from what."""
    operation = stage.contract.by_id[made.request.operation]
    declared = ledger(stage.contract, operation)
    source = stage.contract.by_id.get(declared.resource.read) if declared is not None else None
    if declared is None or source is None:
        return
    name = pointer.get(made.request.json(), declared.first(declared.key))
    reader = made.request.identity
    if not subjects.may(stage.contract, source, reader):
        reader = yield from things.identity_for(stage, source)
    path = {parameter.name: name for parameter in source.path_parameters[-1:]}
    yield from one(stage.request(source.id, path=path, identity=reader, step=f"{word}|{made.name}"))


def counted(stage: Stage, told: Told, made: Body) -> Steps[None]:
    """Reads what shows the effects of a body: what it draws from, and the list of what it makes.

    Raises CannotTell where no list can be read whole.
    """
    yield from stock(stage, made, words.LEFT)
    resource = told.resource
    if resource is None or resource.list not in stage.contract.by_id:
        raise CannotTell(f"no list shows what {made.request.operation} makes, so that its effects cannot be counted")
    if not made.marks:
        raise CannotTell(f"nothing in a body of {made.request.operation} tells what it made from what others did")
    listing = stage.contract.by_id[resource.list]
    reader = made.request.identity
    if not subjects.may(stage.contract, listing, reader):
        reader = yield from things.identity_for(stage, listing)
    path = path_values(stage.contract.by_id[made.request.operation], made.request)
    nobody = subjects.Subject(resource, "", made.request.identity, path)
    walked = yield from walk(stage, nobody, reader, f"{words.COUNTED}|{made.name}")
    if not walked.whole:
        raise CannotTell(
            f"{listing.id} could not be walked to its end, so that effects cannot be counted; {walked.reason}"
        )


def read(stage: Stage, told: Told, made: Body, success: Exchange) -> Steps[None]:
    """Reads what a success says that it made; nothing where that cannot be."""
    found = thing(told, success)
    if told.resource is None or not found:
        return
    path = path_values(stage.contract.by_id[made.request.operation], made.request)
    subject = subjects.Subject(told.resource, found, made.request.identity, path)
    yield from subjects.read(stage, subject, f"{words.READ}|{made.name}|{found}")


def thing(told: Told, exchange: Exchange) -> str:
    """The id of the thing that a success names; empty where it names none."""
    if told.resource is None or exchange.response is None or exchange.outcome is not Outcome.OK:
        return ""
    found = pointer.get(exchange.response.json(), told.resource.id)
    if isinstance(found, str | int) and not isinstance(found, bool):
        return str(found)
    return (exchange.response.header("Location") or "").rstrip("/").rsplit("/", 1)[-1]


def first(told: Told, made: Body, key: str, *, name: str = "", caller: str = "one") -> Steps[Exchange]:
    """The first call with a key; raises CannotTell where it does not succeed."""
    exchange = yield from one(made.with_key(told, words.FIRST, key, name=name, caller=caller))
    if exchange.outcome is not Outcome.OK:
        answer = exchange.status or exchange.error
        raise CannotTell(f"{exchange.operation} answered {answer} to a body that fits its schema, with a new key")
    return exchange
