"""One judgement under way: what was examined, what was found, and why something could not be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Operation
    from harness.exchange import Exchange

TOO_MANY_REQUESTS = 429
GATES = {401, 403, TOO_MANY_REQUESTS}
MAX_WITNESSES = 5


@dataclass(slots=True)
class Look:
    """Gathers a verdict; `titles` holds each code's title, read after the operation, and its severity."""

    promise: str
    operation: Operation
    titles: Mapping[str, tuple[str, Severity]]
    examined: int = 0
    findings: list[Finding] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def answered(self, exchange: Exchange | None) -> bool:
        """Whether the answer can be judged; notes the reason where one came that cannot."""
        if exchange is None:
            return False
        if exchange.outcome is Outcome.UNKNOWN or exchange.status in GATES:
            self.reasons.append(f"{exchange.operation} gave {exchange.status or exchange.error or 'no answer'}")
            return False
        return True

    def found(
        self,
        code: str,
        kind: str,
        promised: str,
        seen: str,
        *witnesses: Exchange | None,
        severity: Severity | None = None,
    ) -> None:
        """Notes a finding; a severity only where it is not the code's."""
        title, usual = self.titles[code]
        told = [exchange.id for exchange in witnesses if exchange is not None]
        self.findings.append(
            Finding(
                code,
                f"{self.operation.id} {title}",
                severity or usual,
                self.operation.id,
                kind=kind,
                promised=promised,
                seen=seen,
                witnesses=tuple(told[:MAX_WITNESSES]),
            )
        )

    def verdict(self) -> Verdict:
        """The verdict: a fault that showed several times is one finding."""
        findings = {finding.fingerprint: finding for finding in reversed(self.findings)}
        return Verdict(
            self.promise,
            self.operation.id,
            self.examined,
            tuple(reversed(findings.values())),
            "; ".join(dict.fromkeys(self.reasons)),
        )
