"""The bodies that send the same items in other words: what may stand beside a list, all of it and one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract import Contract, Operation

MOST_ALONE = 3


def bodies(contract: Contract, operation: Operation, plain: Any, full: Any) -> list[Any]:
    """Each that fits the operation's schema and is neither `plain`, which has what must be, nor there already."""
    declared = operation.json_body()
    validator = contract.validator(declared.pointer) if declared is not None else None
    found: list[Any] = []
    for body in _other(plain, full):
        if body != plain and body not in found and (validator is None or validator.is_valid(body)):
            found.append(body)
    return found


def _other(plain: Any, full: Any) -> Iterator[Any]:
    yield full
    if isinstance(plain, dict) and isinstance(full, dict):
        beside = [name for name in full if name not in plain][:MOST_ALONE]
        for name in beside:
            yield {**plain, name: full[name]}
            # Where one of several must be there, `plain` has one that was drawn; each is tried without it too.
            yield {key: value for key, value in plain.items() if isinstance(value, list)} | {name: full[name]}
