"""A target in containers, with the real Docker: it serves, its identities work, and nothing of it stays."""

from __future__ import annotations

import json
import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import NOTES
from tests.integration.dockered import alone, answers, docker
from tests.integration.started import GONE_S, processes, until
from tests.servers.api import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.started import Done, Started

DOCKERFILE = """
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE} AS first
COPY notes_api.py /first/
RUN python -m compileall -q /first
FROM ${PYTHON_IMAGE}
COPY --from=first /first /api
RUN mkdir /data && chown 10001 /data
USER 10001
CMD ["python", "/api/notes_api.py", "8000"]
"""
CONFIGURATION = """
[target.containers]
images = { PYTHON_IMAGE = "python:3.13-slim", REDIS_IMAGE = "redis:7" }
build = { arguments = { PYTHON_IMAGE = "{PYTHON_IMAGE}" } }
set_up = [["{python}", "-c", "import os; open('/data/made', 'w').write(os.environ['NOTES_TOKEN'][:1])"]]
port = 8000
data = "/data"
restricted = true
health = "/health"
[target.containers.environment]
NOTES_HOST = "0.0.0.0"
NOTES_PID = "/data/pid"
NOTES_TOKEN = "{secret:KEEPER}"
[target.containers.services.redis]
image = "{REDIS_IMAGE}"
tmpfs = ["/data"]
ready = ["redis-cli", "ping"]
[[identities.known]]
name = "keeper"
roles = ["keeper"]
token = "{env:KEEPER}"
[load]
rate_per_s = 50
duration_s = 1
users = 4
"""
KINDS = (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q"), ("images", "-aq"))
# One worker has them all: they would wait for each other.
pytestmark = pytest.mark.xdist_group("docker")
SHORT = {"RYUK_RECONNECTION_TIMEOUT": "1s"}


def labelled() -> list[str]:
    """Everything of a run of the harness that is there now: containers, networks, volumes, images."""
    mine = ("--filter", "label=harness.run")
    return [line for kind in KINDS for line in docker(*kind, *mine)]


def reapers() -> list[str]:
    """The reapers of testcontainers that are there now."""
    return docker("ps", "-aq", "--filter", "name=testcontainers-ryuk")


def write(folder: Path) -> None:
    """Puts what a run in containers needs into a folder."""
    (folder / "harness.toml").write_text(CONFIGURATION)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    shutil.copy(NOTES, folder / "notes_api.py")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder whose harness.toml builds and starts the notes API in a container, beside Redis.

    Whoever has it has the daemon alone: what is labelled there is looked at by all.
    """
    if not answers():
        pytest.skip("no Docker daemon answers on this machine")
    write(tmp_path)
    with alone():
        assert labelled() == []
        yield tmp_path


def is_up(started: Started) -> str:
    """The address that `harness up` tells."""
    assert until(lambda: "is up" in started.out.read_text() or started.process.poll() is not None)
    return started.out.read_text().split(" is up")[0]


def test_a_run_in_containers(harness: Callable[..., Done], project: Path) -> None:
    """The image is built, set up and served; a drawn secret is a token; every image is as before when it is over."""
    before = sorted(docker("images", "-aq"))
    words = ("verify", "--target", "containers", "--budget", "60s", "--seed", "1", "--jobs", "1")
    done = harness(*words, "--only", "roles")
    record = json.loads((project / "reports/latest/run.json").read_text())
    assert done.code == 0, done.text
    assert record["target"]["kind"] == "containers"
    assert record["again"].startswith("harness verify --target containers")
    verdicts = map(json.loads, (project / "reports/latest/verdicts.jsonl").read_text().splitlines())
    told = {verdict["promise"]: verdict["status"] for verdict in verdicts if verdict["operation"] == "notes.delete"}
    assert told["roles"] == "pass"
    assert labelled() == []
    assert sorted(docker("images", "-aq")) == before


def test_up_keeps_them_until_ctrl_c(begin: Callable[..., Started], project: Path) -> None:
    """The API is restricted and sees its services and its data; Ctrl-C ends it all at once, the reaper too."""
    assert (project / "Dockerfile").is_file()
    others = set(reapers())
    started = begin("up", "--target", "containers")
    assert is_up(started).startswith("http://"), started.err.read_text()
    api, redis = (
        json.loads("".join(docker("inspect", name)))[0]
        for name in docker("ps", "-q", "--filter", "label=harness.run", "--format", "{{.ID}}")
    )
    assert api["HostConfig"]["ReadonlyRootfs"]
    assert api["HostConfig"]["CapDrop"] == ["ALL"]
    assert redis["HostConfig"]["Tmpfs"] == {"/data": ""}
    assert docker("exec", api["Id"], "cat", "/data/made") != []
    seen = "import socket; socket.create_connection(('redis', 6379)).sendall(b'PING')"
    assert docker("exec", api["Id"], "python", "-c", seen) == []
    started.press_ctrl_c()
    assert started.done().code == 130
    assert labelled() == []
    assert set(reapers()) <= others


def test_ctrl_c_while_the_image_is_built(begin: Callable[..., Started], project: Path) -> None:
    """An interruption in the middle of a build leaves no container at once, and no image shortly after."""
    slow = DOCKERFILE.replace("RUN python", "RUN echo begun && sleep 60 && python")
    (project / "Dockerfile").write_text(slow)
    started = begin("up", "--target", "containers", environment=SHORT)
    assert until(lambda: any("sleep 60" in line for line in docker("ps", "--no-trunc", "--format", "{{.Command}}")))
    started.press_ctrl_c()
    assert started.done().code == 130
    assert until(lambda: labelled() == [], 20), labelled()


def test_a_kill_leaves_nothing(begin: Callable[..., Started], project: Path) -> None:
    """After SIGKILL the reaper removes containers, network, volume and image, and then itself."""
    assert (project / "Dockerfile").is_file()
    others = set(reapers())
    started = begin("up", "--target", "containers", environment=SHORT)
    assert is_up(started).startswith("http://"), started.err.read_text()
    assert len(labelled()) >= 5
    os.kill(started.process.pid, signal.SIGKILL)
    started.process.wait()
    assert until(lambda: labelled() == [] and set(reapers()) <= others, 30), labelled()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: signal.Signals(number).name)
def test_an_end_in_the_middle_of_a_run(begin: Callable[..., Started], project: Path, number: signal.Signals) -> None:
    """Ended while cases are driven, a run leaves no container, network, volume or image, and no process."""
    others = set(reapers())
    before = sorted(docker("images", "-aq"))
    words = ("--budget", "60s", "--seed", "1", "--jobs", "1", "--only", "roles,load")
    started = begin("verify", "--target", "containers", *words, environment=SHORT)
    driven = "reports/2*/history/*.jsonl"
    assert until(lambda: any(path.stat().st_size for path in project.glob(driven))), started.err.read_text()
    assert len(labelled()) >= 5
    assert started.process.poll() is None
    if number == signal.SIGINT:
        started.press_ctrl_c()
        assert started.done().code == 130
        assert labelled() == []
    started.process.kill()
    started.process.wait()
    assert until(lambda: labelled() == [] and set(reapers()) <= others, 30), labelled()
    assert until(lambda: not processes(started.mark), GONE_S), processes(started.mark)
    assert sorted(docker("images", "-aq")) == before


@pytest.mark.parametrize(
    ("find", "put", "reason"),
    [
        ('"import os;', '"raise SystemExit(4);', "target.containers.set_up"),
        ("-q /first", "-q /none && echo no disk && false", "no disk"),
    ],
    ids=["set-up", "build"],
)
def test_what_does_not_come_up(harness: Callable[..., Done], project: Path, find: str, put: str, reason: str) -> None:
    """A step that fails is told with its last words and 3; what was started by then is gone."""
    for path in (project / "harness.toml", project / "Dockerfile"):
        path.write_text(path.read_text().replace(find, put))
    done = harness("up", "--target", "containers", environment=SHORT)
    assert done.code == 3
    assert reason in done.err
    assert labelled() == []


@pytest.mark.parametrize("place", ["unix://{folder}/none.sock", "tcp://127.0.0.1:{port}"], ids=["socket", "port"])
def test_no_docker(harness: Callable[..., Done], tmp_path: Path, place: str) -> None:
    """Where no daemon answers the message says so, with the place that was asked, and the exit code is 3."""
    write(tmp_path)
    host = place.format(folder=tmp_path, port=free_port())
    done = harness("verify", "--target", "containers", environment={"DOCKER_HOST": host})
    assert done.code == 3
    assert f"no Docker daemon answers at {host}: " in done.err
    assert "start one, or name it with DOCKER_HOST" in done.err
    assert len(done.err.splitlines()) == 1
