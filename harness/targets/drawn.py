"""Secrets drawn for one target: filled into what it is told, known to identities by name, masked in messages."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TAIL_LINES = 12
_PLACE = re.compile(r"\{secret(?::(\w+))?\}")


class Drawn:
    """`{secret}` draws one, `{secret:NAME}` draws one once for all places that name it."""

    def __init__(self) -> None:
        self._named: dict[str, str] = {}
        self._all: list[str] = []

    @property
    def named(self) -> Mapping[str, str]:
        """The secrets that have a name, which identities can call `{env:NAME}`."""
        return dict(self._named)

    def filled(self, template: str) -> str:
        """The text with its secrets; each holds letters, digits, `-` and `_`, so that it can stand in an address."""
        return _PLACE.sub(lambda match: self._named_or_new(match[1]), template)

    def shown(self, output: bytes) -> str:
        """The last lines of what a process wrote, without the secrets."""
        text = "\n".join(output.decode("utf-8", "replace").splitlines()[-TAIL_LINES:])
        for value in self._all:
            text = text.replace(value, "[masked]")
        return text

    def _named_or_new(self, name: str | None) -> str:
        if name and name in self._named:
            return self._named[name]
        secret = f"{secrets.token_urlsafe(24)}-Aa1"
        self._all.append(secret)
        if name:
            self._named[name] = secret
        return secret
