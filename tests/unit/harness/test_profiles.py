"""Profiles of planted defects: what each target is started with, and what is told where one is not written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import Config, checked
from harness.errors import TargetError, UsageError
from harness.profiles import FIRST, Profile, profiles
from harness.targets import ProcessTarget

NAMES = st.dictionaries(st.sampled_from(["TZ", "DATA", "WORKERS"]), st.sampled_from(["one", "two"]))
PRINT = "import os, sys; sys.exit(' '.join([os.environ.get('TZ', '-'), *sys.argv[1:]]))"
OTHER = """
[target.process]
command = ["two", "{port}"]
environment = { TZ = "UTC" }
"""


def told(given_profiles: dict[str, Any], folder: Path = Path(), **more: Any) -> Config:
    """A configuration that plants, with these profiles."""
    values: dict[str, Any] = {
        "target": {"process": {"command": ["one"], **more}},
        "prove": {"list": ["list"], "command": ["plant", "{defect}"], "profiles": given_profiles},
    }
    return checked(values, folder, "harness.toml")


def one(config: Config, name: str) -> Profile:
    """The one profile of that name."""
    (profile,) = profiles(config, None, [name]).values()
    return profile


def test_the_first_profile_is_the_target_itself() -> None:
    """Where a defect names no other, the target of harness.toml is started, with the defect in its command's place."""
    profile = one(told({}), FIRST)
    assert profile.clean().command == ["one"]
    assert profile.planted("S14").command == ["plant", "S14"]
    assert profile.file is None


@given(NAMES, NAMES)
def test_the_environment_of_a_profile_lies_over_the_targets(own: dict[str, str], over: dict[str, str]) -> None:
    """What the profile does not name stays, what it names is its own, and the first profile keeps its own."""
    config = told({"T": {"environment": over}}, environment=own)
    assert one(config, "T").table["environment"] == own | over
    assert one(config, FIRST).table["environment"] == own


def test_a_profile_with_a_file_of_its_own(tmp_path: Path) -> None:
    """The other file's target is started, by the profile's command, and verified with that file."""
    (tmp_path / "two.toml").write_text(OTHER)
    profile = one(told({"2": {"config": "two.toml", "command": ["two", "--planted", "{defect}"]}}, tmp_path), "2")
    assert profile.file == tmp_path / "two.toml"
    assert profile.clean().command == ["two", "{port}"]
    assert profile.planted("S07").command == ["two", "--planted", "S07"]
    assert profile.table["environment"] == {"TZ": "UTC"}


def test_the_target_is_started_in_the_profiles_environment(tmp_path: Path) -> None:
    """The process sees the profile's variables and the defect's name."""
    config = told(
        {"T": {"environment": {"TZ": "WEST8"}, "command": [sys.executable, "-c", PRINT, "{defect}"]}}, tmp_path
    )
    with pytest.raises(TargetError, match=r"WEST8 S42") as caught, one(config, "T").planted("S42"):
        pass
    assert "ended with 1 before it was healthy" in str(caught.value)
    assert isinstance(one(config, "T").clean(), ProcessTarget)


def test_every_profile_that_cannot_be_started_is_told_at_once(tmp_path: Path) -> None:
    """One that is not written, one whose file is not there, one whose file has no process to start."""
    (tmp_path / "empty.toml").write_text("")
    config = told({"2": {"config": "none.toml"}, "3": {"config": "empty.toml"}}, tmp_path)
    with pytest.raises(UsageError) as caught:
        profiles(config, None, [FIRST, "P F", "2", "3"])
    first, second, third = caught.value.problems
    assert "defects of profile 'P F'; write [prove.profiles.P F]" in first
    assert "none.toml cannot be read" in second
    assert "prove.profiles.3.config" in third
    assert "has no [target.process]" in third


@pytest.mark.parametrize("name", ["1", "", " T", "a/b"])
def test_a_name_that_is_none(name: str) -> None:
    """The first profile cannot be written twice, and a name is words of letters and digits."""
    with pytest.raises(UsageError, match=r"prove\.profiles"):
        told({name: {}})
