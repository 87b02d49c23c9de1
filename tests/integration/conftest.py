from __future__ import annotations

import itertools
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.npm_packages import packages  # noqa: F401 - a fixture, for every file
from tests.integration.started import ROOT, Done, Started, processes, start
from tests.servers.postgres import postgres  # noqa: F401 - a fixture, for every file
from tests.servers.redis import redis  # noqa: F401 - a fixture, for every file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.postgres import Cluster

ENGINES = ("sqlite", "postgresql")
NOTES = ROOT / "tests" / "integration" / "notes_api.py"
CONFIGURATION = f"""
[target.process]
command = ["{{python}}", "{NOTES}", "{{port}}"]
health = "/health"
[target.process.environment]
NOTES_PID = "{{folder}}/notes.pid"
[load]
rate_per_s = 120
duration_s = 1
users = 4
"""


def planting(condition: str) -> str:
    """A program that starts the notes API, with the fault that is its third word where the condition holds of it."""
    return f"""
import os, runpy, sys
fault = sys.argv[3]
os.environ["NOTES_FAULT"] = fault if {condition} else ""
sys.argv = sys.argv[1:3]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a harness.toml that starts the notes API."""
    (tmp_path / "harness.toml").write_text(CONFIGURATION)
    return tmp_path


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Starts `harness WORDS` in the test's folder; whatever a failing test leaves is ended."""
    running: list[Started] = []

    def begun(*words: str, **told: object) -> Started:
        running.append(start(tmp_path, *words, **told))  # type: ignore[arg-type]  # passed on as it came
        return running[-1]

    yield begun
    for started in running:
        for process in processes(started.mark):
            os.kill(process, signal.SIGKILL)
        started.process.wait()


@pytest.fixture
def harness(begin: Callable[..., Started]) -> Callable[..., Done]:
    """Runs `harness WORDS` in the test's folder to its end."""
    return lambda *words, **told: begin(*words, **told).done()


@pytest.fixture
def notes(begin: Callable[..., Started]) -> Callable[..., str]:
    """Starts the notes API as someone else's process and gives its address; settings go through its environment."""

    def served(**settings: str) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        begin(program=(sys.executable, str(NOTES), str(port)), environment=settings)
        return f"http://127.0.0.1:{port}"

    return served


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What works on a database is tested on both engines, or on those that the mark names."""
    if "database" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("engines")
        metafunc.parametrize("database", mark.args if mark else ENGINES, indirect=True, scope="module")


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Callable[[], dict[str, str]]:
    """On each engine: gives the settings of an empty database, another whenever it is asked."""
    if request.param == "sqlite":
        return dict
    cluster: Cluster = request.getfixturevalue("postgres")
    numbers = itertools.count()
    return lambda: {"API_DATABASE_URL": cluster.empty(f"api_{next(numbers)}")}
