"""What became of a mutant, told by how the ordinary run ended; and what a sample of them comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.mutants.mutant import Mutant


class Fate(StrEnum):
    """Killed by a finding; survived a run that holds; unknown where the run told neither; or it did not start.

    One that the run without a mutant does not get to is unreached, and not started: nothing could tell it apart.
    """

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    UNREACHED = "UNREACHED"
    UNKNOWN = "UNKNOWN"
    DISCARDED = "discarded"


def fate_of(code: int | None) -> Fate:
    """What an exit code of `harness verify` says; None is a run that did not end in its time.

    A run that is inconclusive, or whose target went away, found nothing: that is no kill.
    """
    if code == Exit.FINDINGS:
        return Fate.KILLED
    return Fate.SURVIVED if code == Exit.HOLDS else Fate.UNKNOWN


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant tried. `why` names the findings that killed it, or says how the run ended otherwise."""

    mutant: Mutant
    fate: Fate
    why: str
    seconds: float

    def told(self) -> str:
        """One line."""
        return f"{self.fate:9} {self.seconds:6.1f} s  {self.mutant.told()}  [{self.why}]"


@dataclass(frozen=True, slots=True)
class Sample:
    """Every trial of one command, in the order of the mutants."""

    seed: int
    trials: tuple[Trial, ...]

    def of(self, fate: Fate) -> list[Trial]:
        """Those with one fate."""
        return [trial for trial in self.trials if trial.fate is fate]

    @property
    def judged(self) -> int:
        """How many count: all but those that did not start."""
        return len(self.trials) - len(self.of(Fate.DISCARDED))

    @property
    def percent(self) -> float:
        """The share that was killed of all that count; 0 where none does."""
        return 100 * len(self.of(Fate.KILLED)) / self.judged if self.judged else 0.0

    def told(self, diffs: Sequence[str]) -> str:
        """The figures, then the diffs of those that were not killed."""
        figures = (
            f"{len(self.of(Fate.KILLED))} of {self.judged} mutants killed ({self.percent:.0f} %), "
            f"{len(self.of(Fate.SURVIVED))} survived, {len(self.of(Fate.UNREACHED))} unreached, "
            f"{len(self.of(Fate.UNKNOWN))} unknown; "
            f"{len(self.of(Fate.DISCARDED))} more did not start (seed {self.seed})"
        )
        return "\n\n".join([figures, *diffs])

    def to_record(self) -> dict[str, Any]:
        """The JSON object."""
        counts = {fate.name.lower(): len(self.of(fate)) for fate in Fate}
        return {"seed": self.seed, **counts, "percent": self.percent, "trials": [asdict(item) for item in self.trials]}
