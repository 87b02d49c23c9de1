"""What a person sees while a run goes on: what runs, how far it is, findings so far, time left.

On a terminal a few lines that are drawn again in place; elsewhere plain lines, at most one in some seconds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TextIO

from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.render.outlet import Outlet
from harness.render.text import clipped, counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.clock import Clock

REDRAW_S = 0.2
LINE_EVERY_S = 3.0
BAR_WIDTH = 24
NS_PER_S = 1e9
SIGNS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "error": ("✗", "red"), "inconclusive": ("?", "yellow")}
ASCII_SIGNS = {"✓": "ok", "✗": "FAIL", "?": "?", "▶": ">", "·": "-"}


@dataclass(slots=True)
class _Phase:
    """One phase as it is shown."""

    name: str
    started_ns: int = 0
    ended_ns: int = 0
    done: int = 0
    total: int = 0
    findings: int = 0
    what: str = ""
    status: str = ""


class Progress:
    """Tells how far a run is; every method may be called from any thread, and none raises for what the stream does.

    `phases` are those to come, by name; `budget_s` is the time the run has. Use it as a context manager.
    """

    def __init__(
        self, stream: TextIO, clock: Clock, *, budget_s: float | None = None, phases: Iterable[str] = ()
    ) -> None:
        self._outlet, self._clock, self._budget_s = Outlet(stream), clock, budget_s
        self._started_ns = clock.now_ns()
        self._phases = {name: _Phase(name) for name in phases}
        self._current = ""
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._live: Live | None = None
        self._thread: threading.Thread | None = None
        self._last_line_ns = 0

    def __enter__(self) -> Self:
        if self._outlet.live:
            self._live = Live(
                console=self._outlet.console(), auto_refresh=False, get_renderable=self._drawn,
                redirect_stdout=False, redirect_stderr=False, vertical_overflow="crop",
            )  # fmt: skip
            self._live.start()
            self._thread = threading.Thread(target=self._redraw, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the drawing; a line for each phase stays."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=2)
        with self._lock:
            if self._live is not None:
                self._live.stop()
                self._live = None
            self._outlet.flush()

    def phase_started(self, name: str, total: int = 0) -> None:
        """A phase begins; `total` is how many items it has, 0 where that is not known."""
        with self._lock:
            phase = self._phases.setdefault(name, _Phase(name))
            phase.started_ns, phase.total, phase.status = self._clock.now_ns(), total, "running"
            self._current = name
            if self._live is None:
                items = f", {counted(total, 'item')}" if total else ""
                self._line(f"{name}: started{items}")

    def advanced(self, done: int, total: int = 0, findings: int = 0, what: str = "", *, phase: str = "") -> None:
        """The phase (by default the one begun last) has come so far; `findings` are its own, `what` runs now."""
        with self._lock:
            now = self._phases.get(phase or self._current)
            if now is None:
                return
            now.done, now.total, now.findings = done, total or now.total, findings
            now.what = one_line(what)
            if self._live is None and self._clock.now_ns() - self._last_line_ns >= LINE_EVERY_S * NS_PER_S:
                self._line(f"{now.name}: {self._so_far(now)}{f', {clipped(now.what, 60)}' if now.what else ''}")

    def phase_ended(
        self, name: str, status: str, *, examined: int | None = None, findings: int | None = None, reason: str = ""
    ) -> None:
        """A phase has ended with a status (see `report.Phase`)."""
        with self._lock:
            phase = self._phases.setdefault(name, _Phase(name, self._clock.now_ns()))
            phase.status, phase.ended_ns = status, self._clock.now_ns()
            phase.done = phase.done if examined is None else examined
            phase.findings = phase.findings if findings is None else findings
            phase.what = one_line(reason)
            seconds = (phase.ended_ns - phase.started_ns) / NS_PER_S
            if self._live is None:
                told = f": {phase.what}" if reason else ""
                self._line(f"{name}: {status} after {seconds:.1f} s, {_counts(phase)}{told}")

    def note(self, text: str) -> None:
        """A line of its own that stays, above what is drawn again."""
        with self._lock:
            if self._live is None:
                self._line(one_line(text))
            else:
                self._live.console.print(Text(one_line(text)))

    def _line(self, text: str) -> None:
        self._last_line_ns = self._clock.now_ns()
        elapsed_s = (self._last_line_ns - self._started_ns) / NS_PER_S
        left = self._left_s()
        tail = "" if left is None else f" ({_clock(left)} left)"
        self._outlet.write(f"[{_clock(elapsed_s)}] {text}{tail}\n")
        self._outlet.flush()

    def _left_s(self) -> float | None:
        if self._budget_s is None:
            return None
        return max(0.0, self._budget_s - (self._clock.now_ns() - self._started_ns) / NS_PER_S)

    def _so_far(self, phase: _Phase) -> str:
        far = f"{phase.done:,} of {phase.total:,}" if phase.total else f"{phase.done:,}"
        return f"{far}, {counted(phase.findings, 'finding')}"

    def _redraw(self) -> None:
        """Draws again until the end or until the terminal is gone."""
        while not self._ended.wait(REDRAW_S) and not self._outlet.gone:
            with self._lock:
                if self._live is not None:
                    self._live.refresh()

    def _drawn(self) -> Table:
        """The lines as they stand now: one a phase, and one for the whole."""
        with self._lock:
            table = Table.grid(padding=(0, 2))
            width = self._live.console.width if self._live else 0
            columns = 3 if width < 60 else 4  # noqa: PLR2004 - a narrow terminal has no room for what runs now
            longest = max((len(name) for name in self._phases), default=0)
            for number in range(columns):
                least = min(longest + 5, width // 3) if number == 0 else None
                table.add_column(no_wrap=True, overflow="ellipsis", min_width=least)
            for phase in self._phases.values():
                table.add_row(*self._row(phase)[:columns])
            if not self._ended.is_set():
                table.add_row(*self._whole()[:columns])
            return table

    def _row(self, phase: _Phase) -> tuple[Text, ...]:
        if not phase.status:
            return (self._sign("·", "dim", phase.name), Text("waiting", style="dim"), Text(), Text())
        if phase.ended_ns:
            sign, style = SIGNS.get(phase.status, ("·", "dim"))
            seconds = (phase.ended_ns - phase.started_ns) / NS_PER_S
            counts = Text(_counts(phase), style="red" if phase.findings else "")
            return (
                self._sign(sign, style, phase.name),
                Text(f"{phase.status} {seconds:.1f} s"),
                counts,
                Text(phase.what),
            )
        far = Text(self._so_far(phase), style="red" if phase.findings else "")
        return (self._sign("▶", "bold cyan", phase.name), self._bar(phase), far, Text(phase.what, style="dim"))

    def _whole(self) -> tuple[Text, ...]:
        elapsed_s = (self._clock.now_ns() - self._started_ns) / NS_PER_S
        left = self._left_s()
        budget = Text("" if left is None else f"{_clock(left)} left")
        found = sum(phase.findings for phase in self._phases.values())
        total = Text(f"{counted(found, 'finding')} so far", style="bold red" if found else "")
        return (
            Text(f"  {_clock(elapsed_s)}", style="bold"),
            budget,
            total,
            Text("Ctrl-C ends it and keeps what is there", style="dim"),
        )

    def _sign(self, sign: str, style: str, name: str) -> Text:
        return Text.assemble((sign if self._outlet.unicode else ASCII_SIGNS[sign], style), " ", one_line(name))

    def _bar(self, phase: _Phase) -> Text:
        if not phase.total:
            return Text(_clock((self._clock.now_ns() - phase.started_ns) / NS_PER_S))
        full = round(BAR_WIDTH * min(1.0, phase.done / phase.total))
        mark, rest = ("█", "░") if self._outlet.unicode else ("#", ".")
        return Text.assemble((mark * full, "cyan"), (rest * (BAR_WIDTH - full), "dim"))


def _counts(phase: _Phase) -> str:
    return f"{phase.done:,} examined, {counted(phase.findings, 'finding')}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
