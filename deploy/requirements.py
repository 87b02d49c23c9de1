#!/usr/bin/env python3
"""Prints what an extra of pyproject.toml requires, a line each: `python requirements.py EXTRA`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(project: Path, extra: str) -> list[str]:
    """The requirements of an extra; raises KeyError where there is none of that name."""
    told = tomllib.loads(project.read_text(encoding="utf-8"))
    return list(told["project"]["optional-dependencies"][extra])


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    project = next(path for path in (here / "pyproject.toml", here.parent / "pyproject.toml") if path.is_file())
    sys.stdout.write("\n".join(requirements(project, sys.argv[1])) + "\n")
