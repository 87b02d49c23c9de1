"""Containers: what would be started for a table, every problem of it at once, and what is told where none can be."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import config
from harness.errors import TargetError, UsageError
from harness.targets import ContainersTarget
from harness.targets.containers.plan import Plan, labelled, planned
from harness.targets.containers.target import opened
from harness.targets.drawn import Drawn

TABLE: dict[str, Any] = {
    "images": {"BASE_IMAGE": "base:1", "STORE_IMAGE": "store:1"},
    "build": {"arguments": {"BASE_IMAGE": "{BASE_IMAGE}"}},
    "prepare": [["{python}", "wheels.py", "{folder}"]],
    "set_up": [["{python}", "-m", "api", "set-up"]],
    "command": ["{python}", "-m", "api", "--port", "{port}"],
    "environment": {"URL": "store://me:{secret:WORD}@store", "DATA": "{data}", "KEY": "{secret}", "WHO": "{env:WHO}"},
    "port": 8000,
    "data": "/data",
    "services": {
        "store": {"image": "{STORE_IMAGE}", "environment": {"WORD": "{secret:WORD}"}, "ready": ["ask"], "tmpfs": ["/x"]}
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a Dockerfile."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def plan(told: dict[str, Any], folder: Path, environment: dict[str, str] | None = None, **more: Any) -> Plan:
    """The plan of a table that harness.toml may hold."""
    table = config.checked({"target": {"containers": told}}, folder, "here").target["containers"]
    return planned(table, folder, {"WHO": "me"} if environment is None else environment, Drawn(), **more)


def test_what_would_be_started(folder: Path) -> None:
    """Each template is filled: images by their defaults, secrets by name the same everywhere."""
    made = plan(TABLE, folder)
    (store,) = made.services
    assert made.build is not None
    assert made.build.arguments == {"BASE_IMAGE": "base:1"}
    assert (store.image, store.ready, store.tmpfs) == ("store:1", ("ask",), ("/x",))
    assert made.environment["URL"] == f"store://me:{store.environment['WORD']}@store"
    assert made.environment["KEY"] not in {"", store.environment["WORD"]}
    assert (made.environment["DATA"], made.environment["WHO"]) == ("/data", "me")
    assert made.command == ("python", "-m", "api", "--port", "8000")
    assert made.prepare == ((sys.executable, "wheels.py", str(folder)),)
    assert made.set_up == (("python", "-m", "api", "set-up"),)
    assert made.describe() == "Dockerfile (base:1), store:1"


def test_the_environment_names_other_images(folder: Path) -> None:
    """A variable of an image's name goes before the default; one that is empty does not."""
    made = plan(TABLE, folder, {"WHO": "me", "BASE_IMAGE": "mine:2", "STORE_IMAGE": ""})
    assert made.images == {"BASE_IMAGE": "mine:2", "STORE_IMAGE": "store:1"}
    assert made.describe() == "Dockerfile (mine:2), store:1"
    assert (made.variable("mine:2"), made.variable("other:3")) == ("BASE_IMAGE", "")


def test_another_command_of_the_same_image(folder: Path) -> None:
    """A command that was asked for stands in the place of the table's and is filled as that would be."""
    assert plan(TABLE, folder, command=["{python}", "other", "{port}"]).command == ("python", "other", "8000")


def test_no_secret_is_shown(folder: Path) -> None:
    """What a plan prints as, and what a report says of it, hold no secret."""
    made = plan(TABLE, folder)
    secrets = {made.environment["KEY"], made.services[0].environment["WORD"]}
    assert not any(secret in f"{made!r} {made.describe()}" for secret in secrets)


def test_every_problem_of_a_table_is_told_at_once(folder: Path) -> None:
    """Two ways to an image, no Dockerfile, a taken name, an unknown image, an unset variable."""
    told = {
        **TABLE,
        "image": "ready:1",
        "build": {"dockerfile": "Other"},
        "services": {"api": {"image": "{NO_IMAGE}", "ready": ["ask"]}},
    }
    with pytest.raises(UsageError) as caught:
        plan(told, folder, {})
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        "target.containers",
        "target.containers.build.dockerfile",
        "target.containers.services.api",
        "target.containers.services.api.image",
        "target.containers.environment.WHO",
    ]
    assert "5 problems" in str(caught.value)


def test_every_wrong_member_of_the_table_is_told_at_once() -> None:
    """The schema tells a name that is no host, a folder that is no path, a missing port and an unknown word."""
    told = {"services": {"My Store": {"image": "a"}}, "data": "data", "images": {"lower": "a"}, "ports": [1]}
    with pytest.raises(UsageError) as caught:
        config.checked({"target": {"containers": told}}, Path(), "here")
    text = "\n".join(caught.value.problems)
    for word in ("My Store", "target.containers.data", "lower", "port", "ready", "ports"):
        assert word in text


@pytest.mark.parametrize("told", [{"port": 1}, {"port": 1, "image": "a", "build": {}}], ids=["neither", "both"])
def test_an_image_is_built_or_named(folder: Path, told: dict[str, Any]) -> None:
    """One of the two must be told, and only one."""
    with pytest.raises(UsageError, match="of build and image; give one"):
        plan(told, folder)


@given(st.lists(st.sampled_from(["RUN a \\\n  FROM b", "RUN c", "# FROM d", "FROM e", "from f AS g", "FROM \\\n h"])))
def test_each_stage_begins_with_the_labels(lines: list[str]) -> None:
    """Whatever a Dockerfile holds, a label follows each FROM and nothing else, and no other line is changed."""
    text = "".join(f"{line}\n" for line in lines)
    made = labelled(text, {"run": "1"})
    assert made.replace('LABEL run="1"\n', "") == (text or "\n")
    stages = re.findall(r"^(?:FROM e|from f AS g|FROM \\\n h)\n(.*)$", made, re.MULTILINE)
    assert stages == ['LABEL run="1"'] * sum(line.upper().startswith("FROM ") for line in lines)
    assert made.count("LABEL") == len(stages)


def test_the_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where testcontainers is not installed, the message says what is missing and what to install."""
    monkeypatch.setitem(sys.modules, "testcontainers", None)
    monkeypatch.setitem(sys.modules, "docker", None)
    monkeypatch.delitem(sys.modules, "harness.targets.containers.daemon", raising=False)
    with pytest.raises(UsageError) as caught:
        opened(Drawn())
    assert "the extra `containers`" in str(caught.value)
    assert "pip install 'api-stack-harness[containers]'" in str(caught.value)


def test_no_daemon_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place that was asked is told, with what to do; nothing is prepared."""
    pytest.importorskip("testcontainers", reason="the extra containers is not installed")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/none.sock")
    told = {**TABLE, "environment": {}, "prepare": [["touch", "prepared"]]}
    with pytest.raises(TargetError) as caught, ContainersTarget(told, folder):
        pass
    assert f"no Docker daemon answers at unix://{folder}/none.sock" in str(caught.value)
    assert "start one, or name it with DOCKER_HOST" in str(caught.value)
    assert not (folder / "prepared").exists()


def test_secrets_are_drawn_before_anything_is_started(folder: Path) -> None:
    """Identities can be told by a secret that has a name, and by the caller's own variables."""
    target = ContainersTarget({**TABLE, "environment": {"WORD": "{secret:WORD}"}}, folder)
    assert set(target.drawn) == {"WORD"}
    assert target.environment == {**os.environ, "WORD": target.drawn["WORD"]}
    assert target.describe() == {"kind": "containers", "url": "", "command": "Dockerfile (base:1), store:1"}
