"""What is known of a finding where a test that stands alone is written for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.render.rule import LACKING, Unstated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation
    from harness.finding import Finding


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known when an assertion is made: `patterns` hold the forms of leaks, by code and kind."""

    contract: Contract
    operation: Operation
    finding: Finding
    patterns: Mapping[tuple[str, str], str]

    @property
    def steps(self) -> tuple[Mapping[str, Any], ...]:
        """The steps in order."""
        return tuple(self.finding.reproduction.steps)

    @property
    def last(self) -> int:
        """The last step of the finding's operation, else the last of all; that, where it is of no operation."""
        own = [number for number, step in enumerate(self.steps) if step["operation"] == self.operation.id]
        return own[-1] if own and self.steps[-1]["operation"] else len(self.steps) - 1

    def word(self, *words: str) -> int:
        """The first step that one of the words names; Unstated where none does."""
        for number, step in enumerate(self.steps):
            if str(step["step"]).split("|")[0] in words:
                return number
        raise Unstated(LACKING)

    def id_of(self, number: int) -> str:
        """The expression of the id that a step's answer tells of what it made or read; Unstated where none is told."""
        resource = self.contract.resource_of(self.steps[number]["operation"])
        if resource is None:
            raise Unstated("nothing says where its answer tells an id")
        return f"answers[{number}].told({resource.id!r})"

    def origin(self, number: int, value: str) -> str:
        """The expression of a value that a step took from an earlier answer; Unstated where it took none."""
        told = self.steps[number].get("references", {}).get(value)
        if told is None:
            raise Unstated("its sequence does not tell where its id came from")
        return f"answers[{told['step']}].told({told['place']!r})"


def status(number: int, test: str) -> str:
    """The line that holds one answer's status to an expression over `status`."""
    return f"check(answers[{number}], lambda answer: answer.status {test})"


def sent(step: Mapping[str, Any]) -> Any:
    """The JSON body that a step sent; None where it is none."""
    try:
        return json.loads(step["body"] or "null")
    except ValueError:
        return None
