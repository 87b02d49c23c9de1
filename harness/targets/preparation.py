"""A command that is run on this machine before a target is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.child import Child
from harness.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


def prepare(  # noqa: PLR0913 - what a command needs, and how its failure is told
    command: Sequence[str],
    *,
    key: str,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    timeout_s: float,
    shown: Callable[[bytes], str],
) -> None:
    """Runs it to its end; raises TargetError with its last words where it fails, `shown` without secrets."""
    with log.open("wb") as output, Child(command, environment=environment, output=output, folder=folder) as child:
        code = child.wait(timeout_s)
    if code != 0:
        ended = f"did not end within {timeout_s:g} s" if code is None else f"ended with {code}"
        raise TargetError(f"{key} {shown(' '.join(command).encode())!r} {ended}:\n{shown(log.read_bytes())}")
