"""A terminal, a pipe or a file that text goes to: what it can show, and nothing raised when it is gone.

A closed pipe, a terminal that hung up or one that has no UTF-8 is no reason for a run to end with a
traceback.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from harness.render.text import ascii_only

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAIN_WIDTH = 100
DUMB = {"dumb", "unknown", ""}


class Outlet:
    """Writes text as a stream can take it. `gone` says that the stream no longer takes any."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str] | None = None) -> None:
        self.stream = stream
        self.gone = False
        self._environment = os.environ if environment is None else environment
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    @property
    def unicode(self) -> bool:
        """Whether it shows more than ASCII."""
        return self.encoding.lower().replace("-", "").replace("_", "").startswith("utf")

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        try:
            return bool(self.stream.isatty())
        except (OSError, ValueError):
            return False

    @property
    def live(self) -> bool:
        """Whether lines can be drawn again in place."""
        return self.isatty() and self._environment.get("TERM", "") not in DUMB

    @property
    def colour(self) -> bool:
        """Whether colours are wanted: on a terminal, and NO_COLOR (no-color.org) is unset or empty."""
        return self.live and not self._environment.get("NO_COLOR")

    def console(self) -> Console:
        """A rich console that writes here; on a terminal it follows the width, elsewhere it has 100 columns."""
        live = self.live
        return Console(
            file=self,  # type: ignore[arg-type]  # rich asks for write, flush, isatty and encoding only
            force_terminal=live,
            color_system="standard" if self.colour else None,
            no_color=not self.colour,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            width=None if live else PLAIN_WIDTH,
            _environ={**self._environment} if live else {},
        )

    def write(self, text: str) -> int:
        """Writes what the stream's encoding has and ASCII for the rest; nothing once the stream is gone."""
        if not self.gone:
            fit = text if self.unicode else ascii_only(text)
            try:
                self.stream.write(fit.encode(self.encoding, "replace").decode(self.encoding))
            except (OSError, ValueError):
                self._lost()
        return len(text)

    def flush(self) -> None:
        """Sends what was written on its way."""
        if not self.gone:
            try:
                self.stream.flush()
            except (OSError, ValueError):
                self._lost()

    def _lost(self) -> None:
        """Points the stream's descriptor at nothing, so that Python's own flush at exit does not complain either."""
        self.gone = True
        with contextlib.suppress(OSError, ValueError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self.stream.fileno())
            os.close(nothing)
