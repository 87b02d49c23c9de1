"""The append-only record of everything that was sent: one JSON object a line, one file a process.

Each line is written whole in one call as soon as its exchange has ended, so that a process killed at any moment loses
nothing that it had recorded; a last line cut short by a full disk is passed over by the reader.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from harness.exchange import SCHEMA_VERSION, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FOLDER = "history"


class Journal:
    """One file of JSON lines that only grows, open for appending from the first line on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one record as one line."""
        if self._descriptor < 0:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        data = line.encode("utf-8", "surrogatepass")
        while data:
            data = data[os.write(self._descriptor, data) :]

    def close(self) -> None:
        """Closes the file; a further append opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole record of a file of JSON lines; none where there is no file."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                record = json.loads(line.decode("utf-8", "surrogatepass"))
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record


def exchanges(run: Path) -> list[Exchange]:
    """Every exchange of a run, of all its processes, in the order in which they were sent."""
    found = [
        Exchange.from_record(record)
        for path in sorted((run / FOLDER).glob("*.jsonl"))
        for record in lines(path)
        if record.get("type") == "exchange" and record.get("v") == SCHEMA_VERSION
    ]
    return sorted(found, key=lambda exchange: exchange.sent_ns)
