"""A target that runs already: any HTTP API at an address that the user named."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from harness.errors import UsageError
from harness.targets.target import reachable

if TYPE_CHECKING:
    from collections.abc import Mapping


class UrlTarget:
    """The API at `url`. One that is not on this machine is refused unless `allow_remote` says that it is meant."""

    kind = "url"

    def __init__(self, url: str, *, allow_remote: bool = False) -> None:
        self._url = checked(url, allow_remote=allow_remote)

    @property
    def url(self) -> str:
        """The address as given, without a trailing slash."""
        return self._url

    @property
    def environment(self) -> Mapping[str, str]:
        """The caller's own environment."""
        return os.environ

    def __enter__(self) -> Self:
        reachable(self._url)
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the API as it is: it was not started here."""

    def describe(self) -> dict[str, str]:
        """Its kind and its address."""
        return {"kind": self.kind, "url": self._url}


def checked(url: str, *, allow_remote: bool) -> str:
    """The address without a trailing slash; raises UsageError where it may not or cannot be a target."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"--url is {url!r}: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"--url is {url!r}; it must be an http or https address such as http://127.0.0.1:8000")
    if parts.username or parts.password:
        raise UsageError("--url holds a user name or password; tell identities by harness.toml or options instead")
    if not allow_remote and not is_loopback(host):
        raise UsageError(f"--url names {host}, which is not this machine; add --allow-remote if you mean it")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
