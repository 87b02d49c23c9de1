"""Files in a folder a tenant; a file appears whole, by a rename."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from reference_impl.objects.store import StoredObject, check, media_type, unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A name with a dot in front is no name of ours: a half-written file is never read.
_DRAFT = "."


class FolderObjects:
    """Names are checked before they become paths, so none leads out of the tenant's folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, tenant: str, name: str, data: bytes, content_type: str) -> None:
        """Store a file; it is on the disk when this returns."""
        check(tenant, name, content_type)
        try:
            await asyncio.to_thread(_write, self._root / tenant, name, data)
        except OSError as error:
            raise unavailable() from error

    async def read(self, tenant: str, name: str) -> StoredObject | None:
        """Return a file, or None."""
        content_type = media_type(tenant, name)
        if content_type is None:
            return None
        try:
            data = await asyncio.to_thread((self._root / tenant / name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unavailable() from error
        return StoredObject(data, content_type)

    async def delete(self, tenant: str, name: str) -> None:
        """Forget a file."""
        if media_type(tenant, name) is None:
            return
        try:
            await asyncio.to_thread((self._root / tenant / name).unlink, missing_ok=True)
        except OSError as error:
            raise unavailable() from error

    async def listed(self, tenant: str) -> list[tuple[str, float]]:
        """Return the names of a tenant's files, each with the instant it was stored at, in epoch seconds."""
        try:
            return await asyncio.to_thread(_listed, self._root / tenant, tenant)
        except OSError as error:
            raise unavailable() from error

    async def tidy(self, tenant: str, edge_s: float) -> int:
        """Delete the drafts of before an instant, which nobody goes on writing, and return how many that were."""
        try:
            return await asyncio.to_thread(_tidied, self._root / tenant, edge_s)
        except OSError as error:
            raise unavailable() from error

    async def close(self) -> None:
        """Nothing is held open."""


def _listed(folder: Path, tenant: str) -> list[tuple[str, float]]:
    return sorted(pair for pair in _entries(folder) if media_type(tenant, pair[0]))


def _tidied(folder: Path, edge_s: float) -> int:
    drafts = [name for name, at_s in _entries(folder) if name.startswith(_DRAFT) and at_s < edge_s]
    for name in drafts:
        (folder / name).unlink(missing_ok=True)
    return len(drafts)


def _entries(folder: Path) -> Iterator[tuple[str, float]]:
    """Give name and instant of each file, but for those that a server which runs beside deletes meanwhile."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False):
                    yield entry.name, entry.stat(follow_symlinks=False).st_mtime


def _write(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=_DRAFT, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, folder / name)  # noqa: PTH105 - the draft is text
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)  # noqa: PTH108 - same
        raise
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
