"""Draws values of a Hypothesis strategy with a given random source: the same source gives the same values."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, TypeVar

import hypothesis

if TYPE_CHECKING:
    from random import Random

    from hypothesis.strategies import SearchStrategy

Value = TypeVar("Value")


def drawn_with(strategy: SearchStrategy[Value], random: Random, count: int) -> list[Value]:
    """So many values, unlike one another where it has as many; the simplest, which is always tried, is left out."""
    found: list[Value] = []

    @hypothesis.seed(random.getrandbits(64))
    @hypothesis.settings(
        max_examples=count + 1,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def draw(value: Value) -> None:
        found.append(value)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hypothesis.errors.HypothesisWarning)
        draw()
    return found[1 : count + 1] or found[:count]
