"""The pure model of a conserved quantity, and what a history of draws says must be left of it.

A draw takes all its lines or none. Where its outcome is unknown it may have taken them or not, so what must be left is
an interval. Quantities are exact decimals.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from harness.exchange import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Lines = tuple[tuple[str, Decimal], ...]
State = dict[str, Decimal]
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw: its number in the program, its lines (key, quantity), what came of it, and the exchange that shows it.

    `restored` is what came of giving it back: UNKNOWN where that may have happened, None where it was never tried.
    """

    number: int
    lines: Lines
    outcome: Outcome
    id: str
    restored: Outcome | None = None

    @property
    def wanted(self) -> Mapping[str, Decimal]:
        """How much of each key it asks for, lines of one key added."""
        return summed(self.lines)

    @property
    def keys(self) -> frozenset[str]:
        """The keys that it names."""
        return frozenset(key for key, _ in self.lines)

    def taken(self, key: str) -> tuple[Decimal, Decimal]:
        """The least and the most that it can have taken of a key and kept."""
        quantity = self.wanted.get(key, NOTHING)
        if self.outcome is Outcome.REFUSED or self.restored is Outcome.OK:
            return NOTHING, NOTHING
        sure = self.outcome is Outcome.OK and self.restored is not Outcome.UNKNOWN
        if sure:
            return quantity, quantity
        return min(NOTHING, quantity), max(NOTHING, quantity)


def summed(lines: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """How much of each key the lines ask for together."""
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for key, quantity in lines:
        wanted[key] += quantity
    return dict(wanted)


def init(stock: Mapping[str, Decimal]) -> State:
    """The state before the first draw."""
    return dict(stock)


def step(state: State, lines: Lines) -> tuple[State, bool]:
    """The state after a draw and whether it happened: all of it, or none where any key has too little."""
    wanted = summed(lines)
    valid = all(quantity > 0 and quantity == quantity.to_integral_value() for _, quantity in lines)
    if not valid or any(state.get(key, NOTHING) < quantity for key, quantity in wanted.items()):
        return state, False
    return {key: held - wanted.get(key, NOTHING) for key, held in state.items()}, True


def restore(state: State, lines: Lines) -> State:
    """The state after a draw is given back."""
    back = summed(lines)
    return {key: held + back.get(key, NOTHING) for key, held in state.items()}


def left(initial: Decimal, key: str, draws: Sequence[Draw]) -> tuple[Decimal, Decimal]:
    """The least and the most that can be left of a key; below zero only where more was drawn than there was."""
    taken = [draw.taken(key) for draw in draws]
    return initial - sum((most for _, most in taken), NOTHING), initial - sum((least for least, _ in taken), NOTHING)


def is_sum_of(amount: Decimal, parts: Sequence[Decimal]) -> bool:
    """Whether some of the parts, at least one, add up to the amount."""
    reached = {NOTHING}
    for part in parts:
        reached |= {known + part for known in reached}
    return amount in reached - {NOTHING}
