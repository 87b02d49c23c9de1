"""Runs a project's own command that makes a token of a kind that no login gives, such as one that has expired."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from harness.errors import CannotTell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_S = 20
# Of this process's own environment a command sees where programs and homes are, and what Python needs; no secret.
PASSED = ("PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")


def forged(command: Sequence[str], environment: Mapping[str, str], token: str, folder: str) -> str:
    """The token that a command prints; it reads the valid one from its input.

    Raises CannotTell where it fails or prints none, without what it wrote: that may hold a secret.
    """
    given = {name: os.environ[name] for name in PASSED if name in os.environ}
    shown = f"identities.void.token_command {' '.join(command)!r}"
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command
            command,
            input=token,
            env={**given, **environment},
            cwd=folder or None,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotTell(f"{shown} gave no token: {type(error).__name__}") from error
    made = done.stdout.strip()
    if done.returncode or not made or made != made.split()[0]:
        raise CannotTell(f"{shown} ended with {done.returncode} and printed no token; run it by hand to see why")
    return made
