"""What a proof tells: of each planted defect, of each run of the clean build, and of the whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.exits import Exit
from harness.profiles import FIRST


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one defect: `by` names the finding that caught it, empty where it escaped, `why` says how.

    `load` is the machine's average of a minute when it began.
    """

    id: str
    caught: bool
    by: str
    seconds: float
    why: str = ""
    profile: str = FIRST
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class CleanRun:
    """What came of one verification of the clean build: `broken` says why it did not hold."""

    held: bool
    alarms: int
    broken: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The whole proof, or what is known of it so far: `asked` counts the defects and the clean runs that it is of."""

    defects: tuple[Proof, ...]
    clean: tuple[CleanRun, ...]
    asked: tuple[int, int]
    contract_hash: str
    seconds: float
    budget_s: float
    jobs: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether everything that was asked for has come to its end."""
        return (len(self.defects), len(self.clean)) == self.asked

    @property
    def alarms(self) -> int:
        """How many findings the clean build raised."""
        return sum(run.alarms for run in self.clean)

    @property
    def broken(self) -> tuple[str, ...]:
        """Why a clean build did not hold, one for each run where it did not."""
        return tuple(run.broken for run in self.clean if run.broken)

    @property
    def exit_code(self) -> Exit:
        """1 where a defect escaped or a clean build gave an alarm or did not hold."""
        escaped = any(not proof.caught for proof in self.defects)
        return Exit.FINDINGS if escaped or self.alarms or self.broken else Exit.HOLDS

    def to_record(self) -> dict[str, Any]:
        """The JSON object."""
        held = sum(run.held for run in self.clean)
        return {
            "whole": self.is_whole,
            "asked": {"defects": self.asked[0], "seeds": self.asked[1]},
            "defects": [asdict(proof) for proof in self.defects],
            "clean": {"held": held, "false_alarms": self.alarms, "not_held": list(self.broken)},
            "contract_hash": self.contract_hash,
            "budget_s": self.budget_s,
            "jobs": self.jobs,
            "seconds": self.seconds,
        }
