#!/usr/bin/env python3
"""Downloads the wheels that the image of the reference API installs, so that its build needs no network.

`python deploy/wheelhouse.py` fills wheelhouse/ with what the extra `reference` requires in the versions of
constraints.txt, for the Python that the tag of PYTHON_IMAGE names. What is there and still right is left alone.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from requirements import requirements

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "wheelhouse"
DEFAULT_IMAGE = "python:3.13-slim"
OLDEST_GLIBC, NEWEST_GLIBC = 17, 36  # of manylinux2014, and of the Debian 12 that the images are made of


def main() -> None:
    """Leaves wheelhouse/ holding exactly the wheels that are needed."""
    image = os.environ.get("PYTHON_IMAGE") or DEFAULT_IMAGE
    told = re.search(r":(\d+\.\d+)", image)
    if told is None:
        sys.exit(f"PYTHON_IMAGE is {image!r}; its tag must begin with a version, such as {DEFAULT_IMAGE}")
    wanted = requirements(ROOT / "pyproject.toml", "reference")
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    key = hashlib.sha256("\n".join([told[1], platform.machine(), *wanted, constraints]).encode()).hexdigest()
    note = PLACE / "key"
    if note.is_file() and note.read_text(encoding="utf-8") == key:
        return
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wheels-", dir=PLACE) as name:
        fresh = Path(name)
        download(told[1], wanted, fresh)
        names = {path.name for path in fresh.iterdir()}
        for path in fresh.iterdir():
            path.replace(PLACE / path.name)
    for stale in [path for path in PLACE.glob("*.whl") if path.name not in names]:
        stale.unlink()
    note.write_text(key, encoding="utf-8")


def download(version: str, wanted: list[str], folder: Path) -> None:
    """Puts the wheels into a folder; by an interpreter of that version where there is one, as markers are its own."""
    found = shutil.which(f"python{version}")
    python = found if found and _has_pip(found) else sys.executable
    libraries = [f"_2_{glibc}" for glibc in range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1)] + ["2014"]
    command = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", version]
    command += [word for name in libraries for word in ("--platform", f"manylinux{name}_{platform.machine()}")]
    done = subprocess.run([*command, "-c", str(ROOT / "constraints.txt"), *wanted], check=False)  # noqa: S603 - pip
    if done.returncode:
        sys.exit(f"pip could not download the wheels for Python {version} and ended with {done.returncode}")


def _has_pip(python: str) -> bool:
    tried = subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True)  # noqa: S603 - an interpreter of PATH
    return tried.returncode == 0


if __name__ == "__main__":
    main()
