"""Coverage of the contract: for each operation its documented statuses, who called it, and what was examined.

A pair of an operation and a documented status is reached where a call of the operation was answered so. Statuses that
the server alone decides are counted apart: every 1xx and 5xx, and `default`, which stands for whatever is not named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.identities import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.verdict import Verdict

GATES = {401, 403}
DEFAULT = "default"


class Why(StrEnum):
    """Why a status was not reached; nothing where it was."""

    REACHED = ""
    NOT_SENT = "not sent"
    NOT_SELECTED = "not selected"
    REFUSED = "refused"
    NO_CASE = "no case"


@dataclass(frozen=True, slots=True)
class StatusCoverage:
    """One documented status of an operation: how many calls got it, and why none did."""

    status: str
    count: int = 0
    why: Why = Why.REACHED
    detail: str = ""

    @property
    def apart(self) -> bool:
        """Whether the server alone decides it, so that it cannot be asked for from outside."""
        return self.status.lower() == DEFAULT or self.status[:1] in {"1", "5"}


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """One operation: its documented statuses, how often each kind of caller was answered how, what promises it has.

    `callers` has for each the answers by status (0 is none); `promises` counts those examined and all that it has.
    """

    operation: str
    statuses: tuple[StatusCoverage, ...]
    callers: Mapping[str, Mapping[str, int]]
    examined: int = 0
    promises: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of every operation; `callers` are all kinds that called any."""

    operations: tuple[OperationCoverage, ...] = ()
    callers: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[StatusCoverage, ...]:
        """The documented operation-status pairs that count."""
        return tuple(status for row in self.operations for status in row.statuses if not status.apart)

    @property
    def reached(self) -> int:
        """How many of them were reached."""
        return sum(bool(status.count) for status in self.pairs)

    @property
    def percent(self) -> float:
        """The figure that `--min-coverage` asks for; 100 where nothing is documented."""
        return 100.0 * self.reached / len(self.pairs) if self.pairs else 100.0

    def to_record(self) -> dict[str, Any]:
        """The JSON object in run.json."""
        apart = [status for row in self.operations for status in row.statuses if status.apart]
        return {
            "pairs": len(self.pairs),
            "reached": self.reached,
            "percent": round(self.percent, 2),
            "apart": len(apart),
            "apart_reached": sum(bool(status.count) for status in apart),
            "callers": list(self.callers),
            "operations": [asdict(row) for row in self.operations],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Coverage:
        """The coverage that `to_record` wrote; an empty one of a run that had none."""
        rows = [
            OperationCoverage(
                **{
                    **row,
                    "statuses": tuple(StatusCoverage(**{**item, "why": Why(item["why"])}) for item in row["statuses"]),
                }
            )
            for row in record.get("operations", ())
        ]
        return cls(tuple(rows), tuple(record.get("callers", ())))


def covered(
    contract: Contract, sent: Iterable[Exchange], told: Sequence[Verdict], *, narrowed: bool = False
) -> Coverage:
    """The coverage that a history and its verdicts give; `narrowed` where the run was asked for a part only."""
    by_operation: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in sent:
        operation = contract.by_id.get(exchange.operation)
        if operation is not None and exchange.request.method == operation.method:
            by_operation[operation.id].append(exchange)
    rows = tuple(
        _row(
            operation,
            by_operation[operation.id],
            [item for item in told if item.operation == operation.id],
            narrowed=narrowed,
        )
        for operation in contract.operations
    )
    callers = sorted({name for row in rows for name in row.callers}, key=lambda name: (name != ANONYMOUS.name, name))
    return Coverage(rows, tuple(callers))


def _row(
    operation: Operation, sent: Sequence[Exchange], told: Sequence[Verdict], *, narrowed: bool
) -> OperationCoverage:
    callers: dict[str, Counter[str]] = defaultdict(Counter)
    met: Counter[str] = Counter()
    for exchange in sent:
        callers[_caller(exchange)][str(exchange.status)] += 1
        answer = operation.answer(exchange.status) if exchange.response is not None else None
        if answer is not None:
            met[answer.status] += 1
    statuses = []
    for answer in operation.answers:
        count = met[answer.status]
        why, detail = (Why.REACHED, "") if count else _why(answer.status, sent, told, narrowed=narrowed)
        statuses.append(StatusCoverage(answer.status, count, why, detail))
    examined = sum(bool(verdict.examined) for verdict in told)
    return OperationCoverage(
        operation.id, tuple(statuses), {name: dict(counts) for name, counts in callers.items()}, examined, len(told)
    )


def _caller(exchange: Exchange) -> str:
    """What kind of caller it was: its roles, `anonymous`, or `identity` of one without a role."""
    who = exchange.request.identity
    return who.name if who.name == ANONYMOUS.name else " and ".join(who.roles) or "identity"


def _why(status: str, sent: Sequence[Exchange], told: Sequence[Verdict], *, narrowed: bool) -> tuple[Why, str]:
    """Why no call was answered so, and what is known of it."""
    if not sent:
        reason = next((verdict.reason for verdict in told if verdict.reason), "")
        return (Why.NOT_SELECTED if narrowed and not reason else Why.NOT_SENT), reason
    answered = Counter(exchange.status for exchange in sent)
    came = ", ".join(f"{code or 'no answer'} × {count}" for code, count in sorted(answered.items()))
    if status.startswith("2") and answered.keys() <= GATES:
        return Why.REFUSED, f"answered {came}"
    return Why.NO_CASE, f"answered {came}"
