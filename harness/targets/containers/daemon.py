"""What a Docker daemon does for one run: all that it makes has the run's label, by which it is found and removed.

The label of testcontainers' session stands beside it. Its reaper, a container of its own that lives as long as this
process holds a connection to it, removes by that label whatever is left when this process was killed.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import (  # type: ignore[import-untyped]  # docker has no types
    APIError,
    BuildError,
    DockerException,
    ImageNotFound,
    NotFound,
)
from testcontainers.core.docker_client import DockerClient, get_docker_host
from testcontainers.core.labels import create_labels

from harness.errors import TargetError
from harness.targets.containers import reaper
from harness.targets.containers.plan import API, SCRATCH, labelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.targets.containers.plan import Build, Plan, Service
    from harness.targets.drawn import Drawn

LABEL = "harness.run"
SET_UP = "set-up"
READY_TIMEOUT_S = 60.0
SET_UP_TIMEOUT_S = 120.0
POLL_S = 0.05
NOT_THERE = {126, 127}
SWEEPS = 40
SOCKET = "unix://"
USUAL = "unix:///var/run/docker.sock"
LOCAL = {"localhost", "127.0.0.1"}
BUILD_TAIL_LINES = 15
# What no API needs that serves on a port above 1024.
RESTRICTED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "tmpfs": {SCRATCH: ""},
}


def connected(drawn: Drawn) -> Daemon:
    """The daemon, with its reaper watching; raises TargetError where none answers."""
    place = get_docker_host() or USUAL
    try:
        if place.startswith(SOCKET):
            with socket.socket(socket.AF_UNIX) as probe:  # docker's client leaves one open that it could not connect
                probe.connect(place.removeprefix(SOCKET))
        client = DockerClient()
        client.client.ping()
    except (DockerException, OSError) as error:
        raise TargetError(
            f"no Docker daemon answers at {place}: {error}; start one, or name it with DOCKER_HOST"
        ) from error
    return Daemon(client, drawn)


class Started:
    """A container that was started."""

    def __init__(self, container: Any, name: str, daemon: Daemon) -> None:
        self.container, self.name, self.daemon = container, name, daemon

    def ended(self) -> str:
        """How it ended; nothing while it runs."""
        try:
            self.container.reload()
        except (DockerException, OSError) as error:
            return f"the container {self.name} cannot be asked for: {error}"
        state = self.container.attrs["State"]
        return "" if state["Running"] else f"the container {self.name} ended with {state['ExitCode']}"

    def tail(self) -> str:
        """Its last words, without secrets."""
        try:
            return self.daemon.drawn.shown(self.container.logs())
        except (DockerException, OSError) as error:
            return f"(its log cannot be read: {error})"

    def wait_ready(self, command: Sequence[str]) -> None:
        """Returns once the command ends with 0 in it; raises TargetError where it does not in time."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        said = "nothing"
        while command and time.monotonic() < deadline:
            if end := self.ended():
                raise TargetError(f"{end} before it was ready:\n{self.tail()}")
            with told(f"{self.name} cannot be asked whether it is ready"):
                code, output = self.container.exec_run(list(command))
            if code == 0:
                return
            if code in NOT_THERE:
                raise TargetError(f"{self.name} has no command {command[0]!r} that can be run; mend `ready`")
            said = output.decode("utf-8", "replace").strip() or f"{command[0]} ended with {code}"
            time.sleep(POLL_S)
        if command:
            raise TargetError(f"{self.name} is not ready after {READY_TIMEOUT_S:g} s: {said}\n{self.tail()}")

    def wait_ended(self, timeout_s: float) -> bool:
        """Whether it ended in time."""
        deadline = time.monotonic() + timeout_s
        while not self.ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True

    def url(self, port: int) -> str:
        """Where this machine reaches a port of it: at its own address, else through a port of the daemon's machine.

        Such a port is named by `localhost`: whoever sends to it from several addresses of 127.0.0.0/8 comes from one.
        """
        self.container.reload()
        if self.daemon.direct:
            return f"http://{self.container.attrs['NetworkSettings']['Networks'][self.daemon.name]['IPAddress']}:{port}"
        host = self.daemon.client.host()
        mapped = self.daemon.client.port(self.container.id, port)
        return f"http://{'localhost' if host in LOCAL else host}:{mapped}"


