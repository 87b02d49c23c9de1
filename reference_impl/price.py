"""Money as a JSON number with at most two decimals, read exactly and kept in minor units."""

from __future__ import annotations

import re
from decimal import Decimal

# JSON's own number grammar (RFC 8259), for numbers that arrive as text in a query.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")
_CENT = Decimal("0.01")
LARGEST = Decimal("999999.99")


class Price:
    """An amount in minor units (`cents`); on the wire a number such as 19.99."""

    __slots__ = ("cents",)

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Price) and other.cents == self.cents

    def __hash__(self) -> int:
        return hash(self.cents)

    def __repr__(self) -> str:
        return f"Price({self.cents})"

    def decimal(self) -> Decimal:
        """Return the amount with two decimals."""
        return Decimal(self.cents).scaleb(-2)


def discounted(cents: int, percent: int) -> int:
    """Return an amount less a whole percentage, in minor units; half a unit counts as one."""
    return (cents * (100 - percent) + 50) // 100


def price_of(number: object) -> Price:
    """Read a decoded JSON number (int or Decimal); ValueError with the rule when it is no price.

    Floats are refused: they have lost the digits that decide.
    """
    if isinstance(number, bool) or not isinstance(number, (int, Decimal)):
        raise ValueError("expected a number")  # noqa: TRY004 - msgspec turns ValueError into its own
    amount = Decimal(number)
    if not amount.is_finite() or not Decimal(0) <= amount <= LARGEST:
        raise ValueError(f"expected a number from 0 to {LARGEST}")
    if amount.adjusted() < -30 or amount != amount.quantize(_CENT):  # noqa: PLR2004 - far below a cent, before arithmetic
        if amount == 0:
            return Price(0)
        raise ValueError("expected at most two decimals")
    return Price(int(amount.scaleb(2)))


def price_of_text(text: str) -> Price:
    """Read the text of a JSON number; ValueError with the rule when it is no price."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("expected a number")
    return price_of(Decimal(text))
