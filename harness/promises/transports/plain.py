"""A wire form without a protocol: the input is the JSON body, and so is what a call answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import CannotTell

if TYPE_CHECKING:
    from harness.exchange import Response
    from harness.promises.transports.input import Input

FAILURES = {"error", "errors"}


def body(told: Input) -> tuple[str, bytes]:
    """The content type and the bytes of a call."""
    if told.files:
        raise CannotTell("the transport takes JSON, which holds no files")
    return "application/json", json.dumps(told.members, ensure_ascii=False).encode()


def answers(response: Response) -> bool:
    """Whether a successful answer tells what was done: nothing, or JSON that names no error beside its status."""
    if not response.body:
        return True
    told = response.json()
    return told is not None and not (isinstance(told, dict) and FAILURES & told.keys())
