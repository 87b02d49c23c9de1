"""The documented exit code of each ending; the first that applies, in this order, is the command's."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """One code an ending, in the order in which they take precedence."""

    INTERRUPTED = 130
    INTERNAL = 5
    USAGE = 2
    TARGET = 3
    FINDINGS = 1
    INCONCLUSIVE = 4
    HOLDS = 0


PRECEDENCE = tuple(Exit)


def first_of(*endings: Exit) -> Exit:
    """The ending that takes precedence among several; HOLDS where there is none."""
    return min(endings, key=PRECEDENCE.index, default=Exit.HOLDS)
