"""Ctrl-C, SIGTERM and SIGKILL at any moment: what was recorded stays and is rendered, nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.started import listens, processes, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.started import Done, Started

PHASES = ("promises", "fuzz", "load")
WORDS = ("verify", "--budget", "60s", "--seed", "1", "--jobs", "1")
SLOW_START = "import time; open('begun', 'w').close(); time.sleep(60)"


def is_in(started: Started, moment: str) -> Callable[[], bool]:
    """Whether the run has come to a moment: a phase that has begun, or its end."""
    return lambda: moment in started.err.read_text("utf-8", "replace")


def has_sent(project: Path) -> bool:
    """Whether the history holds anything yet."""
    return any(path.stat().st_size for path in project.glob("reports/2*/history/*"))


def target_port(project: Path) -> int:
    """The port of the run's target."""
    return int(json.loads((project / "reports/latest/run.json").read_text())["target"]["url"].rpartition(":")[2])


def is_partial(project: Path) -> None:
    """Holds the newest run against what an interruption leaves: a report that says so."""
    record = json.loads((project / "reports/latest/run.json").read_text())
    assert (record["status"], record["exit_code"], record["meaning"]) == ("partial", 130, "interrupted")
    page = (project / "reports/latest/report.html").read_text()
    assert "interrupted" in page.lower()
    assert "partial" in page.lower()
    assert (project / "reports/latest/junit.xml").is_file()


@pytest.mark.parametrize("phase", PHASES)
def test_ctrl_c_in_a_phase(begin: Callable[..., Started], project: Path, phase: str) -> None:
    """Ctrl-C in any phase ends with 130; the report is rendered and marked partial, target and port are gone."""
    started = begin(*WORDS, "--only", phase)
    assert until(is_in(started, f"{phase}: started"))
    assert until(lambda: has_sent(project))
    port = target_port(project)
    started.press_ctrl_c()
    done = started.done()
    assert done.code == 130
    assert "interrupted" in done.text.lower()
    assert not listens(port)
    is_partial(project)


def test_ctrl_c_twice(begin: Callable[..., Started], project: Path) -> None:
    """A second Ctrl-C right after the first changes nothing: the report is rendered, nothing is left."""
    started = begin(*WORDS)
    assert until(is_in(started, "promises: started"))
    for _ in range(3):
        started.press_ctrl_c()
    assert started.done().code == 130
    is_partial(project)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end(begin: Callable[..., Started], project: Path, sign: signal.Signals) -> None:
    """SIGTERM, and a terminal that hangs up, end a run as Ctrl-C does."""
    started = begin(*WORDS)
    assert until(is_in(started, "promises: started"))
    started.process.send_signal(sign)
    assert started.done().code == 130
    is_partial(project)


def test_ctrl_c_while_the_target_starts(begin: Callable[..., Started], tmp_path: Path) -> None:
    """Before anything was begun there is nothing to tell: 130, no process and no folder of a run."""
    command = json.dumps([sys.executable, "-c", SLOW_START])
    (tmp_path / "harness.toml").write_text(f"[target.process]\ncommand = {command}\n")
    started = begin("verify")
    assert until((tmp_path / "begun").exists)
    started.press_ctrl_c()
    done = started.done()
    assert done.code == 130
    assert "harness: interrupted" in done.err
    assert list(tmp_path.glob("reports/2*")) == []


def test_ctrl_c_while_the_target_is_prepared(begin: Callable[..., Started], tmp_path: Path) -> None:
    """A preparation that does not end is ended with the harness, where that is killed too."""
    command = json.dumps([sys.executable, "-c", SLOW_START])
    (tmp_path / "harness.toml").write_text(f"[target.process]\ncommand = ['true']\nprepare = [{command}]\n")
    for sign in (signal.SIGINT, signal.SIGKILL):
        started = begin("verify")
        assert until((tmp_path / "begun").exists)
        (tmp_path / "begun").unlink()
        started.process.send_signal(sign)
        assert started.done().code in {130, -signal.SIGKILL}


@pytest.mark.parametrize("moment", ["judge: started", "judge: pass"])
def test_ctrl_c_at_the_end(begin: Callable[..., Started], project: Path, moment: str) -> None:
    """Ctrl-C while the history is judged or the report is rendered leaves a report, whole or marked partial."""
    started = begin(*WORDS, "--only", "headers")
    assert until(is_in(started, moment))
    started.press_ctrl_c()
    done = started.done()
    record = json.loads((project / "reports/latest/run.json").read_text())
    assert (record["status"], record["exit_code"]) in {("partial", 130), ("complete", 0)}
    assert done.code == 130 or record["status"] == "complete"
    assert (project / "reports/latest/report.html").stat().st_size > 1000


@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_run_leaves_nothing_and_can_be_rendered(
    begin: Callable[..., Started], harness: Callable[..., Done], project: Path, phase: str
) -> None:
    """After SIGKILL every child is gone within ten seconds; `harness report` renders what was recorded as partial."""
    started = begin(*WORDS, "--only", phase)
    assert until(is_in(started, f"{phase}: started"))
    assert until(lambda: has_sent(project))
    port = target_port(project)
    os.kill(started.process.pid, signal.SIGKILL)
    started.process.wait()
    assert until(lambda: not processes(started.mark), 10), processes(started.mark)
    assert not listens(port)
    record = json.loads((project / "reports/latest/run.json").read_text())
    assert (record["status"], record["exit_code"]) == ("running", None)
    done = harness("report")
    assert done.code == 0
    assert "The run was ended before its verdict" in " ".join(done.out.split())
    assert "partial" in (project / "reports/latest/report.html").read_text().lower()


def test_up_serves_until_ctrl_c(begin: Callable[..., Started], project: Path) -> None:
    """`harness up` says where the target is, keeps it, and Ctrl-C ends both."""
    started = begin("up")
    assert until(lambda: "is up; Ctrl-C ends it" in started.out.read_text())
    port = int(started.out.read_text().split(" is up")[0].rpartition(":")[2])
    assert listens(port)
    started.press_ctrl_c()
    assert started.done().code == 130
    assert not listens(port)
    assert (project / "notes.pid").is_file()


def test_up_tells_that_the_target_ended(begin: Callable[..., Started], project: Path) -> None:
    """A target that ends by itself under `harness up` is told, with 3."""
    started = begin("up")
    assert until(lambda: "is up" in started.out.read_text())
    os.kill(int((project / "notes.pid").read_text()), signal.SIGKILL)
    done = started.done()
    assert done.code == 3
    assert "the target ended by itself" in done.err
