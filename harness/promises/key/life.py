"""How long a key is asked to live: the member that says so, and when that is over by the API's own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import date_s
from harness.promises import wrong_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange

MAX_LIFE_S = 5.0
MOMENT_S = 2
LONG_S = 3600.0


def member(contract: Contract, operation: Operation, place: str) -> dict[str, Any]:
    """The schema of a member of the JSON body."""
    declared = operation.json_body()
    schema = wrong_values.joined(contract, declared.schema if declared else {})
    for name in pointer.tokens(place):
        schema = wrong_values.joined(contract, schema.get("properties", {}).get(name, {}))
    return {**schema, "type": wrong_values.type_of(schema)}


def long(contract: Contract, operation: Operation, told: Mapping[str, Any], now: Exchange) -> Any:
    """The value of the end of a key that is to hold for an hour, or as long as it may; None where none is told."""
    if "end" not in told:
        return None
    schema = member(contract, operation, told["end"])
    if schema["type"] == "string":
        return _moment(now, LONG_S)
    unit_s = told.get("unit_s", 1)
    return int(min(max(_least(schema), LONG_S / unit_s), schema.get("maximum", LONG_S)))


def short(contract: Contract, operation: Operation, told: Mapping[str, Any], now: Exchange) -> tuple[Any, float]:
    """The value of the soonest end that may be asked for, and in how many seconds that is.

    Raises CannotTell where that is later than is waited for.
    """
    schema = member(contract, operation, told["end"])
    if schema["type"] == "string":
        return _moment(now, MOMENT_S), MOMENT_S
    least = _least(schema)
    life_s = least * told.get("unit_s", 1)
    if life_s > MAX_LIFE_S:
        raise CannotTell(
            f"{operation.id} issues keys for {life_s:g} s at least; an end is waited for up to {MAX_LIFE_S:g} s"
        )
    return least, life_s


def _least(schema: Mapping[str, Any]) -> int:
    above = schema.get("exclusiveMinimum")
    least = schema.get("minimum", 1) if above is None else int(above) + 1
    return max(1, int(-(-least // 1)))


def _moment(now: Exchange, seconds: float) -> str:
    """A moment so long after an answer, by the clock of the server."""
    begun_s = date_s((now.response.header("Date") if now.response else None) or "")
    if begun_s is None:
        raise CannotTell(f"{now.operation} tells no Date, so the moment at which a key is to end cannot be told")
    return datetime.fromtimestamp(begun_s + seconds, UTC).isoformat().replace("+00:00", "Z")


def is_over(told: Mapping[str, Any], issued: Exchange, now: Exchange) -> bool:
    """Whether a key had ended when an answer was given, as far as the API told when it issued it."""
    until = pointer.get(issued.response.json() if issued.response else None, told.get("until", ""))
    told_s = date_s((now.response.header("Date") if now.response else None) or "")
    if "until" not in told or told_s is None:
        return "until" not in told
    until_s = _epoch_s(until)
    return until_s is not None and told_s >= until_s


def _epoch_s(value: Any) -> float | None:
    """The seconds of a moment in RFC 3339's form, which tells its zone, or of a number; None where it is neither."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment.timestamp() if moment.tzinfo else None
