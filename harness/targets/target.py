"""What a target is to the rest of the harness, and the two things asked of any: is it there, and its document."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urljoin, urlsplit

from harness.clock import SystemClock
from harness.errors import TargetError, UsageError
from harness.exchange import Request, Response
from harness.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_REDIRECTS = 5
FETCH_TIMEOUT_S = 10.0
OK = 200
REDIRECTS = {301, 302, 303, 307, 308}


class Target(Protocol):
    """A context manager: entered, the API answers at `url`; left, nothing of it is left behind."""

    kind: str

    @property
    def url(self) -> str:
        """Scheme, host and port, and a path where the API lies under one; no trailing slash."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that identities may be told by: the caller's own, and secrets drawn for this target."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def describe(self) -> dict[str, str]:
        """What a report says of the target; no secrets."""
        ...


def reachable(url: str, path: str = "/") -> Response:
    """Any HTTP answer of the target; raises TargetError that says what stood in the way."""
    return asyncio.run(_get(url, path))


def fetched(url: str, path: str) -> bytes:
    """The body at a path of the target, at most five redirects on the same host followed.

    Raises TargetError where the target does not answer, UsageError where it has no document there.
    """
    place = path if path.startswith("/") else f"/{path}"
    for _ in range(MAX_REDIRECTS + 1):
        response = reachable(url, place)
        location = response.header("Location")
        if response.status not in REDIRECTS or not location:
            break
        place = _followed(url, place, location)
    else:
        raise TargetError(f"{url}{path} redirects more than {MAX_REDIRECTS} times; give the document's own address")
    if response.status != OK:
        raise UsageError(
            f"{url}{place} answered {response.status}, not {OK}; give the document's path or file with --contract"
        )
    return response.body


def _followed(url: str, place: str, location: str) -> str:
    joined = urlsplit(urljoin(f"{url}{place}", location))
    if joined.netloc != urlsplit(url).netloc:
        raise UsageError(f"{url}{place} redirects to another host, {joined.netloc}; give the document as a file")
    return joined.path + (f"?{joined.query}" if joined.query else "")


async def _get(url: str, path: str) -> Response:
    wire = Wire(url, SystemClock())
    bare, _, query = path.partition("?")
    pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in query.split("&")) if name)
    prefix = urlsplit(url).path.rstrip("/")
    try:
        sent = await wire.send(Request("GET", prefix + bare, query=pairs, timeout_s=FETCH_TIMEOUT_S))
    finally:
        await wire.close()
    if sent.response is None:
        raise TargetError(f"{url} does not answer as an HTTP server: {sent.error}; start it, or mend the address")
    return sent.response