class Daemon:
    """The daemon and the run's own network and volume; `close` leaves nothing of the run behind."""

    def __init__(self, client: DockerClient, drawn: Drawn) -> None:
        self.client, self.drawn = client, drawn
        self.name = f"harness-{secrets.token_hex(6)}"
        self.labels = {LABEL: self.name}
        self.direct = False
        self._volume = ""
        self._building = False

    def open(self, *, volume: bool) -> None:
        """Starts the reaper first, as containers started side by side would each start one; then network and volume."""
        with told("the reaper cannot be started; name its image with RYUK_CONTAINER_IMAGE"):
            reaper.start(self.client)
        with told("the run's network cannot be made"):
            network = self.client.client_networks_create(self.name, {"labels": self.labels})
            network.reload()
            self.direct = is_own(network.attrs["IPAM"]["Config"][0].get("Gateway", ""))
            if volume:
                self._volume = self.name
                self.client.client.volumes.create(self.name, labels=create_labels("", self.labels))

    def build(self, build: Build, plan: Plan) -> str:
        """The id of the image that was built; raises TargetError with the builder's last words."""
        labels = create_labels("", self.labels)
        with tempfile.TemporaryDirectory(prefix="harness-build-") as folder, told("the image cannot be built"):
            dockerfile = Path(folder) / "Dockerfile"
            dockerfile.write_text(labelled(build.dockerfile.read_text(encoding="utf-8"), labels), encoding="utf-8")
            for image in plan.images.values():
                if image in build.arguments.values():
                    self._have(image, plan)
            self._building = True
            try:
                image, _ = self.client.build(
                    str(build.context),
                    tag=f"{self.name}:run",
                    dockerfile=str(dockerfile),
                    buildargs=dict(build.arguments),
                    forcerm=True,
                )
            except BuildError as error:
                lines = "".join(entry.get("stream") or entry.get("error") or "" for entry in error.build_log)
                raise TargetError(
                    f"{build.dockerfile} cannot be built: {error}\n{self.drawn.shown(lines.encode())}"
                ) from error
            self._building = False
        return str(image.id)

    def serve(self, service: Service, plan: Plan) -> Started:
        """Starts a service beside the API."""
        self._have(service.image, plan)
        memory = {"tmpfs": dict.fromkeys(service.tmpfs, "")} if service.tmpfs else {}
        return self._start(service.name, service.image, service.command, service.environment, memory)

    def api(self, image: str, plan: Plan) -> Started:
        """Starts the API; its port is published only where its own address cannot be reached."""
        host = "127.0.0.1" if self.client.host() in LOCAL else ""
        ports = {} if self.direct else {"ports": {f"{plan.port}/tcp": (host, None) if host else None}}
        return self._start(API, image, plan.command, plan.environment, self._like_api(plan) | ports)

    def once(self, image: str, command: Sequence[str], plan: Plan) -> None:
        """Runs a command in a container like the API's to its end; raises TargetError where it fails."""
        started = self._start(SET_UP, image, command, plan.environment, self._like_api(plan))
        in_time = started.wait_ended(SET_UP_TIMEOUT_S)
        code = started.container.attrs["State"]["ExitCode"]
        if code or not in_time:
            ended = f"ended with {code}" if in_time else f"did not end within {SET_UP_TIMEOUT_S:g} s"
            shown = self.drawn.shown(" ".join(command).encode())
            raise TargetError(f"target.containers.set_up {shown!r} {ended}:\n{started.tail()}")
        with told("a set-up container cannot be removed"):
            started.container.remove(force=True, v=True)

    def close(self) -> None:
        """Removes everything that has the run's label; what is being removed or made meanwhile is looked for again.

        A build that was left in its middle may go on for a moment: the reaper, which outlives this process, sees to it.
        """
        if self._building:
            reaper.outlive()
        with contextlib.suppress(DockerException, OSError):
            for _ in range(SWEEPS):
                if not self._swept():
                    break
                time.sleep(POLL_S)
        self.client.client.close()

    def _like_api(self, plan: Plan) -> dict[str, Any]:
        volume = {"volumes": {self._volume: {"bind": plan.data, "mode": "rw"}}} if self._volume else {}
        return {**(RESTRICTED if plan.restricted else {}), **volume}

    def _start(
        self, name: str, image: str, command: Sequence[str], environment: Mapping[str, str], more: Mapping[str, Any]
    ) -> Started:
        endpoint = self.client.client.api.create_endpoint_config(aliases=[name])
        with told(f"the container {name} cannot be started"):
            container = self.client.create(
                image,
                list(command) or None,
                dict(environment),
                labels=self.labels,
                network=self.name,
                networking_config={self.name: endpoint},
                **more,
            )
            self.client.start(container)
        return Started(container, name, self)

    def _have(self, image: str, plan: Plan) -> None:
        """Pulls an image that is not there; raises TargetError that names the variable by which another is chosen."""
        variable = plan.variable(image)
        fix = f"; name one that is there with {variable}" if variable else ""
        with told(f"the image {image} cannot be had{fix}"):
            try:
                self.client.client.images.get(image)
            except ImageNotFound:
                self.client.client.images.pull(image)

    def _swept(self) -> int:
        """How much was found in one pass over the run's containers, networks, volumes and images."""
        docker, mine = self.client.client, {"label": f"{LABEL}={self.name}"}
        found = 0
        for container in docker.containers.list(all=True, filters=mine, ignore_removed=True):
            found += 1
            with contextlib.suppress(NotFound, APIError):
                container.remove(force=True, v=True)
        for thing in (*docker.networks.list(filters=mine), *docker.volumes.list(filters=mine)):
            found += 1
            with contextlib.suppress(NotFound, APIError):
                thing.remove()
        for image in docker.images.list(filters=mine):
            found += 1
            with contextlib.suppress(NotFound, APIError):
                docker.images.remove(image.id, force=True)
        return found


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Docker's own errors, told as a target that cannot be had."""
    try:
        yield
    except (DockerException, OSError) as error:
        raise TargetError(f"{what}: {getattr(error, 'explanation', None) or error}") from error


def is_own(address: str) -> bool:
    """Whether an address is one of this machine's: then so is the bridge whose gateway it is."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return bool(address)
