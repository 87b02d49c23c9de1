"""What a standing promise saw, gathered: one finding a code and kind, with its first sentence and a few witnesses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.codes import CODES
from harness.finding import Finding, Severity
from harness.verdict import Verdict

if TYPE_CHECKING:
    from harness.exchange import Exchange

MAX_WITNESSES = 5
MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing seen in one exchange: code, kind and two sentences; a severity only where it is not the code's."""

    code: str
    kind: str
    promised: str
    seen: str
    severity: Severity | None = None


@dataclass(slots=True)
class Sightings:
    """The sights of one promise on one operation; title and severity are the catalogue's."""

    promise: str
    operation: str
    _first: dict[tuple[str, str], Sight] = field(default_factory=dict)
    _witnesses: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, sight: Sight, exchange: Exchange) -> None:
        """Keeps a sight with its witness; the first of a code and kind gives the sentences."""
        key = (sight.code, sight.kind)
        self._first.setdefault(key, sight)
        witnesses = self._witnesses.setdefault(key, [])
        if len(witnesses) < MAX_WITNESSES:
            witnesses.append(exchange.id)

    def verdict(self, examined: int, reason: str = "") -> Verdict:
        """The verdict over so many exchanges; `reason` says why none was examined and is kept only then."""
        findings = tuple(
            Finding(
                code=sight.code,
                title=CODES[sight.code].title,
                severity=sight.severity or CODES[sight.code].severity,
                operation=self.operation,
                kind=sight.kind,
                promised=sight.promised,
                seen=sight.seen,
                witnesses=tuple(self._witnesses[key]),
            )
            for key, sight in self._first.items()
        )
        return Verdict(self.promise, self.operation, examined, findings, "" if examined else reason)


def shown(text: str, limit: int = MAX_SHOWN) -> str:
    """A text for a sentence: on one line, cut to so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def asked(exchange: Exchange) -> str:
    """How a sentence names an exchange: its method and path."""
    return f"{exchange.request.method} {shown(exchange.request.path, 120)}"
