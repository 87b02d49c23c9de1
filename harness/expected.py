"""A finding's own mark in plain values, looked for in the last answer of a replay where no promise judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.exchange import Exchange

TOO_MANY, SERVER_ERROR = 429, 500


def shown(expect: Mapping[str, Any], answers: Sequence[Exchange]) -> bool | None:
    """Whether the last answer has the mark; None where it tells neither: no answer, 429, 5xx, or as `unclear` says.

    `status` lists statuses, or classes such as "2xx"; `header_absent` names a header; `allow` holds methods that Allow
    leaves out (`missing`) and has too many (`more`); `body_of` is the operation whose last answer before has the same
    body; `unclear` lists statuses that say neither. All that are told must hold.
    """
    last = answers[-1]
    if last.response is None:
        return None
    if not _among(last.status, expect.get("status", ())):
        blank = last.status == TOO_MANY or last.status >= SERVER_ERROR or _among(last.status, expect.get("unclear", ()))
        return None if blank else False
    name = expect.get("header_absent")
    if name and last.response.header(name) is not None:
        return False
    if "allow" in expect and not _allow(expect["allow"], last.response.header("Allow") or ""):
        return False
    return _same_body(expect["body_of"], answers) if "body_of" in expect else True


def _among(status: int, told: Sequence[int | str]) -> bool:
    return status in told or f"{status // 100}xx" in told


def _allow(told: Mapping[str, Sequence[str]], allow: str) -> bool:
    """Whether a method that was missing still is, or one too many still there."""
    methods = {method.strip().upper() for method in allow.split(",")}
    return not methods.issuperset(told["missing"]) or not methods.isdisjoint(told["more"])


def _same_body(operation: str, answers: Sequence[Exchange]) -> bool | None:
    made = next((item for item in reversed(answers[:-1]) if item.operation == operation and item.response), None)
    before, after = (item.response.json() if item and item.response else None for item in (made, answers[-1]))
    return None if before is None else before == after
