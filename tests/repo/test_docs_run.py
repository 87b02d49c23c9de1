"""The commands that README shows for pytest, Locust and Schemathesis, run as they stand against a started target."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import config
from harness.targets import ProcessTarget, fetched
from tests.repo.sources import ROOT, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# One target for all of them: one worker has them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("commands")]
NATIVE = [
    line.removeprefix("$ ")
    for block in blocks(Path("README.md"), "console")
    for line in block.body.splitlines()
    if line.startswith(("$ pytest", "$ locust", "$ schemathesis"))
]
TIMEOUT_S = 240


@pytest.fixture(scope="module")
def target() -> Iterator[ProcessTarget]:
    """The reference API, as harness.toml starts it."""
    with ProcessTarget(config.read(ROOT / config.FILE).target["process"], ROOT) as started:
        yield started


def run(line: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A command with its variables filled in, found beside this interpreter."""
    program, *words = shlex.split(line)
    for name, value in environment.items():
        words = [word.replace(f"${name}", value) for word in words]
    return subprocess.run(
        [str(Path(sys.executable).parent / program), *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_each_of_the_three_tools_is_shown() -> None:
    """README shows pytest, Locust and Schemathesis by their own commands."""
    assert {line.split()[0] for line in NATIVE} == {"pytest", "locust", "schemathesis"}


@pytest.mark.parametrize("line", NATIVE)
def test_a_native_command_works(line: str, target: ProcessTarget) -> None:
    """The command ends with 0 against the clean reference API."""
    secrets = {name: value for name, value in target.environment.items() if os.environ.get(name) != value}
    done = run(line, {**secrets, "URL": target.url})
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_the_served_contract_is_linted(target: ProcessTarget, tmp_path: Path) -> None:
    """`harness contract lint` finds nothing wrong with the document that the reference API serves."""
    path = tmp_path / "openapi.json"
    path.write_bytes(fetched(target.url, "/openapi.json"))
    done = run(f"harness contract lint {path}", {})
    assert done.returncode == 0, done.stdout + done.stderr
