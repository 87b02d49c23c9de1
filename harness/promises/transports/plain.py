"""A wire form without a protocol: the input is the JSON body, and so is what a call answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import CannotTell
from harness.promises.schema import says_no

if TYPE_CHECKING:
    from harness.exchange import Response
    from harness.promises.transports.input import Input


def body(told: Input) -> tuple[str, bytes]:
    """The content type and the bytes of a call."""
    if told.files:
        raise CannotTell("the transport takes JSON, which holds no files")
    return "application/json", json.dumps(told.members, ensure_ascii=False).encode()


def answers(response: Response) -> bool:
    """Whether a successful answer tells what was done: nothing, or JSON that names no failure beside its status."""
    return not response.body or (response.json() is not None and not says_no(response))
