"""The reference API's image and compose file, started by the real Docker: health, restrictions, settings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.targets.containers.plan import labelled
from tests.integration.dockered import alone, answers, docker
from tests.integration.started import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = [
    pytest.mark.skipif(not answers(), reason="no Docker daemon answers on this machine"),
    pytest.mark.xdist_group("docker"),
]

LABEL = "reference.test"
IMAGES = {"PYTHON_IMAGE": "python:3.13-slim", "POSTGRES_IMAGE": "postgres:17", "REDIS_IMAGE": "redis:7"}
SECRETS = {"API_TOKEN_KEY": "k" * 32, "POSTGRES_PASSWORD": uuid.uuid4().hex, "ADMIN_PASSWORD": uuid.uuid4().hex}
DATABASE = f"postgresql://api:{SECRETS['POSTGRES_PASSWORD']}@postgres:5432/api"
ORIGIN = "https://shop.example.org"
# The image's own check, asked often enough for a test.
OFTEN = ("--health-interval", "1s", "--health-retries", "2")
HEALTHY_S, UNHEALTHY_S = 60, 30
READY = "import os, urllib.request as u; u.urlopen('http://127.0.0.1:8000/ready', timeout=4)"
PREFLIGHT = (
    "import urllib.request as u; head = {'Origin': %r, 'Access-Control-Request-Method': 'GET'}; "
    "told = u.urlopen(u.Request('http://127.0.0.1:8000/api/v1/products', headers=head, method='OPTIONS')); "
    "print(told.headers['Access-Control-Allow-Origin'])"
)


def compose() -> list[str]:
    """The command of Compose, empty where there is none: Docker's own plug-in, or Debian's package."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)  # noqa: S607 - PATH's
    standalone = shutil.which("docker-compose")
    return ["docker", "compose"] if plugin.returncode == 0 else [standalone] if standalone else []


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """The tag of the image, built as the README says with wheels from here; it goes with all that it was made of."""
    tag = f"reference-api:{uuid.uuid4().hex[:12]}"
    labels = {LABEL: tag.partition(":")[2]}
    base = os.environ.get("PYTHON_IMAGE") or IMAGES["PYTHON_IMAGE"]
    with alone(), tempfile.TemporaryDirectory(prefix="reference-test-") as folder:
        subprocess.run([sys.executable, "deploy/wheelhouse.py"], cwd=ROOT, check=True, capture_output=True)
        dockerfile = Path(folder) / "Dockerfile"
        dockerfile.write_text(labelled((ROOT / "Dockerfile").read_text(), labels))
        docker("build", "-t", tag, "-f", str(dockerfile), "--build-arg", f"PYTHON_IMAGE={base}", str(ROOT))
    yield tag
    mine = ("images", "-aq", "--filter", f"label={LABEL}={labels[LABEL]}")
    with alone():
        assert until(lambda: not removed(docker(*mine)), 20), docker(*mine)


def removed(images: list[str]) -> list[str]:
    """Those that were there; an image goes with the one that it was a step to, or after it."""
    for image in images:
        subprocess.run(["docker", "rmi", "-f", image], capture_output=True, check=False)  # noqa: S607 - PATH's
    return images


