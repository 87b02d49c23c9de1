"""One thing that was recognised: the promise that it speaks of, what to write, where, and the evidence for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


def comment(text: str) -> str:
    """A text on one line, as a comment of YAML and TOML may hold it."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def quoted(text: str) -> str:
    """A text as JSON quotes it, what is not printable by its number: a string of YAML and of TOML alike."""
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(item if item.isprintable() else f"\\U{ord(item):08x}" for item in shown)


@dataclass(frozen=True, slots=True)
class Sign:
    """What was recognised. `value` is the entry under `key`; `operation` is empty where it is the document's.

    `name` is that of one entry of several, such as a resource's. What is `sure` is written as it is; what is not is
    written as a comment, for a reader to take the `#` away.
    """

    key: str
    value: Any
    evidence: str
    operation: str = ""
    name: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """What was looked for and not recognised, and how to tell it."""

    what: str
    fix: str
