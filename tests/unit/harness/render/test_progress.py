from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.clock import SystemClock
from harness.render.outlet import Outlet
from harness.render.progress import Progress

ROOT = Path(__file__).parents[4]
STORY = """
import sys
from harness.clock import SystemClock
from harness.render.progress import Progress
with Progress(sys.stderr, SystemClock(), budget_s=120, phases=("promises", "fuzz")) as progress:
    progress.note("a note … that stays")
    progress.phase_started("promises", 400)
    for done in range(0, 400, 10):
        progress.advanced(done, 400, done // 100, "POST /products · größe 大きさ")
    progress.phase_ended("promises", "fail", examined=400, findings=3, reason="because ✗")
    progress.phase_started("fuzz")
"""


class Given:
    """A clock that stands where it was put."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_ns(self) -> int:
        """The instant it was put to."""
        return int(self.at_s * 1e9)

    def wall(self) -> datetime:
        """Any time of day."""
        return datetime(2026, 1, 1, tzinfo=UTC)


def told(stream: io.StringIO) -> list[str]:
    """The lines that came."""
    return stream.getvalue().splitlines()


def test_plain_lines_tell_phases_and_time_left() -> None:
    """Without a terminal each phase has a line where it begins and one where it ends, with the time left."""
    stream, clock = io.StringIO(), Given()
    with Progress(stream, clock, budget_s=120) as progress:
        progress.phase_started("promises", 412)
        clock.at_s = 61.5
        progress.phase_ended("promises", "fail", examined=4213, findings=2, reason="it is so")
    expected = [
        "[0:00] promises: started, 412 items (2:00 left)",
        "[1:01] promises: fail after 61.5 s, 4,213 examined, 2 findings: it is so (0:58 left)",
    ]
    assert told(stream) == expected


def test_plain_lines_come_at_most_once_in_some_seconds() -> None:
    """However often a phase advances, a log gets a line in three seconds at the most."""
    stream, clock = io.StringIO(), Given()
    with Progress(stream, clock) as progress:
        progress.phase_started("fuzz")
        for tick in range(100):
            clock.at_s = tick / 10
            progress.advanced(tick, 0, 1, "GET /products")
    assert len(told(stream)) == 4
    assert told(stream)[1] == "[0:03] fuzz: 30, 1 finding, GET /products"


def test_a_phase_may_be_named_while_two_are_under_way() -> None:
    """Where phases overlap, an advance names its own."""
    stream, clock = io.StringIO(), Given()
    with Progress(stream, clock) as progress:
        progress.phase_started("fuzz")
        progress.phase_started("load")
        clock.at_s = 5
        progress.advanced(7, 9, phase="fuzz")
        progress.advanced(1, phase="never begun")
    assert told(stream)[-1] == "[0:05] fuzz: 7 of 9, 0 findings"


def test_control_characters_do_not_reach_the_stream() -> None:
    """What runs now may hold what a target sent; it cannot drive a terminal."""
    stream, clock = io.StringIO(), Given()
    with Progress(stream, clock) as progress:
        progress.phase_started("fuzz")
        clock.at_s = 9
        progress.advanced(1, what="\x1b[2J\r\nnext")
        progress.note("a\x07b\nc")
    assert "\x1b" not in stream.getvalue()
    assert told(stream)[-2:] == ["[0:09] fuzz: 1, 0 findings, \\x1b[2J next", "[0:09] a\\x07b c"]


def test_a_closed_stream_is_no_error() -> None:
    """A stream that was closed takes nothing and raises nothing."""
    stream = io.StringIO()
    stream.close()
    with Progress(stream, SystemClock()) as progress:
        progress.phase_started("fuzz")
        progress.note("x")


def test_a_broken_pipe_is_no_error(tmp_path: Path) -> None:
    """Who reads may go away: the process ends as it would have, without a word."""
    story = tmp_path / "story.py"
    story.write_text(STORY + "import time\nfor _ in range(30):\n    progress.note('x' * 9000)\n", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(story)], env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(timeout=30) == 0


def on_terminal(tmp_path: Path, columns: int, **environment: str) -> tuple[int, str]:
    """Exit code and what a terminal of that width got."""
    story = tmp_path / "story.py"
    story.write_text(STORY, encoding="utf-8")
    ours, theirs = pty.openpty()
    variables = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES", "NO_COLOR", "CI"}}
    process = subprocess.Popen(
        ["/bin/sh", "-c", f'stty cols {columns} rows 20; exec "$0" "$1"', sys.executable, str(story)],
        env={**variables, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    got = bytearray()
    try:
        while part := os.read(ours, 65536):
            got += part
    except OSError:
        pass
    finally:
        os.close(ours)
    return process.wait(timeout=30), got.decode("utf-8", "replace")


@pytest.mark.parametrize("columns", [1, 12, 40, 200])
def test_any_width_will_do(tmp_path: Path, columns: int) -> None:
    """A terminal of any width gets its lines and never a traceback."""
    code, got = on_terminal(tmp_path, columns)
    assert code == 0
    assert "Traceback" not in got
    assert "\x1b[" in got


def test_a_wide_terminal_shows_phase_status_and_findings(tmp_path: Path) -> None:
    """The last drawing stays and says how each phase ended."""
    _, got = on_terminal(tmp_path, 120, NO_COLOR="1")
    assert "✗ promises" in got
    assert "400 examined, 3 findings" in got
    assert "a note … that stays" in got


def test_no_color_draws_without_colour(tmp_path: Path) -> None:
    """NO_COLOR leaves cursor movements and takes every colour."""
    _, got = on_terminal(tmp_path, 100, NO_COLOR="1")
    assert not any(f"\x1b[{code}m" in got for code in ("31", "32", "36", "1;31", "1;36"))


def test_a_terminal_without_unicode_gets_ascii(tmp_path: Path) -> None:
    """Where the encoding has no signs, letters stand for them."""
    code, got = on_terminal(tmp_path, 100, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert code == 0
    assert "FAIL" in got
    assert got.isascii()


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path) -> None:
    """A terminal that cannot draw again gets lines."""
    _, got = on_terminal(tmp_path, 100, TERM="dumb")
    assert "\x1b" not in got
    assert "promises: started, 400 items" in got


def test_a_terminal_that_hangs_up_is_no_error(tmp_path: Path) -> None:
    """A terminal that goes away in mid-run ends the drawing and not the run."""
    story = tmp_path / "story.py"
    proof = tmp_path / "proof"
    before = "import signal, pathlib, time\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    after = f"    time.sleep(1.5)\n    progress.note('late')\npathlib.Path({str(proof)!r}).write_text('whole')\n"
    story.write_text(before + STORY + after, encoding="utf-8")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(story)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stderr=theirs,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(theirs)
    os.read(ours, 1)
    time.sleep(0.2)
    os.close(ours)
    assert process.wait(timeout=30) == 0
    assert proof.read_text(encoding="utf-8") == "whole"


def test_an_outlet_knows_its_stream() -> None:
    """A text in memory is no terminal and has no colour."""
    outlet = Outlet(io.StringIO(), {"TERM": "xterm"})
    assert (outlet.isatty(), outlet.live, outlet.colour, outlet.unicode) == (False, False, False, True)
