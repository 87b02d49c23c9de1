"""The prerequisites of a contract as `harness contract plan` shows them: what an operation needs, what makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract import Contract
    from harness.contract.prerequisites import Need


def plan(contract: Contract, name: str) -> str:
    """A paragraph for each operation that needs something, and what is not known of all of them at the end."""
    operations = contract.operations
    needs = {operation.id: contract.prerequisites.needs(operation) for operation in operations}
    every = [need for found in needs.values() for need in found]
    made = sum(need.producer is not None for need in every)
    given = sum(need.producer is None and not need.problem for need in every)
    unknown = [need for need in every if need.problem]
    known = f"{made} are produced, {given} given by the document, {len(unknown)} not known"
    lines = [f"{name}: {len(operations)} operations, {len(every)} inputs that name another thing: {known}"]
    for operation in operations:
        if needs[operation.id]:
            order = contract.prerequisites.order(operation)
            after = f"  after {', '.join(order)}" if len(order) > 1 else ""
            lines.append(f"{operation.id}  {operation.method} {operation.path}{after}")
            lines += [line for need in needs[operation.id] for line in _need(need)]
    if unknown:
        lines += ["", "Not known:", *(f"  {need.operation}: {need.problem}" for need in unknown)]
    return "\n".join(lines)


def _need(need: Need) -> Iterator[str]:
    word = "needs" if need.required else "may need"
    if need.producer is None:
        yield f"  {word} {need.shown} <- {'not known' if need.problem else 'given by the document'}"
        return
    yield f"  {word} {need.shown} <- {need.producer.operation} {need.producer.pointer}"
    for evidence in need.producer.evidence:
        yield f"      {evidence.kind.value:3} {evidence.kind.name.lower().replace('_', ' ')}: {evidence.text}"
    alike = [item.operation for item in need.others if item.weight == need.producer.weight]
    if alike:
        yield f"      as likely: {', '.join(alike)}; a link, or x-promises.resource, settles it"
