"""harness.toml: every problem is named at once, and templates are filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import config
from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
[target.process]
command = ["{python}", "-m", "api", "--port", "{port}"]
[identities.login]
operation = "login"
body = { email = "{email}" }
token = "/token"
[[identities.known]]
name = "admin"
login = { email = "admin@example.test" }
"""


def test_a_good_file_is_read_as_it_stands(tmp_path: Path) -> None:
    """Each table is a member, and the file's folder is what paths start from."""
    path = tmp_path / config.FILE
    path.write_text(GOOD)
    read = config.read(path)
    assert read.folder == tmp_path
    assert read.target["process"]["command"][0] == "{python}"
    assert read.identities["known"] == [{"name": "admin", "login": {"email": "admin@example.test"}}]


def test_a_file_wrong_in_three_places_says_all_three(tmp_path: Path) -> None:
    """An unknown key, a wrong type and a missing member are told in one message."""
    path = tmp_path / config.FILE
    path.write_text('[target.process]\ncommand = "serve"\n[identity]\n[identities.login]\noperation = "login"\n')
    with pytest.raises(UsageError) as told:
        config.read(path)
    text = "\n".join(told.value.problems)
    assert "target.process.command" in text
    assert "identity" in text
    assert "token" in text
    assert len(told.value.problems) >= 3


def test_a_known_identity_needs_one_way_in(tmp_path: Path) -> None:
    """Neither none nor two of login, token and headers."""
    known = [{"name": "none"}, {"name": "two", "token": "a", "headers": {}}, {"name": "in", "login": {}}]
    with pytest.raises(UsageError) as told:
        config.checked({"identities": {"known": known}}, tmp_path, "harness.toml")
    assert [problem.split(":")[0].split(" logs")[0] for problem in told.value.problems] == [
        "identities.known 'none'",
        "identities.known 'two'",
        "identities.known 'in'",
    ]


@pytest.mark.parametrize("text", ["[target", 'a = "\x00"', "target = 1\ntarget = 2"])
def test_a_file_that_is_no_toml_is_a_usage_error(tmp_path: Path, text: str) -> None:
    """The message names the file and the place."""
    path = tmp_path / config.FILE
    path.write_text(text)
    with pytest.raises(UsageError, match=r"harness\.toml is not TOML"):
        config.read(path)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    """The message names the path."""
    with pytest.raises(UsageError, match=r"none\.toml cannot be read"):
        config.read(tmp_path / "none.toml")


@given(st.text())
def test_text_without_placeholders_is_left_alone(text: str) -> None:
    """Braces that hold no word are the caller's own."""
    template = text.replace("{", "{ ")
    assert config.filled(template, {}, {}) == template


def test_values_fill_templates_at_any_depth() -> None:
    """Objects, lists and texts are filled, other values kept."""
    template = {"a": ["{x}-{env:Y}", 1], "b": {"c": "{x}"}}
    assert config.filled(template, {"x": "1"}, {"Y": "2"}) == {"a": ["1-2", 1], "b": {"c": "1"}}


@pytest.mark.parametrize(("template", "told"), [("{y}", "known are x"), ("{env:Y}", "set the environment variable Y")])
def test_a_missing_value_is_named(template: str, told: str) -> None:
    """The message says which value is missing and where it would come from."""
    with pytest.raises(UsageError, match=told):
        config.filled(template, {"x": "1"}, {})
