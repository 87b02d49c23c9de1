"""Servers that do not do what an API does: each takes connections on a loopback port and misbehaves in its own way."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


def hangs(_: socket.socket) -> None:
    """Takes the request and never answers."""
    time.sleep(60)


def garbage(connection: socket.socket) -> None:
    """Answers bytes that are no HTTP."""
    connection.sendall(bytes(range(256)) * 8)


def redirects(connection: socket.socket) -> None:
    """Sends whoever asks on to another place, for ever."""
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def endless(connection: socket.socket) -> None:
    """Answers a body that does not end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(CHUNK)


def large_header(connection: socket.socket) -> None:
    """Answers with a header of one megabyte."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Large: " + b"x" * 1_000_000 + b"\r\nContent-Length: 2\r\n\r\n{}")


def silent(connection: socket.socket) -> None:
    """Closes without a word."""
    connection.close()


@contextlib.contextmanager
def served(behaviour: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that meets each request so, while the block runs."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        threading.Thread(target=_accepts, args=(listener, behaviour), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accepts(listener: socket.socket, behaviour: Callable[[socket.socket], None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_meets, args=(connection, behaviour), daemon=True).start()


def _meets(connection: socket.socket, behaviour: Callable[[socket.socket], None]) -> None:
    with contextlib.suppress(OSError), connection:
        connection.recv(65536)
        behaviour(connection)


def answers(address: str) -> bool:
    """Whether something listens at an address."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, int(port))) == 0
