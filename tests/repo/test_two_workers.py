"""The second configuration is the first with another target, and planted defects are started on it as it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.repo.sources import text


def test_two_workers_are_verified_like_one() -> None:
    """What two_workers.toml says beside its target and its environment is what harness.toml says, word for word."""
    one, two = (tomllib.loads(text(Path(name))) for name in ("harness.toml", "two_workers.toml"))
    assert two["target"]["process"]["environment"] == one["target"]["process"]["environment"]
    del one["target"], two["target"], one["prove"]
    assert two == one


def test_defects_of_two_workers_are_planted_in_that_target() -> None:
    """The command that plants one is the target's own with the defect's name behind it."""
    one, two = (tomllib.loads(text(Path(name))) for name in ("harness.toml", "two_workers.toml"))
    profile = one["prove"]["profiles"]["2"]
    assert profile["config"] == "two_workers.toml"
    assert profile["command"] == [*two["target"]["process"]["command"], "--planted", "{defect}"]
