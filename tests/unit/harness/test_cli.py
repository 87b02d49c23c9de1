"""Every ending of a command is one message and its documented code, without a traceback."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import cli, commands, interruption
from harness.errors import CannotTell, HarnessError, TargetError, UsageError
from harness.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = OSError(errno.ENOSPC, "No space left on device", "reports/run/history")
ENDINGS: list[tuple[BaseException, Exit, str]] = [
    (UsageError("two things", ["one", "two"]), Exit.USAGE, "harness: two things\n  - one\n  - two\n"),
    (TargetError("not there"), Exit.TARGET, "harness: not there\n"),
    (CannotTell("no role"), Exit.INCONCLUSIVE, "harness: no role\n"),
    (HarnessError("pytest broke"), Exit.INTERNAL, "harness: pytest broke\n"),
    (KeyboardInterrupt(), Exit.INTERRUPTED, "harness: interrupted\n"),
    (FULL, Exit.USAGE, "harness: reports/run/history cannot be written: No space left on device; make room"),
]


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], Exit]:
    """Runs a command that ends so."""

    def run(error: BaseException) -> Exit:
        def broken(_: object) -> Exit:
            raise error

        monkeypatch.setattr(interruption, "SIGNALS", ())
        monkeypatch.setattr(commands, "COMMANDS", {"report": broken})
        return cli.run(["report"])

    return run


@pytest.mark.parametrize(("error", "code", "message"), ENDINGS, ids=lambda value: type(value).__name__)
def test_an_ending_is_told(
    ending: Callable[[BaseException], Exit],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: Exit,
    message: str,
) -> None:
    """The message goes to stderr whole, and the code is that of the ending."""
    assert ending(error) is code
    assert capsys.readouterr().err.startswith(message)


def test_what_nobody_expected_is_kept_in_a_file(
    ending: Callable[[BaseException], Exit], capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the harness itself ends with 5; its traceback stands in a file that the message names."""
    assert ending(ZeroDivisionError("by nothing")) is Exit.INTERNAL
    told = capsys.readouterr().err
    assert told.startswith("harness: internal error: ZeroDivisionError: by nothing\n")
    assert "Traceback" not in told
    place = Path(told.split("details are in ")[1].split(";")[0])
    assert "ZeroDivisionError: by nothing" in place.read_text()
    place.unlink()


def test_an_error_of_the_system_that_is_no_full_disk(ending: Callable[[BaseException], Exit]) -> None:
    """An OSError that says nothing of writing is an internal error."""
    assert ending(ConnectionResetError(errno.ECONNRESET, "reset")) is Exit.INTERNAL
