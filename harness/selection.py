"""What `--only` selects: phases by name, and the phases that examine a promise or an operation that is named."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.promises import objective
from harness.promises.catalogue import BY_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.contract import Contract

PHASES = ("promises", "fuzz", "load")
CHECKLIST = "checklist"
SHOWN = 6


def phases(only: Iterable[str]) -> tuple[str, ...]:
    """The phases to run, in order: those named, the load for an objective, the promise cases for any other word."""
    wanted = {word if word in PHASES else "load" if word == objective.KEY else "promises" for word in only}
    return tuple(name for name in PHASES if name in wanted or not wanted)


def words(only: Iterable[str]) -> frozenset[str]:
    """The promises and operations that are named; where none is, a phase does everything."""
    return frozenset(only) - set(PHASES)


def check(only: Iterable[str], contract: Contract) -> None:
    """Raises UsageError where a word is neither a phase nor a promise nor an operation."""
    known = {*PHASES, CHECKLIST, *BY_KEY, *contract.by_id}
    problems = []
    for word in sorted(set(only) - known):
        near = difflib.get_close_matches(word, known, 3)
        hint = f"; near are {', '.join(near)}" if near else ""
        problems.append(f"{word!r} is no phase, promise or operation of the contract{hint}")
    if problems:
        operations = ", ".join([*list(contract.by_id)[:SHOWN], "..."])
        told = f"phases are {', '.join(PHASES)}; promises are {', '.join(BY_KEY)}; operations are {operations}"
        raise UsageError("--only names what is not there", [*problems, told])
