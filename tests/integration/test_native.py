"""pytest, Locust and Schemathesis by their own commands, against the reference API, a few seconds each."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import config
from harness.targets import ProcessTarget
from tests.integration.started import ROOT, Started, processes, start, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.integration.started import Done

BESIDE = Path(sys.executable).parent


@pytest.fixture(scope="module")
def target() -> Iterator[ProcessTarget]:
    """The reference API, as harness.toml starts it."""
    with ProcessTarget(config.read(ROOT / config.FILE).target["process"], ROOT) as started:
        yield started


def begun(program: str, *words: str, environment: Mapping[str, str] | None = None) -> Started:
    """A tool started in the project's folder."""
    return start(ROOT, *words, program=[str(BESIDE / program)], environment=environment)


def ran(program: str, *words: str, environment: Mapping[str, str] | None = None) -> Done:
    """A tool run to its end; its output is removed from the project's folder."""
    started = begun(program, *words, environment=environment)
    try:
        return started.done()
    finally:
        started.out.unlink()
        started.err.unlink()


def told(target: ProcessTarget) -> dict[str, str]:
    """The secrets that were drawn for the target."""
    return {name: value for name, value in target.environment.items() if os.environ.get(name) != value}


def test_pytest_starts_the_target(tmp_path: Path) -> None:
    """`pytest scenarios --target process -k …` starts the target, leaves a report, and ends it."""
    words = ("scenarios", "--target", "process", "-k", "headers-products.list or roles-products.list")
    done = ran("pytest", *words, "-q", "-p", "no:cacheprovider", "--reports", str(tmp_path), "--api-seed", "1")
    assert done.code == 0, done.text
    assert "2 passed" in done.out
    record = json.loads((tmp_path / "latest" / "run.json").read_text())
    assert record["status"] == "complete"
    port = int(record["target"]["url"].rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_pytest_works_in_parallel_on_an_address(target: ProcessTarget, tmp_path: Path) -> None:
    """`pytest scenarios --url U -n 2 -k …` joins its workers in one run."""
    words = ("scenarios", "--url", target.url, "-n", "2", "-k", "headers- and products", "-q", "-p", "no:cacheprovider")
    done = ran("pytest", *words, "--reports", str(tmp_path), environment=told(target))
    assert done.code == 0, done.text
    runs = list(tmp_path.glob("2*"))
    assert len(runs) == 1
    assert {path.name.partition("-")[0] for path in runs[0].glob("history/*.jsonl")} <= {"pytestgw0", "pytestgw1"}


def test_pytest_on_an_address_where_nothing_is(tmp_path: Path) -> None:
    """An address where nothing answers ends pytest with its code for wrong use, 4, and one message."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = ran("pytest", "scenarios", "--url", address, "--reports", str(tmp_path), "-p", "no:cacheprovider")
    assert done.code == 4
    assert done.err.count("ERROR:") == 1
    assert f"{address} does not answer as an HTTP server" in done.err
    assert list(tmp_path.glob("2*")) == []


def test_pytest_interrupted(tmp_path: Path) -> None:
    """Ctrl-C in pytest ends its target with it; the report is there and says that not all was examined."""
    words = ("scenarios", "--target", "process", "-q", "-p", "no:cacheprovider", "--reports", str(tmp_path))
    started = begun("pytest", *words)
    try:
        assert until(lambda: any(path.stat().st_size for path in tmp_path.glob("2*/history/*.jsonl")))
        started.press_ctrl_c()
        # One that falls into a finalizer is lost to Python: then a person presses again.
        if not until(lambda: started.process.poll() is not None, 30):
            started.press_ctrl_c()
            started.process.wait(60)
        assert started.process.returncode == 2
        assert until(lambda: not processes(started.mark), 20), processes(started.mark)
        assert json.loads((tmp_path / "latest" / "run.json").read_text())["status"] == "partial"
        assert (tmp_path / "latest" / "report.html").is_file()
    finally:
        started.out.unlink()
        started.err.unlink()


def test_locust_drives_the_journey(target: ProcessTarget) -> None:
    """`locust -f scenarios/load/journey.py --host U --headless` sends the journey without a failure."""
    words = ("--host", target.url, "--headless", "-u", "20", "-r", "20", "-t", "5s", "--only-summary")
    done = ran("locust", "-f", "scenarios/load/journey.py", *words, environment=told(target))
    assert done.code == 0, done.text
    assert "products.list" in done.text


def test_schemathesis_reads_the_configuration(target: ProcessTarget) -> None:
    """`schemathesis run U/openapi.json` finds schemathesis.toml and nothing wrong with one operation."""
    words = ("run", f"{target.url}/openapi.json", "--max-examples", "3", "--include-operation-id", "products.list")
    words += ("--phases", "examples,coverage,fuzzing")
    done = ran("schemathesis", *words)
    assert done.code == 0, done.text
    assert "schemathesis.toml" in done.out
