"""Every dependency has its reason, its version, and someone who uses it."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.repo.sources import imports, modules, text

PROJECT = tomllib.loads(text(Path("pyproject.toml")))
# Used by their commands, by pytest itself or by the build, and not by an import.
NOT_IMPORTED = {"coverage", "hatchling", "mypy", "pytest-xdist", "ruff", "types-pyyaml", "testcontainers", "docker"}
IMPORTED_UNDER_ANOTHER = {"uvloop": "uvicorn", "python-multipart": "starlette"}


def plain(name: str) -> str:
    """A distribution's name in one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """Every distribution that pyproject.toml names."""
    project = PROJECT["project"]
    groups = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
        PROJECT["build-system"]["requires"],
    ]
    return {plain(re.split(r"[<>=!~\[; ]", line)[0]) for group in groups for line in group}


def test_every_dependency_has_its_reason() -> None:
    """The table in ARCHITECTURE.md has a line for each dependency, and for nothing else."""
    told = re.findall(r"^\| ([\w-]+) \| (.+) \|$", text(Path("ARCHITECTURE.md")), re.MULTILINE)
    assert sorted(plain(name) for name, _ in told if name not in {"package", "---"}) == sorted(declared())


def test_every_dependency_is_pinned() -> None:
    """constraints.txt holds a version of each."""
    pinned = {plain(line.split("==")[0]) for line in text(Path("constraints.txt")).splitlines() if "==" in line}
    assert declared() - pinned == set()


def test_every_dependency_is_used() -> None:
    """Each is imported by some module, or is a command or a plugin."""
    used = {name.split(".")[0] for module in modules() for name in imports(module)}
    owners = {plain(owner) for top, names in packages_distributions().items() if top in used for owner in names}
    owners |= {name for name, by in IMPORTED_UNDER_ANOTHER.items() if by in owners}
    assert declared() - owners - NOT_IMPORTED == set()
