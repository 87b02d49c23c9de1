"""The files that the reference API is deployed by: image, compose file and settings, held against what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from reference_impl import settings as sections
from reference_impl.settings import SettingsError, load

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SECRETS = {"API_TOKEN_KEY": "k" * 32, "API_DATABASE_URL": "postgresql://api:word@postgres/api"}
SECRET = re.compile(r"KEY|PASSWORD|SECRET|TOKEN|DSN")
ELSEWHERE = {
    "API_SQLITE_SYNCHRONOUS": "the data are in PostgreSQL",
    **{name: "the SQL service is started apart" for name in sections._known_names() if name.startswith("API_DOSQL_")},
}


def settings(name: str) -> dict[str, str]:
    """The lines of a settings file, read as Docker reads them."""
    lines = (ROOT / "deploy" / f"{name}.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def instructions(word: str) -> list[str]:
    """What stands after each instruction of that name."""
    return [line.removeprefix(word).strip() for line in INSTRUCTIONS if line.startswith(f"{word} ")]


@pytest.mark.parametrize("name", ["staging", "production"])
def test_settings_are_whole_but_for_secrets(name: str) -> None:
    """With the secrets beside it a file is taken as it stands; without them start-up is refused."""
    told = settings(name)
    assert load(told | SECRETS).profile == name
    assert [key for key in told if SECRET.search(key)] == []
    with pytest.raises(SettingsError, match="API_TOKEN_KEY is missing"):
        load(told)


def test_the_image_is_made_in_two_stages_of_one_base() -> None:
    """What builds is not in what runs; the base is the official image unless one variable names another."""
    assert instructions("ARG") == ["PYTHON_IMAGE=python:3.13-slim"]
    assert [base.split(" AS ")[0] for base in instructions("FROM")] == ["${PYTHON_IMAGE}"] * 2
    assert not any("--mount" in line for line in instructions("RUN"))


def test_the_image_does_not_run_as_root() -> None:
    """Its user is a number above 0, as an orchestrator asks, and only the data folder is that user's."""
    (user,) = instructions("USER")
    assert all(int(part) > 0 for part in user.split(":"))
    assert instructions("VOLUME") == ["/data"]


def test_the_image_holds_no_secret_and_no_planted_defect() -> None:
    """No instruction sets one, and what goes to the daemon is only what is named."""
    assert [line for line in instructions("ENV") + instructions("ARG") if SECRET.search(line)] == []
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert ignored[0] == "*"
    assert "reference_impl/defects" in ignored
    assert [line for line in ignored if line.startswith("!") and ".env" in line] == []


def test_the_image_tells_its_health_without_further_tools() -> None:
    """The interpreter asks /health; no curl has to be installed."""
    (told,) = instructions("HEALTHCHECK")
    assert "/health" in told
    assert '"python"' in told


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_restricted(name: str) -> None:
    """Its root is read-only, it has no capability that it does not name and cannot gain any."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("cap_add", ())) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert not service.get("privileged")


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_a_service_tells_its_health(name: str) -> None:
    """Whoever waits for it knows when it is ready."""
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


def test_the_api_waits_for_what_it_needs() -> None:
    """It starts when both stores are healthy and the migration has ended well."""
    told = {name: entry["condition"] for name, entry in SERVICES["api"]["depends_on"].items()}
    assert told == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }


def test_only_the_api_can_be_reached_and_only_from_this_machine() -> None:
    """One port is published, on loopback unless told otherwise; the stores are on the inner network alone."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    assert SERVICES["api"]["ports"] == ["${API_BIND:-127.0.0.1:8000}:8000"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [SERVICES[name]["networks"] for name in ("postgres", "redis", "migrate")] == [["inside"]] * 3


def test_secrets_of_the_compose_file_must_be_given() -> None:
    """Every value that holds a secret is taken from a variable without which nothing starts."""
    found = []
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if value and (SECRET.search(variable) or re.search(r"//[^/@]*:[^/@]*@", value)):
                found.append((name, variable))
                assert re.search(r"\$\{[A-Z_]+:\?", value), f"{name}.{variable}"
    assert len(found) == 5


@pytest.mark.parametrize("name", ["api", "migrate"])
def test_every_setting_reaches_the_containers(name: str) -> None:
    """Each is fixed here, in both settings files, or passed on where it is set; few are not of these services.

    One that is passed on stands in no settings file, as it would take that line's place also where it is not set.
    """
    environment = SERVICES[name]["environment"]
    passed = {variable for variable, value in environment.items() if value is None}
    told = [*environment, *settings("staging"), *ELSEWHERE]
    assert set(settings("staging")) == set(settings("production"))
    assert sorted(told) == sorted(sections._known_names())
    assert set(environment) - passed == {"API_TOKEN_KEY", "API_DATABASE_URL", "API_REDIS_URL"}


def test_images_are_the_official_ones_by_one_variable_each() -> None:
    """Where none can be pulled, PYTHON_IMAGE, POSTGRES_IMAGE and REDIS_IMAGE name others."""
    assert SERVICES["postgres"]["image"] == "${POSTGRES_IMAGE:-postgres:17}"
    assert SERVICES["redis"]["image"] == "${REDIS_IMAGE:-redis:7}"
    assert SERVICES["api"]["build"]["args"] == {"PYTHON_IMAGE": "${PYTHON_IMAGE:-python:3.13-slim}"}
    assert SERVICES["migrate"]["build"] == SERVICES["api"]["build"]


def test_what_the_image_installs_is_what_the_extra_requires() -> None:
    """The requirements are read from pyproject.toml and stand nowhere else."""
    script = str(ROOT / "deploy" / "requirements.py")
    done = subprocess.run([sys.executable, script, "reference"], capture_output=True, text=True, check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert done.stdout.splitlines() == project["project"]["optional-dependencies"]["reference"]


def test_wheels_are_of_the_version_that_the_image_names() -> None:
    """A tag without one is told with an example, and nothing is downloaded."""
    script = str(ROOT / "deploy" / "wheelhouse.py")
    environment = {**os.environ, "PYTHON_IMAGE": "mine/python:latest"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "PYTHON_IMAGE is 'mine/python:latest'; its tag must begin with a version" in done.stderr
