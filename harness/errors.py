"""The errors a person may see, each with the exit code of its ending.

HarnessError
├── UsageError      an option, harness.toml, contract or overlay is wrong; lists every problem
├── TargetError     the target does not start, does not answer, or is not healthy
└── CannotTell      a case could not get what it needs; its verdict is INCONCLUSIVE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Iterable


class HarnessError(Exception):
    """Any error that is told in one message and not as a traceback."""

    exit_code = Exit.INTERNAL


class UsageError(HarnessError):
    """Wrong use or configuration: a headline and every problem found, one a line."""

    exit_code = Exit.USAGE

    def __init__(self, headline: str, problems: Iterable[str] = ()) -> None:
        self.headline = headline
        self.problems = tuple(problems)
        super().__init__("\n".join([headline, *(f"  - {problem}" for problem in self.problems)]))


class TargetError(HarnessError):
    """The target cannot be verified because it does not run or does not answer."""

    exit_code = Exit.TARGET


class CannotTell(HarnessError):
    """What a case needs cannot be had from outside; the message is the reason of its INCONCLUSIVE verdict."""

    exit_code = Exit.INCONCLUSIVE
