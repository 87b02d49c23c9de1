"""The catalogue as a person reads it on a terminal."""

from __future__ import annotations

import pytest

from harness.codes import CODES
from harness.errors import UsageError
from harness.render import classes


def test_the_table_has_a_line_for_each_code() -> None:
    """Code, severity and title stand in columns."""
    lines = classes.table().splitlines()
    assert [line.split()[0] for line in lines] == list(CODES)
    assert [line.split()[1] for line in lines] == [code.severity.value for code in CODES.values()]


def test_one_code_with_everything() -> None:
    """Title, severity, what it means, how to mend it, and the numbers elsewhere, those of a kind too."""
    told = classes.one("schema.server-error")
    code = CODES["schema.server-error"]
    assert told.splitlines()[0] == "schema.server-error: The server fails (high)"
    assert code.means in told
    assert code.mend in told
    assert "WFC F121, WFC F100 (kind 500), WFC F205 (kind 501)" in told


@pytest.mark.parametrize(("name", "near"), [("roles.nothing", "roles.anonymous-allowed"), ("nothing", "schema")])
def test_a_code_that_is_none(name: str, near: str) -> None:
    """The message shows the value and those that there are, of the same promise where it has any."""
    with pytest.raises(UsageError, match=name) as raised:
        classes.one(name)
    assert near in str(raised.value)
