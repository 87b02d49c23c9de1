"""Planted defects: which finding shows one, how a project lists them, and which are asked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.config import Config, checked
from harness.errors import UsageError
from harness.finding import Finding, Severity
from harness.planted import Defect, chosen, listed

DEFECT = Defect("S14", "lost update", ("version.lost-update", "version.two-winners"), ("products.update",))


@pytest.mark.parametrize(
    ("code", "operation", "expected"),
    [
        ("version.lost-update", "products.update", True),
        ("version.two-winners", "products.update", True),
        ("version.lost-update", "orders.update", False),
        ("version.not-raised", "products.update", False),
    ],
)
def test_a_finding_shows_a_defect_by_class_and_operation(
    code: str,
    operation: str,
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Both must be those that the defect declares."""
    assert DEFECT.is_shown_by(Finding(code, "", Severity.HIGH, operation)) is expected


def told(code: str) -> Config:
    """A configuration whose list of defects is what a few lines print."""
    values: dict[str, Any] = {
        "target": {"process": {"command": ["serve"]}},
        "prove": {"list": ["{python}", "-c", code], "command": ["serve", "{defect}"]},
    }
    return checked(values, Path(), "harness.toml")


def test_defects_are_listed_by_the_projects_command() -> None:
    """What the command prints as JSON is read, a profile that is missing is the first."""
    rows = [{"id": "S1", "title": "one", "codes": ["a.b"], "operations": ["x"]}]
    assert listed(told(f"print({json.dumps(json.dumps(rows))})")) == [Defect("S1", "one", ("a.b",), ("x",))]


def test_a_list_that_fails() -> None:
    """The command, its code and its last words are told."""
    with pytest.raises(UsageError, match=r"ended with 3: no list"):
        listed(told("import sys; sys.stderr.write('no list'); sys.exit(3)"))


def test_a_list_that_is_no_list() -> None:
    """What cannot be read as a list of defects is wrong use, told with what was printed."""
    for printed in ("not json", "3", "{'S1': 1}", '["S1"]', '[{"id": "S1"}]'):
        with pytest.raises(UsageError, match=r"prove\.list"):
            listed(told(f"print({printed!r})"))


def test_a_project_without_defects() -> None:
    """Where harness.toml plants none, the message says what to write."""
    with pytest.raises(UsageError, match="no planted defects"):
        listed(Config(Path()))


def test_defects_are_chosen_by_id() -> None:
    """All where none is named; an id that is not there is told with those that are."""
    other = Defect("S15", "", (), ())
    assert chosen([DEFECT, other], ()) == [DEFECT, other]
    assert chosen([DEFECT, other], ("S15",)) == [other]
    with pytest.raises(UsageError, match="no defect is called S16"):
        chosen([DEFECT, other], ("S15", "S16"))


def test_the_interpreter_is_filled_in() -> None:
    """`{python}` is the one that runs this."""
    rows = f"import json, sys; assert sys.executable == {sys.executable!r}; print(json.dumps([]))"
    assert listed(told(rows)) == []
