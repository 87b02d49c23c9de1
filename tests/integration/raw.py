"""Bytes to a server as they are, and the answers that come back on the one connection."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """What the envelope says, also inside the error of an RPC call."""
        told: dict[str, Any] = json.loads(self.body)
        told = told["json"]["data"] if "json" in told else told
        return str(told["error"]["code"])


def answers(port: int, *parts: bytes, wait_s: float = 0.0, expected: int = 1) -> list[Answer]:
    """Send parts with a pause before each but the first; so many answers, fewer where the server closes earlier.

    A client that is refused while it still sends reads what there is to read.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for number, part in enumerate(parts):
                time.sleep(wait_s if number else 0)
                connection.sendall(part)
        with contextlib.suppress(ConnectionResetError):
            while len(list(_read(received))) < expected and (part := connection.recv(65536)):
                received += part
    return list(_read(received))


def answer(port: int, *parts: bytes, wait_s: float = 0.0) -> Answer:
    """The one answer to what is sent."""
    found = answers(port, *parts, wait_s=wait_s)
    assert found, "the connection ended without an answer"
    return found[0]


def _read(received: bytes) -> Iterator[Answer]:
    """The responses that are whole; one without a body says so by its length."""
    while (end := received.find(b"\r\n\r\n")) >= 0:
        line, *lines = received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (told.split(": ", 1) for told in lines)}
        body_end = end + 4 + int(headers.get("content-length", "0"))
        if len(received) < body_end:
            return
        yield Answer(int(line.split()[1]), headers, received[end + 4 : body_end])
        received = received[body_end:]
