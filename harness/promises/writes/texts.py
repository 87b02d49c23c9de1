"""Words of several alphabets and of signs that servers escape, for members that hold prose."""

from __future__ import annotations

import html
import unicodedata
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.promises import wrong_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation

PROSE = {"name", "title", "label", "comment", "text", "subject", "description", "content", "summary", "message", "note"}
WORDS = "Zoë & Søn 漢字"
ROOM = 60


def free(contract: Contract, operation: Operation, room: int) -> dict[str, Mapping[str, Any]]:
    """The members of a JSON body that are texts of no form, with so much room, and their schemas."""
    declared = operation.json_body()
    schema = wrong_values.joined(contract, declared.schema if declared else {})
    members = {
        str(name): wrong_values.joined(contract, member) for name, member in schema.get("properties", {}).items()
    }
    return {
        name: told
        for name, told in members.items()
        if wrong_values.type_of(told) == "string"
        and not {"format", "enum", "const", "readOnly"} & set(told)
        and told.get("maxLength", room) >= room
    }


def places(contract: Contract, operation: Operation) -> list[str]:
    """The members of a JSON body that are prose by their names and schemas, with room for the words."""
    return [f"/{pointer.escape(name)}" for name in free(contract, operation, ROOM) if name.lower() in PROSE]


def text(mark: str) -> str:
    """The words, with a mark by which they are known again."""
    return f"{WORDS} {mark}"


def spoilt(sent: str, kept: str) -> bool:
    """Whether a text came back as itself and not as it was: the mark is there, other words are.

    Letter case, spaces, the composition of letters (NFC, NFD) and what stands before or after it are the API's own;
    what comes back as markup is read as such.
    """
    kept = html.unescape(kept) if "<" in kept else kept
    return sent.rsplit(" ", 1)[-1].casefold() in kept.casefold() and _plain(sent) not in _plain(kept)


def _plain(words: str) -> str:
    return unicodedata.normalize("NFC", " ".join(words.split())).casefold()
