"""What a store of files answers, how files are named, and which store the settings choose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reference_impl import errors
from reference_impl.settings.reader import TENANT_NAME

if TYPE_CHECKING:
    from reference_impl.settings import Settings

# The ending says the media type, so that no store has to keep it beside the bytes.
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}\.([a-z0-9]{1,8})")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One file."""

    data: bytes
    content_type: str


class Objects(Protocol):
    """Files by tenant and name; a name of another tenant is not there. UNAVAILABLE when the store does not answer."""

    async def put(self, tenant: str, name: str, data: bytes, content_type: str) -> None:
        """Store a file, whole or not at all; one of the same name is replaced. ValueError when the name is refused."""
        ...

    async def read(self, tenant: str, name: str) -> StoredObject | None:
        """Return a file, or None when there is none, also when the name could never be one."""
        ...

    async def delete(self, tenant: str, name: str) -> None:
        """Forget a file; one that is not there is forgotten already."""
        ...

    async def listed(self, tenant: str) -> list[tuple[str, float]]:
        """Return the names of a tenant's files, each with the instant it was stored at, in epoch seconds."""
        ...

    async def tidy(self, tenant: str, edge_s: float) -> int:
        """Delete what writes that were killed before an instant have left, and return how many that were."""
        ...

    async def close(self) -> None:
        """Give back what the store holds open."""
        ...


def media_type(tenant: str, name: str) -> str | None:
    """Return the media type that a name says, or None when tenant or name are not of the form of ours."""
    match = _NAME.fullmatch(name)
    if match is None or not TENANT_NAME.fullmatch(tenant):
        return None
    return MEDIA_TYPES.get(match[1])


def address(tenant: str, name: str) -> str:
    """Return the path that a file is served at."""
    return f"/files/{tenant}/{name}"


def check(tenant: str, name: str, content_type: str) -> None:
    """ValueError unless this may be stored under this name."""
    if media_type(tenant, name) != content_type:
        raise ValueError(f"{name!r} of {tenant!r} is no name for {content_type}: the ending must say the media type.")


def unavailable() -> errors.ApiError:
    """Return the refusal of a store that does not answer."""
    return errors.unavailable("The store of files does not answer.")


def open_objects(settings: Settings) -> Objects:
    """Return the store that the settings choose."""
    if settings.objects.s3_endpoint:
        from reference_impl.objects.s3 import S3Objects  # noqa: PLC0415 - its client is loaded where it is used

        return S3Objects(settings.objects)
    from reference_impl.objects.folder import FolderObjects  # noqa: PLC0415 - like its twin

    return FolderObjects(settings.storage.data / "objects")
