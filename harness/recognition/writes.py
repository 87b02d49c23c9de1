"""How writes are guarded: the version that their sender saw, and the key by which a call sent again is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.contract.makers import Makers
from harness.recognition.resources import CONFLICT, clashes, version_member
from harness.recognition.sign import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract import Contract, Operation

STALE = 412
MISSING = 428
IDEMPOTENCY = re.compile(r"(?:x-)?idempotency(?:-?key)?", re.IGNORECASE)


def signs(contract: Contract, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Sign]:
    """The versions and the keys of writes; `resources` are those told or recognised, by name."""
    for name, resource in resources.items():
        for action in ("update", "delete"):
            operation = contract.by_id.get(resource.get(action, ""))
            read = contract.by_id.get(resource.get("read", ""))
            if operation is not None and read is not None and contract.promise("version", operation) is None:
                yield from _version(contract, name, operation, read)
    for operation in contract.operations:
        if operation.reads or contract.promise("idempotency", operation) is not None:
            continue
        for parameter in operation.parameters:
            if parameter.place == "header" and IDEMPOTENCY.fullmatch(parameter.name):
                evidence = f"it takes the header {parameter.name}"
                yield Sign("idempotency", {"header": parameter.name}, evidence, operation.id)


def _version(contract: Contract, name: str, operation: Operation, read: Operation) -> Iterator[Sign]:
    told = {int(answer.status) for answer in operation.answers if answer.status.isdigit()}
    forms, reasons = [], []
    match = next((item for item in operation.parameters if item.name.lower() == "if-match"), None)
    if match is not None and STALE in told and _tells(read, "etag"):
        forms.append({"in": "header", "name": match.name, "from": "header:ETag", "stale": STALE})
        reasons.append(f"it takes {match.name} and answers {STALE}, and {read.id} tells an ETag")
    member = version_member(contract, operation, Makers(contract), read)
    if member and clashes(operation):
        forms.append({"in": "body", "name": pointer.tokens(member)[-1], "from": member, "stale": CONFLICT})
        reasons.append(f"its body takes {member}, which {read.id} answers, and it answers {CONFLICT}")
    if forms:
        value = {"resource": name, "forms": forms, **({"missing": MISSING} if MISSING in told else {})}
        yield Sign("version", value, "; ".join(reasons), operation.id)
    elif match is not None or member:
        what = match.name if match is not None else member
        guess = {"in": "header", "name": what, "from": "header:ETag", "stale": STALE}
        if match is None:
            guess = {"in": "body", "name": pointer.tokens(member)[-1], "from": member, "stale": CONFLICT}
        evidence = f"it takes {what}, but does not say what a stale one gets or where the version is read"
        yield Sign("version", {"resource": name, "forms": [guess]}, evidence, operation.id, sure=False)


def _tells(read: Operation, header: str) -> bool:
    success = read.success()
    return success is not None and any(name.lower() == header for name, _ in success.header_pointers)
