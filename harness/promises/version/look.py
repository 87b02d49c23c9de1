"""A judgement of `version` under way: what was declared, answered and found; and how versions compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.finding import Finding, Severity
from harness.promises import subject as subjects
from harness.promises.version import steps as words
from harness.promises.version.steps import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Operation
    from harness.exchange import Exchange


@dataclass(slots=True)
class Look:
    """One judgement under way."""

    operation: Operation
    told: Mapping[str, Any]
    by_step: Mapping[str, Exchange]
    examined: int = 0
    findings: list[Finding] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def form(self, name: str) -> Mapping[str, Any]:
        """The form of that name."""
        return next((form for form in self.told["forms"] if name_of(form) == name), self.told["forms"][0])

    def found(self, code: str, kind: str, title: str, seen: str, *witnesses: Exchange) -> None:
        """Notes a finding."""
        severity = {"version.status": Severity.LOW, "version.no-winner": Severity.MEDIUM}.get(code, Severity.HIGH)
        self.findings.append(
            Finding(
                code,
                f"{self.operation.id} {title}",
                severity,
                self.operation.id,
                kind=kind,
                promised=self._promised(kind),
                seen=seen,
                witnesses=tuple(exchange.id for exchange in witnesses),
            )
        )

    def _promised(self, kind: str) -> str:
        if kind == words.UNVERSIONED:
            return f"A write that tells no version is refused with {self.told['missing']}."
        form = next((form for form in self.told["forms"] if kind.startswith(name_of(form))), self.told["forms"][0])
        return f"A write whose {form['name']} is not the newest is refused with {form['stale']}; of several one wins."


def value_of(exchange: Exchange | None, place: str) -> Any:
    """What an answer shows at a place; MISSING where it shows nothing."""
    body = subjects.shown(exchange)
    return pointer.MISSING if body is None else pointer.get(body, place)


def same_version(old: Any, new: Any) -> bool:
    """Whether two reads show one version."""
    return old is not None and bool(old == new)
