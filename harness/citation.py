"""Where the contract says what a finding's promise is: a JSON pointer of the document with its overlays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.contract.origin import Origin
from harness.run import frozen_contract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.contract import Contract, Operation
    from harness.finding import Finding
    from harness.verdict import Verdict

PROMISES, RESOURCE = "x-promises", "resource"
PLACES = {"path", "query", "header", "cookie"}


def placed(folder: Path, told: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts with the place of each finding's promise, where the run's folder keeps the contract's texts."""
    origin = Origin.kept(folder) if any(verdict.findings for verdict in told) else None
    if origin is None:
        return tuple(told)
    contract = frozen_contract(folder)
    return tuple(
        replace(verdict, findings=tuple(_placed(contract, origin, finding) for finding in verdict.findings))
        if verdict.findings
        else verdict
        for verdict in told
    )


def _placed(contract: Contract, origin: Origin, finding: Finding) -> Finding:
    if finding.place is not None or finding.operation not in contract.by_id:
        return finding
    return replace(finding, place=origin.place(cited(contract, finding)))


def cited(contract: Contract, finding: Finding) -> str:
    """The pointer: of the annotation where one is made, else of the part of the operation that the fault is about."""
    operation = contract.by_id[finding.operation]
    key = finding.code.partition(".")[0]
    if key == "schema":
        return _documented(operation, finding)
    if key == "fuzz":
        return _described(contract, operation, finding)
    if key == RESOURCE:
        own = contract.resource_of(operation.id)
        return f"/{PROMISES}/{key}/{pointer.escape(own.name)}" if own and own.declared else operation.pointer
    for at, holder in ((f"{operation.pointer}/{PROMISES}", operation.promises), (f"/{PROMISES}", contract.defaults)):
        if holder.get(key):
            return f"{at}/{key}{_member(holder[key], finding.kind)}"
    if key in {"roles", "owner"} and operation.secured:
        return _security(contract, operation)
    return operation.pointer


def _member(promised: Any, kind: str) -> str:
    """The member of an annotation that a word of the finding's kind names, such as a header or a percentile."""
    words = {word.casefold() for word in kind.split()}
    members = promised if isinstance(promised, dict) else {}
    return next((f"/{pointer.escape(name)}" for name in members if name.casefold() in words), "")


def _documented(operation: Operation, finding: Finding) -> str:
    """What the operation documents of the request's part or of the answer that a finding of schemas is about."""
    first, _, rest = finding.kind.partition(" ")
    if finding.code == "schema.invalid-input-accepted":
        place = first.partition("/")[0]
        if place not in PLACES:
            return f"{operation.pointer}/requestBody"
        return _parameter(operation, place, rest.partition(" ")[0])
    responses = f"{operation.pointer}/responses"
    answer = operation.answer(int(first)) if first.isdigit() else None
    if answer is None:
        return responses
    at = f"{responses}/{pointer.escape(answer.status)}"
    if finding.code == "schema.missing-header":
        names = [name for name, _ in answer.header_pointers] + list(answer.required_headers)
        name = next((name for name in names if name.lower() == rest.partition(" ")[0]), "")
        return f"{at}/headers/{pointer.escape(name)}" if name else at
    return f"{at}/content" if finding.code in {"schema.body", "schema.content-type"} else at


def _described(contract: Contract, operation: Operation, finding: Finding) -> str:
    """What the operation says of the part that a finding of the fuzzing is about."""
    if finding.code == "fuzz.ignored_auth":
        return _security(contract, operation)
    if finding.code == "fuzz.missing_required_header":
        return _parameter(operation, "header", finding.kind)
    if finding.code == "fuzz.positive_data_acceptance":
        _, _, where = finding.kind.partition(" ")
        place, _, name = where.partition(" ")
        return _parameter(operation, place, name) if place in PLACES else f"{operation.pointer}/requestBody"
    paths = finding.code in {"fuzz.unsupported_method", "fuzz.allow_header_conformance"}
    return operation.pointer.rpartition("/")[0] if paths else operation.pointer


def _security(contract: Contract, operation: Operation) -> str:
    own = f"{operation.pointer}/security"
    return own if pointer.get(contract.document, own) is not pointer.MISSING else "/security"


def _parameter(operation: Operation, place: str, name: str) -> str:
    """Where a parameter is declared, as far as its schema tells; the operation's own list else."""
    found = (item for item in operation.parameters if item.place == place and item.name.casefold() == name.casefold())
    at = next((item.pointer for item in found if item.pointer), "")
    return at.removesuffix("/schema") if at else f"{operation.pointer}/parameters"