class Stack:
    """A network and containers of one test, which go with it."""

    def __init__(self) -> None:
        self.name = f"reference-{uuid.uuid4().hex[:12]}"
        docker("network", "create", self.name)

    def run(self, image: str, *words: str, alias: str, options: tuple[str, ...], **environment: str) -> str:
        """Starts a container in the network and gives its id."""
        told = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
        at = ("-d", "--label", self.name, "--network", self.name, "--network-alias", alias)
        return docker("run", *at, *options, *told, image, *words)[-1]

    def close(self) -> None:
        """Removes them."""
        for container in docker("ps", "-aq", "--filter", f"label={self.name}"):
            docker("rm", "-fv", container)
        docker("network", "rm", self.name)


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A network for containers."""
    made = Stack()
    try:
        yield made
    finally:
        made.close()


def seen(container: str) -> dict[str, Any]:
    """What Docker tells of a container."""
    told: list[dict[str, Any]] = json.loads("\n".join(docker("inspect", container)))
    return told[0]


def health(container: str) -> str:
    """What its check says: starting, healthy or unhealthy."""
    return str(seen(container)["State"]["Health"]["Status"])


def test_the_image_tells_its_health(image: str, stack: Stack) -> None:
    """Healthy while it and its database answer, unhealthy soon after the database is gone, healthy when it is back."""
    store = os.environ.get("POSTGRES_IMAGE") or IMAGES["POSTGRES_IMAGE"]
    owner = {"POSTGRES_USER": "api", "POSTGRES_DB": "api", "POSTGRES_PASSWORD": SECRETS["POSTGRES_PASSWORD"]}
    database = stack.run(store, alias="postgres", options=(), **owner)
    asked = ("exec", database, "pg_isready", "--host", "127.0.0.1", "--username", "api")
    assert until(lambda: subprocess.run(["docker", *asked], capture_output=True, check=False).returncode == 0, 60)  # noqa: S607 - PATH's
    restricted = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", *OFTEN)  # noqa: S108 - in the container
    told = {"API_PROFILE": "staging", "API_TOKEN_KEY": SECRETS["API_TOKEN_KEY"], "API_DATABASE_URL": DATABASE}
    api = stack.run(image, alias="api", options=restricted, **told)
    assert until(lambda: health(api) == "healthy", HEALTHY_S), docker("logs", api)
    docker("kill", database)
    assert until(lambda: health(api) == "unhealthy", UNHEALTHY_S), seen(api)["State"]
    docker("start", database)
    assert until(lambda: health(api) == "healthy", HEALTHY_S), seen(api)["State"]
    assert seen(api)["RestartCount"] == 0


@pytest.fixture
def composed(image: str, tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """Runs a command of Compose on compose.yaml with the built image, its check asked often; all of it goes."""
    command = compose()
    if not command:
        pytest.skip("neither the plug-in `docker compose` nor docker-compose is on this machine")
    project = f"reference-{uuid.uuid4().hex[:12]}"
    # Compose 1 does not know the key `name`, which the option replaces.
    (tmp_path / "compose.yaml").write_text((ROOT / "compose.yaml").read_text().replace("\nname: reference-api\n", "\n"))
    (tmp_path / "often.yaml").write_text("services: { api: { healthcheck: { interval: 1s, retries: 2 } } }\n")
    (tmp_path / "empty.env").touch()
    environment: Mapping[str, str] = {
        **{name: value for name, value in os.environ.items() if not name.startswith("API_")},
        **{name: SECRETS[name] for name in ("API_TOKEN_KEY", "POSTGRES_PASSWORD", "ADMIN_PASSWORD")},
        "API_ENVIRONMENT": "staging",
        "API_VERSION": image.partition(":")[2],
        "API_BIND": "127.0.0.1:0",
        "API_CORS_ORIGINS": ORIGIN,
    }
    words = [*command, "-p", project, "--project-directory", str(ROOT), "--env-file", str(tmp_path / "empty.env")]
    words += ["-f", str(tmp_path / "compose.yaml"), "-f", str(tmp_path / "often.yaml")]

    def told(*more: str) -> list[str]:
        done = subprocess.run([*words, *more], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    try:
        yield told
    finally:
        told("down", "--volumes", "--remove-orphans", "--timeout", "10")
        left = [docker(*kind, "--filter", f"name={project}") for kind in (("ps", "-aq"), ("volume", "ls", "-q"))]
        assert left == [[], []]


def test_the_compose_file_starts_it_all(composed: Callable[..., list[str]]) -> None:
    """PostgreSQL, Redis, the migration, two workers: healthy and ready, restricted, with the settings that were given.

    Without its database it is unhealthy, and healthy again once that is back.
    """
    composed("up", "-d", "--no-build")
    (api,) = composed("ps", "-q", "api")
    assert until(lambda: health(api) == "healthy", HEALTHY_S), docker("logs", api)
    set_up = ("python", "-m", "reference_impl", "set-up", "--tenants", "alpha", "--admin-email", "admin@example.test")
    assert "tenant alpha: created" in composed("run", "--rm", "-T", "-e", "ADMIN_PASSWORD", "api", *set_up)
    docker("exec", api, "python", "-c", READY)
    assert docker("exec", api, "python", "-c", PREFLIGHT % ORIGIN) == [ORIGIN]
    told = seen(api)
    assert told["Config"]["User"] == "10001:10001"
    assert told["HostConfig"]["ReadonlyRootfs"]
    assert told["HostConfig"]["CapDrop"] == ["ALL"]
    given = dict(line.partition("=")[::2] for line in docker("exec", api, "env"))
    assert given["API_PROFILE"] == "staging"
    assert not {"API_S3_ENDPOINT", "ADMIN_PASSWORD"} & set(given)
    (database,) = composed("ps", "-q", "postgres")
    docker("kill", database)
    assert until(lambda: health(api) == "unhealthy", UNHEALTHY_S), seen(api)["State"]
    docker("start", database)
    assert until(lambda: health(api) == "healthy", HEALTHY_S), seen(api)["State"]
