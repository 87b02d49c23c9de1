"""The sockets that are listened on: one a worker, so that the kernel shares the connections out."""

from __future__ import annotations

import socket

_BACKLOG = 2048


def bind(host: str, port: int, count: int) -> list[socket.socket]:
    """Return `count` listening sockets on one port; port 0 takes a free one. OSError when it cannot be had.

    Several share it by SO_REUSEPORT, each with a queue of its own. That would also let a second server join unasked, so
    the port is first taken without it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    first = _bound(family, host, port, shared=False)
    port = first.getsockname()[1]
    if count == 1:
        return [_listening(first)]
    first.close()
    return [_listening(_bound(family, host, port, shared=True)) for _ in range(count)]


def _bound(family: socket.AddressFamily, host: str, port: int, *, shared: bool) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _listening(bound: socket.socket) -> socket.socket:
    bound.listen(_BACKLOG)
    bound.setblocking(False)  # noqa: FBT003 - positional in the standard library
    return bound
