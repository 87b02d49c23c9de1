"""The numbers and lists at which servers go wrong: the documented top, 2^53, 2^63, 1e20, a list of nothing."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.mask import is_secret_name
from harness.promises import wrong_values
from harness.promises.wrong_values import HUGE, SIGNED
from harness.things import referred

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract import Contract, Operation

EXACT = 2**53 + 1
MAX_MEMBERS = 3
BITS = (8, 16, 32, 64)
# Two places that the nearest binary fractions lie below, so that hundreds of them are cut to one less.
CENT = 0.01
CUT_SHORT = (19.99, 64.35)
TENTHS = 10_000
COARSER = (Decimal("0.1"), Decimal(1))
HALVES = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN)


@dataclass(frozen=True, slots=True)
class Trial:
    """A value at a member; `valid` where the document allows it, `kept` where what is read must be that very number."""

    place: str
    value: Any
    valid: bool
    kept: bool


def trials(contract: Contract, operation: Operation) -> list[Trial]:
    """The trials of a JSON body: of its first few numbers, those of greatest range first, and of its first lists."""
    declared = operation.json_body()
    if declared is None:
        return []
    numbers: list[tuple[float, list[Trial]]] = []
    lists: list[list[Trial]] = []
    for name, member in wrong_values.joined(contract, declared.schema).get("properties", {}).items():
        schema, place = wrong_values.joined(contract, member), f"/{pointer.escape(name)}"
        if schema.get("readOnly") or "enum" in schema or "const" in schema:
            continue
        if is_secret_name(name) or referred(contract, name) is not None:
            continue
        kind = wrong_values.type_of(schema)
        if kind in {"integer", "number"}:
            numbers.append((schema.get("maximum", math.inf), list(_numbers(schema, place, kind))))
        elif kind == "array":
            lists.append(list(_lists(schema, place)))
    numbers.sort(key=lambda item: -item[0])
    found = [trial for _, some in numbers[:MAX_MEMBERS] for trial in some]
    found.sort(key=lambda trial: not trial.kept)  # what may be accepted goes first, where there is not room for all
    return found + [trial for some in lists[:MAX_MEMBERS] for trial in some]


def _numbers(schema: Mapping[str, Any], place: str, kind: str) -> Iterator[Trial]:
    top, step = schema.get("maximum"), schema.get("multipleOf", 1 if kind == "integer" else None)
    if "exclusiveMaximum" in schema and step is not None:
        top = schema["exclusiveMaximum"] - step
    if top is not None:
        yield Trial(place, top, valid=True, kept=True)
        if step == 1 and top - 1 >= schema.get("minimum", 0):
            yield Trial(place, top - 1, valid=True, kept=True)
        elif step is not None and 0 < step < 1:
            yield Trial(place, _two_thirds(top, step), valid=True, kept=True)
    elif kind == "integer" and step == 1:
        yield Trial(place, EXACT, valid=True, kept=True)
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    if kind == "number" and (step is None or step == CENT) and least < min(CUT_SHORT):
        yield from (Trial(place, value, valid=True, kept=True) for value in CUT_SHORT if top is None or value <= top)
    for value in (EXACT, SIGNED, HUGE):
        if top is not None and value > top:
            yield Trial(place, value, valid=False, kept=False)
        elif top is None and value != EXACT:
            yield Trial(place, value, valid=True, kept=kind == "integer" and step == 1)


def _two_thirds(top: float, step: float) -> float:
    """A number high in the range that no float of 32 bits holds."""
    return round(int(top * 2 / 3 / step) * step, 6)


def _lists(schema: Mapping[str, Any], place: str) -> Iterator[Trial]:
    if not schema.get("minItems"):
        yield Trial(place, [], valid=True, kept=False)


def is_stepped(contract: Contract, operation: Operation, place: str) -> bool:
    """Whether the document says in which steps the number at a place of the body goes."""
    declared = operation.json_body()
    schema = wrong_values.joined(contract, declared.schema if declared else {})
    member = schema.get("properties", {}).get(pointer.tokens(place)[0], {})
    return "multipleOf" in wrong_values.joined(contract, member)


def rounded(sent: float, kept: float, *, stepped: bool = True) -> bool:
    """Whether a number was kept less exactly than it was sent: as a float, cut to its last bits, or held at a top.

    Of a number that is not `stepped`, to how many decimals it is rounded is the API's own; to cut them off is not.
    """
    if isinstance(kept, bool) or sent == kept or abs(kept) > sys.float_info.max:
        return False
    if not stepped and _is_to_fewer_decimals(sent, kept):
        return False
    near = abs(kept - sent) <= abs(sent) / 1000
    wrapped = isinstance(sent, int) and any((kept - sent) % (1 << bits) == 0 for bits in BITS[1:] if sent >= 1 << bits)
    topped = isinstance(kept, int) and kept > 0 and kept in {(1 << bits - sign) - 1 for bits in BITS for sign in (0, 1)}
    return near or wrapped or topped


def _is_to_fewer_decimals(sent: float, kept: float) -> bool:
    """Whether a number, of which any float holds the tenths, was rounded to one decimal or none, a half any way."""
    if abs(sent) >= TENTHS:
        return False
    whole = Decimal(str(sent))
    return any(Decimal(str(kept)) in {whole.quantize(one, half) for half in HALVES} for one in COARSER)
