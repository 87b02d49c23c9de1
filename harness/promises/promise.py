"""What a promise is to the rest of the harness: its annotation, its cases and its judgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

    from hypothesis.strategies import SearchStrategy

    from harness.case import Case
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.verdict import Verdict

Applies = Callable[["Contract", "Operation"], bool]
Cases = Callable[["Contract", "Operation", "Random"], "Sequence[Case]"]
Strategy = Callable[["Contract", "Operation"], "SearchStrategy[Any]"]
CaseOf = Callable[["Contract", "Operation", Mapping[str, Any]], "Case"]
Judge = Callable[["Contract", "Operation", "Sequence[Exchange]"], "Verdict"]


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise.

    `annotation` is the JSON Schema of what stands under `key` in x-promises; `on_document` and `on_operation` say where
    it may stand. `applies` says whether an operation has it. `cases` gives the cases of one operation, drawn with the
    random source; a standing promise has none and judges every exchange. `judge` is a pure function of the exchanges of
    one case-run, or, for a standing promise, of all exchanges of an operation; it gives findings with witnesses. A
    promise with neither is judged by a driver of its own (load). `exhausts` says that its cases use up something
    shared: they come last. One with drawn cases has a `strategy` of Hypothesis for their parameters (JSON values) and
    gives by `case_of` the case of given parameters, so that a driver can search and shrink (drivers/properties.py).
    One that `watches` has cases and judges every exchange of the history besides.
    One that is `masked` judges answers in which known secrets stand as the history shows them.
    What the cases of one that is `outside` send at no operation is of another wire form: no standing promise judges it.
    """

    key: str
    annotation: Mapping[str, Any]
    applies: Applies
    judge: Judge | None = None
    cases: Cases | None = None
    on_document: bool = True
    on_operation: bool = True
    exhausts: bool = False
    watches: bool = False
    masked: bool = False
    outside: bool = False
    strategy: Strategy | None = None
    case_of: CaseOf | None = None

    @property
    def standing(self) -> bool:
        """Whether it judges every exchange instead of sending cases of its own."""
        return self.cases is None and self.judge is not None
