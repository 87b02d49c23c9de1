"""The packages of npm that tests run, installed once into a folder of pytest's."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "npm"
INSTALL = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
TIMEOUT_S = 300


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages and the scripts; all workers of a run and later runs share the packages."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: the npm clients cannot be run")
    asked = (SCRIPTS / "package.json").read_bytes()
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" not in os.environ else base.parent.parent
    store = shared / f"npm-{hashlib.sha256(asked).hexdigest()[:12]}"
    store.mkdir(exist_ok=True)
    with (store / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (store / "installed").exists():
            (store / "package.json").write_bytes(asked)
            done = subprocess.run(INSTALL, cwd=store, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            assert done.returncode == 0, done.stderr
            (store / "installed").touch()
    folder = tmp_path_factory.mktemp("npm")
    shutil.copytree(SCRIPTS, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(store / "node_modules")
    return folder
