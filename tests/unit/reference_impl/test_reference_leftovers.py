"""What files a killed or unlucky server leaves, and the command that lets go of them beside one that runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reference_impl.errors import unavailable
from reference_impl.objects.folder import FolderObjects
from tests.unit.reference_impl.operator_calls import asked, emptied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Shop

    from reference_impl.settings import Settings
    from tests.unit.reference_impl.operator_calls import Operator

PAGE = Path(__file__).parents[3] / "docs" / "reference.md"
IMAGE = "INSERT INTO product_images (product_id, position, url) VALUES"


def test_retain_goes_on_where_the_store_does_not_answer_for_one_tenant(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, command: Operator
) -> None:
    """What was deleted is told as it was done, other tenants' files go, and the end is one message with code 2."""
    put, settings = shop.application.services.objects.put, shop.application.settings
    for tenant in ("alpha", "beta"):
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            shop.runner.run(put(tenant, name, b"x", "image/jpeg"))
    delete = FolderObjects.delete

    async def away(self: FolderObjects, tenant: str, name: str) -> None:
        if (tenant, name) == ("alpha", "b.jpg"):
            raise unavailable("The store of files does not answer.")
        await delete(self, tenant, name)

    later = time.time() + 3700
    monkeypatch.setattr("reference_impl.upkeep.time.time", lambda: later)
    monkeypatch.setattr(FolderObjects, "delete", away)
    told = command(settings, "retain")
    assert command.code == 2
    assert "alpha: 0 request logs deleted" in told
    assert "alpha: 1 uploaded files deleted" in told
    assert "beta: 3 uploaded files deleted\nNot all that is over could be deleted:\nalpha: The store of" in told
    assert "run `retain` again" in told
    monkeypatch.setattr(FolderObjects, "delete", delete)
    assert "alpha: 2 uploaded files deleted" in command(settings, "retain")
    assert command.code == 0


@pytest.mark.engines("sqlite")
def test_retain_goes_on_where_one_tenants_database_is_broken(shop: Shop, command: Operator) -> None:
    """It is named at the end, after the lines of the others."""
    settings = shop.application.settings
    shop.runner.run(shop.application.tenants.close())
    for path in (settings.storage.data / "tenants").glob("alpha.sqlite*"):
        path.write_bytes(b"no database" * 1000)
    told = command(settings, "retain")
    assert command.code == 2
    assert "beta: 0 uploaded files deleted\nNot all that is over could be deleted:\nalpha: " in told
    assert "run `retain` again" in told


def test_a_file_that_goes_while_a_folder_is_listed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that runs beside deletes one between its name and its instant; the others are told."""
    scandir = os.scandir

    @contextlib.contextmanager
    def beside(folder: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        def entries(found: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
            for entry in found:
                (folder / "b.jpg").unlink(missing_ok=True)
                yield entry

        with scandir(folder) as found:
            yield entries(iter(sorted(found, key=lambda entry: entry.name)))

    async def work(store: FolderObjects) -> None:
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            await store.put("alpha", name, b"x", "image/jpeg")
        monkeypatch.setattr("reference_impl.objects.folder.os.scandir", beside)
        assert [name for name, _ in await store.listed("alpha")] == ["a.jpg", "c.jpg"]

    asyncio.run(work(FolderObjects(tmp_path)))


def test_files_copied_before_a_back_up_and_after_it_are_all_that_its_rows_name(
    shop: Shop, open_settings: Callable[..., Settings], tmp_path: Path, command: Operator
) -> None:
    """As docs/reference.md says: what goes after the back-up is in the first copy, what came before in the second."""
    source, seller = shop.application.settings, shop.account("seller")
    objects, copy, backup = source.storage.data / "objects", tmp_path / "copy", tmp_path / "backup"
    picture = shop.application.services.objects.put

    def product(name: str) -> str:
        made = shop.product(seller)["id"]
        url = f"/files/alpha/{made}-{name}.jpg"
        shop.runner.run(picture("alpha", f"{made}-{name}.jpg", b"x", "image/jpeg"))
        asked(source, "alpha", f"{IMAGE} ('{made}', 0, '{url}')")
        return url

    def copied() -> None:
        shutil.copytree(objects, copy, dirs_exist_ok=True)

    urls = [product("first")]
    copied()
    urls.append(product("second"))
    command(source, "backup", "--to", str(backup))
    deleted = urls[0].rpartition("/")[2][:36]
    assert shop.send("DELETE", f"/products/{deleted}", seller).status_code == 204
    late = tmp_path / "late"
    shutil.copytree(objects, late)
    copied()
    target = emptied(open_settings())
    assert "restored: alpha, beta" in command(target, "restore", "--from", str(backup))
    (rows,) = asked(target, "alpha", "SELECT url FROM product_images ORDER BY url")
    named = {url.rpartition("/")[2] for (url,) in rows}
    assert named == {url.rpartition("/")[2] for url in urls}
    assert named - {path.name for path in (late / "alpha").iterdir()} == {urls[0].rpartition("/")[2]}
    assert named - {path.name for path in (copy / "alpha").iterdir()} == set()
    assert "Copy `objects/` below `API_DATA` before it and once more after it" in PAGE.read_text()


KILLED = """
import os, pathlib, signal, sys
from reference_impl.objects import folder
folder.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
folder._write(pathlib.Path(sys.argv[1]), "ab12.jpg", b"x")
"""


def test_what_a_killed_write_leaves_goes_with_retain(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, command: Operator
) -> None:
    """A half-written file stays while somebody may be writing it, and goes afterwards."""
    settings = shop.application.settings
    folder = settings.storage.data / "objects" / "alpha"
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    (draft,) = folder.iterdir()
    assert "alpha: 0 uploaded files deleted" in command(settings, "retain")
    assert draft.exists()
    later = time.time() + 3700
    monkeypatch.setattr("reference_impl.upkeep.time.time", lambda: later)
    assert "alpha: 1 uploaded files deleted" in command(settings, "retain")
    assert list(folder.iterdir()) == []
