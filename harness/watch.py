"""Judges what a case sent when it ends, by the promises over every exchange: a fault waits for no run's end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness import examine, judge
from harness.finding import Confirmation, Reproduction
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.case import Case
    from harness.exchange import Exchange
    from harness.finding import Finding
    from harness.run import Run

OF_A_CODE = 3
"""So many faults of one code are shown again when they are seen; the others when the run ends, which judges all."""


@dataclass(slots=True)
class Watch:
    """What one process of a run has shown beside the cases' own promises: how many of each code, and which."""

    run: Run
    tried: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)

    def told(self, findings: Iterable[Finding]) -> None:
        """Notes what was told already, so that it is not shown twice."""
        self.known |= {finding.fingerprint for finding in findings}

    def look(self, case: Case, exchanges: Sequence[Exchange]) -> tuple[Verdict, ...]:
        """Tells the run what the case's exchanges show of any operation, where a drive on fresh data does too."""
        found = {finding.fingerprint: finding for finding in self._new(exchanges)}
        shown: set[str] = set()
        for attempt in range(2, examine.ATTEMPTS + 1):
            if found.keys() <= shown or self.run.left_s <= 0:
                break
            done = examine.driven(self.run, case, attempt, again=True)
            shown |= {finding.fingerprint for finding in self._judged(done.exchanges)}
        by_id = {exchange.id: exchange for exchange in exchanges}
        return tuple(
            self._tell(
                _by_case(finding, case)
                if by_id[finding.witnesses[0]].operation
                else judge.reproducible(finding, exchanges, by_id)
            )
            for fingerprint, finding in found.items()
            if fingerprint in shown
        )

    def _new(self, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
        """What the exchanges show that was not told before, a few of each code."""
        for finding in self._judged(exchanges):
            if finding.witnesses and finding.fingerprint not in self.known and self.tried[finding.code] < OF_A_CODE:
                self.known.add(finding.fingerprint)
                self.tried[finding.code] += 1
                yield finding

    def _judged(self, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
        for verdict in judge.standing(self.run.contract, exchanges, self.run.recorder.mask.answered):
            yield from verdict.findings

    def _tell(self, finding: Finding) -> Verdict:
        whole = replace(finding, confirmation=Confirmation.CONFIRMED)
        key = finding.code.partition(".")[0]
        return self.run.tell(Verdict(key, finding.operation, findings=(whole,), driver=self.run.driver))


def _by_case(finding: Finding, case: Case) -> Finding:
    """The finding with the case that shows it, where it names none itself."""
    again = finding.reproduction
    return finding if again.case else replace(finding, reproduction=Reproduction(case.key, case.parameters))
