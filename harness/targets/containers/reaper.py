"""The reaper of testcontainers: a container that removes what this process made once the process is gone.

It lives as long as somebody is connected to it, and removes by the label that it was told.
"""

from __future__ import annotations

import atexit
import contextlib
import socket
import time
from typing import TYPE_CHECKING

from docker.errors import NotFound  # type: ignore[import-untyped]  # docker has no types
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID

from harness.errors import TargetError

if TYPE_CHECKING:
    from testcontainers.core.docker_client import DockerClient

PORT = 8080
TIMEOUT_S = 20.0
ANSWER_TIMEOUT_S = 1.0
POLL_S = 0.05


def start(client: DockerClient) -> None:
    """Starts it once for this process, and returns when it has acknowledged the label; raises TargetError else.

    The port of a container takes connections before what is in it does: a label sent into one of those is lost.
    """
    if testcontainers_config.ryuk_disabled:
        return
    atexit.register(Reaper.delete_instance)
    try:
        Reaper.get_instance()
        _acknowledged()
    except BaseException:
        Reaper.delete_instance()
        with contextlib.suppress(NotFound):
            client.client.containers.get(f"testcontainers-ryuk-{SESSION_ID}").remove(force=True)
        raise


def outlive() -> None:
    """Leaves it running when this process ends: it then removes what is only being made."""
    atexit.unregister(Reaper.delete_instance)


def _acknowledged() -> None:
    container = Reaper._container  # noqa: SLF001 - testcontainers gives no other way to the container and its connection
    assert container is not None
    address = (container.get_container_host_ip(), int(container.get_exposed_port(PORT)))
    deadline = time.monotonic() + TIMEOUT_S
    while not (Reaper._socket and _answers(Reaper._socket)):  # noqa: SLF001 - same
        if time.monotonic() > deadline:
            raise TargetError(f"the reaper {testcontainers_config.ryuk_image} does not answer after {TIMEOUT_S:g} s")
        time.sleep(POLL_S)
        if Reaper._socket:  # noqa: SLF001 - same
            Reaper._socket.close()  # noqa: SLF001 - same
        with contextlib.suppress(OSError):
            Reaper._socket = socket.create_connection(address, ANSWER_TIMEOUT_S)  # noqa: SLF001 - same


def _answers(connection: socket.socket) -> bool:
    """Whether it acknowledges the label."""
    try:
        connection.settimeout(ANSWER_TIMEOUT_S)
        connection.sendall(f"label={LABEL_SESSION_ID}={SESSION_ID}\r\n".encode())
        return connection.recv(16).startswith(b"ACK")
    except OSError:
        return False
