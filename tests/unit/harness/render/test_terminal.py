from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from harness.exits import Exit
from harness.render import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.report import Report


def test_the_closing_tells_verdict_findings_and_where_to_go(sample: Callable[..., Report]) -> None:
    """The first line is the verdict; the last say the exit code, how to run again and where the report is."""
    lines = terminal.render(sample(6), where="reports/latest/").decode().splitlines()
    assert lines[1].startswith(" FAILS   The API breaks its contract: 6 findings")
    assert lines[-1] == "Report     reports/latest/report.html"
    assert "Exit code  1 (findings) after 1 min 57 s" in lines


def test_a_closing_fits_a_screen(sample: Callable[..., Report]) -> None:
    """With 200 findings it is still one screen: a line for each class and how many more there are."""
    text = terminal.render(sample(200, 500)).decode()
    assert len(text.splitlines()) <= 36
    assert "(and 33 more of this class)" in text


@pytest.mark.parametrize("width", [1, 24, 40, 75, 76, 100, 140])
def test_no_line_is_wider_than_the_terminal(sample: Callable[..., Report], width: int) -> None:
    """Lines are broken at the width, 24 columns at least."""
    lines = terminal.render(sample(6), width=width, unicode=False).decode().splitlines()
    assert max(map(len, lines)) <= max(24, width)


@pytest.mark.parametrize("width", range(30, 141))
def test_a_replay_command_stands_whole_on_a_line(sample: Callable[..., Report], width: int) -> None:
    """The command can be copied at any width that holds it: it is not broken at its space."""
    report = sample(6)
    lines = terminal.render(report, width=width).decode().splitlines()
    assert max(map(len, lines)) <= width
    for finding in report.findings:
        assert any(f"harness replay {finding.fingerprint}" in line for line in lines)


@pytest.mark.parametrize("code", [None, *Exit])
def test_every_ending_is_told(sample: Callable[..., Report], code: Exit | None) -> None:
    """Each exit code has its closing, with and without findings."""
    for count in (0, 2):
        assert b"Exit code" in terminal.render(sample(count, 4, exit_code=code))


def test_no_escape_reaches_a_pipe(sample: Callable[..., Report]) -> None:
    """Neither colours nor what a target sent drives a terminal that the text is later shown on."""
    stream = io.StringIO()
    terminal.show(sample(6), stream, where="reports/latest")
    assert "\x1b" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()


def test_a_stream_without_unicode_gets_ascii(sample: Callable[..., Report]) -> None:
    """A stream in latin-1 or ASCII takes the closing without an error."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    terminal.show(sample(6), stream)
    assert raw.getvalue().isascii()


def test_a_closed_stream_is_no_error(sample: Callable[..., Report]) -> None:
    """A closing that no one can read raises nothing."""
    stream = io.StringIO()
    stream.close()
    terminal.show(sample(1), stream)
