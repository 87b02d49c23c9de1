"""Files in an S3-compatible bucket, by path-style addresses and signed requests."""

from __future__ import annotations

import re
import time
from datetime import datetime
from html import unescape
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from reference_impl.objects.signature import Signer, encoded
from reference_impl.objects.store import StoredObject, check, media_type, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.settings.storage import Objects as Section

_TIMEOUT_S = 10.0
# Of ListObjectsV2, whose members hold no others of their names; a store's answer is no place for a parser of entities.
_MEMBER = {name: re.compile(f"<{name}>([^<]*)</{name}>") for name in ("Key", "LastModified", "NextContinuationToken")}


class S3Objects:
    """One bucket; the key of a file is `tenant/name`."""

    def __init__(self, section: Section, clock: Callable[[], float] = time.time) -> None:
        endpoint = httpx.URL(section.s3_endpoint)
        self._endpoint = endpoint
        self._host = endpoint.netloc.decode()
        self._root = f"{endpoint.path.rstrip('/')}/{section.s3_bucket}"
        self._signer = Signer(section.s3_access_key, section.s3_secret_key, section.s3_region)
        self._clock = clock
        self._client: httpx.AsyncClient | None = None

    async def put(self, tenant: str, name: str, data: bytes, content_type: str) -> None:
        """Store a file."""
        check(tenant, name, content_type)
        answer = await self._send("PUT", f"{tenant}/{name}", data, {"content-type": content_type})
        if not answer.is_success:
            raise unavailable()

    async def read(self, tenant: str, name: str) -> StoredObject | None:
        """Return a file, or None."""
        content_type = media_type(tenant, name)
        if content_type is None:
            return None
        answer = await self._send("GET", f"{tenant}/{name}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if not answer.is_success:
            raise unavailable()
        return StoredObject(answer.content, content_type)

    async def delete(self, tenant: str, name: str) -> None:
        """Forget a file."""
        if media_type(tenant, name) is None:
            return
        answer = await self._send("DELETE", f"{tenant}/{name}")
        if not answer.is_success and answer.status_code != HTTPStatus.NOT_FOUND:
            raise unavailable()

    async def listed(self, tenant: str) -> list[tuple[str, float]]:
        """Return the names of a tenant's files, each with the instant it was stored at, in epoch seconds."""
        found: list[tuple[str, float]] = []
        asked = {"list-type": "2", "prefix": f"{tenant}/"}
        while True:
            answer = await self._send("GET", "", query=asked)
            if not answer.is_success:
                raise unavailable()
            keys, at, further = _page(answer.text)
            names = [key.removeprefix(asked["prefix"]) for key in keys]
            found += [pair for pair in zip(names, at, strict=True) if media_type(tenant, pair[0])]
            if not further:
                return found
            asked["continuation-token"] = further

    async def tidy(self, _tenant: str, _edge_s: float) -> int:
        """Nothing is left: a bucket takes a file whole or not at all."""
        return 0

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _send(
        self,
        method: str,
        key: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> httpx.Response:
        if self._client is None:  # made on the loop that uses it
            self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)
        path = f"{self._root}/{key}" if key else self._root
        asked = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted((query or {}).items()))
        signed = self._signer.sign(method, path, {"host": self._host, **(headers or {})}, body, self._clock(), asked)
        url = self._endpoint.copy_with(raw_path=(encoded(path) + (f"?{asked}" if asked else "")).encode())
        try:
            return await self._client.request(method, url, headers=signed, content=body)
        except httpx.HTTPError as error:
            raise unavailable() from error


def _page(text: str) -> tuple[list[str], list[float], str]:
    """Return keys, instants and what the next page is asked with; UNAVAILABLE when it is no list."""
    keys, times, further = (
        [unescape(value) for value in _MEMBER[name].findall(text)]
        for name in ("Key", "LastModified", "NextContinuationToken")
    )
    if "<ListBucketResult" not in text or len(keys) != len(times):
        raise unavailable()
    return keys, [datetime.fromisoformat(at).timestamp() for at in times], "".join(further[:1])
