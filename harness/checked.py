"""What a run told of one item of a review checklist."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CHECKS_FILE = "checks.jsonl"


class Standing(StrEnum):
    """What is known of an item."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Checked:
    """An item and what a run told of it: `evidence` is one sentence."""

    id: str
    list: str
    text: str
    standing: Standing
    evidence: str
