"""A target that is started for the run and ended with it: its address, its secrets, and the way in and out."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

from harness.targets.drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class StartedTarget(ABC):
    """What a table of `[target]` tells to start, in the folder of its file; a given `command` replaces the table's.

    Whatever stands in the way while it starts, `end` has run when the error is raised.
    """

    kind: str

    def __init__(self, told: Mapping[str, Any], folder: Path, *, command: Sequence[str] | None = None) -> None:
        self.told, self.folder = told, folder
        self.command = list(command or told.get("command", ()))
        self._drawn = Drawn()
        self._url = ""

    @property
    def url(self) -> str:
        """The address that it answers at; empty before it is entered."""
        return self._url

    @property
    def drawn(self) -> Mapping[str, str]:
        """The secrets drawn for this target that identities can name."""
        return self._drawn.named

    @property
    def environment(self) -> Mapping[str, str]:
        """The caller's environment and the secrets drawn for this target."""
        return {**os.environ, **self._drawn.named}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @abstractmethod
    def start(self) -> None:
        """Returns once it answers at `url`; raises TargetError where it does not come to that."""

    @abstractmethod
    def end(self) -> None:
        """Leaves nothing of it behind; may be called again."""

    @abstractmethod
    def alive(self) -> bool:
        """Whether it still runs."""

    @abstractmethod
    def describe(self) -> dict[str, str]:
        """What a report says of it; no secrets."""
