"""How lists are paged, as their parameters show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.promises.paging import paging
from harness.recognition.sign import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract import Contract

STYLES = ("page", "offset")


def signs(contract: Contract, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Sign]:
    """The paging of each GET whose parameters show a style: numbers as they are, a cursor only as a proposal."""
    listed = {entry.get("list"): name for name, entry in resources.items()}
    for operation in contract.operations:
        if operation.method != "GET" or contract.promise("page", operation) is not None:
            continue
        shown = paging(contract, operation)
        names = {part: name for part, name in (
            ("page", shown.page), ("offset", shown.offset), ("cursor", shown.cursor), ("limit", shown.size)
        ) if name}  # fmt: skip
        if not shown.style or not (shown.size or shown.page):
            continue
        bounds = {"min": shown.least, "max": shown.most, "default": shown.default}
        value: dict[str, Any] = {"style": shown.style, "parameters": names}
        value |= {"bounds": told} if (told := {key: item for key, item in bounds.items() if item is not None}) else {}
        if shown.page and shown.first != 1:
            value["first"] = shown.first
        if shown.next:
            value["members"] = {"next": shown.next}
        evidence = f"its query parameters {', '.join(names.values())}"
        evidence += f"; the bounds of {shown.size} are in its schema" if {"min", "max"} & set(told) else ""
        sure = shown.style in STYLES and operation.id in listed
        if not sure:
            why = "where the next cursor stands is not known: write members.next"
            why = "that its answer's member holds the next cursor is known by its name alone" if shown.next else why
            evidence += f"; {why if shown.style not in STYLES else 'what makes its items is not known: write resource'}"
        yield Sign("page", value, evidence, operation.id, sure=sure)
