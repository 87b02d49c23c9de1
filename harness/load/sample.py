"""One request of a load run in a line, and the file that keeps such lines while the run goes on.

A file is JSON lines: a header object (what was planned), then one array a sample. It is appended and flushed in whole
lines, so that what a killed run left can be read; a last line that was cut is dropped.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

SCHEMA_VERSION = 1
KIND = "load-samples"
SUFFIX = ".samples.jsonl"
CLIENT_ERROR, SERVER_ERROR = 400, 500
TIMED_OUT = "timed out"


class Sample(NamedTuple):
    """One request. Instants are on the monotonic clock of the machine; status 0 and an error is no answer.

    `sent_ns` is when the generator set to work on it, before a connection is made: what it lags behind `due_ns` is the
    generator's doing, what follows is the server's. A tuple, as thousands are made in a second.
    """

    operation: str
    status: int
    due_ns: int
    sent_ns: int
    done_ns: int
    error: str = ""
    expected: bool = True

    @property
    def latency_ns(self) -> int:
        """From the due time, so that a late request is charged with its wait (no coordinated omission)."""
        return self.done_ns - self.due_ns

    @property
    def lag_ns(self) -> int:
        """How late the generator was."""
        return self.sent_ns - self.due_ns

    @property
    def failed(self) -> bool:
        """No answer, or a 5xx."""
        return not 0 < self.status < SERVER_ERROR

    @property
    def refused(self) -> bool:
        """A 4xx that the journey did not expect: it says nothing of how fast the operation is."""
        return CLIENT_ERROR <= self.status < SERVER_ERROR and not self.expected

    @property
    def has_latency(self) -> bool:
        """Whether it was served, or timed out, which is a latency too: at least so long."""
        return self.error.startswith(TIMED_OUT) or not (self.failed or self.refused)


@dataclass(frozen=True, slots=True)
class Header:
    """What the writing process had set out to do; `start_ns` is the instant that due times are counted from."""

    start_ns: int
    judged_from_ns: int
    planned: int
    pid: int


class SamplesError(ValueError):
    """A file of samples that was not written by this version, or is damaged before its last line."""


class SampleWriter:
    """Appends samples to a file; whoever owns it calls `flush` at least each 200 ms and `close` at the end."""

    def __init__(self, path: Path, header: Header) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._waiting: list[Sample] = []
        self.written = 0
        self._append(json.dumps({"v": SCHEMA_VERSION, "type": KIND, **asdict(header)}) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, sample: Sample) -> None:
        """Keeps a sample until the next flush."""
        self._waiting.append(sample)

    def flush(self) -> None:
        """Appends what waits, in whole lines."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._append("".join(map(to_line, waiting)))
            self.written += len(waiting)

    def close(self) -> None:
        """Flushes and closes; a second close does nothing."""
        if self._file >= 0:
            self.flush()
            os.close(self._file)
            self._file = -1

    def _append(self, text: str) -> None:
        data = memoryview(text.encode())
        while data:
            data = data[os.write(self._file, data) :]


def to_line(sample: Sample) -> str:
    """The line of a sample; an error and an unexpected status stand on it only where there is one."""
    fields: list[Any] = list(sample[:5])
    if sample.error or not sample.expected:
        fields += [sample.error, int(sample.expected)]
    return json.dumps(fields, separators=(",", ":")) + "\n"


def from_line(line: str) -> Sample:
    """The sample of a line that `to_line` wrote."""
    fields = json.loads(line)
    short, long = 5, 7
    if not isinstance(fields, list) or len(fields) not in {short, long}:
        raise SamplesError(f"{line.strip()[:80]!r} is not a sample: an array of {short} or {long} members is")
    if len(fields) == long:
        fields[6] = bool(fields[6])
    return Sample(*fields)


def read_samples(path: Path) -> tuple[Header, list[Sample]]:
    """What a file holds; a last line without its end is dropped."""
    lines = path.read_bytes().decode(errors="replace").split("\n")[:-1]
    if not lines:
        raise SamplesError(f"{path.name} has no whole line: its writer ended before it began")
    header = _header(path, json.loads(lines[0]))
    samples = []
    for number, line in enumerate(lines[1:], 2):
        try:
            samples.append(from_line(line))
        except ValueError as error:
            raise SamplesError(f"{path.name}, line {number}: {error}") from error
    return header, samples


def _header(path: Path, record: Mapping[str, Any]) -> Header:
    if record.get("type") != KIND or record.get("v") != SCHEMA_VERSION:
        raise SamplesError(
            f"{path.name} starts with type {record.get('type')!r} version {record.get('v')!r}: "
            f"{KIND!r} version {SCHEMA_VERSION} is read"
        )
    return Header(**{name: record[name] for name in ("start_ns", "judged_from_ns", "planned", "pid")})


def merged(parts: Iterable[tuple[Header, list[Sample]]]) -> list[Sample]:
    """The judged samples of several processes in the order of their due times; the warm-up is left out."""
    judged = (
        sample
        for header, samples in parts
        for sample in samples
        if sample.due_ns - header.start_ns >= header.judged_from_ns
    )
    return sorted(judged, key=lambda sample: sample.due_ns)
