"""How an issued credential is presented, and which operations take it: what the document's security schemes say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import CannotTell
from harness.promises import subject as subjects
from harness.promises import survey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Headers
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage


def scheme_of(contract: Contract, name: str) -> Mapping[str, Any]:
    """A security scheme of the document; empty where it has none of that name."""
    schemes = (contract.document.get("components") or {}).get("securitySchemes") or {}
    return contract.schema(schemes.get(name))


def headers(contract: Contract, told: Mapping[str, Any], credential: str) -> Headers:
    """The header that carries a credential; raises CannotTell where the document's scheme is of no such kind."""
    scheme = scheme_of(contract, told["scheme"])
    shown = f"{told.get('prefix', '')}{credential}"
    kind = (scheme.get("type"), str(scheme.get("in") or scheme.get("scheme") or "").lower())
    name = scheme.get("name")
    if name and kind == ("apiKey", "header"):
        return ((name, shown),)
    if name and kind == ("apiKey", "cookie"):
        return (("Cookie", f"{name}={shown}"),)
    if kind == ("http", "bearer"):
        return (("Authorization", f"Bearer {shown}"),)
    raise CannotTell(
        f"x-promises.key.scheme is {told['scheme']!r}, which is no securityScheme of a kind that can be presented: "
        "apiKey in a header or a cookie, by its name, http bearer"
    )


def opened(contract: Contract, told: Mapping[str, Any], holder: Identity) -> Iterator[Operation]:
    """The operations that ask for an identity, take the key alone for it, and are for its holder's role."""
    for operation in contract.operations:
        alone = (told["scheme"],) in operation.schemes and not operation.optional_security
        if alone and not operation.streams and subjects.may(contract, operation, holder):
            yield operation


def changes_holder(stage: Stage, operation: Operation) -> bool:
    """Whether an operation may change who calls it, or end what it is called with."""
    target = subjects.acted_on(stage.contract, operation)
    is_self = target is not None and subjects.is_self(stage.contract, target[0])
    return survey.may_change_caller(operation) or (is_self and not operation.reads)


def thing(stage: Stage, operation: Operation, holder: Identity) -> Steps[Subject | None]:
    """What the operation acts on, fresh and the holder's; None where it acts on nothing.

    Raises CannotTell where the holder can have none.
    """
    target = subjects.acted_on(stage.contract, operation)
    if target is None:
        return None
    subject = yield from subjects.own(stage, operation, target[0], holder)
    if subject is None:
        raise CannotTell(f"{operation.id}: {holder.name} has no {target[0].name} of its own")
    return subject


def granted(operation: Operation, names: Collection[str]) -> bool:
    """Whether names of methods and operations hold this one."""
    return operation.method in names or operation.id in names


def read(contract: Contract, told: Mapping[str, Any], holder: Identity) -> Operation:
    """The read by which is seen whether a key holds, one that every scope grants if there is any."""
    plain = [
        operation
        for operation in opened(contract, told, holder)
        if operation.method == "GET" and not any(parameter.required for parameter in operation.parameters)
    ]
    grants = told.get("grants", {}).values()
    plain.sort(key=lambda operation: not all(granted(operation, names) for names in grants))
    if not plain:
        raise CannotTell(f"no read without parameters takes the scheme {told['scheme']!r}, so no key can be tried")
    return plain[0]
