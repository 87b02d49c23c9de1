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
    from collections.abc import Iterable, Iterator, Mapping
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


class Growing:
    """The records of journals that are still written to: each is read once, as soon as its line is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read_bytes: dict[Path, int] = {}

    def more(self) -> list[dict[str, Any]]:
        """The records that were not told before, those of one file in their order."""
        return [record for path in sorted(self.folder.glob("*.jsonl")) for record in self._more(path)]

    def _more(self, path: Path) -> Iterator[dict[str, Any]]:
        begun = self._read_bytes.get(path, 0)
        with path.open("rb") as file:
            file.seek(begun)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_bytes[path] = begun + len(whole + newline)
        return _records(whole.split(b"\n"))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole record of a file of JSON lines; none where there is no file."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        yield from _records(file)


def _records(written: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The objects among lines; what is cut short or no object is passed over."""
    for line in written:
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
