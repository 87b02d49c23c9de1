"""Judges what a case sent when it ends, by the promises over every exchange: a fault waits for no run's end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness import examine, judge
from harness.exchange import Exchange
from harness.finding import Confirmation, Reproduction
from harness.promises.catalogue import BY_KEY
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.case import Case
    from harness.drive import Driven
    from harness.finding import Finding
    from harness.run import Run

DRIVER = "watch"
FIRST = examine.ATTEMPTS + 2  # those before it are drives of the case for its own promise
OF_A_CODE = 3
"""So many faults of one code are shown again when they are seen; the others where a run ends that judges all."""
LONGEST_S = 20.0
"""A case that took longer is not driven again at once."""


@dataclass(slots=True)
class Watch:
    """What one process of a run has shown beside the cases' own promises: how many of each code, and which.

    It is told at once and for the time being: where the whole history is judged, that says what stands.
    """

    run: Run
    tried: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)

    def told(self, findings: Iterable[Finding]) -> None:
        """Notes what was told already, so that it is not shown twice."""
        self.known |= {finding.fingerprint for finding in findings}

    def look(self, case: Case, done: Driven, *, but: str = "") -> tuple[Verdict, ...]:
        """Tells the run what a driven case shows of any operation `but` one, where a drive on fresh data does too."""
        if BY_KEY[case.promise].exhausts or done.seconds > LONGEST_S or any(item.endless for item in done.exchanges):
            return ()
        seen = [exchange for exchange in done.exchanges if not but or exchange.operation != but]
        found = {finding.fingerprint: finding for finding in self._new(seen)}
        shown: set[str] = set()
        for attempt in range(FIRST, FIRST + 2):
            if found.keys() <= shown or self.run.left_s <= 0:
                break
            again = examine.driven(self.run, case, attempt, again=True, limit_s=min(LONGEST_S, self.run.left_s))
            shown |= {finding.fingerprint for finding in self._judged(again.exchanges)}
        return tuple(self._tell(finding, case, seen) for name, finding in found.items() if name in shown)

    def _new(self, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
        """What the exchanges show that was asked for and not told before, a few of each code."""
        for finding in self._judged(exchanges):
            if not finding.witnesses or not self.run.selects(_key(finding), finding.operation):
                continue
            if finding.fingerprint not in self.known and self.tried[finding.code] < OF_A_CODE:
                self.known.add(finding.fingerprint)
                self.tried[finding.code] += 1
                yield finding

    def _judged(self, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
        for verdict in judge.standing(self.run.contract, exchanges, self.run.recorder.mask.answered):
            yield from verdict.findings

    def _tell(self, finding: Finding, case: Case, exchanges: Sequence[Exchange]) -> Verdict:
        """Tells it as confirmed, with the case that shows it; at no operation, with the requests that do."""
        at = {exchange.id: exchange.operation for exchange in exchanges}
        if not at[finding.witnesses[0]]:
            mask = self.run.recorder.mask
            masked = [Exchange.from_record(mask.record(exchange.to_record())) for exchange in exchanges]
            finding = judge.reproducible(finding, masked, {exchange.id: exchange for exchange in masked})
        elif not finding.reproduction.case:
            finding = replace(finding, reproduction=Reproduction(case.key, case.parameters))
        whole = replace(finding, confirmation=Confirmation.CONFIRMED)
        return self.run.tell(Verdict(_key(finding), finding.operation, findings=(whole,), driver=DRIVER))


def _key(finding: Finding) -> str:
    return finding.code.partition(".")[0]
