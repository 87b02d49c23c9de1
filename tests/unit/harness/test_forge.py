"""A project's command makes tokens: what it prints is taken, what it fails with is a reason and shows no secret."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from harness.errors import CannotTell
from harness.forge import forged

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a-secret-of-the-api"


def run(code: str, folder: Path) -> str:
    """What a small program made of the token `t`."""
    return forged([sys.executable, "-c", code], {"KEY": SECRET}, "t", str(folder))


def test_the_token_is_read_and_printed(tmp_path: Path) -> None:
    """The command has the valid token on its input, the told environment, and the configuration's folder."""
    code = "import os, sys; print(sys.stdin.read() + '.' + os.environ['KEY'] + '.' + os.path.basename(os.getcwd()))"
    assert run(code, tmp_path) == f"t.{SECRET}.{tmp_path.name}"


@pytest.mark.parametrize("name", ["ADMIN_PASSWORD", "AWS_SECRET_ACCESS_KEY"])
def test_no_other_secret_is_passed_on(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else stands in the environment of the harness is not seen by the command."""
    monkeypatch.setenv(name, SECRET)
    assert run(f"import os; print({name!r} in os.environ)", tmp_path) == "False"


@pytest.mark.parametrize(
    "code",
    ["", "print()", "print('two words')", "raise SystemExit(3)", "import os; raise ValueError(os.environ['KEY'])"],
)
def test_what_fails_is_a_reason_without_a_secret(code: str, tmp_path: Path) -> None:
    """No token, more than a token or an error is CannotTell; what the command wrote is not repeated."""
    with pytest.raises(CannotTell) as error:
        run(code, tmp_path)
    assert "identities.void.token_command" in str(error.value)
    assert SECRET not in str(error.value)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """A command that cannot be started is a reason too."""
    with pytest.raises(CannotTell, match="FileNotFoundError"):
        forged([str(tmp_path / "none")], {}, "t", "")
