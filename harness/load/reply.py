"""What came of one request of a load run: the answer, or the reason why there is none."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """One answer; `status` is 0 and `error` says why where there is none.

    `sent_ns` is when the client set to work, before it connects; `done_ns` is when the last byte had come or the wait
    ended; both on the monotonic clock. `retried` says that a kept connection had been closed by the server and the
    request was sent once more on a new one. A tuple, as thousands are made in a second.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    sent_ns: int
    done_ns: int
    error: str = ""
    retried: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header, its name compared without case; None where it is absent."""
        wanted = name.lower().encode("latin-1")
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == wanted), None)

    def json(self) -> Any:
        """The body as JSON; None where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None
