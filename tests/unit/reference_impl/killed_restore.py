"""Restores a back-up into new folders, each time killed before a later call that changes the disk, and once more after.

`python -m tests.unit.reference_impl.killed_restore BACKUP FOLDER` prints a line of JSON a death: the folder of data,
which tenants stood there, what the repeated restore said, and what stands there then.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_impl.data.backup import BackupError
from reference_impl.data.sqlite_tenants import SqliteTenants
from reference_impl.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = ("link", "unlink", "rename", "fsync")


def dying(step: int) -> None:
    """Has this process killed before its `step`-th call, from 0, that changes the disk."""
    left = [step]

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return real(*arguments, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(getattr(os, name)))


def restored(backup: Path, data: Path) -> str:
    """What a restore says."""
    storage = replace(load({"API_PROFILE": "verify"}).storage, data=data)
    try:
        return ", ".join(asyncio.run(SqliteTenants(storage).restore(backup)))
    except BackupError as error:
        return str(error)


def main(backup: Path, folder: Path) -> None:
    """Die at one step after the other, until a restore comes to its end."""
    for step in range(1000):
        data = folder / str(step)
        child = os.fork()
        if child == 0:
            dying(step)
            restored(backup, data)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            return
        found = sorted(path.name for path in (data / "tenants").glob("*.sqlite"))
        told = restored(backup, data)
        after = sorted(path.name for path in (data / "tenants").iterdir())
        sys.stdout.write(json.dumps({"data": str(data), "found": found, "told": told, "after": after}) + "\n")
        sys.stdout.flush()


main(Path(sys.argv[1]), Path(sys.argv[2]))
