"""Readers of event streams of a running reference API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


class Event(NamedTuple):
    """One event as it came."""

    id: str
    kind: str
    data: dict[str, Any]


class Stream:
    """One open stream: its events as they come, and the last id that came, with an event or without."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.position = ""
        self._lines = response.iter_lines()
        while not self.position:
            self._frame()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        """Wait for the next event; the stream's end is the iterator's."""
        while "data" not in (members := self._frame()):
            pass
        return Event(members["id"], members["event"], json.loads(members["data"]))

    def _frame(self) -> dict[str, str]:
        members: dict[str, str] = {}
        while line := next(self._lines):
            name, _, value = line.partition(": ")
            members[name] = value
        self.position = members.get("id", self.position)
        return members

    @property
    def port(self) -> int:
        """The client's end of its connection."""
        port: int = self.response.extensions["network_stream"].get_extra_info("client_addr")[1]
        return port
