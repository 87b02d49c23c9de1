"""Examines one promise of one operation: the work of one pytest item."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from harness import examine
from harness.drivers.turns import beside
from harness.promises import survey
from harness.survey import Survey
from harness.verdict import LEFT_SAFE, OUT_OF_TIME, Verdict, merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.case import Case
    from harness.contract import Operation
    from harness.drive import Driven
    from harness.promises.promise import Promise
    from harness.run import Run
    from harness.watch import Watch

SURVEY = "survey"


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise × operation; what is left of it when the run's time is over is INCONCLUSIVE.

    `share_s` is what the operation's survey may take, so that a slow operation does not use up the others' time.
    """

    run: Run
    promise: Promise
    operation: Operation
    watch: Watch
    share_s: float = math.inf

    @property
    def key(self) -> str:
        """Its name in a history and in pytest: promise-operation."""
        return f"{self.promise.key}-{self.operation.id}"

    def examine(self) -> tuple[Verdict, ...]:
        """Every case driven and judged, faults driven again; told to the run: its verdict, then the others'.

        The others are promises over every exchange, which see what these cases sent besides.
        """
        if self.run.attachment.safe and (self.promise.exhausts or not self.operation.reads):
            left = examine.inconclusive(self.promise.key, self.operation, LEFT_SAFE, self.run.driver)
            return (self.run.tell(left),)
        others: list[Verdict] = []
        own = self._surveyed(others) if self.promise.standing else self._examined(others)
        verdict = merged([Verdict(self.promise.key, self.operation.id, driver=self.run.driver), *own])[0]
        if self.promise.standing and verdict.examined:
            verdict = replace(verdict, reason="")
        self.watch.told(verdict.findings)
        return self.run.tell(verdict), *others

    def cases(self) -> list[Case]:
        """The cases of the promise; those of the survey where it is a standing one."""
        name = SURVEY if self.promise.standing else self.promise.key
        make = self.promise.cases or survey.cases
        return list(make(self.run.contract, self.operation, self.run.random(f"{name}/{self.operation.id}")))

    def _surveyed(self, others: list[Verdict]) -> list[Verdict]:
        """A standing promise's judgement of the operation's survey, which is driven once a process for all of them."""
        if self.operation.id not in self.run.surveys:
            survey_of = Survey(self._sent, lambda: self.run.left_s, self.share_s)
            with beside(self.run, alone=False):
                survey_of.drive(self.cases())
                for case, driven in survey_of.driven:
                    others += self.watch.look(case, driven[1], but=self.operation.id)
            self.run.surveys[self.operation.id] = survey_of
        surveyed = self.run.surveys[self.operation.id]
        with beside(self.run, alone=False):
            parts = [
                examine.repeated(
                    self.run,
                    self.promise,
                    case,
                    examine.judged(self.run, self.promise, case, driven[1]),
                    anew=partial(surveyed.attempt, case),
                )
                for case, driven in surveyed.driven
            ]
        return parts or [examine.inconclusive(self.promise.key, self.operation, OUT_OF_TIME, self.run.driver)]

    def _sent(self, case: Case, number: int, limit_s: float) -> Driven:
        return examine.driven(self.run, case, number, limit_s=limit_s)

    def _examined(self, others: list[Verdict]) -> Iterator[Verdict]:
        """What each case shows of the promise; what the others say of it goes to them."""
        for case in self.cases():
            with beside(self.run, alone=case.alone):
                if self.run.left_s <= 0:
                    verdict = examine.inconclusive(self.promise.key, self.operation, OUT_OF_TIME, self.run.driver)
                else:
                    done = examine.driven(self.run, case)
                    verdict = examine.confirmed(self.run, self.promise, case, done)
                    self.watch.told(verdict.findings)
                    others += self.watch.look(case, done)
            yield verdict
