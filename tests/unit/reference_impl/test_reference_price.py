"""Prices are read exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.price import Price, price_of, price_of_text

CENTS = st.integers(0, 99_999_999)


@given(CENTS)
def test_every_amount_of_cents_survives_its_text(cents: int) -> None:
    """What is written with two decimals is read back as the same cents."""
    assert price_of_text(f"{cents // 100}.{cents % 100:02}") == Price(cents)
    assert price_of(Price(cents).decimal()) == Price(cents)


@given(CENTS, st.integers(1, 999))
def test_a_third_decimal_is_refused(cents: int, rest: int) -> None:
    """An amount between two cents is no price, however small the difference."""
    with pytest.raises(ValueError, match=r"two decimals|number from"):
        price_of(Decimal(f"{cents // 100}.{cents % 100:02}{rest:038}"))


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_any_decimal_is_read_exactly_or_refused(amount: Decimal) -> None:
    """No decimal is rounded, and none raises anything but ValueError."""
    try:
        price = price_of(amount)
    except ValueError:
        return
    assert price.decimal() == amount


@pytest.mark.parametrize("text", ["", " 1", "+1", "01", "1.", ".5", "1e", "NaN", "Infinity", "0x1", "1_0", "\u0661"])
def test_what_is_no_json_number_is_no_price(text: str) -> None:
    """Text outside RFC 8259's number grammar is refused."""
    with pytest.raises(ValueError, match="expected a number"):
        price_of_text(text)


@pytest.mark.parametrize("value", [True, "1", 1.5, None, [1]])
def test_what_is_no_exact_number_is_no_price(value: object) -> None:
    """Booleans, texts and floats are refused."""
    with pytest.raises(ValueError, match="expected a number"):
        price_of(value)


@pytest.mark.parametrize(
    ("text", "cents"), [("19.99", 1999), ("99.99", 9999), ("1e3", 100000), ("-0.0", 0), ("5e-2", 5)]
)
def test_known_amounts(text: str, cents: int) -> None:
    """The amounts that float validators refuse are prices."""
    assert price_of_text(text) == Price(cents)
