"""The wire form of oRPC's RPC protocol: the input under `json`, a form where it has files, and the answer alike.

Source: the RPC protocol page of orpc.dev, and what RPCLink of @orpc/client 1.16 sends. Values beyond JSON
(dates, sets) are sent as the text that the contract has for them, without `meta`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.exchange import Response
    from harness.promises.transports.input import Input

WITHIN = "/json"
BOUNDARY = "one-input-of-a-call-with-files"
PART = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="'


def body(told: Input) -> tuple[str, bytes]:
    """The content type and the bytes of a call."""
    if not told.files:
        return "application/json", json.dumps({"json": told.members}, ensure_ascii=False).encode()
    members = told.members if told.within else {**told.members, **{file.member: {} for file in told.files}}
    above = [told.within] if told.within else []
    data = json.dumps({"json": members, "meta": [], "maps": [[*above, file.member] for file in told.files]})
    parts = [f'{PART}data"\r\n\r\n{data}\r\n'.encode()]
    for number, file in enumerate(told.files):
        head = f'{PART}{number}"; filename="{file.name}"\r\nContent-Type: {file.media_type}\r\n\r\n'
        parts += [head.encode(), file.data, b"\r\n"]
    return f"multipart/form-data; boundary={BOUNDARY}", b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def answers(response: Response) -> bool:
    """Whether a successful answer is one of the protocol: nothing, or an object of `json` and `meta` alone."""
    told = response.json() if response.body else {}
    return isinstance(told, dict) and told.keys() <= {"json", "meta"}
